package oidc_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// Keys take long to make, so the tests share three: the provider's, its next one, and an attacker's.
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
func nextKey() *rsa.PrivateKey     { return testKeys()[1] }
func attackerKey() *rsa.PrivateKey { return testKeys()[2] }

const (
	issuer   = "https://op.example/tenant"
	clientID = "muster"
	secret   = "a secret: with +, % and ä"
	redirect = "https://muster.example/c/acme/oidc/callback"
)

// scene is a provider, a relying party that trusts it, and a person about to sign in.
type scene struct {
	now time.Time
	op  *oidctest.OP
	rp  *oidc.RelyingParty
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	op, err := oidctest.NewOP(oidctest.Options{
		Issuer:  issuer,
		Key:     providerKey(),
		Clients: []oidctest.Client{{ID: clientID, Secret: secret, RedirectURLs: []string{redirect}}, {ID: "public"}, {ID: "another"}},
		Now:     func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.op = op
	s.op.SignIn(ada())
	s.rp = &oidc.RelyingParty{
		Provider:     &oidc.Provider{Issuer: issuer, HTTP: &http.Client{Transport: inProcess{op}}, Now: func() time.Time { return s.now }},
		ClientID:     clientID,
		ClientSecret: secret,
		RedirectURL:  redirect,
	}
	return s
}

func ada() oidctest.Person {
	return oidctest.Person{
		Subject: "ada",
		Claims: map[string]any{
			"email": "ada@corp.example", "email_verified": true, "given_name": "Ada", "groups": []string{"Engineering", "Admins"},
			"sid": "session-1", "acr": "mfa", "amr": []string{"pwd", "otp"},
		},
		UserInfo: map[string]any{"department": "Research"},
	}
}

// inProcess is a network whose only host is the handler.
type inProcess struct{ handler http.Handler }

func (n inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	n.handler.ServeHTTP(recorder, served)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

func (s *scene) begin(t testing.TB) *oidc.Request {
	t.Helper()
	request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	return request
}

// visit sends the browser to an address of the provider and returns the parameters with which it comes back.
func (s *scene) visit(t testing.TB, address string) url.Values {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, address, nil)
	recorder := httptest.NewRecorder()
	s.op.ServeHTTP(recorder, request)
	location, err := url.Parse(recorder.Header().Get("Location"))
	if err != nil || recorder.Code != http.StatusSeeOther {
		t.Fatalf("%d %s, %v", recorder.Code, recorder.Body, err)
	}
	return location.Query()
}

// signIn goes through it all.
func (s *scene) signIn(t testing.TB) (*oidc.Facts, error) {
	t.Helper()
	request := s.begin(t)
	return s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL))
}

func (s *scene) accepted(t testing.TB, what string) *oidc.Facts {
	t.Helper()
	facts, err := s.signIn(t)
	if err != nil {
		t.Fatalf("%s: want it accepted: %v", what, err)
	}
	return facts
}

func (s *scene) refused(t testing.TB, what string, want oidc.Reason) *oidc.Error {
	t.Helper()
	facts, err := s.signIn(t)
	return refusal(t, what, facts, err, want)
}

// refusal checks that nothing was believed, and for which reason.
func refusal[F any](t testing.TB, what string, facts *F, err error, want oidc.Reason) *oidc.Error {
	t.Helper()
	refused, ok := err.(*oidc.Error)
	if !ok || refused.Reason != want || facts != nil {
		t.Fatalf("%s: %+v, %v; want %s", what, facts, err, want)
	}
	return refused
}

// bent is a sign-in with a provider that misbehaves, after one with a provider that does not and before another.
func (s *scene) bent(t *testing.T, innocent, guilty oidctest.Bend, want oidc.Reason) *oidc.Error {
	t.Helper()
	s.op.Bend(innocent)
	s.accepted(t, "without the attack")
	s.op.Bend(guilty)
	refused := s.refused(t, "with the attack", want)
	s.op.Bend(innocent)
	s.accepted(t, "after the attack")
	return refused
}
