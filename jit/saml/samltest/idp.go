package samltest

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
)

const maxRequest = 1 << 20

// Options describe the identity provider. The zero value makes one with a fresh RSA key of 2048 bits.
type Options struct {
	EntityID string           // "": https://idp.example/metadata
	SSOURL   string           // where it takes requests; "": https://idp.example/sso
	Key      crypto.Signer    // RSA or ECDSA
	Now      func() time.Time // nil: time.Now
	Expires  time.Time        // when the certificate ends; zero: in five years
}

// IdP is a test identity provider. It may be used by many goroutines.
type IdP struct {
	EntityID    string
	SSOURL      string
	Certificate *x509.Certificate // self-signed, valid for ten years around Now

	key crypto.Signer
	now func() time.Time
}

// NewIdP makes an identity provider.
func NewIdP(options Options) (*IdP, error) {
	idp := &IdP{
		EntityID: cmp.Or(options.EntityID, "https://idp.example/metadata"),
		SSOURL:   cmp.Or(options.SSOURL, "https://idp.example/sso"),
		key:      options.Key,
		now:      options.Now,
	}
	if idp.now == nil {
		idp.now = time.Now
	}
	var err error
	if idp.key == nil {
		if idp.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, fmt.Errorf("samltest: make a key: %w", err)
		}
	}
	end := options.Expires
	if end.IsZero() {
		end = idp.now().AddDate(5, 0, 0)
	}
	if idp.Certificate, err = selfSigned(idp.key, idp.now(), end); err != nil {
		return nil, fmt.Errorf("samltest: make a certificate: %w", err)
	}
	return idp, nil
}

func selfSigned(key crypto.Signer, now, end time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "test identity provider"},
		NotBefore:    now.AddDate(-5, 0, 0),
		NotAfter:     end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Metadata describes the provider to service providers.
func (idp *IdP) Metadata() []byte {
	entity := etree.NewElement("md:EntityDescriptor")
	entity.CreateAttr("xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata")
	entity.CreateAttr("xmlns:ds", "http://www.w3.org/2000/09/xmldsig#")
	entity.CreateAttr("entityID", idp.EntityID)
	role := entity.CreateElement("md:IDPSSODescriptor")
	role.CreateAttr("protocolSupportEnumeration", "urn:oasis:names:tc:SAML:2.0:protocol")
	key := role.CreateElement("md:KeyDescriptor")
	key.CreateAttr("use", "signing")
	certificate := key.CreateElement("ds:KeyInfo").CreateElement("ds:X509Data").CreateElement("ds:X509Certificate")
	certificate.SetText(base64.StdEncoding.EncodeToString(idp.Certificate.Raw))
	for _, binding := range []string{crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding} {
		endpoint := role.CreateElement("md:SingleSignOnService")
		endpoint.CreateAttr("Binding", binding)
		endpoint.CreateAttr("Location", idp.SSOURL)
	}
	var document bytes.Buffer
	if _, err := etree.NewDocumentWithRoot(entity).WriteTo(&document); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return document.Bytes()
}

// Request is what a service provider asked for. A zero ID makes the response unsolicited.
type Request struct {
	ID       string
	EntityID string // of the service provider
	ACSURL   string
}

// ReadRequest reads the SAMLRequest parameter of either binding. It checks no signature.
func ReadRequest(samlRequest string) (Request, error) {
	decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(samlRequest), ""))
	if err != nil {
		return Request{}, fmt.Errorf("samltest: read the request: %w", err)
	}
	if !bytes.HasPrefix(decoded, []byte("<")) {
		inflated := flate.NewReader(bytes.NewReader(decoded))
		if decoded, err = io.ReadAll(io.LimitReader(inflated, maxRequest)); err != nil {
			return Request{}, fmt.Errorf("samltest: inflate the request: %w", err)
		}
	}
	var message crewjam.AuthnRequest
	if err := xml.Unmarshal(decoded, &message); err != nil {
		return Request{}, fmt.Errorf("samltest: read the request: %w", err)
	}
	if message.Issuer == nil || message.AssertionConsumerServiceURL == "" {
		return Request{}, errors.New("samltest: the request names no issuer or no ACS")
	}
	return Request{message.ID, message.Issuer.Value, message.AssertionConsumerServiceURL}, nil
}
