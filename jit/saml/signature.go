package saml

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

const (
	nsExclusive    = "http://www.w3.org/2001/10/xml-exc-c14n#"
	methodsMore    = "http://www.w3.org/2001/04/xmldsig-more#"
	digestSHA1     = nsSignature + "sha1"
	transformOwn   = nsSignature + "enveloped-signature"
	withComments   = "WithComments"
	canonicalC14N  = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	canonicalC14N1 = "http://www.w3.org/2006/12/xml-c14n11"
)

// The methods that are accepted. Everything else is refused before any of it runs: HMAC would take a public certificate
// for a secret, and XPath or XSLT would let a signature choose what it signs.
func isCanonicalization(method string) bool {
	switch method {
	case nsExclusive, nsExclusive + withComments, canonicalC14N, canonicalC14N + "#" + withComments,
		canonicalC14N1, canonicalC14N1 + "#" + withComments:
		return true
	}
	return false
}

func isSignatureMethod(method string) bool {
	switch method {
	case dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod:
		return true
	}
	return false
}

func isDigestMethod(method string) bool {
	switch method {
	case nsEncryption + "sha256", methodsMore + "sha384", nsEncryption + "sha512":
		return true
	}
	return false
}

// verified returns el rebuilt from the canonical bytes that its own signature covers, without the signature. It returns
// nil if el carries no signature.
func (sp *ServiceProvider) verified(el *etree.Element) (*etree.Element, error) {
	_, count := child(el, nsSignature, "Signature")
	switch {
	case count == 0:
		return nil, nil
	case count > 1:
		return nil, refuse(ReasonSignature, "%d signatures on the %s", count, el.Tag)
	}
	alone, signature := prepared(el)
	if err := sp.admissible(signature, attribute(el, "ID")); err != nil {
		return nil, err
	}
	return sp.verifiedByAny(alone, signature)
}

// prepared returns a copy of el that stands alone, with its signature moved to the front and bared of everything but
// what was signed and the value: no KeyInfo can choose a key, and goxmldsig, which gives up on long walks, finds the
// signature at once. Taking the signature out again leaves what was signed, wherever it stood.
func prepared(el *etree.Element) (alone, signature *etree.Element) {
	alone = detached(el)
	signature, _ = child(alone, nsSignature, "Signature")
	alone.RemoveChildAt(signature.Index())
	alone.InsertChildAt(0, signature)
	for i := len(signature.Child) - 1; i >= 0; i-- {
		inner, ok := signature.Child[i].(*etree.Element)
		if !ok || !(is(inner, nsSignature, "SignedInfo") || is(inner, nsSignature, "SignatureValue")) {
			signature.RemoveChildAt(i)
		}
	}
	return alone, signature
}

// admissible checks that a signature has the one shape that is accepted: over exactly its parent, by listed methods.
func (sp *ServiceProvider) admissible(signature *etree.Element, id string) error {
	info, value := only(signature, nsSignature, "SignedInfo"), only(signature, nsSignature, "SignatureValue")
	if info == nil || value == nil {
		return refuse(ReasonSignature, "not one SignedInfo and one SignatureValue")
	}
	value.SetText(compact(text(value)))
	reference := only(info, nsSignature, "Reference")
	if reference == nil || !consists(info, "CanonicalizationMethod", "SignatureMethod", "Reference") {
		return refuse(ReasonSignature, "SignedInfo does not consist of two methods and one Reference")
	}
	if !consists(reference, "Transforms", "DigestMethod", "DigestValue") {
		return refuse(ReasonSignature, "Reference does not consist of Transforms, DigestMethod and DigestValue")
	}
	if id == "" || attribute(reference, "URI") != "#"+id {
		return refuse(ReasonSignature, "the signature is over %.100q, not over the element %.100q that it stands in", attribute(reference, "URI"), id)
	}
	return sp.methods(info, reference)
}

// consists reports that the child elements of el are exactly these of XML Signature, once each, and that no prefixed
// attribute could be mistaken for one of el's own.
func consists(el *etree.Element, tags ...string) bool {
	for _, a := range el.Attr {
		if a.Space != "" && a.Space != "xmlns" {
			return false
		}
	}
	for _, tag := range tags {
		if only(el, nsSignature, tag) == nil {
			return false
		}
	}
	return len(el.ChildElements()) == len(tags)
}

func (sp *ServiceProvider) methods(info, reference *etree.Element) error {
	canonical := algorithm(only(info, nsSignature, "CanonicalizationMethod"))
	method := algorithm(only(info, nsSignature, "SignatureMethod"))
	digest := algorithm(only(reference, nsSignature, "DigestMethod"))
	sha1 := method == dsig.RSASHA1SignatureMethod || method == dsig.ECDSASHA1SignatureMethod || digest == digestSHA1
	switch {
	case sha1 && !sp.InsecureAllowSHA1:
		return refuse(ReasonAlgorithm, "signed with SHA-1 (%.100q, digest %.100q); let the identity provider use SHA-256", method, digest)
	case !isSignatureMethod(method) && !sha1:
		return refuse(ReasonAlgorithm, "signature method %.100q", method)
	case !isDigestMethod(digest) && !sha1:
		return refuse(ReasonAlgorithm, "digest method %.100q", digest)
	case !isCanonicalization(canonical):
		return refuse(ReasonAlgorithm, "canonicalization method %.100q", canonical)
	}
	var transforms []string
	for el := range children(only(reference, nsSignature, "Transforms"), nsSignature, "Transform") {
		transforms = append(transforms, algorithm(el))
	}
	if len(transforms) != 2 || transforms[0] != transformOwn || !isCanonicalization(transforms[1]) {
		return refuse(ReasonAlgorithm, "transforms %.300q, expected enveloped-signature and a canonicalization", transforms)
	}
	return nil
}

// algorithm returns the one attribute of a method element, "" if it has others or holds more than a prefix list.
func algorithm(el *etree.Element) string {
	named := ""
	for _, a := range el.Attr {
		switch {
		case a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns"):
		case a.Space == "" && a.Key == "Algorithm":
			named = a.Value
		default:
			return ""
		}
	}
	for _, inner := range el.ChildElements() {
		if !is(inner, nsExclusive, "InclusiveNamespaces") {
			return ""
		}
	}
	return named
}

// verifiedByAny tries the certificates of the connection in turn. Those outside their validity come last, only to be
// named as the cause: a provider that renews a certificate may keep the key.
func (sp *ServiceProvider) verifiedByAny(alone, signature *etree.Element) (*etree.Element, error) {
	now := sp.now()
	var current, others []*x509.Certificate
	for _, certificate := range sp.IdP.Certificates {
		if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
			others = append(others, certificate)
			continue
		}
		current = append(current, certificate)
	}
	if root, _ := firstValid(alone, signature, current); root != nil {
		return root, nil
	}
	if _, certificate := firstValid(alone, signature, others); certificate != nil {
		return nil, refuse(ReasonCertificate, "signed with certificate %s, which is valid from %s to %s; renew the metadata",
			Fingerprint(certificate), certificate.NotBefore.Format(time.RFC3339), certificate.NotAfter.Format(time.RFC3339))
	}
	tried := make([]string, 0, maxCertificates)
	for _, certificate := range sp.IdP.Certificates {
		tried = append(tried, Fingerprint(certificate)+" (until "+certificate.NotAfter.UTC().Format(time.DateOnly)+")")
	}
	return nil, refuse(ReasonSignature, "the signature of the %s does not verify with any certificate of %s; tried SHA-256 fingerprints %s",
		alone.Tag, sp.IdP.EntityID, strings.Join(tried, ", "))
}

// firstValid returns what the first certificate that fits has verified, and that certificate.
func firstValid(alone, signature *etree.Element, certificates []*x509.Certificate) (*etree.Element, *x509.Certificate) {
	value := only(signature, nsSignature, "SignatureValue")
	received := value.Text()
	defer value.SetText(received)
	for _, certificate := range certificates {
		value.SetText(received)
		if key, ok := certificate.PublicKey.(*ecdsa.PublicKey); ok {
			value.SetText(ecdsaValue(received, key))
		}
		if root, err := validate(alone, certificate); err == nil {
			return root, certificate
		}
	}
	return nil, nil
}

// validate has goxmldsig verify against one key. Its clock stands within the certificate's validity, which is judged by
// the caller.
func validate(alone *etree.Element, certificate *x509.Certificate) (*etree.Element, error) {
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate}})
	context.Clock = dsig.NewFakeClockAt(certificate.NotBefore)
	root, err := context.Validate(alone)
	if err != nil {
		return nil, err
	}
	if root == nil || attribute(root, "ID") != attribute(alone, "ID") || root.Tag != alone.Tag {
		return nil, fmt.Errorf("saml: verified bytes are another element")
	}
	return root, nil
}

// ecdsaValue turns the two numbers of XML Signature (6.4.3) into the ASN.1 that crypto/x509 verifies. Providers written
// in Go with an unpatched goxmldsig send ASN.1 to begin with; that passes through.
func ecdsaValue(received string, key *ecdsa.PublicKey) string {
	raw, err := base64.StdEncoding.DecodeString(received)
	size := (key.Curve.Params().BitSize + 7) / 8
	if err != nil || len(raw) != 2*size {
		return received
	}
	numbers := struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:size]), new(big.Int).SetBytes(raw[size:])}
	der, err := asn1.Marshal(numbers)
	if err != nil {
		return received
	}
	return base64.StdEncoding.EncodeToString(der)
}
