package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

func TestECDSASignaturesAreAccepted(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		t.Run(curve.Params().Name, func(t *testing.T) {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			s := newScene(t)
			s.idp = s.provider(t, s.idp.EntityID, key)
			rsaKeys := s.sp.IdP.Certificates
			s.sp.IdP = trustIn(t, s.idp)
			s.sp.IdP.Certificates = append(rsaKeys, s.sp.IdP.Certificates...)
			document := s.document(t, samltest.Bend{Sign: samltest.SignBoth})
			s.accepted(t, document)
			s.refused(t, replaced("ada@", "eve@")(document), saml.ReasonSignature)
		})
	}
}

func TestCertificatesAreTriedInTurnAndTheirDatesCount(t *testing.T) {
	s := newScene(t)
	document := s.document(t, samltest.Bend{})
	mine := s.sp.IdP.Certificates[0]
	other := s.provider(t, "", attackerKey()).Certificate
	expired, early := *mine, *mine
	expired.NotAfter = s.now.AddDate(0, 0, -1)
	early.NotBefore = s.now.AddDate(0, 0, 1)
	for _, c := range []struct {
		name    string
		trusted []*x509.Certificate
		reason  saml.Reason // "": accepted
	}{
		{"the right one last", []*x509.Certificate{other, mine}, ""},
		{"the right one first", []*x509.Certificate{mine, other}, ""},
		{"renewed with the same key", []*x509.Certificate{&expired, mine}, ""},
		{"expired", []*x509.Certificate{&expired, other}, saml.ReasonCertificate},
		{"not yet valid", []*x509.Certificate{&early}, saml.ReasonCertificate},
		{"another", []*x509.Certificate{other}, saml.ReasonSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.sp.IdP.Certificates = c.trusted
			_, err := s.verify(document)
			if got := saml.ReasonOf(err); got != c.reason {
				t.Errorf("got %v, want reason %q", err, c.reason)
			}
		})
	}
}
