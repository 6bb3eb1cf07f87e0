package oidc

import "time"

// Facts is what the OpenID provider vouched for.
type Facts struct {
	Issuer  string
	Subject string // sub, as sent
	// Claims are the ID token's and, below them, those that the userinfo endpoint added.
	Claims Claims
	// GroupsOverage: the person is in more groups than the token names (_claim_names.groups, or hasgroups).
	GroupsOverage bool
	EmailVerified Verified

	// TokenID names the ID token for spending it once: a hash of its claims. It is not jti, which is optional and
	// which some providers repeat.
	TokenID  string
	IssuedAt time.Time
	// Expires is when the token has ceased to be acceptable, clock skew included: TokenID must be remembered as spent
	// until then.
	Expires time.Time

	SessionID string    // sid, "" if not stated; a back-channel logout names it
	AuthTime  time.Time // zero if not stated
	ACR       string
	AMR       []string
}

// Verified is what the OP says about the e-mail address.
type Verified int

// What it may say. The zero value is that it says nothing.
const (
	VerifiedUnsaid Verified = iota
	VerifiedYes
	VerifiedNo
)

// LogoutFacts is what a back-channel logout token says: all sessions of the subject end, or the one session of the OP
// that SessionID names. At least one of the two is stated; where both are, both must fit.
type LogoutFacts struct {
	Issuer    string
	Subject   string
	SessionID string
	TokenID   string // jti: spent once, until Expires
	IssuedAt  time.Time
	Expires   time.Time
}
