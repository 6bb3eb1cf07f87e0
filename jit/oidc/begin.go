package oidc

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// AuthOptions say how a person is to be asked. The zero value leaves it to the provider.
type AuthOptions struct {
	LoginHint string // whom the provider may take it to be
	Prompt    string // none, login, consent or select_account
	// MaxAge is how long ago the person may have authenticated at most, in whole seconds; zero asks for nothing.
	MaxAge time.Duration
	// ACRValues are ways of authenticating, one of which the person must have used; none asks for nothing.
	ACRValues []string
}

// Request is an authentication request: where to send the browser, and what to remember until it comes back.
type Request struct {
	URL  string
	Kept Kept
}

// Kept is what Finish needs to know again. It is to be found by State, taken once, and bound to the browser; it is
// secret, and as JSON it may be stored.
type Kept struct {
	State    string        `json:"state"`
	Nonce    string        `json:"nonce"`
	Verifier string        `json:"verifier"` // PKCE
	MaxAge   time.Duration `json:"maxAge,omitempty"`
	ACR      []string      `json:"acr,omitempty"`

	// Whose request it is, so that no other connection can finish it.
	Issuer      string `json:"issuer"`
	ClientID    string `json:"clientId"`
	RedirectURL string `json:"redirectUrl"`
}

// Begin makes an authentication request. Every error is an *Error.
func (rp *RelyingParty) Begin(ctx context.Context, options AuthOptions) (*Request, error) {
	if err := rp.configured(); err != nil {
		return nil, err
	}
	known, err := rp.Provider.current(ctx)
	if err != nil {
		return nil, err
	}
	kept := Kept{
		State:       rp.newSecret(),
		Nonce:       rp.newSecret(),
		Verifier:    rp.newSecret(),
		MaxAge:      options.MaxAge.Truncate(time.Second),
		ACR:         options.ACRValues,
		Issuer:      rp.Provider.Issuer,
		ClientID:    rp.ClientID,
		RedirectURL: rp.RedirectURL,
	}
	// What a query in the endpoint's address says is the provider's; ours stands once.
	address, err := url.Parse(known.metadata.Authorization)
	if err != nil {
		return nil, because(ReasonDiscovery, err, "the authorization endpoint")
	}
	query := address.Query()
	for name, value := range rp.parameters(kept, options) {
		query.Set(name, value)
	}
	address.RawQuery = query.Encode()
	return &Request{URL: address.String(), Kept: kept}, nil
}

func (rp *RelyingParty) parameters(kept Kept, options AuthOptions) map[string]string {
	parameters := map[string]string{
		"response_type":         "code",
		"client_id":             rp.ClientID,
		"redirect_uri":          rp.RedirectURL,
		"scope":                 rp.scope(),
		"state":                 kept.State,
		"nonce":                 kept.Nonce,
		"code_challenge":        oauth2.S256ChallengeFromVerifier(kept.Verifier),
		"code_challenge_method": "S256",
	}
	if options.LoginHint != "" {
		parameters["login_hint"] = options.LoginHint
	}
	if options.Prompt != "" {
		parameters["prompt"] = options.Prompt
	}
	if kept.MaxAge > 0 {
		parameters["max_age"] = strconv.FormatInt(int64(kept.MaxAge/time.Second), 10)
	}
	if len(kept.ACR) > 0 {
		parameters["acr_values"] = strings.Join(kept.ACR, " ")
	}
	return parameters
}

func (rp *RelyingParty) scope() string {
	const openid = "openid"
	if rp.Scopes == nil {
		return openid + " profile email"
	}
	scope := openid
	for _, s := range slices.Compact(slices.Sorted(slices.Values(rp.Scopes))) {
		if s != openid && s != "" {
			scope += " " + s
		}
	}
	return scope
}
