package jit

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// proofName is the cookie of a sign-in that waits for the proof of the existing account.
const proofName = "muster-proof"

// offered gives this browser the means to answer a refusal by a proof, where the directory permits one, and returns the
// refusal.
func (s *Server) offered(c echo.Context, a arrival, err error) error {
	p := problemOf(err)
	if p.confirm == nil {
		return err
	}
	proof, secret, keepErr := s.directory.OfferProof(c.Request().Context(), a.connection.Org, a.connection.ID, p.confirm)
	if keepErr != nil {
		return keepErr
	}
	c.SetCookie(s.cookie(s.cookieName(proofName), secret, proof.Expires, http.SameSiteLaxMode))
	return err
}

// claimed is the signed-in person and the proof that this browser holds.
func (s *Server) claimed(c echo.Context) (who signedIn, proof directory.Proof, secret string, err error) {
	cookie, err := c.Cookie(s.cookieName(proofName))
	if err != nil {
		return who, proof, "", refuse(unknownRequest, "this browser has nothing to confirm")
	}
	if who, err = s.current(c); err != nil {
		return who, proof, "", err
	}
	proof, err = s.directory.Proof(c.Request().Context(), cookie.Value)
	if errors.Is(err, directory.ErrSpent) {
		s.dropCookie(c, s.cookieName(proofName))
		err = refuse(unknownRequest, "the sign-in to be confirmed was confirmed before, or is too long ago")
	}
	return who, proof, cookie.Value, err
}

// confirmForm asks the person, who has signed in to the existing account, whether to link the other sign-in to it.
func (s *Server) confirmForm(c echo.Context) error {
	who, proof, _, err := s.claimed(c)
	if err != nil {
		return err
	}
	return s.page(c, http.StatusOK, "confirm", struct{ Name, Connection, Subject string }{displayName(who.user), proof.Connection, proof.Subject})
}

// confirm links the two. Whether the session proves the account is the directory's to say.
func (s *Server) confirm(c echo.Context) error {
	who, proof, secret, err := s.claimed(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := s.directory.CompleteProof(ctx, secret, s.secret(c), correlation(c)); err != nil {
		return err
	}
	s.dropCookie(c, s.cookieName(proofName))
	s.log.InfoContext(ctx, "linked by proof", "org", proof.Org, "conn", proof.Connection, "user", who.user.ID, "request", correlation(c))
	return c.Redirect(http.StatusSeeOther, home)
}
