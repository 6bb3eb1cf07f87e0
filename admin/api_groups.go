package admin

import (
	"context"
	"net/http"
	"time"

	"muster/directory"
)

// groupView is a group without its members.
type groupView struct {
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	Source     directory.Source `json:"source" doc:"whose it is: a channel of a connection, or local"`
	ExternalID string           `json:"externalId,omitempty"`
	Created    time.Time        `json:"created"`
	Modified   time.Time        `json:"modified"`
}

type groupsOutput struct {
	Body struct {
		Total *int        `json:"total,omitempty" doc:"left out where a filter was not counted to the end"`
		Items []groupView `json:"items"`
		Next  string      `json:"next,omitempty"`
	}
}

type groupOutput struct{ Body groupView }

type newGroupInput struct {
	Org  string `path:"org"`
	Body struct {
		Name    string   `json:"name" required:"true" minLength:"1" maxLength:"1000"`
		Members []string `json:"members,omitempty" maxItems:"1000" doc:"ids of users and groups"`
	}
}

type editGroupInput struct {
	Org  string `path:"org"`
	ID   string `path:"id"`
	Body struct {
		Name   string   `json:"name,omitempty" maxLength:"1000"`
		Add    []string `json:"add,omitempty" maxItems:"1000"`
		Remove []string `json:"remove,omitempty" maxItems:"1000"`
	}
}

func (s *Server) groupOperations() {
	const groups = "/orgs/{org}/groups"
	add(s, operation{http.MethodGet, groups, directory.Auditor, "list-groups", "List and search groups", 0}, s.listGroups)
	add(s, operation{http.MethodGet, groups + "/{id}", directory.Auditor, "get-group", "One group; its members are the users that match groups.value eq \"id\"", 0},
		func(ctx context.Context, c *call, in *caseInput) (*groupOutput, error) {
			id, ok := directory.ParseID(in.ID)
			if !ok {
				return nil, directory.ErrNotFound
			}
			g, err := s.directory.Group(ctx, directory.Viewer{Org: c.org()}, id)
			if err != nil {
				return nil, err
			}
			return &groupOutput{groupViewOf(g)}, nil
		})
	add(s, operation{http.MethodPost, groups, directory.OrgAdmin, "create-group", "Make a local group", http.StatusCreated}, s.createGroup)
	add(s, operation{http.MethodPatch, groups + "/{id}", directory.OrgAdmin, "edit-group", "Rename a local group, add and remove members", 0}, s.editGroup)
	add(s, operation{http.MethodDelete, groups + "/{id}", directory.OrgAdmin, "delete-group", "Delete a local group", 0},
		func(ctx context.Context, c *call, in *caseInput) (*outcomeOutput, error) {
			return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbDelete, Resource: directory.GroupResource})
		})
}

func groupViewOf(g *directory.Group) groupView {
	return groupView{g.ID.String(), g.DisplayName, g.Source, g.ExternalID, g.Created, g.Modified}
}

func (s *Server) listGroups(ctx context.Context, c *call, in *usersInput) (*groupsOutput, error) {
	page, err := s.directory.Groups(ctx, directory.Viewer{Org: c.org()}, directory.Query{Filter: in.Filter, Limit: in.Limit, Paging: directory.ByCursor, Cursor: in.After})
	if err != nil {
		return nil, err
	}
	out := &groupsOutput{}
	out.Body.Next, out.Body.Items = page.Next, []groupView{}
	if page.Total >= 0 {
		out.Body.Total = &page.Total
	}
	for _, g := range page.Items {
		out.Body.Items = append(out.Body.Items, groupViewOf(g))
	}
	return out, nil
}

// idsOf reads a list of ids.
func idsOf(field string, list []string) (ids []directory.ID, err error) {
	for _, text := range list {
		id, err := optionalID(field, text)
		if err != nil {
			return nil, err
		}
		if id != directory.NoID {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *Server) createGroup(ctx context.Context, c *call, in *newGroupInput) (*outcomeOutput, error) {
	members, err := idsOf("members", in.Body.Members)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, c, "", directory.Change{Channel: directory.Local, Verb: directory.VerbCreate, Resource: directory.GroupResource,
		Attributes: directory.Attributes{{Name: directory.DisplayName, Value: directory.Text(in.Body.Name)}},
		Members:    directory.MemberChange{Add: members}})
}

func (s *Server) editGroup(ctx context.Context, c *call, in *editGroupInput) (*outcomeOutput, error) {
	add, err := idsOf("add", in.Body.Add)
	if err != nil {
		return nil, err
	}
	remove, err := idsOf("remove", in.Body.Remove)
	if err != nil {
		return nil, err
	}
	what := directory.Change{Channel: directory.Local, Verb: directory.VerbMerge, Resource: directory.GroupResource,
		Members: directory.MemberChange{Add: add, Remove: remove}}
	if in.Body.Name != "" {
		what.Attributes = directory.Attributes{{Name: directory.DisplayName, Value: directory.Text(in.Body.Name)}}
	}
	return s.change(ctx, c, in.ID, what)
}
