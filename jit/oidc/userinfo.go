package oidc

import (
	"context"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
)

// complete asks the userinfo endpoint for what the ID token lacks, if that is worth it and there is one. An endpoint
// that fails ends the sign-in: without its answer nobody knows whether a claim is absent, and absent groups are taken
// from people.
func (rp *RelyingParty) complete(ctx context.Context, known *knowledge, claims Claims, access string) (Claims, error) {
	if known.metadata.UserInfo == "" || !rp.lacks(claims) {
		return claims, nil
	}
	info, err := rp.userInfo(ctx, known, access)
	if err != nil {
		return nil, err
	}
	if subject, _ := info["sub"].(string); subject != claims["sub"] {
		return nil, refuse(ReasonUserSubject, "the userinfo endpoint speaks of %.300q, the ID token of %.300q", info["sub"], claims["sub"])
	}
	return merged(claims, info), nil
}

// lacks says whether of some wanted claim no name is there. One that is said to be elsewhere is not to be had here.
func (rp *RelyingParty) lacks(claims Claims) bool {
	has := func(name string) bool {
		_, ok := claims.Strings(name)
		return ok || claims.elsewhere(name)
	}
	return slices.ContainsFunc(rp.Wanted, func(names []string) bool { return len(names) > 0 && !slices.ContainsFunc(names, has) })
}

func (rp *RelyingParty) userInfo(ctx context.Context, known *knowledge, access string) (Claims, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, known.metadata.UserInfo, nil)
	if err != nil {
		return nil, because(ReasonUserInfo, err, "the userinfo endpoint")
	}
	request.Header.Set("Authorization", "Bearer "+access)
	request.Header.Set("Accept", "application/json, application/jwt")
	got, err := ask(rp.Provider.strictClient(), request)
	if _, ok := errors.AsType[*url.Error](err); ok {
		return nil, because(ReasonUnavailable, err, "the userinfo endpoint cannot be reached")
	}
	if err != nil {
		return nil, because(ReasonUserInfo, err, "the userinfo endpoint")
	}
	if kind, _, err := mime.ParseMediaType(got.contentType); err == nil && kind == "application/jwt" {
		return rp.signedUserInfo(ctx, known, string(got.body))
	}
	info, err := decodeClaims(got.body)
	if err != nil {
		return nil, because(ReasonUserInfo, err, "the userinfo endpoint's answer")
	}
	return info, nil
}

// signedUserInfo reads an answer that is a token: of this issuer for this client, where it says so (Core 5.3.2).
func (rp *RelyingParty) signedUserInfo(ctx context.Context, known *knowledge, raw string) (Claims, error) {
	token, err := rp.Provider.verify(ctx, known, raw, "")
	if err != nil {
		return nil, because(ReasonUserInfo, err, "the userinfo endpoint's answer")
	}
	read, err := readProtocol(token.claims)
	switch {
	case err != nil:
		return nil, because(ReasonUserInfo, err, "the userinfo endpoint's answer")
	case read.issuer != "" && read.issuer != rp.Provider.Issuer || read.audience != nil && !read.isFor(rp.ClientID):
		return nil, refuse(ReasonUserInfo, "the answer is issued by %.300q for %.300q", read.issuer, read.audience)
	}
	return token.claims, nil
}

// merged are the ID token's claims and, below them, the userinfo endpoint's. Whether an address is verified is said
// about the address beside it; a word about another address, or about none, does not count, but a no stays a no.
func merged(token, info Claims) Claims {
	all := maps.Clone(info)
	maps.Copy(all, token)
	_, own := token[email]
	_, added := info[email]
	switch {
	case own && info.Text(email) != token.Text(email):
		all.take(emailVerified, token)
	case !own && added && token.emailVerified() != VerifiedNo:
		all.take(emailVerified, info)
	}
	return all
}

// take makes a claim what it is in another set, absence included.
func (c Claims) take(name string, from Claims) {
	value, ok := from[name]
	if !ok {
		delete(c, name)
		return
	}
	c[name] = value
}
