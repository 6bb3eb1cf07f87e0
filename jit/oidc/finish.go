package oidc

import (
	"context"
	"net/url"
)

// Finish judges what the browser brought back to the redirect URI, with what Begin gave to keep. Every error is an
// *Error.
//
// It does not know whether this was finished before: the caller takes kept once, and spends Facts.TokenID until
// Facts.Expires.
func (rp *RelyingParty) Finish(ctx context.Context, kept Kept, callback url.Values) (*Facts, error) {
	if err := rp.configured(); err != nil {
		return nil, err
	}
	if err := rp.checkState(kept, callback); err != nil {
		return nil, err
	}
	known, err := rp.Provider.current(ctx)
	if err != nil {
		return nil, err
	}
	answered, err := readReply(callback)
	if err != nil {
		return nil, err
	}
	if err := answered.check(&known.metadata); err != nil {
		return nil, err
	}
	got, err := rp.exchange(ctx, &known.metadata, answered.code, kept.Verifier)
	if err != nil {
		return nil, err
	}
	token, read, err := rp.idToken(ctx, known, got, kept)
	if err != nil {
		return nil, err
	}
	claims, err := rp.complete(ctx, known, token.claims, got.access)
	if err != nil {
		return nil, err
	}
	return rp.facts(token, read, claims), nil
}

// idToken believes an ID token, or says why not.
func (rp *RelyingParty) idToken(ctx context.Context, known *knowledge, got tokens, kept Kept) (*verified, *protocol, error) {
	token, err := rp.Provider.verify(ctx, known, got.id, "")
	if err != nil {
		return nil, nil, err
	}
	read, err := readProtocol(token.claims)
	if err != nil {
		return nil, nil, err
	}
	if err := rp.check(read, kept); err != nil {
		return nil, nil, err
	}
	return token, read, rp.secondOpinion(ctx, token, read, got.access)
}

func (rp *RelyingParty) facts(token *verified, read *protocol, claims Claims) *Facts {
	return &Facts{
		Issuer:        read.issuer,
		Subject:       read.subject,
		Claims:        claims,
		GroupsOverage: claims.overage(),
		EmailVerified: claims.emailVerified(),
		TokenID:       token.id,
		IssuedAt:      read.issued,
		Expires:       rp.clock().end(read.issued, read.expires),
		SessionID:     read.session,
		AuthTime:      read.authenticated,
		ACR:           read.acr,
		AMR:           read.amr,
	}
}
