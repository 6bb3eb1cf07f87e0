package samltest

import (
	"cmp"
	"crypto/ecdsa"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

func (idp *IdP) sign(response *etree.Element, bend Bend) error {
	if bend.Sign == SignAssertion || bend.Sign == SignBoth {
		assertion := response.SelectElement("Assertion")
		if assertion == nil {
			return errors.New("no assertion to sign")
		}
		if err := idp.Sign(assertion, bend.SignatureMethod); err != nil {
			return err
		}
	}
	if bend.Sign == SignResponse || bend.Sign == SignBoth {
		return idp.Sign(response, bend.SignatureMethod)
	}
	return nil
}

// Sign puts an enveloped signature into el, after its Issuer. method is a signature method's URI, "" for SHA-256.
func (idp *IdP) Sign(el *etree.Element, method string) error {
	context, err := dsig.NewSigningContext(idp.key, [][]byte{idp.Certificate.Raw})
	if err != nil {
		return err
	}
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(cmp.Or(method, context.GetSignatureMethodIdentifier())); err != nil {
		return err
	}
	alone := el.Copy() // canonicalising happens in place
	for scope := el.Parent(); scope != nil; scope = scope.Parent() {
		for _, a := range scope.Attr {
			if a.Space == "xmlns" && alone.SelectAttr(a.FullKey()) == nil {
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	signature, err := context.ConstructSignature(alone, true)
	if err != nil {
		return err
	}
	if err := idp.standardize(signature); err != nil {
		return err
	}
	index := 0
	if issuer := el.SelectElement("Issuer"); issuer != nil {
		index = issuer.Index() + 1
	}
	el.InsertChildAt(index, signature)
	return nil
}

// standardize turns an ECDSA signature from ASN.1, as Go makes it, into the two numbers that XML Signature wants (6.4.3).
func (idp *IdP) standardize(signature *etree.Element) error {
	key, ok := idp.key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil
	}
	value := signature.SelectElement("SignatureValue")
	der, err := base64.StdEncoding.DecodeString(value.Text())
	if err != nil {
		return err
	}
	var numbers struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &numbers); err != nil {
		return fmt.Errorf("an ECDSA signature: %w", err)
	}
	size := (key.Curve.Params().BitSize + 7) / 8
	raw := make([]byte, 2*size)
	numbers.R.FillBytes(raw[:size])
	numbers.S.FillBytes(raw[size:])
	value.SetText(base64.StdEncoding.EncodeToString(raw))
	return nil
}
