package admin

import (
	"context"
	"net/http"
	"time"

	"muster/directory"
)

// userView is a user as administrators see one: what the world sees, by the directory's names.
type userView struct {
	ID         string               `json:"id"`
	Attributes directory.Attributes `json:"attributes" doc:"effective values by name; see the explanation for where each comes from"`
	Groups     []directory.GroupRef `json:"groups,omitempty"`
	Created    time.Time            `json:"created"`
	Modified   time.Time            `json:"modified"`
	Version    string               `json:"version"`
}

type usersInput struct {
	Org    string `path:"org"`
	Filter string `query:"filter" maxLength:"8192" doc:"a SCIM filter (RFC 7644), or how a user name or e-mail address begins"`
	After  string `query:"after" doc:"the next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type usersOutput struct {
	Body struct {
		Total *int       `json:"total,omitempty" doc:"left out where a filter was not counted to the end"`
		Items []userView `json:"items"`
		Next  string     `json:"next,omitempty"`
	}
}

type userInput struct {
	Org string `path:"org"`
	ID  string `path:"id"`
}

type userOutput struct {
	ETag string `header:"ETag"`
	Body userView
}

func (s *Server) userOperations() {
	const users = "/orgs/{org}/users"
	add(s, operation{http.MethodGet, users, directory.Auditor, "list-users", "List and search users", 0}, s.listUsers)
	add(s, operation{http.MethodGet, users + "/{id}", directory.Auditor, "get-user", "One user", 0}, s.getUser)
}

func (s *Server) listUsers(ctx context.Context, c *call, in *usersInput) (*usersOutput, error) {
	list, err := s.findUsers(ctx, c.org(), in.Filter, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &usersOutput{}
	out.Body.Next, out.Body.Items = list.Next, []userView{}
	if list.Total >= 0 {
		out.Body.Total = &list.Total
	}
	for _, p := range list.Items {
		out.Body.Items = append(out.Body.Items, viewOf(p))
	}
	return out, nil
}

func (s *Server) getUser(ctx context.Context, c *call, in *userInput) (*userOutput, error) {
	id, ok := directory.ParseID(in.ID)
	if !ok {
		return nil, directory.ErrNotFound
	}
	p, err := s.directory.User(ctx, directory.Viewer{Org: c.org()}, id)
	if err != nil {
		return nil, err
	}
	return &userOutput{`"` + p.Version + `"`, viewOf(p)}, nil
}

func viewOf(p *directory.Profile) userView {
	return userView{p.ID.String(), p.Attributes, p.Groups, p.Created, p.Modified, p.Version}
}
