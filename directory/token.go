package directory

import (
	"context"
	"time"
)

// Token is the record of a bearer token. The secret itself is never stored:
// the record is kept under its keyed hash.
type Token struct {
	Org        string    `json:"org"`
	Connection string    `json:"connection,omitempty"` // set for a SCIM token, "" for an application's
	Name       string    `json:"name"`
	Kind       TokenKind `json:"kind"`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires,omitzero"`
}

// TokenKind says what a token opens.
type TokenKind string

// The kinds of token.
const (
	SCIMToken  TokenKind = "scim"  // writes for one connection
	AppToken   TokenKind = "app"   // reads the effective view of one organisation
	AdminToken TokenKind = "admin" // the administration API
)

// Authenticate returns the record of a bearer token, or ErrUnauthorized.
func (d *Directory) Authenticate(ctx context.Context, secret string) (Token, error) {
	return d.authenticate(ctx, secret)
}

// SetToken makes secret a valid token with this record. Setting the same
// secret and record again changes nothing; it reports whether it changed.
// At most two SCIM tokens of one connection are valid at once.
func (d *Directory) SetToken(ctx context.Context, t Token, secret string) (changed bool, err error) {
	return d.setToken(ctx, t, secret)
}

// Tokens lists the records of an organisation's tokens ("" for the instance's).
func (d *Directory) Tokens(ctx context.Context, org string) ([]Token, error) {
	return d.tokens(ctx, org)
}

// RevokeToken ends the token with that organisation, connection and name, at once.
func (d *Directory) RevokeToken(ctx context.Context, t Token) error { return d.revokeToken(ctx, t) }
