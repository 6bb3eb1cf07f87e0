package oidc

import (
	"context"
	"encoding/json"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// judge is coreos/go-oidc, told to judge the protocol's claims as they were read here: by exact names, from bytes whose
// signature has been verified. It can only refuse.
func (rp *RelyingParty) judge(claims map[string]any) (*oidc.IDTokenVerifier, error) {
	slim, err := json.Marshal(claims)
	if err != nil {
		return nil, because(ReasonSecondOpinion, err, "the claims cannot be written")
	}
	clock := rp.clock()
	return oidc.NewVerifier(rp.Provider.Issuer, verifiedBefore(slim), &oidc.Config{
		ClientID:             rp.ClientID,
		SupportedSigningAlgs: stated(algorithms()),
		Now:                  func() time.Time { return clock.now.Add(-clock.skew) }, // it tolerates no difference itself
	}), nil
}

// verifiedBefore answers for the signature: it was verified before. What it holds is judged.
type verifiedBefore []byte

// VerifySignature implements oidc.KeySet.
func (v verifiedBefore) VerifySignature(context.Context, string) ([]byte, error) { return v, nil }

// secondOpinion also has the access token compared with at_hash, where the ID token has one.
func (rp *RelyingParty) secondOpinion(ctx context.Context, token *verified, read *protocol, accessToken string) error {
	verifier, err := rp.judge(map[string]any{
		"iss": read.issuer, "sub": read.subject, "aud": read.audience, "nonce": read.nonce,
		"exp": read.expires.Unix(), "iat": read.issued.Unix(), "at_hash": read.accessTokenHash,
	})
	if err != nil {
		return err
	}
	agreed, err := verifier.Verify(ctx, token.raw)
	if err != nil {
		return because(ReasonSecondOpinion, err, "coreos/go-oidc")
	}
	if read.accessTokenHash == "" {
		return nil
	}
	if err := agreed.VerifyAccessToken(accessToken); err != nil {
		return refuse(ReasonAccessToken, "the access token is not the one that the ID token belongs to (at_hash)")
	}
	return nil
}
