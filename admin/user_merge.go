package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"muster/directory"
)

// mergePage joins another user into the one in the path: first it asks whom, then it shows both and asks for the name
// of the one that goes.
type mergePage struct {
	userPage
	Form  form
	Other *directory.Explanation
	// OtherName is how the page calls the other, Object what has to be typed.
	OtherName, Object string
	Back              string
}

func (s *Server) mergeForm(v *visit) error {
	f := form{values: v.QueryParams()}
	p, err := s.readMerge(v, f)
	if err != nil {
		return err
	}
	if f.Value("other") != "" && p.Other == nil {
		p.Form.fail("other", "merge.other-wrong")
		return v.render(http.StatusUnprocessableEntity, "merge", p)
	}
	return v.render(http.StatusOK, "merge", p)
}

// readMerge reads both; Other is nil when nobody is named.
func (s *Server) readMerge(v *visit, f form) (mergePage, error) {
	u, err := s.readUser(v)
	if err != nil {
		return mergePage{}, err
	}
	p := mergePage{userPage: u, Form: f, Back: v.at("/users/" + u.Why.User.String())}
	other, err := s.userNamed(v.Request().Context(), v.org(), strings.TrimSpace(f.Value("other")))
	if err != nil || other == nil || other.ID == u.Why.User {
		return p, err
	}
	p.Other, err = s.directory.Explain(v.Request().Context(), v.org(), other.ID)
	p.OtherName, p.Object = nameOf(other, other.ID), other.Attributes.Text("userName")
	return p, err
}

// userNamed finds a user by id or by the whole user name, nil when there is none.
func (s *Server) userNamed(ctx context.Context, org, name string) (*directory.Profile, error) {
	if name == "" {
		return nil, nil
	}
	viewer := directory.Viewer{Org: org}
	if id, ok := directory.ParseID(name); ok {
		p, err := s.directory.User(ctx, viewer, id)
		if errors.Is(err, directory.ErrNotFound) {
			return nil, nil
		}
		return p, err
	}
	found, err := s.directory.Users(ctx, viewer, directory.Query{Filter: "userName eq " + strconv.Quote(name), Limit: 1, SkipGroups: true})
	if err != nil || len(found.Items) == 0 {
		return nil, err
	}
	return found.Items[0], nil
}

func (s *Server) merge(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readMerge(v, f)
	if err != nil {
		return err
	}
	switch {
	case p.Other == nil:
		p.Form.fail("other", "merge.other-wrong")
	case strings.TrimSpace(f.Value("object")) != p.Object:
		p.Form.fail("object", "end.object-wrong")
	default:
		err := s.directory.Merge(v.Request().Context(), v.acting.Source(), v.org(), p.Why.User, p.Other.User)
		if err == nil {
			return v.done(p.Back, "merged")
		}
		if !p.Form.failed(err) {
			return err
		}
		p.Form.gather()
	}
	return v.render(http.StatusUnprocessableEntity, "merge", p)
}

// unmergeForm asks for confirmation before a merged user is on its own again.
func (s *Server) unmergeForm(v *visit) error {
	p, err := s.readUnmerge(v, form{})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "unmerge", p)
}

// readUnmerge reads a user that was merged, and as Other who answers for it.
func (s *Server) readUnmerge(v *visit, f form) (mergePage, error) {
	id, err := v.id("user")
	if err != nil {
		return mergePage{}, err
	}
	ctx := v.Request().Context()
	p := mergePage{Form: f, Back: v.at("/users/" + id.String())}
	if p.Why, err = s.directory.Explain(ctx, v.org(), id); err == nil && p.Why.Into == directory.NoID {
		err = directory.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	into, err := s.directory.User(ctx, directory.Viewer{Org: v.org()}, p.Why.Into)
	if err != nil {
		return p, err
	}
	p.OtherName, p.Object = nameOf(into, into.ID), into.Attributes.Text("userName")
	return p, nil
}

func (s *Server) unmerge(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readUnmerge(v, f)
	if err != nil {
		return err
	}
	if strings.TrimSpace(f.Value("object")) != p.Object {
		p.Form.fail("object", "end.object-wrong")
		return v.render(http.StatusUnprocessableEntity, "unmerge", p)
	}
	err = s.directory.UndoMerge(v.Request().Context(), v.acting.Source(), v.org(), p.Why.User)
	if p.Form.failed(err) {
		p.Form.gather()
		return v.render(http.StatusUnprocessableEntity, "unmerge", p)
	}
	if err != nil {
		return err
	}
	return v.done(p.Back, "unmerged")
}
