package scim

import (
	"errors"

	"muster/directory"
)

// enterPerson lets in a person who is signed in to the organisation, by the
// session in a cookie or as a bearer token; and, to tell it that it is nobody,
// an application.
func (c *call) enterPerson() error {
	secret := bearer(c.r)
	if secret == "" && c.s.options.Session != nil && len(c.r.Header["Authorization"]) == 0 {
		secret = c.s.options.Session(c.r)
	}
	session, user, err := c.s.directory.Session(c.r.Context(), secret)
	refusal, refused := errors.AsType[*directory.Refusal](err)
	switch {
	case errors.Is(err, directory.ErrUnauthorized):
		return c.enterOrg()
	case refused: // the person lost access; why is not for this door to say
		c.log().Info("a session was refused", "code", refusal.Code)
		return unauthorized
	case err != nil:
		return err
	case session.Org != c.door:
		return unauthorized
	}
	policy, err := c.s.directory.Policy(c.r.Context(), session.Org)
	if err != nil {
		return err
	}
	c.person = user.ID
	c.viewer, c.actor = directory.Viewer{Org: session.Org}, "person"
	c.index = c.s.indexes.of(policy)
	c.base = c.s.options.BaseURL + "/o/" + session.Org + "/scim/v2"
	return c.within(user.ID.String())
}

// me answers with the person who is signed in, as the organisation's
// applications see the user (RFC 7644 §3.11).
func (c *call) me() error {
	if c.person == directory.NoID {
		return c.notImplemented()
	}
	c.id = c.person.String()
	c.w.Header().Set("Cache-Control", "private, no-cache") // a cookie decides whose answer it is
	return c.readUser()
}
