package jit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"

	"muster/directory"
	"muster/jit"
	"muster/jit/saml/samltest"
)

// publisher serves one metadata document, which may change.
type publisher struct {
	*httptest.Server
	mu       sync.Mutex
	document []byte
	status   int
	asked    int
}

func publish(t testing.TB, document []byte) *publisher {
	p := &publisher{document: document, status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.asked++
		w.WriteHeader(p.status)
		_, _ = w.Write(p.document)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) now(status int, document []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.document = status, document
}

func (p *publisher) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// byURL is a scene whose connection corp gets its metadata from a publisher.
func byURL(t *testing.T, edit func(*directory.SAMLTrust)) (*scene, *publisher) {
	p := publish(t, nil)
	trust := directory.SAMLTrust{MetadataURL: p.URL}
	if edit != nil {
		edit(&trust)
	}
	s := play(t, directory.Org{}, trusting("corp", trust))
	p.now(http.StatusOK, s.idps["corp"].Metadata())
	return s, p
}

func (s *scene) refresh() {
	s.Helper()
	if err := s.door.Refresh(s.Context()); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) warnings(connection string) []jit.Warning {
	s.Helper()
	c, _, err := s.dir.Connection(s.Context(), connection)
	if err != nil {
		s.Fatal(err)
	}
	list, err := jit.Warnings(s.Context(), s.dir, c, s.now())
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// another is the provider of corp with another key, whose certificate ends then.
func (s *scene) another(end time.Time) *samltest.IdP {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	idp, err := samltest.NewIdP(samltest.Options{EntityID: s.idps["corp"].EntityID, Key: key, Now: s.now, Expires: end})
	if err != nil {
		s.Fatal(err)
	}
	return idp
}

// both is one provider's metadata with the key of another one, too.
func both(t testing.TB, a, b *samltest.IdP) []byte {
	one, other := etree.NewDocument(), etree.NewDocument()
	if one.ReadFromBytes(a.Metadata()) != nil || other.ReadFromBytes(b.Metadata()) != nil {
		t.Fatal("the metadata is no XML")
	}
	first := one.FindElement("//KeyDescriptor")
	first.Parent().InsertChildAt(first.Index(), other.FindElement("//KeyDescriptor").Copy())
	document, err := one.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// A provider that changes its certificate publishes both for a while.
func TestACertificateIsRolledOverByMetadataAlone(t *testing.T) {
	s, p := byURL(t, nil)
	s.refresh()
	old, fresh := s.idps["corp"], s.another(time.Time{})
	p.now(http.StatusOK, both(t, old, fresh))
	s.refresh() // not due yet
	if p.count() != 1 {
		t.Errorf("asked %d times", p.count())
	}
	s.idps["corp"] = fresh
	s.out(s.browser().signIn("corp", ada()), 403, "invalid_assertion")
	s.wait(4 * time.Hour)
	s.refresh()
	for _, idp := range []*samltest.IdP{old, fresh} {
		s.idps["corp"] = idp
		s.in(s.browser().signIn("corp", ada()), "/me")
		s.wait(time.Second)
	}
	p.now(http.StatusOK, fresh.Metadata())
	s.wait(4 * time.Hour)
	s.refresh()
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.idps["corp"] = old
	s.out(s.browser().signIn("corp", ada()), 403, "invalid_assertion")
	events, err := s.dir.Events(t.Context(), "acme", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range events {
		for _, c := range e.Changes {
			if strings.Contains(c.Attribute, "connection corp: new metadata from "+p.URL) {
				told++
			}
		}
	}
	if told != 2 {
		t.Errorf("%d events tell of new metadata", told)
	}
}

// Attacks 72 to 74: whatever comes from the URL, the last good document stays, and the administrator is warned.
func TestAttack74WhatCannotBeUsedLeavesTheLastGoodMetadata(t *testing.T) {
	s, p := byURL(t, nil)
	s.refresh()
	stale := strings.Replace(string(s.idps["corp"].Metadata()), "<md:EntityDescriptor ", `<md:EntityDescriptor validUntil="2020-01-01T00:00:00Z" `, 1)
	other := s.idp("https://other.example")
	two := `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + string(other.Metadata()) + string(s.idp("https://third.example").Metadata()) + `</EntitiesDescriptor>`
	for name, bad := range map[string]struct {
		status   int
		document []byte
	}{
		"an error":                         {500, s.idps["corp"].Metadata()},
		"an empty document":                {200, nil},
		"a page":                           {200, []byte("<html>sign in</html>")},
		"74 a document that ran out":       {200, []byte(stale)},
		"another provider":                 {200, other.Metadata()},
		"73 two other providers":           {200, []byte(two)},
		"no certificate that is valid now": {200, s.another(s.now().Add(-time.Hour)).Metadata()},
		"72 a hundred megabytes":           {200, append(s.idps["corp"].Metadata(), make([]byte, 100<<20)...)},
	} {
		t.Run(name, func(t *testing.T) {
			p.now(bad.status, bad.document)
			s.wait(24 * time.Hour)
			s.refresh()
			s.in(s.browser().signIn("corp", ada()), "/me")
			list := s.warnings("corp")
			if len(list) != 1 || list[0].Code != jit.WarnNotRefreshed || !strings.Contains(list[0].Detail, "the last good copy is of ") {
				t.Errorf("warnings %v", list)
			}
		})
	}
	p.now(200, s.idps["corp"].Metadata())
	s.wait(time.Hour)
	s.refresh()
	if list := s.warnings("corp"); len(list) != 0 {
		t.Errorf("warnings after a good document: %v", list)
	}
}

func TestAttack74MetadataThatMustBeSignedIsNotReplacedByUnsigned(t *testing.T) {
	signer := (&scene{TB: t}).idp("https://federation.example")
	s, p := byURL(t, func(trust *directory.SAMLTrust) { trust.MetadataCertificate = signer.Certificate.Raw })
	fresh := s.another(time.Time{})
	p.now(200, fresh.Metadata())
	s.refresh()
	s.idps["corp"] = fresh
	s.out(s.browser().signIn("corp", ada()), 403, "invalid_assertion")
	document := etree.NewDocument()
	if err := document.ReadFromBytes(s.idps["corp"].Metadata()); err != nil {
		t.Fatal(err)
	}
	document.Root().CreateAttr("ID", "_signed")
	if err := signer.Sign(document.Root(), ""); err != nil {
		t.Fatal(err)
	}
	signed, err := document.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	p.now(200, signed)
	s.wait(time.Hour)
	s.refresh()
	s.in(s.browser().signIn("corp", ada()), "/me")
}

// Attack 71: the guarded client refuses private addresses; the directory goes on with what it has.
func TestAttack71MetadataIsNotFetchedFromPrivateAddresses(t *testing.T) {
	p := publish(t, nil)
	s := playWith(t, jit.Options{}, directory.Org{}, trusting("corp", directory.SAMLTrust{MetadataURL: strings.Replace(p.URL, "http:", "https:", 1)}))
	s.refresh()
	if list := s.warnings("corp"); p.count() != 0 || len(list) != 1 || !strings.Contains(list[0].Detail, "no public address") {
		t.Errorf("asked %d times, warnings %v", p.count(), list)
	}
}

func TestOfSeveralNodesOneFetches(t *testing.T) {
	s, p := byURL(t, nil)
	other := s.node()
	var both sync.WaitGroup
	for _, node := range []*scene{s, other, s, other} {
		both.Go(func() {
			if err := node.door.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if p.count() != 1 {
		t.Errorf("asked %d times", p.count())
	}
}

func TestThePublisherSaysHowLongMetadataIsKept(t *testing.T) {
	for stated, until := range map[string]time.Duration{"PT1H": time.Hour, "PT1M": 15 * time.Minute, "P30D": 24 * time.Hour, "soon": 4 * time.Hour} {
		s, p := byURL(t, nil)
		p.now(200, []byte(strings.Replace(string(s.idps["corp"].Metadata()), "<md:EntityDescriptor ", `<md:EntityDescriptor cacheDuration="`+stated+`" `, 1)))
		s.refresh()
		s.wait(until - time.Second)
		s.refresh()
		early := p.count()
		s.wait(time.Second)
		s.refresh()
		if early != 1 || p.count() != 2 {
			t.Errorf("%s: asked %d times before, %d times after %s", stated, early, p.count(), until)
		}
	}
}

func TestEndsAreWarnedAboutThirtyDaysAhead(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	if list := s.warnings("corp"); len(list) != 0 {
		t.Errorf("warnings %v", list)
	}
	s.idps["corp"] = s.another(s.now().Add(40 * 24 * time.Hour))
	s.configure(directory.Org{ID: "acme"}, justInTime("corp"))
	if list := s.warnings("corp"); len(list) != 0 {
		t.Errorf("forty days ahead: %v", list)
	}
	s.wait(11 * 24 * time.Hour)
	if list := s.warnings("corp"); len(list) != 1 || list[0].Code != jit.WarnCertificate || !strings.Contains(list[0].Detail, "in 28 days") && !strings.Contains(list[0].Detail, "in 29 days") {
		t.Errorf("29 days ahead: %v", list)
	}
	s.wait(30 * 24 * time.Hour)
	if list := s.warnings("corp"); len(list) != 1 || !strings.Contains(list[0].Detail, "ran out") {
		t.Errorf("afterwards: %v", list)
	}
}
