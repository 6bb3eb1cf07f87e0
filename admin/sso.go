package admin

import (
	"errors"
	"net/http"

	"muster/directory"
)

// ssoPage is what somebody sees who comes from their organisation's sign-in.
type ssoPage struct {
	Next  string
	Name  string // "" when nobody is signed in
	NoWay bool   // signed in, and no rule makes them an administrator
}

// ssoForm shows who is signed in through a connection. Becoming an administrator is a step of its own, which no link
// from elsewhere can take.
func (s *Server) ssoForm(v *visit) error {
	return s.showSSO(v, http.StatusOK, ssoPage{Next: nextAddress(v.QueryParam("next"))})
}

func (s *Server) showSSO(v *visit, status int, p ssoPage) error {
	if _, profile, err := s.person(v); err == nil {
		p.Name = profile.Attributes.Text(directory.UserName)
	}
	return v.render(status, "sso", p)
}

// person is who signed in by single sign-on in this browser.
func (s *Server) person(v *visit) (directory.Session, *directory.Profile, error) {
	if s.options.PersonSession == nil {
		return directory.Session{}, nil, directory.ErrUnauthorized
	}
	return s.directory.Session(v.Request().Context(), s.options.PersonSession(v.Request()))
}

// ssoSignIn starts a session for a person to whom a rule gives a role.
func (s *Server) ssoSignIn(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	next := nextAddress(f.Value("next"))
	session, _, err := s.person(v)
	if err != nil {
		return v.Redirect(http.StatusSeeOther, "/admin/sign-in/sso")
	}
	err = v.begin(directory.AdminSession{Via: &session, Method: methodSSO})
	if errors.Is(err, directory.ErrUnauthorized) {
		return s.showSSO(v, http.StatusForbidden, ssoPage{Next: next, NoWay: true})
	}
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, next)
}
