package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// assertionLifetime is how long a client assertion is good for: it is made for one request.
const assertionLifetime = time.Minute

// ClientKey proves a client by signing (private_key_jwt, Core §9), so that no secret is shared with the provider.
type ClientKey struct {
	Private crypto.Signer // *rsa.PrivateKey, *ecdsa.PrivateKey or ed25519.PrivateKey
	// ID is how the provider knows the key (kid); "": its thumbprint (RFC 7638).
	ID string
	// Algorithm is for RSA keys: RS256, the default, or PS256. Others have but one.
	Algorithm string
	// Certificate, if there is one, is named by its SHA-256 (x5t#S256), which Entra ID looks for instead of ID.
	Certificate *x509.Certificate
}

// KeySet is the public parts of keys, to be registered with the provider. No key is a set, too.
func KeySet(keys ...*ClientKey) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		key, err := k.jwk()
		if err != nil {
			return nil, err
		}
		public := key.Public()
		if k.Certificate != nil {
			public.Certificates = []*x509.Certificate{k.Certificate}
		}
		set.Keys = append(set.Keys, public)
	}
	return json.Marshal(set)
}

// assert signs that we are the client, to one token endpoint.
func (k *ClientKey) assert(client, endpoint string, now time.Time) (string, error) {
	key, err := k.jwk()
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	if k.Certificate != nil {
		sum := sha256.Sum256(k.Certificate.Raw)
		options.WithHeader("x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:]))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		return "", because(ReasonMisconfigured, err, "the client key")
	}
	claims, err := json.Marshal(map[string]any{
		"iss": client, "sub": client, "aud": endpoint, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	})
	if err != nil {
		return "", because(ReasonMisconfigured, err, "the client ID")
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", because(ReasonMisconfigured, err, "the client key")
	}
	return signed.CompactSerialize()
}

func (k *ClientKey) jwk() (jose.JSONWebKey, error) {
	key := jose.JSONWebKey{Key: k.Private, KeyID: k.ID, Algorithm: k.algorithm(), Use: "sig"}
	if key.Algorithm == "" || !key.Valid() {
		return key, refuse(ReasonMisconfigured, "the client key is neither RSA, nor on a NIST curve, nor Ed25519")
	}
	if key.KeyID == "" {
		sum, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			return key, because(ReasonMisconfigured, err, "the client key")
		}
		key.KeyID = base64.RawURLEncoding.EncodeToString(sum)
	}
	return key, nil
}

func (k *ClientKey) algorithm() string {
	switch private := k.Private.(type) {
	case *rsa.PrivateKey:
		if k.Algorithm != "" {
			return k.Algorithm
		}
		return string(jose.RS256)
	case *ecdsa.PrivateKey:
		return map[int]string{256: string(jose.ES256), 384: string(jose.ES384), 521: string(jose.ES512)}[private.Curve.Params().BitSize]
	case ed25519.PrivateKey:
		return string(jose.EdDSA)
	}
	return ""
}
