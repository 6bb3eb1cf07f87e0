package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Bounds on tokens as received, in bytes. An ID token may carry thousands of groups; a logout token carries nothing
// and comes from anybody.
const (
	MaxToken       = 1 << 20
	MaxLogoutToken = 16 << 10
)

// verified is a token whose signature has been verified.
type verified struct {
	raw    string
	claims Claims
	id     string // a hash of the claims as signed: two encodings of one token have the same
}

// verify reads a token and believes its signature, or says why not. kind is the type that it may name.
func (p *Provider) verify(ctx context.Context, known *knowledge, raw, kind string) (*verified, error) {
	signed, err := parseSigned(raw, known.metadata.algorithms())
	if err != nil {
		return nil, err
	}
	header := signed.Signatures[0].Protected
	if err := checkHeader(header, kind); err != nil {
		return nil, err
	}
	payload, ok := known.keys.verify(signed)
	if !ok {
		if keys, fetched := p.rotated(ctx, known); fetched {
			payload, ok = keys.verify(signed)
		}
	}
	if !ok {
		return nil, refuse(ReasonSignature, "signed by none of the provider's %d keys; the token names key %.100q and algorithm %.10q",
			len(known.keys), header.KeyID, header.Algorithm)
	}
	claims, err := decodeClaims(payload)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(payload)
	return &verified{raw, claims, hex.EncodeToString(sum[:])}, nil
}

// parseSigned reads the compact form only: the others allow headers that no signature covers.
func parseSigned(raw string, permitted []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	switch strings.Count(raw, ".") {
	case 2:
	case 4:
		return nil, refuse(ReasonEncrypted, "an encrypted token; have the provider sign only")
	default:
		return nil, refuse(ReasonMalformed, "no signed token: it has no three parts")
	}
	signed, err := jose.ParseSignedCompact(raw, permitted)
	if unexpected, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return nil, refuse(ReasonAlgorithm, "signed by %.20q; accepted from this provider: %s", unexpected.Got, permitted)
	}
	if err != nil {
		return nil, because(ReasonMalformed, err, "no signed token")
	}
	return signed, nil
}

// checkHeader refuses a token that says it is of another kind (RFC 8725 §3.11), and extensions, of which no token of
// this protocol has any.
func checkHeader(header jose.Header, kind string) error {
	if _, ok := header.ExtraHeaders["crit"]; ok {
		return refuse(ReasonType, "the token demands extensions (crit)")
	}
	stated, _ := header.ExtraHeaders["typ"].(string)
	stated = strings.TrimPrefix(strings.ToLower(stated), "application/")
	if strings.HasSuffix(stated, "+jwt") && stated != kind {
		return refuse(ReasonType, "the token says that it is of type %.50q", stated)
	}
	return nil
}
