package oidc

import "context"

const (
	logoutType  = "logout+jwt"
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)

// Logout judges the logout_token that an OP posted to the back-channel logout URI (Back-Channel Logout 1.0). Every
// error is an *Error.
//
// It does not know whether the token was seen before: the caller spends (LogoutFacts.Issuer, LogoutFacts.TokenID)
// until LogoutFacts.Expires.
func (rp *RelyingParty) Logout(ctx context.Context, logoutToken string) (*LogoutFacts, error) {
	if err := rp.configured(); err != nil {
		return nil, err
	}
	if len(logoutToken) > MaxLogoutToken {
		return nil, refuse(ReasonTooLarge, "the logout token has %d bytes", len(logoutToken))
	}
	known, err := rp.Provider.current(ctx)
	if err != nil {
		return nil, err
	}
	token, err := rp.Provider.verify(ctx, known, logoutToken, logoutType)
	if err != nil {
		return nil, err
	}
	read, err := readProtocol(token.claims)
	if err != nil {
		return nil, err
	}
	if err := rp.checkLogout(token.claims, read); err != nil {
		return nil, err
	}
	if err := rp.secondLogoutOpinion(ctx, token.raw, read); err != nil {
		return nil, err
	}
	return &LogoutFacts{
		Issuer:    read.issuer,
		Subject:   read.subject,
		SessionID: read.session,
		TokenID:   read.id,
		IssuedAt:  read.issued,
		Expires:   rp.clock().end(read.issued, read.expires),
	}, nil
}

func (rp *RelyingParty) checkLogout(claims Claims, read *protocol) error {
	switch {
	case read.issuer != rp.Provider.Issuer:
		return refuse(ReasonIssuer, "the token is issued by %.300q, expected %q", read.issuer, rp.Provider.Issuer)
	case !read.isFor(rp.ClientID):
		return refuse(ReasonAudience, "the token is for %.300q, expected %q", read.audience, rp.ClientID)
	}
	if err := checkLogoutEvent(claims); err != nil {
		return err
	}
	clock := rp.clock()
	if err := clock.checkIssued(read.issued); err != nil {
		return err
	}
	if !read.expires.IsZero() {
		if err := clock.checkEnd(read.expires); err != nil {
			return err
		}
	}
	switch {
	case read.id == "":
		return refuse(ReasonClaims, "the logout token has no jti")
	case read.subject == "" && read.session == "":
		return refuse(ReasonSubject, "the logout token names neither a person (sub) nor a session (sid)")
	case read.subject != "":
		return checkSubject(read.subject)
	}
	return nil
}

// checkLogoutEvent keeps other tokens of the same issuer from ending sessions. A nonce would make it an ID token.
func checkLogoutEvent(claims Claims) error {
	events, _ := claims["events"].(map[string]any)
	if _, ok := events[logoutEvent].(map[string]any); !ok {
		return refuse(ReasonLogoutEvent, "the token is no logout token: events does not say so")
	}
	if _, ok := claims["nonce"]; ok {
		return refuse(ReasonLogoutEvent, "the token has a nonce, which a logout token must not have")
	}
	return nil
}

// secondLogoutOpinion gives a token without an end the one that it has here.
func (rp *RelyingParty) secondLogoutOpinion(ctx context.Context, raw string, read *protocol) error {
	verifier, err := rp.judge(map[string]any{
		"iss": read.issuer, "sub": read.subject, "sid": read.session, "aud": read.audience, "jti": read.id,
		"iat": read.issued.Unix(), "exp": rp.clock().end(read.issued, read.expires).Unix(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	})
	if err != nil {
		return err
	}
	if _, err := verifier.VerifyLogout(ctx, raw); err != nil {
		return because(ReasonSecondOpinion, err, "coreos/go-oidc")
	}
	return nil
}
