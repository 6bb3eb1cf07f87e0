package jit_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit/oidc/oidctest"
)

func TestFL1_FL2FirstSignInByOpenIDCreatesAndLaterOnesUpdate(t *testing.T) {
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"))
	b := s.browser()
	op.SignIn(oidcAda("name", "Ada L", "groups", []string{"Engineering", " Admins "}, "preferred_username", "ada"))
	to := b.leave("corp", "?return_to=/app")
	for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "scope": "openid profile email", "client_id": "muster"} {
		if got := to.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	s.in(b.comeBack(b.visit(to)), "/app")
	u := s.user("ada")
	if text(u, directory.GivenName) != "Ada" || text(u, directory.DisplayName) != "Ada L" || value(u, directory.Emails) != "ada@corp.example" || len(u.Groups) != 2 {
		t.Errorf("%v %v", u.Attributes, u.Groups)
	}
	if me := b.get("/me", "application/json"); me.StatusCode != http.StatusOK || !strings.Contains(me.body, u.ID.String()) {
		t.Errorf("/me: %s %s", me.Status, me.body)
	}
	s.wait(time.Minute)
	op.SignIn(oidcPerson("ada-1", "email", "countess@corp.example", "given_name", "Ada", "family_name", "King", "preferred_username", "ada"))
	s.in(s.browser().signInByOpenID("corp"), "/me")
	u = s.user("ada")
	if len(s.users()) != 1 || text(u, directory.FamilyName) != "King" || len(u.Groups) != 0 {
		t.Errorf("%d users: %v %v", len(s.users()), u.Attributes, u.Groups)
	}
}

// Both protocols end in one path: the same rules, refusals and codes.
func TestOneSetOfRulesForBothProtocols(t *testing.T) {
	op := openID(t)
	closed, labs := op.connection("closed"), op.connection("labs")
	closed.Write.SSO = directory.Update
	s := playOpenID(t, op, closed, labs, op.connection("off"))
	b := s.browser()
	b.accept = "application/json"
	s.untouched(func() { s.out(b.signInByOpenID("closed"), 403, "not_provisioned") }) // FX-6
	op.SignIn(oidcPerson("nameless", "email", "n@corp.example"))
	s.untouched(func() { // FX-9
		if told := s.out(b.signInByOpenID("labs"), 403, "required_attribute_missing"); !strings.Contains(told.Detail, "first name") {
			t.Errorf("%s", told.Detail)
		}
	})
	op.SignIn(oidcAda())
	s.in(b.signInByOpenID("labs"), "/me")

	retired := op.connection("off")
	retired.State = directory.Retired
	s.configure(directory.Org{ID: "acme"}, retired)
	s.out(b.get("/c/off/login", "application/json"), 403, "channel_off")
	s.out(b.get("/c/off/oidc/callback?state=x&code=y", "application/json"), 403, "channel_off")
	s.out(b.arrive("labs", "PHg+"), 403, "channel_off") // no SAML there
}

// LF-1 by OpenID, MISSION nobody 3: what SCIM pushed is what signs in.
func TestAPushLinksTheLaterSignInByOpenID(t *testing.T) {
	op := openID(t)
	for preset, claim := range map[string]string{"okta": "sub", "entra": "oid"} {
		t.Run(preset, func(t *testing.T) {
			c := op.connection("corp")
			c.Preset, c.Write = preset, directory.Write{SCIM: directory.Create}
			s := playOpenID(t, op, c)
			pushed := s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate,
				Attributes: attributes("externalId", "object-1", directory.UserName, "ada")}).User.ID
			person := oidcPerson("object-1")
			if claim == "oid" {
				person = oidcPerson("pairwise", "oid", "object-1", "tid", "tenant")
			}
			op.SignIn(person)
			s.in(s.browser().signInByOpenID("corp"), "/me")
			if users := s.users(); len(users) != 1 || users[0].ID != pushed {
				t.Errorf("%v", users)
			}
		})
	}
}

// CONFLICTS 51: groups that did not fit are unknown, not gone.
func TestGroupOverageTakesNoGroupAway(t *testing.T) {
	for name, person := range map[string]oidctest.Person{
		"distributed": oidcAda("_claim_names", map[string]any{"groups": "src1"}, "_claim_sources", map[string]any{"src1": map[string]any{"endpoint": "http://127.0.0.1:1/steal"}}),
		"a flag":      oidcAda("hasgroups", true),
	} {
		t.Run(name, func(t *testing.T) {
			op := openID(t)
			s := playOpenID(t, op, op.connection("corp"))
			op.SignIn(oidcAda("groups", []string{"Engineering"}))
			s.in(s.browser().signInByOpenID("corp"), "/me")
			s.wait(time.Minute)
			op.SignIn(person)
			s.in(s.browser().signInByOpenID("corp"), "/me")
			if got := groups(s.user("ada@corp.example")); got != "[Engineering]" {
				t.Errorf("groups: %s", got)
			}
			s.wait(time.Minute)
			op.SignIn(oidcAda()) // without a marker absent groups are left
			s.in(s.browser().signInByOpenID("corp"), "/me")
			if got := groups(s.user("ada@corp.example")); got != "[]" {
				t.Errorf("groups: %s", got)
			}
		})
	}
}

func TestTheUserInfoEndpointIsAskedForMissingClaimsOnly(t *testing.T) {
	op := openID(t)
	off := op.connection("off")
	off.OIDC.NoUserInfo = true
	s := playOpenID(t, op, op.connection("corp"), off)
	full := oidcAda("name", "Ada L", "preferred_username", "ada", "groups", []string{})
	op.SignIn(full)
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if n := op.Asked("/userinfo"); n != 0 {
		t.Errorf("asked %d times though nothing was missing", n)
	}
	full.UserInfo = map[string]any{"name": "Ada of Lovelace"}
	delete(full.Claims, "name")
	op.SignIn(full)
	s.wait(time.Minute)
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if n := op.Asked("/userinfo"); n != 1 || text(s.user("ada"), directory.DisplayName) != "Ada of Lovelace" {
		t.Errorf("asked %d times: %v", n, s.user("ada").Attributes)
	}
	op.SignIn(oidcPerson("bob", "email", "bob@corp.example", "given_name", "B", "family_name", "B"))
	s.in(s.browser().signInByOpenID("off"), "/me")
	if n := op.Asked("/userinfo"); n != 1 {
		t.Errorf("asked %d times, though this connection does not", n)
	}
}

func TestHowPeopleAreAskedIsUpToTheConnection(t *testing.T) {
	op := openID(t)
	c := op.connection("corp")
	c.OIDC.Scopes, c.OIDC.Prompt, c.OIDC.MaxAge, c.OIDC.ACRValues = []string{"email", "groups"}, directory.PromptLogin, time.Hour, []string{"mfa"}
	s := playOpenID(t, op, c)
	b := s.browser()
	to := b.leave("corp", "?login_hint=ada@corp.example")
	for name, want := range map[string]string{"scope": "openid email groups", "prompt": "login", "max_age": "3600", "acr_values": "mfa", "login_hint": "ada@corp.example"} {
		if got := to.Query().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	op.SignIn(oidcAda("acr", "pwd"))
	s.untouched(func() { s.out(b.comeBack(b.visit(to)), 403, "invalid_assertion") })
	op.SignIn(oidcAda("acr", "mfa"))
	s.in(b.signInByOpenID("corp"), "/me")
	op.Bend(oidctest.Bend{Claims: func(c map[string]any) { c["auth_time"] = s.now().Add(-2 * time.Hour).Unix() }})
	s.out(b.signInByOpenID("corp"), 403, "stale_assertion")
}

func TestTheToleratedClockDifferenceIsTheConnections(t *testing.T) {
	op := openID(t)
	wide := op.connection("wide")
	wide.OIDC.Skew = 300 * time.Second
	s := playOpenID(t, op, op.connection("corp"), wide)
	op.Bend(oidctest.Bend{Claims: func(c map[string]any) { c["iat"] = s.now().Add(200 * time.Second).Unix() }})
	s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, "stale_assertion") })
	s.in(s.browser().signInByOpenID("wide"), "/me")
}

// What is known of a provider outlives changes of the policy.
func TestDiscoveryIsNotRepeatedForEachPolicy(t *testing.T) {
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"))
	for range 3 {
		s.in(s.browser().signInByOpenID("corp"), "/me")
		c := op.connection("corp")
		c.OIDC.MaxAge = time.Hour
		s.configure(directory.Org{ID: "acme", Name: s.now().String()}, c)
	}
	if n := op.Asked("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("discovery was fetched %d times", n)
	}
	s.wait(3 * time.Hour)
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if n := op.Asked("/jwks"); n != 2 {
		t.Errorf("the key set was fetched %d times, want once more after some hours", n)
	}
}

func TestAProviderThatDoesNotAnswerIsToldApart(t *testing.T) {
	op := openID(t)
	gone := op.connection("gone")
	gone.OIDC.Issuer = "http://127.0.0.1:1"
	s := playOpenID(t, op, op.connection("corp"), gone)
	b := s.browser()
	b.accept = "application/json"
	s.out(b.get("/c/gone/login", "application/json"), 503, "provider_unavailable")
	s.in(b.signInByOpenID("corp"), "/me")
}

// One issuer may speak for several customers: hd at Google, tid elsewhere.
func TestAnIssuerOfManyCustomersSpeaksForThisOneOnly(t *testing.T) {
	op := openID(t)
	c := op.connection("corp")
	c.OIDC.Require = map[string][]string{"hd": {"corp.example", "corp2.example"}}
	s := playOpenID(t, op, c)
	for name, person := range map[string]oidctest.Person{
		"a private account": oidcAda(), "another customer's": oidcAda("hd", "evil.example"), "several": oidcAda("hd", []string{"corp.example", "evil.example"}),
		"of the userinfo endpoint": {Subject: "ada-1", Claims: oidcAda("hd", "evil.example").Claims, UserInfo: map[string]any{"hd": "corp.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			op.SignIn(person)
			s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, "invalid_assertion") })
		})
	}
	op.SignIn(oidcAda("hd", "corp2.example"))
	s.in(s.browser().signInByOpenID("corp"), "/me")
}
