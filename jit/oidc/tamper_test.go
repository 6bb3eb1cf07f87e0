package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// sealed is a sign-in that has come as far as the ID token: whatever stands in token is what the provider gives.
type sealed struct {
	*scene
	request *oidc.Request
	token   string // the true one
	facts   *oidc.Facts
	given   string
}

func seal(t testing.TB) *sealed { return sealScene(t, newScene(t)) }

func sealScene(t testing.TB, scene *scene) *sealed {
	t.Helper()
	s := &sealed{scene: scene}
	s.op.Bend(oidctest.Bend{Lax: true, IDToken: func(token string) string { s.token = token; return token }})
	s.request = s.begin(t)
	facts, err := s.rp.Finish(t.Context(), s.request.Kept, s.visit(t, s.request.URL))
	if err != nil {
		t.Fatal(err)
	}
	s.facts = facts
	s.rp.Provider.HTTP = &http.Client{Transport: instead{s.rp.Provider.HTTP.Transport, "/token", s.give}}
	return s
}

func (s *sealed) give(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"access_token": "x", "token_type": "Bearer", "id_token": s.given})
}

// unmoved fails if a token is accepted with other facts than the true one's; it reports whether it was accepted.
func (s *sealed) unmoved(t testing.TB, token, how string) bool {
	t.Helper()
	s.given = token
	reply := map[string][]string{"state": {s.request.Kept.State}, "iss": {issuer}, "code": {"code"}}
	facts, err := s.rp.Finish(t.Context(), s.request.Kept, reply)
	if err != nil {
		if oidc.ReasonOf(err) == "" {
			t.Fatalf("%s: no reason: %v", how, err)
		}
		return false
	}
	if diff := cmp.Diff(s.facts, facts); diff != "" {
		t.Fatalf("%s: accepted with other facts (-true +got):\n%s\n%s", how, diff, token)
	}
	return true
}

func TestEachChangedByteOfATokenIsRefusedOrMeansNothing(t *testing.T) {
	s := seal(t)
	if !s.unmoved(t, s.token, "the original") {
		t.Fatal("the original is refused")
	}
	accepted := 0
	for i := range s.token {
		for _, change := range []byte{1, 2, 32} {
			changed := []byte(s.token)
			changed[i] ^= change
			if s.unmoved(t, string(changed), "a changed byte") {
				accepted++
			}
		}
	}
	// The last character of each part carries bits that base64 does not use.
	if accepted > 6 {
		t.Errorf("%d changed tokens were accepted", accepted)
	}
}

func TestEachChangedClaimIsRefused(t *testing.T) {
	s := seal(t)
	parts := strings.Split(s.token, ".")
	var claims map[string]any
	if err := json.Unmarshal(payload(t, s.token), &claims); err != nil {
		t.Fatal(err)
	}
	for name := range claims {
		for _, value := range []any{"x", nil, 1, []string{"x"}, map[string]any{}} {
			changed := map[string]any{}
			for n, v := range claims {
				changed[n] = v
			}
			changed[name] = value
			document, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			token := parts[0] + "." + base64.RawURLEncoding.EncodeToString(document) + "." + parts[2]
			if s.unmoved(t, token, name) {
				t.Errorf("accepted with another %s", name)
			}
		}
	}
}

func FuzzAChangedTokenIsNeverAcceptedWithOtherFacts(f *testing.F) {
	s := seal(f)
	f.Add(s.token)
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"HS256","kid":"k1"}`, `{"alg":"RS256"}`, `{"alg":"RS256","kid":"k1","b64":false,"crit":["b64"]}`} {
		parts := strings.Split(s.token, ".")
		f.Add(base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "." + parts[2])
	}
	f.Fuzz(func(t *testing.T, token string) { s.unmoved(t, token, "bytes") })
}

// FuzzARearrangedTokenIsNeverAcceptedWithOtherFacts changes what is inside the parts, which mutated base64 seldom does.
func FuzzARearrangedTokenIsNeverAcceptedWithOtherFacts(f *testing.F) {
	s := seal(f)
	parts := strings.Split(s.token, ".")
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		f.Fatal(err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(header, payload(f, s.token), signature)
	f.Fuzz(func(t *testing.T, header, claims, signature []byte) {
		encoded := base64.RawURLEncoding.EncodeToString
		s.unmoved(t, encoded(header)+"."+encoded(claims)+"."+encoded(signature), "parts")
	})
}

func FuzzAnyLogoutTokenIsRefusedOrTrue(f *testing.F) {
	s := newScene(f)
	token := s.logoutToken(f, nil)
	want, err := s.rp.Logout(f.Context(), token)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, token string) {
		facts, err := s.rp.Logout(t.Context(), token)
		if err == nil && !cmp.Equal(want, facts) {
			t.Errorf("accepted: %v", facts)
		}
	})
}
