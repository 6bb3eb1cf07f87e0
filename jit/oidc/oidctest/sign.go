package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// Key signs tokens. A zero ID leaves kid out.
type Key struct {
	ID        string
	Private   crypto.Signer // RSA, ECDSA or Ed25519
	Algorithm string        // "": RS256, EdDSA or what the curve says
}

func (k Key) algorithm() jose.SignatureAlgorithm {
	if k.Algorithm != "" {
		return jose.SignatureAlgorithm(k.Algorithm)
	}
	switch private := k.Private.(type) {
	case *ecdsa.PrivateKey:
		return map[int]jose.SignatureAlgorithm{256: jose.ES256, 384: jose.ES384, 521: jose.ES512}[private.Curve.Params().BitSize]
	case ed25519.PrivateKey:
		return jose.EdDSA
	}
	return jose.RS256
}

// Sign makes a token of any claims. header is added to the usual one or takes its place.
func Sign(claims map[string]any, key Key, header map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("oidctest: write the claims: %w", err)
	}
	return SignBytes(payload, key, header)
}

// SignBytes is Sign for claims that are no JSON object of Go's making.
func SignBytes(payload []byte, key Key, header map[string]any) (string, error) {
	options := &jose.SignerOptions{}
	options.WithType("JWT")
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signing := jose.SigningKey{Algorithm: key.algorithm(), Key: jose.JSONWebKey{Key: key.Private, KeyID: key.ID}}
	signer, err := jose.NewSigner(signing, options)
	if err != nil {
		return "", fmt.Errorf("oidctest: sign: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("oidctest: sign: %w", err)
	}
	return signed.CompactSerialize()
}

// LogoutToken makes a back-channel logout token for a client: about the person, the session, or both. edit may be nil.
func (op *OP) LogoutToken(client, subject, session string, edit func(claims map[string]any)) (string, error) {
	_, _, keys := op.state()
	now := op.now()
	claims := map[string]any{
		"iss": op.Issuer, "aud": client, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "jti": newSecret(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	if subject != "" {
		claims["sub"] = subject
	}
	if session != "" {
		claims["sid"] = session
	}
	if edit != nil {
		edit(claims)
	}
	return Sign(claims, keys[0], map[string]any{"typ": "logout+jwt"})
}

func (op *OP) keySet(w http.ResponseWriter, _ *http.Request) {
	_, bend, keys := op.state()
	var published []any
	for _, key := range keys {
		published = append(published, jose.JSONWebKey{
			Key: key.Private.Public(), KeyID: key.ID, Use: "sig", Algorithm: string(key.algorithm()),
		})
	}
	document := map[string]any{"keys": published}
	if bend.KeySet != nil {
		bend.KeySet(document)
	}
	reply(w, http.StatusOK, document)
}

func algorithms(keys []Key) []string {
	names := map[string]bool{"RS256": true} // every provider must (Discovery §3)
	for _, key := range keys {
		names[string(key.algorithm())] = true
	}
	return slices.Sorted(maps.Keys(names))
}
