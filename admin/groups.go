package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/directory"
)

// groupsPage lists groups of all connections, and local ones.
type groupsPage struct {
	Search, Fault string
	Groups        []*directory.Group
	Next          string
	Size          int
}

func (s *Server) groups(v *visit) error {
	p := groupsPage{Search: strings.TrimSpace(v.QueryParam("q")), Size: sizeOf(v.QueryParam("size"))}
	asked := p.Search
	if asked != "" && !looksLikeFilter(asked) {
		asked = "displayName sw " + strconv.Quote(asked)
	}
	list, err := s.directory.Groups(v.Request().Context(), directory.Viewer{Org: v.org()}, directory.Query{
		Filter: asked, Limit: p.Size, Paging: directory.ByCursor, Cursor: v.QueryParam("after"),
	})
	if err != nil {
		if problem := problemOf(err); problem.Status == http.StatusBadRequest {
			p.Fault = problem.Detail
			return v.render(http.StatusUnprocessableEntity, "groups", p)
		}
		return err
	}
	p.Groups = list.Items
	if list.Next != "" {
		p.Next = "?" + url.Values{"q": {p.Search}, "size": {strconv.Itoa(p.Size)}, "after": {list.Next}}.Encode()
	}
	return v.render(http.StatusOK, "groups", p)
}

// groupPage is one group with a page of its members.
type groupPage struct {
	Group   *directory.Group
	Members []member
	Next    string
}

type member struct {
	person
	Group bool
}

func (s *Server) group(v *visit) error {
	id, err := v.id("group")
	if err != nil {
		return err
	}
	ctx, viewer := v.Request().Context(), directory.Viewer{Org: v.org()}
	var p groupPage
	if p.Group, err = s.directory.Group(ctx, viewer, id); err != nil {
		return err
	}
	after, _ := directory.ParseID(v.QueryParam("after"))
	list, more, err := s.directory.MemberPage(ctx, viewer, id, after, pageSize)
	if err != nil {
		return err
	}
	for _, m := range list {
		row := member{Group: m.Group}
		if row.person, err = s.memberOf(v, m); err != nil {
			return err
		}
		p.Members = append(p.Members, row)
	}
	if more {
		p.Next = "?after=" + list[len(list)-1].ID.String()
	}
	return v.render(http.StatusOK, "group", p)
}

// memberOf names a member, a user or a group.
func (s *Server) memberOf(v *visit, m directory.Member) (person, error) {
	if !m.Group {
		return s.named(v, m.ID)
	}
	g, err := s.directory.Group(v.Request().Context(), directory.Viewer{Org: v.org()}, m.ID)
	if errors.Is(err, directory.ErrNotFound) {
		return person{ID: m.ID, Name: m.ID.String()}, nil
	}
	if err != nil {
		return person{}, err
	}
	return person{m.ID, g.DisplayName, true}, nil
}

// named tells how a user is called; somebody who is deleted by the id.
func (s *Server) named(v *visit, id directory.ID) (person, error) {
	p, err := s.directory.User(v.Request().Context(), directory.Viewer{Org: v.org()}, id)
	if err != nil && !errors.Is(err, directory.ErrNotFound) {
		return person{}, err
	}
	return person{id, nameOf(p, id), p != nil}, nil
}

// groupStory is what happened to a group.
func (s *Server) groupStory(v *visit) error {
	id, err := v.id("group")
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	g, err := s.directory.Group(ctx, directory.Viewer{Org: v.org()}, id)
	if err != nil {
		return err
	}
	p := storyPage{Name: g.DisplayName, Back: v.at("/groups/" + id.String())}
	return s.tellStory(v, p, id)
}
