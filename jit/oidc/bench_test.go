package oidc_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// BenchmarkFinish has the token endpoint answer in process: what is measured is the relying party and a little of the
// test network.
func BenchmarkFinish(b *testing.B) {
	for _, groups := range []int{2, 200, 5000} {
		b.Run(fmt.Sprintf("%d groups", groups), func(b *testing.B) {
			list := make([]string, groups)
			for i := range list {
				list[i] = fmt.Sprintf("Group %d", i)
			}
			s := newScene(b)
			person := ada()
			person.Claims["groups"] = list
			s.op.SignIn(person)
			sealed := sealScene(b, s)
			sealed.given = sealed.token
			reply := map[string][]string{"state": {sealed.request.Kept.State}, "iss": {issuer}, "code": {"code"}}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.rp.Finish(b.Context(), sealed.request.Kept, reply); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBegin(b *testing.B) {
	s := newScene(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.rp.Begin(b.Context(), oidc.AuthOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLogout(b *testing.B) {
	s := newScene(b)
	token := s.logoutToken(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.rp.Logout(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInventedKeys is what a forged logout token costs.
func BenchmarkInventedKeys(b *testing.B) {
	s := newScene(b)
	token := resigned(b, oidctest.Key{ID: "k9", Private: attackerKey()}, nil)(s.logoutToken(b, nil))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.rp.Logout(b.Context(), token); err == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkFloor is what no verification can do without: one digest, one RSA, one reading of the claims.
func BenchmarkFloor(b *testing.B) {
	sealed := seal(b)
	claims := payload(b, sealed.token)
	key := &providerKey().PublicKey
	value := make([]byte, key.Size())
	value[len(value)-1] = 2
	b.ReportAllocs()
	for b.Loop() {
		digest := sha256.Sum256([]byte(sealed.token))
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], value) == nil {
			b.Fatal("verified")
		}
		var read map[string]any
		if err := json.Unmarshal(claims, &read); err != nil {
			b.Fatal(err)
		}
	}
}
