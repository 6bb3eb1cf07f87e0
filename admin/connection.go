package admin

import (
	"net/http"

	"muster/directory"
)

// connectionPage is one connection: all of it, and what it comes to.
type connectionPage struct {
	connectionView
	State     directory.State
	Outlook   []directory.Outlook
	Addresses []Address
	Guide     []string
	Link      directory.LinkPolicy // with its default
	Match     []string
	Subject   string // the SCIM attribute that is the identity
	// Guards is what the guard counted.
	Guard directory.GuardStatus
	// SignedIn is the newest event of a sign-in, nil when none is near.
	SignedIn *directory.Telling
	CanTest  bool
	Form     form // of a new token
}

// knownConnection is the connection in the path.
func (v *visit) knownConnection() (*directory.Connection, error) {
	c := v.policy.Connection(v.Param("connection"))
	if c == nil {
		return nil, directory.ErrNotFound
	}
	return c, nil
}

func (s *Server) connection(v *visit) error {
	p, err := s.readConnectionPage(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "connection", p)
}

func (s *Server) readConnectionPage(v *visit) (p connectionPage, err error) {
	c, err := v.knownConnection()
	if err != nil {
		return p, err
	}
	if p.connectionView, err = s.connectionView(v, c); err != nil {
		return p, err
	}
	p.State, p.Link, p.Match, p.Subject = stateOf(c), linkOf(c), matchOf(c), c.Subject.SCIM
	p.Outlook = v.policy.Outlook(c)
	if p.Subject == "" {
		p.Subject = "id"
	}
	if known := s.options.SignIn; known.Guide != nil {
		p.Guide, p.Addresses = known.Guide(c), known.Addresses(c)
	}
	p.CanTest = s.options.SignIn.StartTest != nil && p.State != directory.Retired && p.Protocol() != "none"
	ctx := v.Request().Context()
	if p.Guard, err = s.directory.Guard(ctx, v.org(), c.ID, 0); err != nil {
		return p, err
	}
	found, err := s.directory.EventLog(ctx, v.org(), directory.EventQuery{Connection: c.ID, Channel: directory.SSO, Limit: 1})
	if len(found.Told) > 0 {
		p.SignedIn = &found.Told[0]
	}
	return p, err
}

// stateOf, linkOf and matchOf are what a connection says, or what holds where it says nothing.
func stateOf(c *directory.Connection) directory.State {
	if c.State == "" {
		return directory.ConnectionActive
	}
	return c.State
}

func linkOf(c *directory.Connection) directory.LinkPolicy {
	if c.Link == "" {
		return directory.LinkVerified
	}
	return c.Link
}

func matchOf(c *directory.Connection) []string {
	if c.Match == nil {
		return []string{directory.UserName, directory.Emails}
	}
	return c.Match
}

// setConnectionState pauses a connection or takes it up again. Retiring has a page of its own.
func (s *Server) setConnectionState(state directory.State, done string) func(*visit) error {
	return func(v *visit) error {
		c, err := v.knownConnection()
		if err != nil {
			return err
		}
		if err := s.directory.SetState(v.Request().Context(), v.acting.Source(), v.org(), c.ID, state); err != nil {
			return err
		}
		return v.done(v.at("/connections/"+c.ID), done)
	}
}
