package jit_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit/saml/samltest"
)

// twoProviders is a person at home with one, and another that links by proof.
func twoProviders(t *testing.T) (s *scene, id directory.ID, augusta samltest.Person) {
	second := justInTime("second")
	second.Link = directory.LinkConfirm
	s = play(t, directory.Org{}, justInTime("home"), second)
	s.browser().signIn("home", ada())
	return s, s.user("ada@corp.example").ID, person("a-9", "email", "ada@corp.example", "firstName", "Augusta", "lastName", "King")
}

func (b *browser) linked(id directory.ID, connection string) string {
	b.Helper()
	x, err := b.dir.Explain(b.Context(), "acme", id)
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range x.Links {
		if l.Connection == connection && l.Channel == directory.SSO {
			return l.Subject
		}
	}
	return ""
}

func (b *browser) openCases() int {
	b.Helper()
	page, err := b.dir.Cases(b.Context(), "acme", directory.CaseQuery{})
	if err != nil {
		b.Fatal(err)
	}
	return len(page.Cases)
}

func TestConflict16ThePersonProvesTheExistingAccount(t *testing.T) {
	s, id, augusta := twoProviders(t)
	b := s.browser()
	refused := b.signIn("second", augusta)
	if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, `href="/c/home/login?return_to=%2Fconfirm"`) {
		t.Fatalf("%s\n%s", refused.Status, refused.body)
	}
	if b.openCases() != 1 || b.linked(id, "second") != "" {
		t.Errorf("%d cases, linked as %q", b.openCases(), b.linked(id, "second"))
	}
	request, _ := b.start("home", "?return_to=%2Fconfirm")
	back := b.arrive("home", s.response("home", request, ada(), samltest.Bend{}))
	if back.StatusCode != http.StatusSeeOther || back.Header.Get("Location") != "/confirm" {
		t.Fatalf("%s to %q", back.Status, back.Header.Get("Location"))
	}
	page := b.get("/confirm", "text/html")
	for _, want := range []string{"second", "a-9", "Ada", `action="/confirm"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page does not tell of %q:\n%s", want, page.body)
		}
	}
	if b.linked(id, "second") != "" {
		t.Error("looking at the page linked")
	}
	if done := b.post("/confirm", url.Values{}); done.StatusCode != http.StatusSeeOther || done.Header.Get("Location") != "/me" {
		t.Fatalf("%s %s", done.Status, done.body)
	}
	if b.linked(id, "second") != "a-9" || b.openCases() != 0 {
		t.Errorf("linked as %q, %d cases", b.linked(id, "second"), b.openCases())
	}
	if again := b.post("/confirm", url.Values{}); again.StatusCode != http.StatusForbidden {
		t.Errorf("a proof counted twice: %s", again.Status)
	}
	if in := s.browser().signIn("second", augusta); in.StatusCode != http.StatusSeeOther {
		t.Errorf("%s %s", in.Status, in.body)
	}
	if u := s.user("ada@corp.example"); u.ID != id || u.Attributes.Text(directory.GivenName) != "Ada" || len(s.users()) != 1 {
		t.Errorf("the second connection rewrote the user: %v", u.Attributes)
	}
}

func TestConflict16WhatProvesNothingLinksNothing(t *testing.T) {
	confirm := func(b *browser) int { return b.post("/confirm", url.Values{}).StatusCode }
	for name, c := range map[string]struct {
		do   func(s *scene, b *browser, augusta samltest.Person) int
		want int
	}{
		"somebody else's account": {func(s *scene, b *browser, augusta samltest.Person) int {
			b.signIn("second", augusta)
			b.signIn("home", person("bob-1", "email", "bob@corp.example", "firstName", "Bob", "lastName", "B"))
			return confirm(b)
		}, http.StatusForbidden},
		"a session from before": {func(s *scene, b *browser, augusta samltest.Person) int {
			b.signIn("home", ada())
			s.wait(time.Second)
			b.signIn("second", augusta)
			return confirm(b)
		}, http.StatusForbidden},
		"no session": {func(s *scene, b *browser, augusta samltest.Person) int {
			b.signIn("second", augusta)
			return confirm(b)
		}, http.StatusUnauthorized},
		"another browser": {func(s *scene, b *browser, augusta samltest.Person) int {
			s.browser().signIn("second", augusta)
			b.signIn("home", ada())
			return confirm(b)
		}, http.StatusForbidden},
		"too late": {func(s *scene, b *browser, augusta samltest.Person) int {
			b.signIn("second", augusta)
			s.wait(11 * time.Minute)
			b.signIn("home", ada())
			return confirm(b)
		}, http.StatusForbidden},
		"another site's page": {func(s *scene, b *browser, augusta samltest.Person) int {
			b.signIn("second", augusta)
			b.signIn("home", ada())
			r, err := http.NewRequest(http.MethodPost, b.base+"/confirm", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Origin", "https://evil.example")
			return b.do(r).StatusCode
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			s, id, augusta := twoProviders(t)
			b := s.browser()
			if got := c.do(s, b, augusta); got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
			if b.linked(id, "second") != "" {
				t.Error("it linked")
			}
		})
	}
}

func TestConflict16WithoutConfirmNothingIsOffered(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("home"), justInTime("second"))
	s.browser().signIn("home", ada())
	b := s.browser()
	b.accept = "application/json"
	refused := b.signIn("second", person("a-9", "email", "ada@corp.example", "firstName", "A", "lastName", "K"))
	if refused.StatusCode != http.StatusForbidden || strings.Contains(refused.body, "confirm") || len(refused.Cookies()) > 1 {
		t.Errorf("%s %s %v", refused.Status, refused.body, refused.Cookies())
	}
}
