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

func (b *browser) signedIn() bool { return b.get("/auth", "*/*").StatusCode == http.StatusOK }

func TestASessionEndsWithoutUseAndInAnyCase(t *testing.T) {
	s := play(t, directory.Org{Sessions: directory.SessionPolicy{Idle: time.Hour, Lifetime: 3 * time.Hour}}, justInTime("corp"))
	idle, busy := s.browser(), s.browser()
	s.in(idle.signIn("corp", ada()), "/me")
	s.wait(time.Second)
	s.in(busy.signIn("corp", ada()), "/me")
	for range 3 {
		s.wait(50 * time.Minute)
		if !busy.signedIn() {
			t.Fatal("ended while it was used")
		}
	}
	if idle.signedIn() {
		t.Error("nobody used it for an hour, and it lives")
	}
	s.wait(31 * time.Minute)
	if busy.signedIn() {
		t.Error("it lives longer than three hours")
	}
}

func TestSessionsLastTwoHoursWithoutUseAndTwelveAtMost(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	for range 7 {
		s.wait(100 * time.Minute)
		if !b.signedIn() {
			t.Fatal("ended while it was used")
		}
	}
	s.wait(21 * time.Minute)
	if b.signedIn() {
		t.Error("it lives longer than twelve hours")
	}
	s.in(b.signIn("corp", ada()), "/me")
	s.wait(2*time.Hour + time.Minute)
	if b.signedIn() {
		t.Error("nobody used it for two hours, and it lives")
	}
}

// A policy that was made shorter counts for the sessions that there are.
func TestAShorterLifetimeCountsAtOnce(t *testing.T) {
	c := justInTime("corp")
	s := play(t, directory.Org{}, c)
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	s.wait(time.Hour)
	s.configure(directory.Org{ID: "acme", Sessions: directory.SessionPolicy{Lifetime: 30 * time.Minute}}, c)
	if b.signedIn() {
		t.Error("it lives on")
	}
}

// Looking is cheap: a session that is used all the time is written every few minutes.
func TestUsingASessionSeldomWrites(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	before := s.store.updates.Load()
	for range 50 {
		s.wait(5 * time.Second)
		b.signedIn()
	}
	if n := s.store.updates.Load() - before; n > 1 {
		t.Errorf("%d writes in four minutes", n)
	}
}

// Each path that removes access ends the sessions at once, and they stay ended when access comes back.
func TestEveryPathThatRemovesAccessEndsSessions(t *testing.T) {
	byAdmin := func(s *scene, c directory.Change) {
		s.Helper()
		c.Org, c.Channel, c.Actor = "acme", directory.Local, "admin"
		if _, err := s.dir.Apply(s.Context(), c); err != nil {
			s.Fatal(err)
		}
	}
	active := func(id directory.ID, is string) directory.Change {
		return directory.Change{Verb: directory.VerbMerge, ID: id, Attributes: attributes(directory.Active, is)}
	}
	scim := func(s *scene, id directory.ID, is string) {
		s.push(directory.Change{Connection: "corp", Verb: directory.VerbEdit, ID: id, Edit: func(own directory.Attributes) (directory.Attributes, error) {
			own = own.Clone()
			own.Set(directory.Active, directory.Text(is))
			return own, nil
		}})
	}
	conn := func(state directory.State) directory.Connection {
		return directory.Connection{ID: "corp", State: state, Write: directory.Write{SCIM: directory.Create, SSO: directory.Create}, Guard: directory.Guard{Off: true},
			Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: []string{"NameID"}, Same: true}}
	}
	deny := directory.Org{ID: "acme", Rules: []directory.Rule{{Deny: true}}}
	by := directory.EventSource{Channel: directory.Local, Actor: "admin"}
	paths := []struct {
		name     string
		remove   func(*scene, *browser, directory.ID)
		giveBack func(*scene, *browser, directory.ID)
	}{
		{"SCIM locks", func(s *scene, _ *browser, id directory.ID) { scim(s, id, "false") },
			func(s *scene, _ *browser, id directory.ID) { scim(s, id, "true") }},
		{"SCIM deletes", func(s *scene, _ *browser, id directory.ID) {
			s.push(directory.Change{Connection: "corp", Verb: directory.VerbDelete, ID: id})
		}, nil},
		{"a rule denies", func(s *scene, _ *browser, _ directory.ID) { s.configure(deny, conn("")) },
			func(s *scene, _ *browser, _ directory.ID) { s.configure(directory.Org{ID: "acme"}, conn("")) }},
		{"an administrator locks", func(s *scene, _ *browser, id directory.ID) { byAdmin(s, active(id, "false")) },
			func(s *scene, _ *browser, id directory.ID) { byAdmin(s, active(id, "true")) }},
		{"an administrator deletes", func(s *scene, _ *browser, id directory.ID) {
			byAdmin(s, directory.Change{Verb: directory.VerbDelete, ID: id})
		}, nil},
		{"the person signs out", func(s *scene, b *browser, _ directory.ID) { b.post("/logout", url.Values{}) }, nil},
		{"the connection is retired", func(s *scene, _ *browser, _ directory.ID) {
			s.configure(directory.Org{ID: "acme"}, conn(directory.Retired))
		},
			func(s *scene, _ *browser, _ directory.ID) { s.configure(directory.Org{ID: "acme"}, conn("")) }},
		{"an administrator ends all", func(s *scene, _ *browser, id directory.ID) {
			if err := s.dir.RevokeSessions(s.Context(), by, "acme", id); err != nil {
				s.Fatal(err)
			}
		}, nil},
		{"an administrator ends one", func(s *scene, _ *browser, id directory.ID) {
			open, err := s.dir.Sessions(s.Context(), "acme", id)
			if err != nil || len(open) != 1 || open[0].Connection != "corp" || open[0].Agent == "" {
				s.Fatal(open, err)
			}
			if err := s.dir.RevokeSession(s.Context(), by, "acme", id, open[0].ID); err != nil {
				s.Fatal(err)
			}
		}, nil},
	}
	for _, path := range paths {
		t.Run(path.name, func(t *testing.T) {
			s := play(t, directory.Org{}, conn(""))
			made := s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate, Subject: "ada-1",
				Attributes: attributes(directory.UserName, "ada", directory.ExternalID, "ada-1", "name.givenName", "Ada", "name.familyName", "Lovelace")})
			b := s.browser()
			s.in(b.signIn("corp", ada()), "/me")
			if !b.signedIn() {
				t.Fatal("not signed in to begin with")
			}
			at, _ := url.Parse(s.base)
			kept := b.client.Jar.Cookies(at)
			path.remove(s, b, made.User.ID)
			b.client.Jar.SetCookies(at, kept) // whatever the browser was told to forget
			if b.signedIn() {
				t.Error("the session lives")
			}
			if path.giveBack == nil {
				return
			}
			s.wait(time.Second)
			path.giveBack(s, b, made.User.ID)
			if b.client.Jar.SetCookies(at, kept); b.signedIn() {
				t.Error("the session came back with the access")
			}
			s.wait(time.Second)
			s.in(s.browser().signIn("corp", ada()), "/me")
		})
	}
}

func TestManySessionsEndTogether(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	browsers := make([]*browser, 20)
	for i := range browsers {
		browsers[i] = s.browser()
		s.in(browsers[i].signIn("corp", ada()), "/me")
		s.wait(time.Second)
	}
	ada := s.user("ada@corp.example").ID
	if open, err := s.dir.Sessions(t.Context(), "acme", ada); err != nil || len(open) != 20 || open[0].Created.Before(open[19].Created) {
		t.Error(len(open), err)
	}
	if err := s.dir.RevokeSessions(t.Context(), directory.EventSource{Actor: "admin"}, "acme", ada); err != nil {
		t.Fatal(err)
	}
	for _, b := range browsers {
		if b.signedIn() {
			t.Fatal("a session lives")
		}
	}
	if open, err := s.dir.Sessions(t.Context(), "acme", ada); err != nil || len(open) != 0 {
		t.Error(len(open), err)
	}
}

func TestPeopleAreSentToAllowedApplicationsOnly(t *testing.T) {
	s := play(t, directory.Org{ReturnOrigins: []string{"https://app.example", "https://other.example:8443"}}, justInTime("corp"), idpInitiated("portal"))
	for to, want := range map[string]string{
		"https://app.example/deep?x=1#part": "https://app.example/deep?x=1#part", "https://app.example": "https://app.example",
		"https://other.example:8443/": "https://other.example:8443/", "/own": "/own",
		"https://other.example/": "/me", "http://app.example/": "/me", "https://app.example.evil.example/": "/me",
		"https://app.example@evil.example/": "/me", "https://evil.example/https://app.example": "/me", "//app.example/": "/me",
		`https://app.example\@evil.example`: "/me", "https://APP.example/": "/me", "https:app.example/": "/me", "javascript:alert(1)": "/me",
	} {
		s.wait(time.Second)
		b := s.browser()
		request, _ := b.start("corp", "?return_to="+url.QueryEscape(to))
		s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), want)
		eve := person("eve", "email", "eve@corp.example", "firstName", "Eve", "lastName", "E")
		s.in(s.browser().post("/c/portal/saml/acs", url.Values{
			"SAMLResponse": {s.response("portal", s.unsolicited("portal"), eve, samltest.Bend{})}, "RelayState": {to}}), want)
	}
}

// Traefik and Caddy hand the answer on as it is; nginx takes 401 and reads the Location.
func TestAuthSendsStrangersToTheSignInAsEachProxyNeedsIt(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	ask := func(header map[string]string) reply {
		r, err := http.NewRequest(http.MethodGet, s.base+"/auth", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		for name, value := range header {
			r.Header.Set(name, value)
		}
		return s.browser().do(r)
	}
	host := strings.TrimPrefix(s.base, "http://")
	login := s.base + "/login?return_to="
	for name, c := range map[string]struct {
		header   map[string]string
		status   int
		location string
	}{
		"Traefik":        {map[string]string{"X-Forwarded-Proto": "http", "X-Forwarded-Host": host, "X-Forwarded-Uri": "/app?a=b", "X-Forwarded-Method": "GET"}, 302, login + url.QueryEscape("/app?a=b")},
		"Caddy":          {map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Uri": "/x", "X-Forwarded-Method": "HEAD"}, 302, login + url.QueryEscape("https://app.example/x")},
		"a post":         {map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Uri": "/x", "X-Forwarded-Method": "POST"}, 401, login + url.QueryEscape("https://app.example/x")},
		"a script":       {map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example", "X-Forwarded-Uri": "/x", "Accept": "application/json"}, 401, login + url.QueryEscape("https://app.example/x")},
		"nginx":          {map[string]string{"X-Original-URL": "https://app.example/y"}, 401, login + url.QueryEscape("https://app.example/y")},
		"nothing said":   {nil, 401, s.base + "/login"},
		"a wrong scheme": {map[string]string{"X-Original-URL": "javascript:alert(1)"}, 401, s.base + "/login"},
	} {
		if got := ask(c.header); got.StatusCode != c.status || got.Header.Get("Location") != c.location {
			t.Errorf("%s: %s to %q, want %d to %q", name, got.Status, got.Header.Get("Location"), c.status, c.location)
		}
	}
}

// What the client claims in the proxy's headers is not what the application is told.
func TestAuthSetsEveryIdentityHeaderItself(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", person("plain", "email", "plain@corp.example", "firstName", "P", "lastName", "L")), "/me")
	r, err := http.NewRequest(http.MethodGet, s.base+"/auth", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
		r.Header.Set(name, "root")
	}
	got := b.do(r)
	for _, name := range []string{"Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups"} {
		if values := got.Header.Values(name); len(values) != 1 || strings.Contains(values[0], "root") {
			t.Errorf("%s: %q", name, values)
		}
	}
}
