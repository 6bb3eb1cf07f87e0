package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 16384 // larger ones are a way to keep us busy
)

// algorithms are those that a token may be signed by: public keys only, so that nobody can pass a public key off as a
// shared secret.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// algorithms that are both acceptable and announced; all, when nothing is announced.
func (m *Metadata) algorithms() []jose.SignatureAlgorithm {
	if len(m.Algorithms) == 0 {
		return algorithms()
	}
	return slices.DeleteFunc(algorithms(), func(a jose.SignatureAlgorithm) bool { return !slices.Contains(m.Algorithms, string(a)) })
}

// keySet are the public keys that an OP signs with.
type keySet []jose.JSONWebKey

// fetchKeys reads the key set at an address that discovery named.
func (p *Provider) fetchKeys(ctx context.Context, address string) (keySet, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, because(ReasonDiscovery, err, "the key set cannot be fetched")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	got, err := ask(p.client(), request)
	if err != nil {
		return nil, because(ReasonUnavailable, err, "the key set cannot be fetched")
	}
	return readKeys(got.body)
}

// readKeys leaves out what is not for verifying signatures, what is too weak, and what it does not understand (RFC 7517
// §5).
func readKeys(document []byte) (keySet, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, because(ReasonDiscovery, err, "the key set cannot be read")
	}
	if len(set.Keys) > maxKeys {
		return nil, refuse(ReasonDiscovery, "the key set has %d keys, at most %d are read", len(set.Keys), maxKeys)
	}
	var keys keySet
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := json.Unmarshal(raw, &key); err == nil && isForSignatures(key) {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, refuse(ReasonDiscovery, "none of the %d keys in the key set is usable", len(set.Keys))
	}
	return keys, nil
}

func isForSignatures(key jose.JSONWebKey) bool {
	if key.Use != "" && key.Use != "sig" {
		return false
	}
	switch public := key.Key.(type) {
	case *rsa.PublicKey:
		return public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// verify returns what was signed, if one of the keys did. A token that names a key is tried with the keys of that name.
func (s keySet) verify(signed *jose.JSONWebSignature) ([]byte, bool) {
	header := signed.Signatures[0].Protected
	for _, key := range s {
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := signed.Verify(key.Key); err == nil {
			return payload, true
		}
	}
	return nil, false
}
