package admin

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// newTokenPage shows a token's secret, this once.
type newTokenPage struct{ Name, Connection, Secret, URL, Back string }

// mostDays bounds how long a push token lives.
const mostDays = 3650

// newSCIMToken makes a push token. Two may be valid at once, so that one is rotated by making the other, giving it to
// the identity provider, and revoking the first.
func (s *Server) newSCIMToken(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	c, err := v.knownConnection()
	if err != nil {
		return err
	}
	t := directory.Token{Kind: directory.SCIMToken, Org: v.org(), Connection: c.ID, Name: strings.TrimSpace(f.Value("name")), By: v.acting.Name}
	if err := s.checkToken(v, &t, &f); err != nil {
		return err
	}
	secret := rand.Text() + rand.Text()
	if len(f.Faults) == 0 {
		if err := v.acting.MayIssue(t); err != nil {
			return err
		}
		_, err = s.directory.SetToken(v.Request().Context(), t, secret)
		if err != nil && !f.failed(err) {
			return err
		}
	}
	if len(f.Faults) > 0 {
		p, err := s.readConnectionPage(v)
		if err != nil {
			return err
		}
		p.Form = f
		return v.render(http.StatusUnprocessableEntity, "connection", p)
	}
	p := newTokenPage{Name: t.Name, Connection: c.ID, Secret: secret, Back: v.at("/connections/" + c.ID)}
	if known := s.options.SignIn.Addresses; known != nil {
		for _, a := range known(c) {
			if a.What == "scim" {
				p.URL = a.URL
			}
		}
	}
	return v.render(http.StatusOK, "connection-token", p)
}

// checkToken reads how long the token lives, and notes a name that is taken: the directory would replace that token.
func (s *Server) checkToken(v *visit, t *directory.Token, f *form) error {
	if t.Name == "" || len(t.Name) > 100 {
		f.fail("name", "connection.token-name-wrong")
	}
	if typed := f.Value("days"); typed != "" {
		days, err := strconv.Atoi(typed)
		if err != nil || days < 1 || days > mostDays {
			f.fail("days", "connection.token-days-wrong")
		}
		t.Expires = s.now().Add(time.Duration(days) * 24 * time.Hour)
	}
	list, err := s.scimTokens(v, t.Connection)
	for _, known := range list {
		if known.Name == t.Name {
			f.fail("name", "connection.token-name-taken")
		}
	}
	return err
}

// revokeSCIMToken ends a push token at once.
func (s *Server) revokeSCIMToken(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	c, err := v.knownConnection()
	if err != nil {
		return err
	}
	t := directory.Token{Kind: directory.SCIMToken, Org: v.org(), Connection: c.ID, Name: f.Value("name"), By: v.acting.Name}
	if err := v.acting.MayIssue(t); err != nil {
		return err
	}
	if err := s.directory.RevokeToken(v.Request().Context(), t); err != nil {
		return err
	}
	return v.done(v.at("/connections/"+c.ID), "token-revoked")
}

// testPage hands out the link for one sign-in that is tried out.
type testPage struct {
	Connection, Link, Back string
	Mode                   directory.Mode
}

// testConnection makes that link. The trial takes sign-ins to create, so that it shows all that they could do, unless
// they are to do less already.
func (s *Server) testConnection(v *visit) error {
	c, err := v.knownConnection()
	if err != nil {
		return err
	}
	if s.options.SignIn.StartTest == nil {
		return directory.ErrNotFound
	}
	mode := c.Mode(directory.SSO)
	if mode == directory.Off {
		mode = directory.Create
	}
	link, err := s.options.SignIn.StartTest(v.Request().Context(), v.acting.Source(), c.ID, mode)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "connection-test", testPage{c.ID, link, v.at("/connections/" + c.ID), mode})
}
