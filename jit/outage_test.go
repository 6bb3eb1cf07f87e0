package jit_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"muster/directory"
	"muster/jit"
)

func TestWhileTheStoreIsAwayNobodyPassesUnlessTheOperatorSaysSo(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	graceful := s.nodeWith(jit.Options{OutageGrace: time.Minute})
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	asks := func(node *scene, path string) reply {
		b.scene = node
		return b.get(path, "*/*")
	}
	passes := func(node *scene, path string, want int) {
		t.Helper()
		got := asks(node, path)
		if got.StatusCode != want || (got.Header.Get("Remote-User") == "ada@corp.example") != (want == http.StatusOK) {
			t.Errorf("%s: %s %q, want %d", path, got.Status, got.Header.Get("Remote-User"), want)
		}
	}
	passes(s, "/auth", http.StatusOK)
	passes(graceful, "/auth", http.StatusOK)

	s.store.away.Store(true)
	passes(s, "/auth", http.StatusServiceUnavailable)
	passes(graceful, "/auth?org=acme", http.StatusOK)
	passes(graceful, "/auth?org=globex", http.StatusUnauthorized)
	if got := asks(graceful, "/me"); got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") != "5" || len(got.Cookies()) > 0 {
		t.Errorf("/me: %s, Retry-After %q, %v", got.Status, got.Header.Get("Retry-After"), got.Cookies())
	}
	graceful.wait(59 * time.Second)
	passes(graceful, "/auth", http.StatusOK)
	graceful.wait(time.Second)
	passes(graceful, "/auth", http.StatusServiceUnavailable)

	s.store.away.Store(false)
	passes(graceful, "/auth", http.StatusOK)
	if got := b.post("/logout", nil); got.StatusCode >= http.StatusBadRequest {
		t.Errorf("logout: %s", got.Status)
	}
	s.store.away.Store(true)
	passes(graceful, "/auth", http.StatusUnauthorized)
	s.store.away.Store(false)
}

// What the store says counts at once when it can be asked, and is remembered.
func TestASessionThatWasRefusedDoesNotPassLater(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	graceful := s.nodeWith(jit.Options{OutageGrace: time.Hour})
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	b.scene = graceful
	if got := b.get("/auth", "*/*"); got.StatusCode != http.StatusOK {
		t.Fatal(got.Status)
	}
	cookies := b.client.Jar
	user := s.users()[0]
	if _, err := s.dir.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, ID: user.ID,
		Attributes: directory.Attributes{{Name: directory.Active, Value: directory.Text("false")}}}); err != nil {
		t.Fatal(err)
	}
	b.client.Jar = keeping{cookies}
	if got := b.get("/auth", "*/*"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("locked: %s", got.Status)
	}
	s.store.away.Store(true)
	if got := b.get("/auth", "*/*"); got.StatusCode == http.StatusOK {
		t.Error("a locked person passes because the store is away")
	}
	s.store.away.Store(false)
}

// keeping is a cookie jar that throws nothing away.
type keeping struct{ http.CookieJar }

func (keeping) SetCookies(*url.URL, []*http.Cookie) {}
