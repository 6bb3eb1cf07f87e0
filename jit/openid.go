package jit

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit/oidc"
)

// openOpenID refuses a connection whose people do not come by OpenID Connect.
func openOpenID(conn *directory.Connection) error {
	if err := open(conn); err != nil {
		return err
	}
	if conn.OIDC == nil {
		return refuse(directory.ChannelOff, "connection %q has no OpenID provider", conn.ID)
	}
	return nil
}

// beginOpenID sends the browser to the connection's OpenID provider.
func (s *Server) beginOpenID(c echo.Context, a arrival) error {
	ctx, conn := c.Request().Context(), a.connection
	party, err := s.relyingParty(ctx, conn, a.policy)
	if err != nil {
		return err
	}
	options := askingFor(conn.OIDC)
	options.LoginHint = loginHint(c)
	request, err := party.Begin(ctx, options)
	if err != nil {
		return err
	}
	s.warnAbout(ctx, conn, party.Provider)
	kept, err := json.Marshal(request.Kept)
	if err != nil {
		return fmt.Errorf("a pending sign-in: %w", err)
	}
	a.started.Request, a.started.Kept = request.Kept.State, kept
	cookie, err := s.sealPending(a.started)
	if err != nil {
		return err
	}
	s.bind(c, request.Kept.State, cookie)
	return c.Redirect(http.StatusSeeOther, request.URL)
}

// loginHint is whom the sign-in page was told about, for the provider to fill in.
func loginHint(c echo.Context) string {
	hint := c.QueryParam("login_hint")
	if len(hint) > maxEmail {
		return ""
	}
	return hint
}

// callback takes what the browser brings back from an OpenID provider.
func (s *Server) callback(c echo.Context) error {
	conn, policy, err := s.connection(c)
	if err != nil {
		return err
	}
	return about(s.judged(c, conn, func() error {
		arrived, err := s.finishOpenID(c, conn, policy)
		if err != nil {
			return err
		}
		return s.signIn(c, arrived)
	}), conn)
}

// finishOpenID believes what came back, or not. As at the ACS, a reply to anybody else's request is refused before
// anything is asked. The request is used up whatever the reply says: a reply is tried once.
func (s *Server) finishOpenID(c echo.Context, conn *directory.Connection, policy *directory.Policy) (arrival, error) {
	a := arrival{connection: conn, policy: policy}
	if err := openOpenID(conn); err != nil {
		return a, err
	}
	ctx, reply := c.Request().Context(), c.QueryParams()
	state, err := oidc.State(reply)
	if err != nil {
		return a, err
	}
	kept, err := s.takeKept(c, &a, state)
	if err != nil {
		return a, err
	}
	party, err := s.relyingParty(ctx, conn, policy)
	if err != nil {
		return a, err
	}
	facts, err := party.Finish(ctx, kept, reply)
	if err != nil {
		return a, err
	}
	a.assertion = assertionFromOpenID(facts)
	return a, required(conn.OIDC.Require, facts.Claims)
}

// takeKept uses a request up, before the provider is asked about the reply, and returns what it left to be known again.
func (s *Server) takeKept(c echo.Context, a *arrival, state string) (kept oidc.Kept, err error) {
	if a.started, err = s.openPending(state, a.connection.ID, s.bindings(c)[state]); err != nil {
		return kept, err
	}
	s.unbind(c, state)
	err = s.directory.Spend(c.Request().Context(), requestKind, state, a.started.expires())
	if errors.Is(err, directory.ErrSpent) {
		return kept, refuse(unknownRequest, "request %q was answered before", state)
	}
	if err != nil {
		return kept, err
	}
	a.started.Request = "" // it is spent
	if err := json.Unmarshal(a.started.Kept, &kept); err != nil {
		return kept, fmt.Errorf("a pending sign-in: %w", err)
	}
	return kept, nil
}

// required refuses a person for whom the issuer speaks, but not on behalf of this customer.
func required(wanted map[string][]string, claims oidc.Claims) error {
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if got := claims.Text(name); !slices.Contains(wanted[name], got) {
			return refuse(invalidAssertion, "the claim %s is %.100q; required is one of %q", name, got, wanted[name])
		}
	}
	return nil
}

// assertionFromOpenID takes the protocol off. The claims by which the protocol was judged are left out.
func assertionFromOpenID(f *oidc.Facts) Assertion {
	a := Assertion{
		Issuer:        f.Issuer,
		ID:            f.TokenID,
		Subject:       Subject{Name: Sub, Value: f.Subject},
		GroupsOverage: f.GroupsOverage,
		EmailVerified: verifiedByOpenID(f.EmailVerified),
		IssuedAt:      f.IssuedAt,
		Expires:       f.Expires,
		SessionIndex:  f.SessionID,
		AuthnContext:  f.ACR,
	}
	for name, values := range f.Claims.All() {
		if !isProtocol(name) {
			a.Claims = append(a.Claims, Claim{Name: name, Values: values})
		}
	}
	return a
}

func verifiedByOpenID(v oidc.Verified) directory.Verified {
	switch v {
	case oidc.VerifiedYes:
		return directory.VerifiedYes
	case oidc.VerifiedNo:
		return directory.VerifiedNo
	}
	return directory.VerifiedUnsaid
}

// isProtocol tells the protocol's own claims from those about the person.
func isProtocol(claim string) bool {
	switch claim {
	case "iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash", "sid":
		return true
	}
	return false
}
