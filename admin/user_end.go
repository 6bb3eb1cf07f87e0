package admin

import (
	"net/http"
	"strings"

	"muster/directory"
)

// endPage asks for confirmation of what cannot be undone at once.
type endPage struct {
	userPage
	Form form
	Verb string // delete or erase
	// Object is what has to be typed.
	Object string
	Back   string
}

// ending are the actions that ask for the name first.
func (s *Server) ending(verb directory.Verb) (ask, do func(*visit) error) {
	ask = func(v *visit) error {
		p, err := s.readEnding(v, verb, form{})
		if err != nil {
			return err
		}
		return v.render(http.StatusOK, "end", p)
	}
	do = func(v *visit) error {
		f, err := readForm(v)
		if err != nil {
			return err
		}
		p, err := s.readEnding(v, verb, f)
		if err != nil {
			return err
		}
		if strings.TrimSpace(f.Value("object")) != p.Object {
			p.Form.fail("object", "end.object-wrong")
			return v.render(http.StatusUnprocessableEntity, "end", p)
		}
		c, err := v.change(directory.Local, verb)
		if err != nil {
			return err
		}
		return s.apply(v, c, string(verb)+"d")
	}
	return ask, do
}

func (s *Server) readEnding(v *visit, verb directory.Verb, f form) (endPage, error) {
	u, err := s.readUser(v)
	if err != nil {
		return endPage{}, err
	}
	p := endPage{userPage: u, Form: f, Verb: string(verb), Back: v.at("/users/" + u.Why.User.String())}
	p.Object = p.Why.User.String()
	if u.User != nil {
		p.Object = u.User.Attributes.Text("userName")
	}
	return p, nil
}

// restore lifts a tombstone.
func (s *Server) restore(v *visit) error {
	c, err := v.change(directory.Local, directory.VerbRestore)
	if err != nil {
		return err
	}
	return s.apply(v, c, "restored")
}
