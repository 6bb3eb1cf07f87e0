package admin

import (
	"context"
	"net/http"

	"muster/directory"
)

type delegationsOutput struct {
	Body struct {
		Items []directory.Delegation `json:"items"`
	}
}

type delegationInput struct {
	Org  string `path:"org"`
	Body struct {
		Connection string          `json:"connection" required:"true" doc:"they must have signed in through it"`
		Group      string          `json:"group,omitempty" doc:"id of the group whose members get the role"`
		User       string          `json:"user,omitempty" doc:"or the id of one user"`
		Grant      directory.Grant `json:"grant" required:"true"`
	}
}

type delegationOutput struct{ Body directory.Delegation }

func (s *Server) delegationOperations() {
	const all = "/orgs/{org}/delegations"
	add(s, operation{http.MethodGet, all, directory.OrgAdmin, "list-delegations", "Who administers by single sign-on", 0},
		func(ctx context.Context, c *call, _ *orgInput) (*delegationsOutput, error) {
			list, err := s.directory.Delegations(ctx, c.org())
			out := &delegationsOutput{}
			out.Body.Items = append([]directory.Delegation{}, list...)
			return out, err
		})
	add(s, operation{http.MethodPost, all, directory.OrgAdmin, "delegate", "Let people administer who sign in through a connection", http.StatusCreated}, s.delegate)
	add(s, operation{http.MethodDelete, all + "/{id}", directory.OrgAdmin, "undelegate", "End such a rule, at once", http.StatusNoContent},
		func(ctx context.Context, c *call, in *caseInput) (*struct{}, error) {
			id, ok := directory.ParseID(in.ID)
			if !ok {
				return nil, directory.ErrNotFound
			}
			return nil, s.undelegate(ctx, c.acting, c.org(), id)
		})
}

func (s *Server) delegate(ctx context.Context, c *call, in *delegationInput) (*delegationOutput, error) {
	group, err := optionalID("group", in.Body.Group)
	if err != nil {
		return nil, err
	}
	user, err := optionalID("user", in.Body.User)
	if err != nil {
		return nil, err
	}
	x, err := s.directory.Delegate(ctx, c.acting, directory.Delegation{Org: c.org(), Connection: in.Body.Connection, Group: group, User: user, Grant: in.Body.Grant})
	return &delegationOutput{x}, err
}
