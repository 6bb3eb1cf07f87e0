package jit_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"muster/jit/oidc/oidctest"
)

// logoutToken is what the provider says has ended.
func (s *scene) logoutToken(p *provider, subject, session string, edit func(map[string]any)) string {
	s.Helper()
	token, err := p.LogoutToken("muster", subject, session, edit)
	if err != nil {
		s.Fatal(err)
	}
	return token
}

// sayLogout posts as the provider's server does: no cookies, no origin.
func (s *scene) sayLogout(connection string, form url.Values) (status int, told map[string]string) {
	s.Helper()
	response, err := http.PostForm(s.base+"/c/"+connection+"/oidc/backchannel", form)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	_ = json.NewDecoder(response.Body).Decode(&told)
	if got := response.Header.Get("Cache-Control"); got != "no-store" {
		s.Errorf("Cache-Control: %q", got)
	}
	return response.StatusCode, told
}

// MISSION nobody 11
func TestAProviderEndsSessionsByBackChannel(t *testing.T) {
	for _, test := range []struct {
		name             string
		subject, session string
		left             [3]bool
	}{
		{"of a person", "ada-1", "", [3]bool{false, false, true}},
		{"one of its own", "", "s2", [3]bool{true, false, true}},
		{"one of a person", "ada-1", "s1", [3]bool{false, true, true}},
		{"another person's", "bob-1", "s1", [3]bool{true, true, true}},
		{"nobody's", "carol", "", [3]bool{true, true, true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := openID(t)
			s := playOpenID(t, op, op.connection("corp"))
			var browsers [3]*browser
			for i, person := range []oidctest.Person{oidcAda("sid", "s1"), oidcAda("sid", "s2"),
				oidcPerson("bob-1", "email", "bob@corp.example", "given_name", "B", "family_name", "B", "sid", "s3")} {
				op.SignIn(person)
				browsers[i] = s.browser()
				s.in(browsers[i].signInByOpenID("corp"), "/me")
			}
			if status, told := s.sayLogout("corp", url.Values{"logout_token": {s.logoutToken(op, test.subject, test.session, nil)}}); status != http.StatusOK {
				t.Fatalf("%d %v", status, told)
			}
			for i, b := range browsers {
				if in := b.get("/auth", "*/*").StatusCode == http.StatusOK; in != test.left[i] {
					t.Errorf("browser %d is signed in: %v", i, in)
				}
			}
		})
	}
}

func TestALogoutThatIsNotTheProvidersEndsNothing(t *testing.T) {
	op, other := openID(t), openID(t)
	s := playOpenID(t, op, op.connection("corp"), other.connection("labs"), justInTime("saml"))
	other.clock = s.now
	op.SignIn(oidcAda("sid", "s1"))
	b := s.browser()
	s.in(b.signInByOpenID("corp"), "/me")
	good := s.logoutToken(op, "ada-1", "", nil)
	token := func(edit func(map[string]any)) url.Values {
		return url.Values{"logout_token": {s.logoutToken(op, "ada-1", "s1", edit)}}
	}
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	for _, test := range []struct {
		name, connection, code string
		form                   url.Values
	}{
		{"no token", "corp", "malformed_message", url.Values{}},
		{"two tokens", "corp", "malformed_message", url.Values{"logout_token": {good, good}}},
		{"no JWT", "corp", "malformed_message", url.Values{"logout_token": {"x"}}},
		{"too large", "corp", "message_too_large", url.Values{"logout_token": {string(make([]byte, 40<<10))}}},
		{"another provider's", "corp", "invalid_assertion", url.Values{"logout_token": {s.logoutToken(other, "ada-1", "s1", nil)}}},
		{"at another connection", "labs", "invalid_assertion", url.Values{"logout_token": {good}}},
		{"at a SAML connection", "saml", "channel_off", url.Values{"logout_token": {good}}},
		{"for another client", "corp", "invalid_assertion", token(set("aud", "another"))},
		{"an ID token", "corp", "invalid_assertion", token(func(c map[string]any) { delete(c, "events"); c["nonce"] = "n" })},
		{"too old", "corp", "stale_assertion", token(set("iat", s.now().Add(-time.Hour).Unix()))},
		{"about nobody", "corp", "invalid_assertion", token(func(c map[string]any) { delete(c, "sub"); delete(c, "sid") })},
		{"without jti", "corp", "invalid_assertion", token(func(c map[string]any) { delete(c, "jti") })},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, told := s.sayLogout(test.connection, test.form)
			if status != http.StatusBadRequest || told["error"] != "invalid_request" || told["error_description"] != test.code {
				t.Errorf("%d %v, want 400 %s", status, told, test.code)
			}
			if b.get("/auth", "*/*").StatusCode != http.StatusOK {
				t.Fatal("the session has ended")
			}
		})
	}
	if status, told := s.sayLogout("corp", url.Values{"logout_token": {good}}); status != http.StatusOK {
		t.Errorf("the true one: %d %v", status, told)
	}
	if b.get("/auth", "*/*").StatusCode != http.StatusUnauthorized {
		t.Error("the session has not ended")
	}
	if status, _ := s.sayLogout("nobody", url.Values{"logout_token": {good}}); status != http.StatusNotFound {
		t.Errorf("an unknown connection: %d", status)
	}
}

// A token that is replayed must not end the sessions that began since.
func TestALogoutTokenCountsOnce(t *testing.T) {
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"))
	token := url.Values{"logout_token": {s.logoutToken(op, "ada-1", "", nil)}}
	if status, _ := s.sayLogout("corp", token); status != http.StatusOK {
		t.Fatal(status)
	}
	b := s.browser()
	s.in(b.signInByOpenID("corp"), "/me")
	if status, told := s.sayLogout("corp", token); status != http.StatusBadRequest || told["error_description"] != "stale_assertion" {
		t.Errorf("again: %d %v", status, told)
	}
	if b.get("/auth", "*/*").StatusCode != http.StatusOK {
		t.Error("the replay ended a session")
	}
}

func TestALogoutFromAProviderThatDoesNotAnswerIsToBeSentAgain(t *testing.T) {
	op := openID(t)
	c := op.connection("corp")
	c.OIDC.Issuer = "http://127.0.0.1:1"
	s := playOpenID(t, op, c)
	status, told := s.sayLogout("corp", url.Values{"logout_token": {s.logoutToken(op, "ada-1", "", nil)}})
	if status != http.StatusBadRequest || told["error"] != "temporarily_unavailable" {
		t.Errorf("%d %v", status, told)
	}
}
