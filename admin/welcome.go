package admin

import (
	"net/http"

	"muster/directory"
)

// welcomePage is what an invitation shows.
type welcomePage struct {
	Form  form
	Link  string
	First bool
	Name  string // whose it is
}

// welcomeForm looks at the link and does not use it up: mail scanners open links, too.
func (s *Server) welcomeForm(v *visit) error {
	return s.showWelcome(v, http.StatusOK, form{}, v.QueryParam("link"))
}

func (s *Server) showWelcome(v *visit, status int, f form, link string) error {
	i, a, err := s.directory.Invitation(v.Request().Context(), link)
	if err != nil {
		return err
	}
	return v.render(status, "welcome", welcomePage{f, link, i.IsFirst(), a.Name})
}

// welcome uses the link up and lets its holder in, to set up how they sign in.
func (s *Server) welcome(v *visit) error {
	if err := s.throttle.admit(addressKey(v.RealIP())); err != nil {
		return err
	}
	f, err := readForm(v)
	if err != nil {
		return err
	}
	link := f.Value("link")
	a, err := s.directory.Accept(v.Request().Context(), v.request(), link, directory.Administrator{Name: f.Value("name"), Email: f.Value("email")})
	if f.failed(err) {
		return s.showWelcome(v, http.StatusUnprocessableEntity, f, link)
	}
	if err != nil {
		s.throttle.failed(addressKey(v.RealIP()))
		return err
	}
	if err := v.begin(directory.AdminSession{Administrator: a.ID, Method: methodLink}); err != nil {
		return err
	}
	return v.done("/admin/account", "welcome")
}
