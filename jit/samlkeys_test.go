package jit_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"muster/directory"
	"muster/directory/engine"
	"muster/jit"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// trusting is a connection that creates people and asks of its provider what trust says.
func trusting(id string, trust directory.SAMLTrust) directory.Connection {
	c := justInTime(id)
	c.SAML = &trust
	return c
}

// certificates are the certificates in our metadata.
func (s *scene) certificates(connection, use string) []*x509.Certificate {
	s.Helper()
	list, err := samltest.ReadMetadata([]byte(s.browser().get("/c/"+connection+"/saml/metadata", "*/*").body), use)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

func sealedFor(t testing.TB, certificate *x509.Certificate, gcm bool) samltest.Bend {
	return samltest.Bend{After: func(response *etree.Element) {
		if err := (samltest.Recipient{Certificate: certificate, GCM: gcm}).Encrypt(response); err != nil {
			t.Fatal(err)
		}
	}}
}

func TestAssertionsThatAreEncryptedAsTheMetadataPublishesSignPeopleIn(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), justInTime("labs"))
	own := s.certificates("corp", "encryption")
	if len(own) != 1 || len(s.certificates("corp", "signing")) != 1 {
		t.Fatalf("%d certificates", len(own))
	}
	for _, gcm := range []bool{false, true} {
		s.wait(time.Second)
		b := s.browser()
		request, _ := b.start("corp", "")
		s.in(b.arrive("corp", s.response("corp", request, ada(), sealedFor(t, own[0], gcm))), "/me")
	}
	other := s.certificates("labs", "encryption")
	if other[0].Equal(own[0]) {
		t.Fatal("two connections share a key")
	}
	b := s.browser()
	request, _ := b.start("corp", "")
	s.untouched(func() {
		s.out(b.arrive("corp", s.response("corp", request, ada(), sealedFor(t, other[0], true))), 403, "invalid_assertion")
	})
}

// Both certificates are published while a key is rolled, what is encrypted for either opens, and the new one signs only
// when the provider has had time to read of it.
func TestAKeyIsRolledWithoutAGap(t *testing.T) {
	s := play(t, directory.Org{}, trusting("corp", directory.SAMLTrust{SignRequests: true}))
	first := s.certificates("corp", "signing")[0]
	by := directory.EventSource{Channel: directory.Local, Actor: "operator"}
	corp, _, err := s.dir.Connection(t.Context(), "corp")
	if err != nil {
		t.Fatal(err)
	}
	if err := jit.RollKey(t.Context(), s.dir, by, corp, jit.DefaultOverlap); err != nil {
		t.Fatal(err)
	}
	both := s.certificates("corp", "encryption")
	if len(both) != 2 || !both[0].Equal(first) {
		t.Fatalf("%d certificates, the first is the old one: %t", len(both), both[0].Equal(first))
	}
	for _, certificate := range both {
		s.wait(time.Second)
		b := s.browser()
		request, query := b.start("corp", "")
		signedBy(t, query, first)
		s.in(b.arrive("corp", s.response("corp", request, ada(), sealedFor(t, certificate, true))), "/me")
	}
	s.wait(jit.DefaultOverlap)
	_, query := s.browser().start("corp", "")
	signedBy(t, query, both[1])
	if n := len(s.certificates("corp", "signing")); n != 2 {
		t.Errorf("%d certificates after the change", n)
	}
	s.wait(jit.DefaultOverlap)
	if last := s.certificates("corp", "signing"); len(last) != 1 || !last[0].Equal(both[1]) {
		t.Errorf("%d certificates at the end", len(last))
	}
}

// signedBy verifies the signature of the redirect binding.
func signedBy(t testing.TB, query url.Values, certificate *x509.Certificate) {
	t.Helper()
	signed := "SAMLRequest=" + url.QueryEscape(query.Get("SAMLRequest")) + "&RelayState=" + url.QueryEscape(query.Get("RelayState")) +
		"&SigAlg=" + url.QueryEscape(query.Get("SigAlg"))
	digest := sha256.Sum256([]byte(signed))
	signature, err := base64.StdEncoding.DecodeString(query.Get("Signature"))
	if err != nil {
		t.Fatal(err)
	}
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("the request's signature: %v", err)
	}
}

func TestKeysAreSealedAtRest(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.certificates("corp", "signing")
	keys, err := s.dir.OwnKeys(t.Context(), "corp", "saml")
	if err != nil || len(keys) != 1 {
		t.Fatal(keys, err)
	}
	pair, err := saml.ParseKeyPair(keys[0].Private, keys[0].Public)
	if err != nil {
		t.Fatal(err)
	}
	secret := pair.Private.D.Bytes()
	encoded := []byte(base64.StdEncoding.EncodeToString(keys[0].Private))
	err = s.store.View(t.Context(), func(tx engine.ReadTx) error {
		for pair, err := range tx.Scan(nil, []byte{0xff}) {
			if err != nil {
				return err
			}
			if bytes.Contains(pair.Value, secret) || bytes.Contains(pair.Value, encoded[:200]) {
				t.Errorf("the private key is in clear under %q", pair.Key)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestASignInWithoutNeedOfAKeyMakesNone(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", ada()), "/me")
	if keys, err := s.dir.OwnKeys(t.Context(), "corp", "saml"); err != nil || len(keys) != 0 {
		t.Error(len(keys), err)
	}
}

// What the connection asks for is in the request, over either binding, and the answer is held against it.
func TestWhatIsAskedOfTheProviderIsInTheRequest(t *testing.T) {
	const mfa = "https://refeds.org/profile/mfa"
	trust := directory.SAMLTrust{SignRequests: true, ForceAuthn: true, AuthnContext: mfa, AuthnContextComparison: directory.CompareMinimum,
		NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", Binding: directory.PostBinding}
	s := play(t, directory.Org{}, trusting("corp", trust))
	b := s.browser()
	page := b.get("/c/corp/login", "text/html")
	_, value, ok := strings.Cut(page.body, `name="SAMLRequest" value="`)
	value, _, _ = strings.Cut(value, `"`)
	document, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(value, "&#43;", "+"))
	if !ok || err != nil {
		t.Fatal(page.body, err)
	}
	for _, part := range []string{`ForceAuthn="true"`, mfa, `Comparison="minimum"`, "nameid-format:persistent", "<ds:SignatureValue>"} {
		if !strings.Contains(string(document), part) {
			t.Errorf("%s is missing in %s", part, document)
		}
	}
	request, err := samltest.ReadRequest(base64.StdEncoding.EncodeToString(document))
	if err != nil {
		t.Fatal(err)
	}
	s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), "/me")
}

func TestAnotherAuthenticationThanAskedForIsRefused(t *testing.T) {
	const password = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport" // what the provider says
	s := play(t, directory.Org{}, trusting("corp", directory.SAMLTrust{AuthnContext: "urn:mfa"}), trusting("labs", directory.SAMLTrust{AuthnContext: password}),
		trusting("anew", directory.SAMLTrust{ForceAuthn: true}))
	s.untouched(func() { s.out(s.browser().signIn("corp", ada()), 403, "invalid_assertion") })
	if !strings.Contains(s.log.String(), `expected \"urn:mfa\"`) {
		t.Error("the log does not say what was expected")
	}
	s.in(s.browser().signIn("labs", ada()), "/me")
	b := s.browser()
	request, _ := b.start("anew", "")
	stale := samltest.Bend{Before: func(response *etree.Element) {
		earlier := s.now().Add(-time.Hour).UTC().Format(time.RFC3339)
		response.FindElement(".//AuthnStatement").CreateAttr("AuthnInstant", earlier)
	}}
	s.untouched(func() { s.out(b.arrive("anew", s.response("anew", request, ada(), stale)), 403, "invalid_assertion") })
	b = s.browser()
	request, _ = b.start("anew", "")
	grace := person("grace-1", "email", "grace@corp.example", "firstName", "Grace", "lastName", "Hopper")
	s.in(b.arrive("anew", s.response("anew", request, grace, samltest.Bend{})), "/me")
}

func TestOwnMetadataIsSignedWhereTheConnectionAsksForIt(t *testing.T) {
	s := play(t, directory.Org{}, trusting("corp", directory.SAMLTrust{SignMetadata: true}), justInTime("labs"))
	signed := s.browser().get("/c/corp/saml/metadata", "*/*")
	if signed.StatusCode != http.StatusOK || !strings.Contains(signed.body, "<ds:SignatureValue>") {
		t.Fatal(signed.Status, signed.body)
	}
	if s.browser().get("/c/labs/saml/metadata", "*/*"); strings.Contains(s.browser().get("/c/labs/saml/metadata", "*/*").body, "SignatureValue") {
		t.Error("signed without being asked to")
	}
}
