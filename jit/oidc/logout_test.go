package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

func (s *scene) logoutToken(t testing.TB, edit func(map[string]any)) string {
	t.Helper()
	token, err := s.op.LogoutToken(clientID, "ada", "session-1", edit)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestALogoutTokenSaysWhoseSessionsEnd(t *testing.T) {
	s := newScene(t)
	for _, test := range []struct {
		name string
		edit func(map[string]any)
		want oidc.LogoutFacts
	}{
		{"a session of a person", nil, oidc.LogoutFacts{Subject: "ada", SessionID: "session-1"}},
		{"all sessions of a person", claim("sid", nil), oidc.LogoutFacts{Subject: "ada"}},
		{"a session", claim("sub", nil), oidc.LogoutFacts{SessionID: "session-1"}},
		{"for several clients", claim("aud", []string{"another", clientID}), oidc.LogoutFacts{Subject: "ada", SessionID: "session-1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			facts, err := s.rp.Logout(t.Context(), s.logoutToken(t, both(claim("jti", "one"), ifAny(test.edit))))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Issuer, test.want.TokenID, test.want.IssuedAt, test.want.Expires = issuer, "one", s.now, s.now.Add(5*time.Minute+oidc.DefaultSkew)
			if diff := cmp.Diff(&test.want, facts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func ifAny(edit func(map[string]any)) func(map[string]any) {
	if edit == nil {
		return func(map[string]any) {}
	}
	return edit
}

func TestALogoutTokenWithoutAnEndHasOne(t *testing.T) {
	s := newScene(t)
	facts, err := s.rp.Logout(t.Context(), s.logoutToken(t, claim("exp", nil)))
	if err != nil || !facts.Expires.Equal(s.now.Add(oidc.MaxAge+oidc.DefaultSkew)) {
		t.Errorf("%v, %v", facts, err)
	}
}

func TestAttacksOnTheLogoutToken(t *testing.T) {
	now := newScene(t).now
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, test := range []struct {
		name string
		edit func(map[string]any)
		want oidc.Reason
	}{
		{"no events", claim("events", nil), oidc.ReasonLogoutEvent},
		{"events of another kind", claim("events", map[string]any{"urn:other": map[string]any{}}), oidc.ReasonLogoutEvent},
		{"an event that is no object", claim("events", map[string]any{logoutEvent: true}), oidc.ReasonLogoutEvent},
		{"events that are no object", claim("events", []string{logoutEvent}), oidc.ReasonLogoutEvent},
		{"a nonce", claim("nonce", "x"), oidc.ReasonLogoutEvent},
		{"an empty nonce", claim("nonce", ""), oidc.ReasonLogoutEvent},
		{"another issuer", claim("iss", "https://evil.example"), oidc.ReasonIssuer},
		{"another client", claim("aud", "another"), oidc.ReasonAudience},
		{"no client", claim("aud", nil), oidc.ReasonAudience},
		{"nobody", both(claim("sub", nil), claim("sid", nil)), oidc.ReasonSubject},
		{"nobody, in words", both(claim("sub", ""), claim("sid", "")), oidc.ReasonSubject},
		{"no jti", claim("jti", nil), oidc.ReasonClaims},
		{"no iat", claim("iat", nil), oidc.ReasonClaims},
		{"iat future", claim("iat", at(61*time.Second)), oidc.ReasonNotYetValid},
		{"iat long past", both(claim("iat", at(-12*time.Minute)), claim("exp", at(time.Hour))), oidc.ReasonExpired},
		{"exp past", claim("exp", at(-time.Minute)), oidc.ReasonExpired},
		{"sid is a number", claim("sid", 1), oidc.ReasonClaims},
		{"too large", claim("x", strings.Repeat("x", oidc.MaxLogoutToken)), oidc.ReasonTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			if _, err := s.rp.Logout(t.Context(), s.logoutToken(t, nil)); err != nil {
				t.Fatalf("without the attack: %v", err)
			}
			facts, err := s.rp.Logout(t.Context(), s.logoutToken(t, test.edit))
			refusal(t, test.name, facts, err, test.want)
		})
	}
}

func TestNoOtherTokenIsALogoutToken(t *testing.T) {
	s := newScene(t)
	var idToken string
	s.op.Bend(oidctest.Bend{IDToken: func(token string) string { idToken = token; return token }})
	s.accepted(t, "as an ID token")
	facts, err := s.rp.Logout(t.Context(), idToken)
	refusal(t, "an ID token", facts, err, oidc.ReasonLogoutEvent)

	for name, edit := range map[string]func(string) string{
		"signed by another": resigned(t, oidctest.Key{ID: "k1", Private: attackerKey()}, map[string]any{"typ": "logout+jwt"}),
		"an event token":    resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, map[string]any{"typ": "secevent+jwt"}),
		"alg none":          headed(`{"alg":"none"}`, func([]byte) []byte { return nil }),
		"nothing":           func(string) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			token := s.logoutToken(t, nil)
			if _, err := s.rp.Logout(t.Context(), resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, nil)(token)); err != nil {
				t.Fatalf("of no stated type: %v", err)
			}
			if facts, err := s.rp.Logout(t.Context(), edit(token)); err == nil {
				t.Errorf("accepted: %v", facts)
			}
		})
	}
}

func TestALogoutTokenIsNoIDToken(t *testing.T) {
	s := newScene(t)
	s.op.Bend(oidctest.Bend{IDToken: func(string) string { return s.logoutToken(t, nil) }})
	s.refused(t, "a logout token", oidc.ReasonType)
}
