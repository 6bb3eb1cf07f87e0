package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// resigned replaces the signature of a token by another one over other headers. The claims stay.
func resigned(t testing.TB, key oidctest.Key, header map[string]any) func(string) string {
	return func(token string) string {
		signed, err := oidctest.SignBytes(payload(t, token), key, header)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
}

func payload(t testing.TB, token string) []byte {
	t.Helper()
	claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

// headed gives a token another header and signs that by whatever sign does.
func headed(header string, sign func(input []byte) []byte) func(string) string {
	return func(token string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + strings.Split(token, ".")[1]
		return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
	}
}

func hs256(key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

func TestAttacksOnTheSignature(t *testing.T) {
	unsigned := func([]byte) []byte { return nil }
	der, err := x509.MarshalPKIXPublicKey(&providerKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	asJWK, err := json.Marshal(jose.JSONWebKey{Key: &providerKey().PublicKey, KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	own := jose.JSONWebKey{Key: &attackerKey().PublicKey, KeyID: "k1"}
	attacker := oidctest.Key{ID: "k1", Private: attackerKey()}
	for _, test := range []struct {
		name string
		edit func(string) string
		want oidc.Reason
	}{
		{"88. alg none", headed(`{"alg":"none"}`, unsigned), oidc.ReasonAlgorithm},
		{"88. alg None", headed(`{"alg":"None","kid":"k1"}`, unsigned), oidc.ReasonAlgorithm},
		{"88. no alg", headed(`{"kid":"k1"}`, unsigned), oidc.ReasonAlgorithm},
		{"88. no signature", func(token string) string { return token[:strings.LastIndex(token, ".")+1] }, oidc.ReasonSignature},
		{"89. HS256 with the public key as PEM", headed(`{"alg":"HS256","kid":"k1"}`, hs256(asPEM)), oidc.ReasonAlgorithm},
		{"89. HS256 with the public key as DER", headed(`{"alg":"HS256","kid":"k1"}`, hs256(der)), oidc.ReasonAlgorithm},
		{"89. HS256 with the public key as JWK", headed(`{"alg":"HS256","kid":"k1"}`, hs256(asJWK)), oidc.ReasonAlgorithm},
		{"89. HS256 with the client secret", headed(`{"alg":"HS256"}`, hs256([]byte(secret))), oidc.ReasonAlgorithm},
		{"90. the attacker's key as jwk", resigned(t, attacker, map[string]any{"jwk": own}), oidc.ReasonSignature},
		{"90. the attacker's key set as jku", resigned(t, attacker, map[string]any{"jku": "https://evil.example/jwks"}), oidc.ReasonSignature},
		{"90. the attacker's certificate as x5u", resigned(t, attacker, map[string]any{"x5u": "https://evil.example/cert"}), oidc.ReasonSignature},
		{"91. another key under a known kid", resigned(t, attacker, nil), oidc.ReasonSignature},
		{"91. another key under an unknown kid", resigned(t, oidctest.Key{ID: "k2", Private: attackerKey()}, nil), oidc.ReasonSignature},
		{"91. another key without kid", resigned(t, oidctest.Key{Private: attackerKey()}, nil), oidc.ReasonSignature},
		{"91. the right key under another kid", resigned(t, oidctest.Key{ID: "k2", Private: providerKey()}, nil), oidc.ReasonSignature},
		{"an algorithm that was not announced", resigned(t, oidctest.Key{ID: "k1", Private: providerKey(), Algorithm: "PS256"}, nil), oidc.ReasonAlgorithm},
		{"an extension that must be understood", resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, map[string]any{"crit": []string{"b64"}, "b64": true}), oidc.ReasonType},
		{"an access token (RFC 9068)", resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, map[string]any{"typ": "at+jwt"}), oidc.ReasonType},
		{"a logout token", resigned(t, oidctest.Key{ID: "k1", Private: providerKey()}, map[string]any{"typ": "application/logout+jwt"}), oidc.ReasonType},
		{"JSON serialisation", func(token string) string {
			part := strings.Split(token, ".")
			return `{"protected":"` + part[0] + `","payload":"` + part[1] + `","signature":"` + part[2] + `"}`
		}, oidc.ReasonMalformed},
		{"five parts", func(token string) string { return token + ".x.y" }, oidc.ReasonEncrypted},
		{"two parts", func(token string) string { return token[:strings.LastIndex(token, ".")] }, oidc.ReasonMalformed},
		{"no base64", func(token string) string { return "$" + token }, oidc.ReasonMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			newScene(t).bent(t, oidctest.Bend{}, oidctest.Bend{IDToken: test.edit}, test.want)
		})
	}
}

// claim sets or, with nil, removes a claim.
func claim(name string, value any) func(map[string]any) {
	return func(claims map[string]any) {
		if value == nil {
			delete(claims, name)
			return
		}
		claims[name] = value
	}
}

func both(edits ...func(map[string]any)) func(map[string]any) {
	return func(claims map[string]any) {
		for _, edit := range edits {
			edit(claims)
		}
	}
}

func TestAttacksOnTheClaims(t *testing.T) {
	now := newScene(t).now
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, test := range []struct {
		name             string
		innocent, guilty func(map[string]any)
		want             oidc.Reason
	}{
		{"92. iss differs", nil, claim("iss", "https://evil.example"), oidc.ReasonIssuer},
		{"92. iss with a slash more", nil, claim("iss", issuer+"/"), oidc.ReasonIssuer},
		{"92. no iss", nil, claim("iss", nil), oidc.ReasonIssuer},
		{"93. aud without us", claim("aud", []string{clientID}), claim("aud", []string{"another"}), oidc.ReasonAudience},
		{"93. no aud", nil, claim("aud", nil), oidc.ReasonAudience},
		{"93. aud empty", nil, claim("aud", []string{}), oidc.ReasonAudience},
		{"93. aud in another case", nil, claim("aud", "Muster"), oidc.ReasonAudience},
		{"94. several aud without azp", both(claim("aud", []string{"another", clientID}), claim("azp", clientID)), claim("aud", []string{"another", clientID}), oidc.ReasonAudience},
		{"94. several aud, azp another", nil, both(claim("aud", []string{"another", clientID}), claim("azp", "another")), oidc.ReasonAudience},
		{"94. one aud, azp another", claim("azp", clientID), claim("azp", "another"), oidc.ReasonAudience},
		{"95. exp past", claim("exp", at(-59*time.Second)), claim("exp", at(-60*time.Second)), oidc.ReasonExpired},
		{"95. no exp", nil, claim("exp", nil), oidc.ReasonExpired},
		{"95. exp is no number", nil, claim("exp", "tomorrow"), oidc.ReasonClaims},
		{"95. exp is out of this world", claim("exp", 1<<39), claim("exp", 1e300), oidc.ReasonClaims},
		{"95. issued long ago, however long valid", claim("iat", at(-11*time.Minute)), both(claim("iat", at(-11*time.Minute-time.Second)), claim("exp", at(time.Hour))), oidc.ReasonExpired},
		{"96. iat future", claim("iat", at(60*time.Second)), claim("iat", at(61*time.Second)), oidc.ReasonNotYetValid},
		{"96. no iat", nil, claim("iat", nil), oidc.ReasonClaims},
		{"96. nbf future", claim("nbf", at(60*time.Second)), claim("nbf", at(61*time.Second)), oidc.ReasonNotYetValid},
		{"97. nonce wrong", nil, claim("nonce", "another"), oidc.ReasonNonce},
		{"97. no nonce", nil, claim("nonce", nil), oidc.ReasonNonce},
		{"97. nonce empty", nil, claim("nonce", ""), oidc.ReasonNonce},
		{"98. sub empty", nil, claim("sub", ""), oidc.ReasonSubject},
		{"98. sub blank", nil, claim("sub", "  "), oidc.ReasonSubject},
		{"98. no sub", nil, claim("sub", nil), oidc.ReasonSubject},
		{"98. sub is a number", claim("sub", "1"), claim("sub", 1), oidc.ReasonClaims},
		{"98. sub is a list", nil, claim("sub", []string{"ada", "eve"}), oidc.ReasonClaims},
		{"98. sub too long", claim("sub", strings.Repeat("ä", 255)), claim("sub", strings.Repeat("ä", 256)), oidc.ReasonSubject},
		{"98. sub with characters lost", claim("sub", "ada \u00e4"), claim("sub", "ada \ufffd"), oidc.ReasonSubject},
		{"98. sub in capitals only", claim("SUB", "eve"), both(claim("sub", nil), claim("SUB", "eve")), oidc.ReasonSubject},
		{"nonce in capitals only", claim("Nonce", "x"), both(claim("nonce", nil), claim("Nonce", "x")), oidc.ReasonNonce},
		{"nested too deep", claim("x", nested(14)), claim("x", nested(15)), oidc.ReasonLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			newScene(t).bent(t, oidctest.Bend{Claims: test.innocent}, oidctest.Bend{Claims: test.guilty}, test.want)
		})
	}
}

func nested(depth int) any {
	value := any([]any{})
	for range depth {
		value = map[string]any{"x": value}
	}
	return value
}

func TestAClaimThatStandsTwiceIsRefused(t *testing.T) {
	twice := func(name string) oidctest.Bend {
		return oidctest.Bend{IDToken: func(token string) string {
			claims := `{"` + name + `":"eve",` + string(payload(t, token)[1:])
			signed, err := oidctest.SignBytes([]byte(claims), oidctest.Key{ID: "k1", Private: providerKey()}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return signed
		}}
	}
	newScene(t).bent(t, twice("another"), twice("sub"), oidc.ReasonMalformed)
}

func TestAttack100AnAnswerWithoutIDToken(t *testing.T) {
	for name, edit := range map[string]func(map[string]any){
		"none":        claim("id_token", nil),
		"empty":       claim("id_token", ""),
		"no text":     claim("id_token", 1),
		"a nil value": func(answer map[string]any) { answer["id_token"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			newScene(t).bent(t, oidctest.Bend{}, oidctest.Bend{Answer: edit}, oidc.ReasonNoToken)
		})
	}
}

func TestTheAccessTokenIsTheOneOfAtHash(t *testing.T) {
	// at_hash is the left half of the hash of the access token (Core 3.1.3.6), which the test chooses.
	sum := sha256.Sum256([]byte("access"))
	matching := claim("at_hash", base64.RawURLEncoding.EncodeToString(sum[:16]))
	newScene(t).bent(t,
		oidctest.Bend{Claims: matching, Answer: claim("access_token", "access")},
		oidctest.Bend{Claims: matching, Answer: claim("access_token", "another")}, oidc.ReasonAccessToken)
}

func TestAttack104OnlyTheProvidersYesIsAYes(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  oidc.Verified
	}{
		{"true", true, oidc.VerifiedYes},
		{"true as text", "true", oidc.VerifiedYes},
		{"True as text", "True", oidc.VerifiedYes},
		{"one", 1, oidc.VerifiedYes},
		{"false", false, oidc.VerifiedNo},
		{"false as text", "false", oidc.VerifiedNo},
		{"anything else", "maybe", oidc.VerifiedNo},
		{"absent", nil, oidc.VerifiedUnsaid},
		{"a list", []any{true, true}, oidc.VerifiedNo},
		{"null", json.RawMessage("null"), oidc.VerifiedUnsaid},
		{"empty", "", oidc.VerifiedUnsaid},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.op.Bend(oidctest.Bend{Claims: claim("email_verified", test.value)})
			if got := s.accepted(t, test.name).EmailVerified; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestOneTokenHasOneID(t *testing.T) {
	s := newScene(t)
	first, second := s.accepted(t, "one"), s.accepted(t, "another")
	if first.TokenID == second.TokenID {
		t.Error("two sign-ins have one token ID")
	}
	s.op.Bend(oidctest.Bend{Claims: claim("jti", "always the same")})
	first, second = s.accepted(t, "one"), s.accepted(t, "another")
	if first.TokenID == second.TokenID {
		t.Error("a provider that repeats its jti lets nobody in twice")
	}
}
