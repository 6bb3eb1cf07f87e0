package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// Keys take long to make, so the tests share three: the provider's, an attacker's and our own.
var testKeys = sync.OnceValue(func() (keys [3]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func providerKey() *rsa.PrivateKey { return testKeys()[0] }
func attackerKey() *rsa.PrivateKey { return testKeys()[1] }
func ownKey() *rsa.PrivateKey      { return testKeys()[2] }

// scene is a provider, a service provider that trusts it, and a person about to sign in.
type scene struct {
	now     time.Time
	idp     *samltest.IdP
	sp      *saml.ServiceProvider
	request samltest.Request
	person  samltest.Person
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	s.idp = s.provider(t, "https://idp.example/metadata", providerKey())
	s.sp = &saml.ServiceProvider{
		EntityID: "https://muster.example/c/acme/saml/metadata",
		ACSURL:   "https://muster.example/c/acme/saml/acs",
		IdP:      trustIn(t, s.idp),
		Now:      func() time.Time { return s.now },
	}
	s.request = samltest.Request{ID: "id-1", EntityID: s.sp.EntityID, ACSURL: s.sp.ACSURL}
	s.person = samltest.Person{
		NameID: saml.NameID{Value: "ada@corp.example"},
		Attributes: []saml.Attribute{
			{Name: "email", Values: []string{"ada@corp.example"}},
			{Name: "groups", FriendlyName: "Groups", Values: []string{"Engineering", " Admins "}},
			{Name: "none"},
			{Name: "empty", Values: []string{""}},
			{Name: "groups", Values: []string{"Again"}},
		},
	}
	return s
}

func (s *scene) provider(t testing.TB, entityID string, key crypto.Signer) *samltest.IdP {
	t.Helper()
	idp, err := samltest.NewIdP(samltest.Options{EntityID: entityID, Key: key, Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	return idp
}

func trustIn(t testing.TB, idp *samltest.IdP) *saml.Metadata {
	t.Helper()
	metadata, err := saml.ParseMetadata(idp.Metadata(), saml.MetadataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return metadata
}

func (s *scene) expect() saml.Expect { return saml.Expect{RequestIDs: []string{"id-0", "id-1"}} }

func (s *scene) document(t testing.TB, bend samltest.Bend) []byte {
	t.Helper()
	document, err := s.idp.Document(s.request, s.person, bend)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func (s *scene) verify(document []byte) (*saml.Facts, error) {
	return s.sp.Verify(encoded(document), s.expect())
}

// accepted verifies that a document is, with the facts about the scene's person.
func (s *scene) accepted(t testing.TB, document []byte) *saml.Facts {
	t.Helper()
	facts, err := s.verify(document)
	if err != nil {
		t.Fatalf("want it accepted: %v", err)
	}
	if facts.NameID.Value != s.person.NameID.Value {
		t.Fatalf("NameID %q, want %q", facts.NameID.Value, s.person.NameID.Value)
	}
	if diff := cmp.Diff(s.person.Attributes, facts.Attributes, nameFormatAside); diff != "" {
		t.Fatalf("attributes (-want +got):\n%s", diff)
	}
	return facts
}

var nameFormatAside = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "NameFormat" }, cmp.Ignore())

// refused verifies that a document is, for one of the reasons.
func (s *scene) refused(t testing.TB, document []byte, reasons ...saml.Reason) {
	t.Helper()
	facts, err := s.verify(document)
	if err == nil {
		t.Fatalf("accepted with %+v, want %v", facts, reasons)
	}
	refusal, ok := errors.AsType[*saml.Error](err)
	if !ok {
		t.Fatalf("%T is no *saml.Error: %v", err, err)
	}
	for _, reason := range reasons {
		if refusal.Reason == reason {
			return
		}
	}
	t.Fatalf("refused with %v, want %v", err, reasons)
}

// attack is a response that was tampered with, next to the same response without it.
type attack struct {
	name   string
	sign   samltest.Signing
	before func(s *scene, response *etree.Element) // while nothing is signed
	after  func(s *scene, response *etree.Element)
	bytes  func(document []byte) []byte
	scene  func(s *scene) // what differs from the usual scene, for both
	twist  func(s *scene) // what differs for the attack only
	reason saml.Reason
}

func (a attack) run(t *testing.T) {
	s := newScene(t)
	if a.scene != nil {
		a.scene(s)
	}
	s.accepted(t, s.document(t, samltest.Bend{Sign: a.sign}))
	if a.twist != nil {
		a.twist(s)
	}
	bend := samltest.Bend{Sign: a.sign}
	if a.before != nil {
		bend.Before = func(response *etree.Element) { a.before(s, response) }
	}
	if a.after != nil {
		bend.After = func(response *etree.Element) { a.after(s, response) }
	}
	document := s.document(t, bend)
	if a.bytes != nil {
		document = a.bytes(document)
	}
	s.refused(t, document, a.reason)
}

func runAttacks(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, a.run)
	}
}

func assertionIn(response *etree.Element) *etree.Element { return response.SelectElement("Assertion") }

// forged is a copy of el that vouches for somebody else, unsigned, under another ID unless it keeps its own.
func forged(el *etree.Element, keepID bool) *etree.Element {
	forgery := el.Copy()
	forgery.FindElement(".//NameID").SetText("root@corp.example")
	for signature := forgery.FindElement(".//Signature"); signature != nil; signature = forgery.FindElement(".//Signature") {
		signature.Remove()
	}
	if !keepID {
		forgery.CreateAttr("ID", "_forged")
		if inner := forgery.SelectElement("Assertion"); inner != nil {
			inner.CreateAttr("ID", "_forged-assertion")
		}
	}
	return forgery
}

// resign edits the SignedInfo of el's signature and signs it again with the provider's key, RSA-SHA256.
func resign(el *etree.Element, edit func(info *etree.Element)) {
	signature := el.SelectElement("Signature")
	info := signature.SelectElement("SignedInfo")
	edit(info)
	alone := info.Copy()
	for scope := info.Parent(); scope != nil; scope = scope.Parent() {
		for _, a := range scope.Attr {
			if a.Space == "xmlns" && alone.SelectAttr(a.FullKey()) == nil {
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(alone)
	if err != nil {
		panic(err)
	}
	digest := sha256.Sum256(canonical)
	value, err := rsa.SignPKCS1v15(rand.Reader, providerKey(), crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	signature.SelectElement("SignatureValue").SetText(base64.StdEncoding.EncodeToString(value))
}

func encoded(document []byte) string { return base64.StdEncoding.EncodeToString(document) }
