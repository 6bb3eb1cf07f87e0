package jit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit/oidc"
)

// maxLogout bounds the form at the back-channel logout address.
const maxLogout = 2 * oidc.MaxLogoutToken

// backchannel takes an OpenID provider's word that a person, or one of its sessions, has ended there (Back-Channel
// Logout 1.0). The provider's server asks, no browser. 200 says that no session is left of those it names; whatever
// went wrong is answered 400, as §2.8 wants.
func (s *Server) backchannel(c echo.Context) error {
	conn, policy, err := s.connection(c)
	if err != nil {
		return err
	}
	err = s.judged(c, conn, func() error { return s.signOut(c, conn, policy) })
	if err != nil {
		p := problemOf(err)
		s.logRefused(c, p, conn)
		word := "invalid_request"
		if p.broken != nil || p.code == providerUnavailable {
			word = "temporarily_unavailable"
		}
		return c.JSON(http.StatusBadRequest, map[string]string{"error": word, "error_description": string(p.code)})
	}
	return c.NoContent(http.StatusOK)
}

// signOut ends what a logout token names. The token is remembered after that, so that the provider may send it again
// when something failed on the way.
func (s *Server) signOut(c echo.Context, conn *directory.Connection, policy *directory.Policy) error {
	if conn.OIDC == nil {
		return refuse(directory.ChannelOff, "connection %q has no OpenID provider", conn.ID)
	}
	ctx := c.Request().Context()
	message, err := posted(c, "logout_token", maxLogout)
	if err != nil {
		return err
	}
	party, err := s.relyingParty(ctx, conn, policy)
	if err != nil {
		return err
	}
	facts, err := party.Logout(ctx, message)
	if err != nil {
		return err
	}
	if err := s.heard(ctx, conn, facts); err != nil {
		return err
	}
	ended, err := s.directory.EndSessions(ctx, directory.SignedOut{
		Connection: conn.ID, Issuer: facts.Issuer, Subject: facts.Subject, SessionIndex: facts.SessionID,
	})
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "signed out by the provider", "org", conn.Org, "conn", conn.ID, "sessions", ended, "request", correlation(c))
	err = s.directory.Spend(ctx, logoutKind(conn), logoutKey(facts), facts.Expires)
	if errors.Is(err, directory.ErrSpent) {
		return nil // the same token came twice at the same moment
	}
	return err
}

// heard refuses a token that was done before.
func (s *Server) heard(ctx context.Context, conn *directory.Connection, facts *oidc.LogoutFacts) error {
	_, err := s.directory.Peek(ctx, logoutKind(conn), logoutKey(facts))
	switch {
	case errors.Is(err, directory.ErrSpent):
		return nil
	case err != nil:
		return err
	}
	return refuse(directory.StaleAssertion, "logout token %.100q was used before", facts.TokenID)
}

func logoutKind(conn *directory.Connection) string { return "logout " + conn.ID }

func logoutKey(facts *oidc.LogoutFacts) string {
	sum := sha256.Sum256([]byte(facts.Issuer + "\x00" + facts.TokenID))
	return hex.EncodeToString(sum[:])
}
