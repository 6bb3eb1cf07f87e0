package oidc_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

func TestASignInEndsInFacts(t *testing.T) {
	s := newScene(t)
	facts := s.accepted(t, "a sign-in")
	if len(facts.TokenID) != 64 || facts.Claims["nonce"] == "" {
		t.Errorf("token %q, claims %v", facts.TokenID, facts.Claims)
	}
	if groups, ok := facts.Claims.Strings("groups"); !ok || !cmp.Equal(groups, []string{"Engineering", "Admins"}) {
		t.Errorf("groups %q", groups)
	}
	facts.TokenID, facts.Claims = "", nil
	want := &oidc.Facts{
		Issuer:        issuer,
		Subject:       "ada",
		EmailVerified: oidc.VerifiedYes,
		IssuedAt:      s.now,
		Expires:       s.now.Add(5*time.Minute + oidc.DefaultSkew),
		SessionID:     "session-1",
		AuthTime:      s.now,
		ACR:           "mfa",
		AMR:           []string{"pwd", "otp"},
	}
	if diff := cmp.Diff(want, facts); diff != "" {
		t.Error(diff)
	}
	if s.op.Asked("/userinfo") != 0 {
		t.Error("the userinfo endpoint was asked though nothing was missing")
	}
}

func TestARequestAsksForACodeWithStateNonceAndPKCE(t *testing.T) {
	s := newScene(t)
	s.rp.Scopes = []string{"groups", "openid", "email", "groups"}
	request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{LoginHint: "ada@corp.example", Prompt: "login", MaxAge: 90 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(request.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	if query.Get("code_challenge") == "" || query.Get("code_challenge") == request.Kept.Verifier {
		t.Errorf("challenge %q", query.Get("code_challenge"))
	}
	query.Del("code_challenge")
	want := url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {redirect}, "scope": {"openid email groups"},
		"state": {request.Kept.State}, "nonce": {request.Kept.Nonce}, "code_challenge_method": {"S256"},
		"login_hint": {"ada@corp.example"}, "prompt": {"login"}, "max_age": {"90"},
	}
	if diff := cmp.Diff(want, query); diff != "" {
		t.Error(diff)
	}
	again := s.begin(t)
	for _, pair := range [][2]string{
		{request.Kept.State, again.Kept.State}, {request.Kept.Nonce, again.Kept.Nonce}, {request.Kept.Verifier, again.Kept.Verifier},
		{again.Kept.State, again.Kept.Nonce}, {again.Kept.Nonce, again.Kept.Verifier},
	} {
		if pair[0] == pair[1] || len(pair[0]) < 43 {
			t.Errorf("not fresh or too short: %q, %q", pair[0], pair[1])
		}
	}
}

func TestTheQueryOfTheAuthorizationEndpointIsKeptAndOursStandsOnce(t *testing.T) {
	s := newScene(t)
	s.op.Bend(oidctest.Bend{Discovery: func(document map[string]any) {
		document["authorization_endpoint"] = issuer + "/authorize?policy=b2c&state=fixed"
	}})
	request := s.begin(t)
	address, err := url.Parse(request.URL)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	if query.Get("policy") != "b2c" || !cmp.Equal(query["state"], []string{request.Kept.State}) {
		t.Errorf("%v", query)
	}
	if _, err := s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL)); err != nil {
		t.Error(err)
	}
}

func TestWhatIsKeptSurvivesStorage(t *testing.T) {
	s := newScene(t)
	request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{MaxAge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	record, err := json.Marshal(request.Kept)
	if err != nil {
		t.Fatal(err)
	}
	var kept oidc.Kept
	if err := json.Unmarshal(record, &kept); err != nil {
		t.Fatal(err)
	}
	if _, err := s.rp.Finish(t.Context(), kept, s.visit(t, request.URL)); err != nil {
		t.Error(err)
	}
}

func TestAgeOfAuthenticationIsHeldToWhatWasAskedFor(t *testing.T) {
	s := newScene(t)
	for _, test := range []struct {
		name   string
		claims func(map[string]any)
		asked  time.Duration
		want   oidc.Reason
	}{
		{name: "nothing asked", claims: func(c map[string]any) { delete(c, "auth_time") }},
		{name: "recent enough", asked: time.Minute, claims: func(c map[string]any) { c["auth_time"] = s.now.Add(-2 * time.Minute).Unix() }},
		{name: "too long ago", asked: time.Minute, want: oidc.ReasonAuthTime, claims: func(c map[string]any) { c["auth_time"] = s.now.Add(-2*time.Minute - time.Second).Unix() }},
		{name: "not said", asked: time.Minute, want: oidc.ReasonAuthTime, claims: func(c map[string]any) { delete(c, "auth_time") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.op.Bend(oidctest.Bend{Claims: test.claims})
			request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{MaxAge: test.asked})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL))
			if oidc.ReasonOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestTheWayOfAuthenticatingIsHeldToWhatWasAskedFor(t *testing.T) {
	s := newScene(t) // ada authenticates by mfa
	for _, test := range []struct {
		name   string
		asked  []string
		claims func(map[string]any)
		want   oidc.Reason
	}{
		{name: "nothing asked", claims: func(c map[string]any) { delete(c, "acr") }},
		{name: "one of those asked for", asked: []string{"phr", "mfa"}},
		{name: "another one", asked: []string{"phr"}, want: oidc.ReasonACR},
		{name: "not said", asked: []string{"mfa"}, want: oidc.ReasonACR, claims: func(c map[string]any) { delete(c, "acr") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.op.Bend(oidctest.Bend{Claims: test.claims})
			request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{ACRValues: test.asked})
			if err != nil {
				t.Fatal(err)
			}
			if asked := strings.Contains(request.URL, "acr_values="+strings.Join(test.asked, "+")); asked != (test.asked != nil) {
				t.Errorf("%s", request.URL)
			}
			_, err = s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL))
			if oidc.ReasonOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAConfigurationThatCannotWorkSaysSo(t *testing.T) {
	for name, breakIt := range map[string]func(*oidc.RelyingParty){
		"no provider":           func(rp *oidc.RelyingParty) { rp.Provider = nil },
		"no client":             func(rp *oidc.RelyingParty) { rp.ClientID = "" },
		"no redirect URL":       func(rp *oidc.RelyingParty) { rp.RedirectURL = "" },
		"a relative one":        func(rp *oidc.RelyingParty) { rp.RedirectURL = "/callback" },
		"a key without a key":   func(rp *oidc.RelyingParty) { rp.Key = &oidc.ClientKey{} },
		"no HTTP client":        func(rp *oidc.RelyingParty) { rp.Provider.HTTP = nil },
		"an issuer template":    func(rp *oidc.RelyingParty) { rp.Provider.Issuer = "https://login.example/{tenantid}/v2.0" },
		"an issuer over http":   func(rp *oidc.RelyingParty) { rp.Provider.Issuer = "http://op.example" },
		"an issuer with query":  func(rp *oidc.RelyingParty) { rp.Provider.Issuer = "https://op.example/?a=b" },
		"an issuer that is not": func(rp *oidc.RelyingParty) { rp.Provider.Issuer = "op.example" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			request := s.begin(t)
			callback := s.visit(t, request.URL)
			breakIt(s.rp)
			if _, err := s.rp.Begin(t.Context(), oidc.AuthOptions{}); oidc.ReasonOf(err) != oidc.ReasonMisconfigured {
				t.Errorf("begin: %v", err)
			}
			facts, err := s.rp.Finish(t.Context(), request.Kept, callback)
			if err == nil || facts != nil {
				t.Errorf("finish: %v", facts)
			}
			if _, err := s.rp.Logout(t.Context(), "a.b.c"); err == nil {
				t.Error("logout")
			}
		})
	}
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	s := newScene(t)
	s.accepted(t, "at first")
	s.op.Bend(oidctest.Bend{Lax: true, Callback: func(p url.Values) { p.Set("code", "stolen-code-0123456789") }})
	request := s.begin(t)
	_, err := s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL))
	if err == nil {
		t.Fatal("accepted")
	}
	for _, hidden := range []string{"stolen-code", secret, request.Kept.Verifier, request.Kept.Nonce, request.Kept.State} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%q is in %v", hidden, err)
		}
	}
}
