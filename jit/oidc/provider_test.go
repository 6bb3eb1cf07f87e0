package oidc_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

const discovery = "/.well-known/openid-configuration"

func TestANewKeyIsKnownAtOnce(t *testing.T) {
	s := newScene(t)
	s.accepted(t, "by the first key")
	s.op.Publish(oidctest.Key{ID: "k2", Private: nextKey()}, oidctest.Key{ID: "k1", Private: providerKey()})
	s.accepted(t, "by the second key")
	if asked := s.op.Asked("/jwks"); asked != 2 {
		t.Errorf("the key set was fetched %d times, want 2", asked)
	}
	s.accepted(t, "by the second key again")
	if asked := s.op.Asked("/jwks"); asked != 2 {
		t.Errorf("the key set was fetched %d times, want 2", asked)
	}
}

func TestANewKeyUnderTheOldNameIsKnownToo(t *testing.T) {
	s := newScene(t)
	s.accepted(t, "by the first key")
	s.op.Publish(oidctest.Key{ID: "k1", Private: nextKey()})
	s.accepted(t, "by the second key")
}

func TestAWithdrawnKeyIsForgottenWithinHours(t *testing.T) {
	s := newScene(t)
	s.accepted(t, "before")
	s.op.Publish(oidctest.Key{ID: "k2", Private: nextKey()})
	s.op.Bend(oidctest.Bend{IDToken: resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, nil)})
	s.accepted(t, "nobody knows yet that it is withdrawn")
	s.now = s.now.Add(oidc.Refresh)
	s.refused(t, "after a refresh", oidc.ReasonSignature)
	s.op.Bend(oidctest.Bend{})
	s.accepted(t, "by the new key")
}

func TestAttack101InventedKeysCostOneFetchAMinute(t *testing.T) {
	s := newScene(t)
	s.accepted(t, "before")
	flood := func() {
		for i := range 50 {
			token, err := s.op.LogoutToken(clientID, "ada", "", nil)
			if err != nil {
				t.Fatal(err)
			}
			token = resigned(t, oidctest.Key{ID: strings.Repeat("x", i+1), Private: attackerKey()}, nil)(token)
			facts, err := s.rp.Logout(t.Context(), token)
			refusal(t, "an invented key", facts, err, oidc.ReasonSignature)
		}
	}
	flood()
	if asked := s.op.Asked("/jwks"); asked != 2 {
		t.Errorf("%d fetches, want the first and one more", asked)
	}
	s.now = s.now.Add(oidc.Retry)
	flood()
	if asked := s.op.Asked("/jwks"); asked != 3 {
		t.Errorf("%d fetches after a minute, want 3", asked)
	}
	s.accepted(t, "after the flood")
}

func TestDiscoveryIsFetchedOnceUntilItIsOld(t *testing.T) {
	s := newScene(t)
	for range 3 {
		s.accepted(t, "fresh")
	}
	s.now = s.now.Add(oidc.Refresh - time.Second)
	s.accepted(t, "nearly old")
	if asked := s.op.Asked(discovery); asked != 1 {
		t.Errorf("%d fetches, want 1", asked)
	}
	s.now = s.now.Add(time.Second)
	s.accepted(t, "old")
	if asked := s.op.Asked(discovery); asked != 2 {
		t.Errorf("%d fetches, want 2", asked)
	}
}

// outage is a network that fails for documents of the provider, or for everything.
type outage struct {
	next  http.RoundTripper
	down  atomic.Bool
	tries atomic.Int32
}

func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.down.Load() && (strings.HasSuffix(r.URL.Path, discovery) || strings.HasSuffix(r.URL.Path, "/jwks")) {
		o.tries.Add(1)
		return nil, context.DeadlineExceeded
	}
	return o.next.RoundTrip(r)
}

func TestTheLastGoodKnowledgeServesThroughAnOutage(t *testing.T) {
	s := newScene(t)
	network := &outage{next: s.rp.Provider.HTTP.Transport}
	s.rp.Provider.HTTP = &http.Client{Transport: network}
	s.accepted(t, "before")
	network.down.Store(true)
	s.now = s.now.Add(oidc.MaxStale - time.Second)
	s.accepted(t, "during")
	if tries := network.tries.Load(); tries != 1 {
		t.Errorf("%d tries within %s, want 1", tries, oidc.Pause)
	}
	s.now = s.now.Add(time.Second)
	_, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
	if refused, ok := err.(*oidc.Error); !ok || !refused.Unavailable() {
		t.Errorf("after a day: %v", err)
	}
	network.down.Store(false)
	s.now = s.now.Add(oidc.Pause)
	s.accepted(t, "after")
}

func TestAProviderThatIsNotThereYetIsAskedAgainSoon(t *testing.T) {
	s := newScene(t)
	network := &outage{next: s.rp.Provider.HTTP.Transport}
	s.rp.Provider.HTTP = &http.Client{Transport: network}
	network.down.Store(true)
	for range 10 {
		_, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
		if oidc.ReasonOf(err) != oidc.ReasonUnavailable {
			t.Fatalf("%v", err)
		}
	}
	if tries := network.tries.Load(); tries != 1 {
		t.Errorf("%d tries, want 1", tries)
	}
	network.down.Store(false)
	s.now = s.now.Add(oidc.Pause)
	s.accepted(t, "when it is there")
}

func TestOneFetchServesEverybodyAndEndsWithNobody(t *testing.T) {
	s := newScene(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.rp.Begin(gone, oidc.AuthOptions{}); err != nil {
		t.Errorf("the browser that was first is gone, and so is the discovery: %v", err)
	}
	s.now = s.now.Add(oidc.MaxStale)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := s.rp.Begin(t.Context(), oidc.AuthOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if asked := s.op.Asked(discovery); asked != 2 {
		t.Errorf("%d fetches, want 2", asked)
	}
}

func TestAttack103DiscoveryThatIsNotTheIssuersIsRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		field string
		value any
		want  string // in the detail
	}{
		{"another issuer", "issuer", "https://evil.example", "names itself"},
		{"a slash more", "issuer", issuer + "/", "names itself"},
		{"an issuer template", "issuer", "https://login.example/{tenantid}/v2.0", "many tenants"},
		{"no issuer", "issuer", nil, "names itself"},
		{"an authorization endpoint over http", "authorization_endpoint", "http://op.example/authorize", "authorization_endpoint"},
		{"an authorization endpoint that runs", "authorization_endpoint", "javascript:alert(1)", "authorization_endpoint"},
		{"a token endpoint over http", "token_endpoint", "http://op.example/token", "token_endpoint"},
		{"a token endpoint on this machine", "token_endpoint", "http://127.0.0.1/token", "token_endpoint"},
		{"no token endpoint", "token_endpoint", nil, "token_endpoint"},
		{"a userinfo endpoint over http", "userinfo_endpoint", "http://op.example/userinfo", "userinfo_endpoint"},
		{"a key set in a file", "jwks_uri", "file:///etc/passwd", "jwks_uri"},
		{"a key set behind a password", "jwks_uri", "https://a:b@op.example/jwks", "jwks_uri"},
		{"algorithms of secrets only", "id_token_signing_alg_values_supported", []string{"HS256", "none"}, "none of which"},
		{"a document of a wrong shape", "issuer", 1, "cannot be read"},
		{"a list where a text should be", "userinfo_endpoint", []int{1}, "cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.op.Bend(oidctest.Bend{Discovery: claim(test.field, test.value)})
			request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
			if refused := refusal(t, test.name, request, err, oidc.ReasonDiscovery); !strings.Contains(refused.Detail, test.want) {
				t.Errorf("detail: %s", refused.Detail)
			}
			s.op.Bend(oidctest.Bend{})
			s.now = s.now.Add(oidc.Pause)
			s.accepted(t, "the true document")
		})
	}
}

func TestOfAKeySetOnlyKeysForSignaturesCount(t *testing.T) {
	good := jose.JSONWebKey{Key: &providerKey().PublicKey, KeyID: "k1", Use: "sig", Algorithm: "RS256"}
	other := func(edit func(*jose.JSONWebKey)) []any {
		key := good
		edit(&key)
		return []any{key}
	}
	odd := []any{map[string]any{"kty": "XXX", "kid": "k1"}, "text", map[string]any{"kty": "RSA"}, good}
	for _, test := range []struct {
		name string
		keys any
		ok   bool
	}{
		{"a good one", []any{good}, true},
		{"a good one among others", odd, true},
		{"for encryption", other(func(k *jose.JSONWebKey) { k.Use = "enc" }), false},
		{"a shared secret", other(func(k *jose.JSONWebKey) {
			k.Key, k.Algorithm = []byte("0123456789012345678901234567890123456789"), "HS256"
		}), false},
		{"a private key", other(func(k *jose.JSONWebKey) { k.Key = providerKey() }), false},
		{"none", []any{}, false},
		{"no list", "keys", false},
		{"a hundred", repeated(good, 100), true},
		{"more", repeated(good, 101), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.op.Bend(oidctest.Bend{KeySet: claim("keys", test.keys)})
			_, err := s.rp.Provider.Discover(t.Context())
			if test.ok && err != nil || !test.ok && oidc.ReasonOf(err) != oidc.ReasonDiscovery {
				t.Errorf("%v", err)
			}
		})
	}
}

func repeated(key jose.JSONWebKey, n int) []any {
	keys := make([]any, n)
	for i := range keys {
		keys[i] = key
	}
	return keys
}

func TestAKeyIsUsedForItsOwnAlgorithmOnly(t *testing.T) {
	pss := oidctest.Bend{
		Discovery: claim("id_token_signing_alg_values_supported", []string{"RS256", "PS256"}),
		IDToken:   resigned(t, oidctest.Key{ID: "k1", Private: providerKey(), Algorithm: "PS256"}, nil),
	}
	s := newScene(t)
	s.op.Bend(pss)
	s.refused(t, "a key for RS256", oidc.ReasonSignature)
	s.op.Publish(oidctest.Key{ID: "k1", Private: providerKey(), Algorithm: "PS256"})
	s.now = s.now.Add(oidc.Retry)
	s.accepted(t, "a key for PS256")
}
