package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

func onCurve(t testing.TB, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signers are one key for each algorithm.
func signers(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{
		"RS256": providerKey(), "RS384": providerKey(), "RS512": providerKey(),
		"PS256": providerKey(), "PS384": providerKey(), "PS512": providerKey(),
		"ES256": onCurve(t, elliptic.P256()), "ES384": onCurve(t, elliptic.P384()), "ES512": onCurve(t, elliptic.P521()),
		"EdDSA": edwards,
	}
}

func TestEveryAlgorithmOfTheListIsVerified(t *testing.T) {
	for algorithm, key := range signers(t) {
		t.Run(algorithm, func(t *testing.T) {
			s := newScene(t)
			s.op.Publish(oidctest.Key{ID: "k1", Private: key, Algorithm: algorithm})
			s.accepted(t, algorithm)
			s.op.Bend(oidctest.Bend{IDToken: func(token string) string { return token[:len(token)-8] + "AAAAAAAA" }})
			s.refused(t, "a changed signature", oidc.ReasonSignature)
		})
	}
}

func TestAClientProvesItselfAsTheProviderAsks(t *testing.T) {
	type party = oidc.RelyingParty
	keyed := func(key crypto.Signer, algorithm string) func(*party, *oidctest.Client) {
		return func(rp *party, client *oidctest.Client) {
			rp.Key, client.Key = &oidc.ClientKey{Private: key, Algorithm: algorithm}, key.Public()
		}
	}
	methods := func(names ...string) func(map[string]any) {
		return claim("token_endpoint_auth_methods_supported", names)
	}
	keys := signers(t)
	for _, test := range []struct {
		name    string
		prepare func(*party, *oidctest.Client)
		methods func(map[string]any)
	}{
		{"a secret in the header", func(*party, *oidctest.Client) {}, methods("client_secret_basic")},
		{"a secret in the body", func(*party, *oidctest.Client) {}, methods("client_secret_post")},
		{"a secret in the body, though the provider takes both", func(_ *party, client *oidctest.Client) { client.SecretInBody = true }, nil},
		{"a secret in the body, as configured", func(rp *party, client *oidctest.Client) { rp.SecretIn, client.SecretInBody = oidc.InBody, true }, methods("client_secret_basic")},
		{"a secret in the header, as configured", func(rp *party, _ *oidctest.Client) { rp.SecretIn = oidc.InHeader }, methods("client_secret_post")},
		{"a secret, and nothing is said", func(*party, *oidctest.Client) {}, claim("token_endpoint_auth_methods_supported", nil)},
		{"no secret", func(rp *party, client *oidctest.Client) { rp.ClientSecret, client.Secret = "", "" }, methods("none")},
		{"an RSA key", keyed(keys["RS256"], ""), methods("private_key_jwt")},
		{"an RSA key with PSS", keyed(keys["RS256"], "PS256"), methods("private_key_jwt")},
		{"a key on a curve", keyed(keys["ES384"], ""), methods("private_key_jwt")},
		{"an Ed25519 key", keyed(keys["EdDSA"], ""), methods("private_key_jwt")},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			client := oidctest.Client{ID: clientID, Secret: secret}
			test.prepare(s.rp, &client)
			op, err := oidctest.NewOP(oidctest.Options{Issuer: issuer, Key: providerKey(), Clients: []oidctest.Client{client}, Now: s.rp.Provider.Now})
			if err != nil {
				t.Fatal(err)
			}
			s.op, s.rp.Provider.HTTP.Transport = op, inProcess{op}
			s.op.SignIn(ada())
			s.op.Bend(oidctest.Bend{Discovery: test.methods})
			s.accepted(t, test.name)
			if s.rp.Key != nil {
				s.rp.Key = &oidc.ClientKey{Private: attackerKey()}
			} else {
				s.rp.ClientSecret = "wrong"
			}
			s.refused(t, "a wrong proof", oidc.ReasonExchange)
		})
	}
}

func TestASecretStandsOnlyWhereItIsConfiguredToStand(t *testing.T) {
	s := newScene(t)
	op, err := oidctest.NewOP(oidctest.Options{Issuer: issuer, Key: providerKey(), Clients: []oidctest.Client{{ID: clientID, Secret: secret, SecretInBody: true}}, Now: s.rp.Provider.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.op, s.rp.Provider.HTTP.Transport = op, inProcess{op}
	s.op.SignIn(ada())
	s.rp.SecretIn = oidc.InHeader
	s.refused(t, "in the header, though the provider takes the body only", oidc.ReasonExchange)
	s.rp.SecretIn = oidc.AnyPlace
	s.accepted(t, "anywhere")
}

func TestAKeySetHoldsThePublicPartsOfEveryKey(t *testing.T) {
	keys := signers(t)
	document, err := oidc.KeySet(&oidc.ClientKey{Private: keys["RS256"], ID: "one"}, &oidc.ClientKey{Private: keys["ES256"]})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(document, &set); err != nil || len(set.Keys) != 2 || set.Keys[0].KeyID != "one" || set.Keys[1].KeyID == "" {
		t.Errorf("%s, %v", document, err)
	}
	for _, key := range set.Keys {
		if !key.IsPublic() || key.Use != "sig" {
			t.Errorf("%s is not public", key.KeyID)
		}
	}
	if none, err := oidc.KeySet(); err != nil || string(none) != `{"keys":[]}` {
		t.Errorf("no key: %s, %v", none, err)
	}
}
