package directory_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

func TestATrustInAnOpenIDProviderIsHeldToItsBounds(t *testing.T) {
	w := newWorld(t, nil)
	for _, test := range []struct {
		name  string
		trust directory.OIDCTrust
		want  string // of the fault, "" for none
	}{
		{"a public client", directory.OIDCTrust{}, ""},
		{"a secret", directory.OIDCTrust{Secret: []byte("s"), ClientAuth: directory.SecretPost}, ""},
		{"a key", directory.OIDCTrust{ClientAuth: directory.PrivateKeyJWT}, ""},
		{"everything", directory.OIDCTrust{Scopes: []string{"profile", "groups"}, Skew: 300 * time.Second, NoUserInfo: true,
			Prompt: directory.PromptLogin, MaxAge: time.Hour, ACRValues: []string{"urn:mfa"}}, ""},
		{"a key beside a secret", directory.OIDCTrust{Secret: []byte("s"), ClientAuth: directory.PrivateKeyJWT}, "has no secret"},
		{"no secret", directory.OIDCTrust{ClientAuth: directory.SecretBasic}, "the secret is missing"},
		{"an unknown way", directory.OIDCTrust{ClientAuth: "tls_client_auth"}, "is not allowed"},
		{"no prompt at all", directory.OIDCTrust{Prompt: "none"}, "is not allowed"},
		{"too much skew", directory.OIDCTrust{Skew: 301 * time.Second}, "at most 5m0s"},
		{"negative skew", directory.OIDCTrust{Skew: -time.Second}, "at most 5m0s"},
		{"half a second", directory.OIDCTrust{MaxAge: 1500 * time.Millisecond}, "whole seconds"},
		{"two scopes in one", directory.OIDCTrust{Scopes: []string{"profile groups"}}, "without blanks"},
		{"a required claim without values", directory.OIDCTrust{Require: map[string][]string{"tid": nil}}, "no values"},
		{"Google for a customer", directory.OIDCTrust{Issuer: "https://accounts.google.com", Require: map[string][]string{"hd": {"acme.example"}}}, ""},
		{"Google for everybody", directory.OIDCTrust{Issuer: "https://accounts.google.com"}, "name the customer's own in require.hd"},
		{"an empty acr", directory.OIDCTrust{ACRValues: []string{""}}, "without blanks"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.trust.Issuer, test.trust.ClientID = cmp.Or(test.trust.Issuer, "https://op.example"), "muster"
			setup := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "op", OIDC: &test.trust}}}
			_, err := w.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAConnectionHasOneIdentityProvider(t *testing.T) {
	w := newWorld(t, nil)
	both := directory.Connection{ID: "op", SAML: &directory.SAMLTrust{EntityID: "https://idp.example"}, OIDC: &directory.OIDCTrust{Issuer: "https://op.example", ClientID: "muster"}}
	_, err := w.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{both}}})
	if err == nil || !strings.Contains(err.Error(), "one identity provider") {
		t.Errorf("got %v", err)
	}
}
