package oidc

import (
	"crypto/rand"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// DefaultSkew and MaxSkew bound how far the clocks of the two sides may differ.
const (
	DefaultSkew = 60 * time.Second
	MaxSkew     = 300 * time.Second
)

// MaxAge is how long after it was issued a token is accepted, clock skew apart, however long it says it is valid. It
// leaves room for providers that date their tokens five minutes back, as Entra ID does.
const MaxAge = 10 * time.Minute

// RelyingParty is this side of one connection. Its zero options are the strict ones. Provider, ClientID and RedirectURL
// must be set; it must not be changed while in use.
type RelyingParty struct {
	Provider *Provider
	ClientID string
	// ClientSecret or Key prove the client to the token endpoint; Key goes first. Neither makes a public client, which
	// PKCE alone protects.
	ClientSecret string
	Key          *ClientKey
	SecretIn     SecretPlace
	RedirectURL  string

	Scopes []string // nil: openid, profile and email; openid is always asked for
	// Wanted are claims worth a call to the userinfo endpoint, each by its alternative names: it is called when, of one
	// of them, the ID token has none.
	Wanted [][]string
	// Skew is the tolerated clock difference: zero means DefaultSkew, negative none, more than MaxSkew is MaxSkew.
	Skew time.Duration

	NewSecret func() string // an unguessable text per call, of letters and digits, 43 at least; nil: 260 random bits
}

// SecretPlace is where in a token request the client's secret stands (RFC 6749 §2.3.1).
type SecretPlace int

// The places. The zero value takes the header, unless the provider takes the body only.
const (
	AnyPlace SecretPlace = iota
	InHeader
	InBody
)

// clock reads the time once, for one message.
func (rp *RelyingParty) clock() clock {
	skew := rp.Skew
	if skew == 0 {
		skew = DefaultSkew
	}
	return clock{rp.Provider.now(), min(max(skew, 0), MaxSkew)}
}

func (rp *RelyingParty) newSecret() string {
	if rp.NewSecret == nil {
		return rand.Text() + rand.Text()
	}
	return rp.NewSecret()
}

// configured checks what would otherwise make every sign-in fail in a puzzling way, or succeed in a wrong one.
func (rp *RelyingParty) configured() error {
	switch {
	case rp.Provider == nil:
		return refuse(ReasonMisconfigured, "no provider")
	case rp.ClientID == "":
		return refuse(ReasonMisconfigured, "no client ID")
	case rp.Key != nil && rp.Key.Private == nil:
		return refuse(ReasonMisconfigured, "a client key without its private part")
	}
	if u, err := url.Parse(rp.RedirectURL); err != nil || u.Host == "" || u.Fragment != "" || u.String() != rp.RedirectURL {
		return refuse(ReasonMisconfigured, "the redirect URL %q is no URL in canonical form", rp.RedirectURL)
	}
	return nil
}

func stated(list []jose.SignatureAlgorithm) []string {
	names := make([]string, len(list))
	for i, a := range list {
		names[i] = string(a)
	}
	return names
}
