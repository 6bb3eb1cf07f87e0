package jit_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// Attacks by their numbers; those on the message itself are tested in package saml.

func TestAttack38TheSameResponseTwice(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	b.accept = "application/json"
	request, _ := b.start("corp", "")
	response := s.response("corp", request, ada(), samltest.Bend{})
	s.in(b.arrive("corp", response), "/me")
	s.untouched(func() { s.out(b.arrive("corp", response), 403, "unknown_request") })
}

func TestAttack38TheSameUnsolicitedResponseTwice(t *testing.T) {
	s := play(t, directory.Org{}, idpInitiated("corp"))
	b := s.browser()
	response := s.response("corp", s.unsolicited("corp"), ada(), samltest.Bend{})
	s.in(b.arrive("corp", response), "/me")
	s.out(s.browser().arrive("corp", response), 403, "stale_assertion")
}

func TestAttack39TheSameAssertionInANewResponse(t *testing.T) {
	s := play(t, directory.Org{}, idpInitiated("corp"))
	bend := samltest.Bend{AssertionID: "_once"}
	s.in(s.browser().arrive("corp", s.response("corp", s.unsolicited("corp"), ada(), bend)), "/me")
	s.out(s.browser().arrive("corp", s.response("corp", s.unsolicited("corp"), ada(), bend)), 403, "stale_assertion")
	s.wait(time.Minute)
	s.in(s.browser().arrive("corp", s.response("corp", s.unsolicited("corp"), ada(), samltest.Bend{AssertionID: "_twice"})), "/me")
}

// Attacks 40, 43
func TestAttack43AnAssertionOfAnotherConnection(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), justInTime("labs"))
	b := s.browser()
	corp, _ := b.start("corp", "")
	labs, _ := b.start("labs", "")
	s.untouched(func() {
		s.out(b.arrive("labs", s.response("corp", corp, ada(), samltest.Bend{})), 403, "invalid_assertion")
		s.out(b.arrive("labs", s.response("corp", labs, ada(), samltest.Bend{})), 403, "invalid_assertion")
	})
	s.in(b.arrive("labs", s.response("labs", labs, ada(), samltest.Bend{})), "/me")
}

func TestAttack44TwoConnectionsOfOneEntityIDTrustTheirOwnCertificates(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.idps["labs"] = s.idp(s.idps["corp"].EntityID)
	s.configure(directory.Org{ID: "acme"}, justInTime("labs"))
	b := s.browser()
	request, _ := b.start("labs", "")
	s.untouched(func() {
		s.out(b.arrive("labs", s.response("corp", request, ada(), samltest.Bend{})), 403, "invalid_assertion")
	})
	s.in(b.arrive("labs", s.response("labs", request, ada(), samltest.Bend{})), "/me")
}

func TestAttack53AnUnknownRequest(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	request, _ := b.start("corp", "")
	known := request.ID
	request.ID = "id-unknown"
	s.untouched(func() {
		s.out(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), 403, "unknown_request")
	})
	request.ID = known
	s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), "/me")
}

func TestAttack55AnUnsolicitedResponseWhereNotAllowed(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), idpInitiated("portal"))
	s.untouched(func() {
		s.out(s.browser().arrive("corp", s.response("corp", s.unsolicited("corp"), ada(), samltest.Bend{})), 403, "unknown_request")
	})
	s.in(s.browser().arrive("portal", s.response("portal", s.unsolicited("portal"), ada(), samltest.Bend{})), "/me")
}

func idpInitiated(id string) directory.Connection {
	c := justInTime(id)
	c.SAML = &directory.SAMLTrust{AllowIDPInitiated: true}
	return c
}

// unsolicited is no request at all, to the connection's address.
func (s *scene) unsolicited(connection string) samltest.Request {
	root := s.base + "/c/" + connection + "/saml/"
	return samltest.Request{EntityID: root + "metadata", ACSURL: root + "acs"}
}

// Attack 56: a stranger's sign-in is posted by somebody else's browser.
func TestAttack56ARequestOfAnotherBrowser(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	eve, victim := s.browser(), s.browser()
	request, _ := eve.start("corp", "")
	victim.start("corp", "") // has a cookie of its own
	response := s.response("corp", request, ada(), samltest.Bend{})
	s.untouched(func() { s.out(victim.arrive("corp", response), 403, "unknown_request") })
	s.in(eve.arrive("corp", response), "/me") // and the attempt has not used it up
}

// Attack 56: the cookie's name can be guessed from the request, its value cannot.
func TestAttack56ARequestWithAForgedCookie(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	eve, victim := s.browser(), s.browser()
	request, _ := eve.start("corp", "")
	at, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	victim.client.Jar.SetCookies(at, []*http.Cookie{{Name: "muster-sign-in-" + request.ID, Value: "forged", Path: "/"}})
	s.untouched(func() {
		s.out(victim.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), 403, "unknown_request")
	})
}

func TestAttack57ARequestOfAnotherConnection(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), justInTime("labs"))
	b := s.browser()
	request, _ := b.start("corp", "")
	labs, _ := b.start("labs", "")
	crossed := labs
	crossed.ID = request.ID
	s.untouched(func() {
		s.out(b.arrive("labs", s.response("labs", crossed, ada(), samltest.Bend{})), 403, "unknown_request")
	})
	s.in(b.arrive("labs", s.response("labs", labs, ada(), samltest.Bend{})), "/me")
}

// Attack 58, with another assertion in the second answer
func TestAttack58ARequestIDUsedTwice(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	request, _ := b.start("corp", "")
	at, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	kept := b.client.Jar.Cookies(at)
	s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), "/me")
	b.client.Jar.SetCookies(at, kept) // the browser did not forget
	s.out(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), 403, "unknown_request")
}

func TestARequestIsForgottenAfterTenMinutes(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	request, _ := b.start("corp", "")
	s.wait(9 * time.Minute)
	late, _ := b.start("corp", "")
	s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), "/me")
	s.wait(11 * time.Minute)
	s.out(b.arrive("corp", s.response("corp", late, ada(), samltest.Bend{})), 403, "unknown_request")
}

// Attacks 69 and 107
func TestAttack69ReturnLeadsToOwnPathsOnly(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	good := []string{"/app?x=1&y=%2F#part", "/", "/a/b"}
	evil := []string{"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "/\t/evil.example",
		"/\n/evil.example", " /app", "app", "", "///evil.example", "http:/evil", "/" + strings.Repeat("a", 10<<10), "/%zz", "/ü", "/a b"}
	land := func(to string) string {
		b := s.browser()
		request, query := b.start("corp", "?return_to="+url.QueryEscape(to))
		if to != "" && strings.Contains(query.Get("RelayState"), to) {
			t.Errorf("RelayState carries %q", to)
		}
		got := b.post("/c/corp/saml/acs", url.Values{"SAMLResponse": {s.response("corp", request, ada(), samltest.Bend{})}, "RelayState": {to}})
		if got.StatusCode != http.StatusSeeOther {
			t.Fatalf("%q: %s", to, got.Status)
		}
		return got.Header.Get("Location")
	}
	for _, to := range good {
		if got := land(to); got != to {
			t.Errorf("%q leads to %q", to, got)
		}
	}
	for _, to := range evil {
		if got := land(to); got != "/me" {
			t.Errorf("%.40q leads to %.40q", to, got)
		}
	}
}

// Attack 69: what the provider carries back beside an answer is not read; beside what it started itself it may name one
// of our pages, and nothing else.
func TestAttack69RelayStateLeadsNowhereElse(t *testing.T) {
	s := play(t, directory.Org{}, idpInitiated("corp"))
	for relay, want := range map[string]string{"https://evil.example": "/me", "//evil.example": "/me", `/\evil.example`: "/me", "javascript:alert(1)": "/me",
		"/app": "/app", "": "/me", strings.Repeat("x", 10<<10): "/me", "/" + strings.Repeat("x", 10<<10): "/me"} {
		s.wait(time.Second)
		got := s.browser().post("/c/corp/saml/acs", url.Values{
			"SAMLResponse": {s.response("corp", s.unsolicited("corp"), ada(), samltest.Bend{})}, "RelayState": {relay}})
		s.in(got, want)
	}
	b := s.browser()
	request, _ := b.start("corp", "")
	s.in(b.post("/c/corp/saml/acs", url.Values{"SAMLResponse": {s.response("corp", request, ada(), samltest.Bend{})}, "RelayState": {"/app"}}), "/me")
}

// Attack 70
func TestAttack70WhatTheProviderSendsIsEscaped(t *testing.T) {
	c := justInTime("corp")
	c.DiagnoseUntil = time.Now().Add(time.Hour)
	s := play(t, directory.Org{}, c)
	b := s.browser()
	const script = `<script>alert("1")</script>`
	s.in(b.signIn("corp", with(ada("displayName", script), "groups", script)), "/me")
	if page := b.get("/me", "text/html"); strings.Contains(page.body, script) || !strings.Contains(page.body, "&lt;script&gt;") {
		t.Error("/me shows mark-up of the provider's")
	}
	request, _ := b.start("corp", "")
	request.EntityID = "https://evil.example/" + script + "\r\nSet-Cookie: x=y"
	got := b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{}))
	s.out(got, 403, "invalid_assertion")
	if strings.Contains(got.body, script) || strings.Contains(s.log.String(), "\r\nSet-Cookie") || strings.Contains(s.log.String(), "\nSet-Cookie") {
		t.Error("the refusal shows mark-up of the provider's, or the log has its line end")
	}
}

// FX-7's counterpart: each broken message gets its status and its code, and nobody is touched.
func TestBadMessagesAreRefusedEachWithItsCode(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	encode := func(xml string) string { return base64.StdEncoding.EncodeToString([]byte(xml)) }
	bent := func(bend samltest.Bend) func(samltest.Request) url.Values {
		return func(r samltest.Request) url.Values {
			return url.Values{"SAMLResponse": {s.response("corp", r, ada(), bend)}}
		}
	}
	plain := func(form url.Values) func(samltest.Request) url.Values {
		return func(samltest.Request) url.Values { return form }
	}
	tests := []struct {
		name   string
		status int
		code   string
		form   func(samltest.Request) url.Values
	}{
		{"no field", 400, "malformed_message", plain(url.Values{})},
		{"an artifact", 400, "malformed_message", plain(url.Values{"SAMLart": {"AAQAA"}})},
		{"two fields", 400, "malformed_message", plain(url.Values{"SAMLResponse": {"a", "b"}})},
		{"a good one and another", 400, "malformed_message", func(r samltest.Request) url.Values {
			return url.Values{"SAMLResponse": {s.response("corp", r, ada(), samltest.Bend{}), "b"}}
		}},
		{"no base64", 400, "malformed_message", plain(url.Values{"SAMLResponse": {"%%%"}})},
		{"no XML", 400, "malformed_message", plain(url.Values{"SAMLResponse": {encode("hello")}})},
		{"a document type", 400, "malformed_message", plain(url.Values{"SAMLResponse": {encode(`<!DOCTYPE a><a/>`)}})},
		{"33 too large beside it", 413, "message_too_large", plain(url.Values{"SAMLResponse": {"x"}, "more": {strings.Repeat("A", 3<<20)}})},
		{"33 too large", 413, "message_too_large", plain(url.Values{"SAMLResponse": {strings.Repeat("A", 3<<20)}})},
		{"33 too large when decoded", 413, "message_too_large", plain(url.Values{"SAMLResponse": {encode("<a>" + strings.Repeat("x", saml.MaxMessage) + "</a>")}})},
		{"14 unsigned", 403, "invalid_assertion", bent(samltest.Bend{Sign: samltest.SignNothing})},
		{"45 expired", 403, "stale_assertion", bent(samltest.Bend{Later: -time.Hour})},
		{"46 from the future", 403, "stale_assertion", bent(samltest.Bend{Later: time.Hour})},
		{"61 declined", 403, "declined_by_provider", bent(samltest.Bend{Status: "urn:oasis:names:tc:SAML:2.0:status:Responder"})},
		{"another issuer", 403, "invalid_assertion", bent(samltest.Bend{Issuer: "https://evil.example"})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := s.browser()
			b.accept = "application/json"
			request, _ := b.start("corp", "")
			s.untouched(func() { s.out(b.post("/c/corp/saml/acs", test.form(request)), test.status, test.code) })
		})
	}
	s.in(s.browser().signIn("corp", ada()), "/me")
}

func TestAnUnknownConnectionIsNotFound(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	for _, path := range []string{"/c/nobody/login", "/c/nobody/saml/metadata", "/c/%00/login", "/c/..%2Fcorp/login"} {
		s.out(b.get(path, "application/json"), 404, "unknown_connection")
	}
	s.out(b.arrive("nobody", "x"), 404, "unknown_connection")
}

// Attack 37: the ACS takes posts only.
func TestAttack37TheRedirectBindingIsNotOfferedAtTheACS(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	if got := s.browser().get("/c/corp/saml/acs?SAMLResponse=x", "text/html"); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", got.Status)
	}
}
