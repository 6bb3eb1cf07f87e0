package admin

import (
	"context"
	"net/http"
	"slices"
	"time"

	"muster/directory"
)

// invitationLifetime is how long an invitation counts.
const invitationLifetime = 7 * 24 * time.Hour

type administratorsOutput struct {
	Body struct {
		Items []directory.Administrator `json:"items"`
	}
}

type administratorInput struct {
	ID string `path:"id"`
}

type administratorOutput struct{ Body directory.Administrator }

type newAdministratorInput struct {
	checked[administratorBody]
}

type administratorBody struct {
	Name   string           `json:"name" required:"true" maxLength:"200" validate:"required"`
	Email  string           `json:"email" required:"true" validate:"required,email"`
	Grants directory.Grants `json:"grants,omitempty"`
}

// editAdministratorInput sets what it names.
type editAdministratorInput struct {
	ID   string `path:"id"`
	Body struct {
		Name   *string           `json:"name,omitempty"`
		Email  *string           `json:"email,omitempty"`
		Grants *directory.Grants `json:"grants,omitempty"`
	}
}

// newAdministratorOutput shows the link, this once.
type newAdministratorOutput struct {
	Body struct {
		Administrator directory.Administrator `json:"administrator"`
		Link          string                  `json:"link" doc:"give it to them; it counts once"`
	}
}

type linkOutput struct {
	Body struct {
		Link string `json:"link" doc:"give it to them; it counts once"`
	}
}

// Administrators are no resource of one organisation: who sees and changes them is decided by their grants, in the
// directory. So these operations are for every administrator, and answer for what that one reaches.
func (s *Server) administratorOperations() {
	const all, one = "/administrators", "/administrators/{id}"
	add(s, operation{http.MethodGet, all, somebody, "list-administrators", "The administrators whose roles you could give", 0}, s.listAdministrators)
	add(s, operation{http.MethodPost, all, somebody, "create-administrator", "Make an administrator and a link by which they set up how they sign in", http.StatusCreated}, s.createAdministrator)
	add(s, operation{http.MethodGet, one, somebody, "get-administrator", "One administrator", 0},
		func(ctx context.Context, c *call, in *administratorInput) (*administratorOutput, error) {
			a, err := s.administratorFor(ctx, c, in.ID)
			return &administratorOutput{a}, err
		})
	add(s, operation{http.MethodPatch, one, somebody, "edit-administrator", "Change name, e-mail address or grants", 0}, s.editAdministrator)
	add(s, operation{http.MethodDelete, one, somebody, "remove-administrator", "Remove an administrator; their sessions end at once", http.StatusNoContent},
		func(ctx context.Context, c *call, in *administratorInput) (*struct{}, error) {
			a, err := s.administratorFor(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			return nil, s.directory.RemoveAdministrator(ctx, c.acting, a.ID)
		})
	add(s, operation{http.MethodPost, one + "/invite", somebody, "invite-administrator", "A new link, for somebody who lost their way in", 0},
		func(ctx context.Context, c *call, in *administratorInput) (*linkOutput, error) {
			a, err := s.administratorFor(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			secret, err := s.directory.Invite(ctx, c.acting, a.ID, invitationLifetime)
			out := &linkOutput{}
			out.Body.Link = WelcomeLink(s.base, secret)
			return out, err
		})
	add(s, operation{http.MethodPost, one + "/sign-out", somebody, "sign-administrator-out", "End all sessions of an administrator", http.StatusNoContent},
		func(ctx context.Context, c *call, in *administratorInput) (*struct{}, error) {
			a, err := s.administratorFor(ctx, c, in.ID)
			if err != nil {
				return nil, err
			}
			return nil, s.directory.EndAdminSessions(ctx, c.acting, a.ID, directory.NoID)
		})
}

// reaches says whether somebody sees an administrator: an operator all, an organisation's those who have a role there.
func reaches(who directory.Acting, a directory.Administrator) bool {
	return who.Grants.IsOperator() || who.Administrator == a.ID && a.ID != directory.NoID ||
		slices.ContainsFunc(a.Grants, func(g directory.Grant) bool { return g.Org != "" && who.Grants.May(directory.OrgAdmin, g.Org) })
}

// shownTo leaves out the grants about organisations that somebody does not see.
func shownTo(who directory.Acting, a directory.Administrator) directory.Administrator {
	if who.Administrator != a.ID {
		a.Grants = slices.DeleteFunc(slices.Clone(a.Grants), func(g directory.Grant) bool { return !who.Grants.May(directory.Auditor, g.Org) })
	}
	return a
}

// administratorFor reads one whom the caller reaches.
func (s *Server) administratorFor(ctx context.Context, c *call, id string) (directory.Administrator, error) {
	parsed, ok := directory.ParseID(id)
	if !ok {
		return directory.Administrator{}, directory.ErrNotFound
	}
	a, _, err := s.directory.Administrator(ctx, parsed)
	if err == nil && !reaches(c.acting, a) {
		err = directory.ErrNotFound
	}
	if err != nil {
		return directory.Administrator{}, err
	}
	return shownTo(c.acting, a), nil
}

func (s *Server) listAdministrators(ctx context.Context, c *call, _ *struct{}) (*administratorsOutput, error) {
	list, err := s.directory.Administrators(ctx)
	out := &administratorsOutput{}
	out.Body.Items = []directory.Administrator{}
	for _, a := range list {
		if reaches(c.acting, a) {
			out.Body.Items = append(out.Body.Items, shownTo(c.acting, a))
		}
	}
	return out, err
}

func (s *Server) createAdministrator(ctx context.Context, c *call, in *newAdministratorInput) (*newAdministratorOutput, error) {
	a, link, err := s.addAdministrator(ctx, c.acting, directory.Administrator{Name: in.Body.Name, Email: in.Body.Email, Grants: in.Body.Grants})
	if err != nil {
		return nil, err
	}
	out := &newAdministratorOutput{}
	out.Body.Administrator, out.Body.Link = a, link
	return out, nil
}

func (s *Server) editAdministrator(ctx context.Context, c *call, in *editAdministratorInput) (*administratorOutput, error) {
	seen, err := s.administratorFor(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	a, err := s.directory.EditAdministrator(ctx, c.acting, seen.ID, func(a *directory.Administrator, _ *directory.Credentials) error {
		if in.Body.Name != nil {
			a.Name = *in.Body.Name
		}
		if in.Body.Email != nil {
			a.Email = *in.Body.Email
		}
		if in.Body.Grants != nil { // of those that the caller sees; the others stay
			unseen := slices.DeleteFunc(slices.Clone(a.Grants), func(g directory.Grant) bool { return slices.Contains(seen.Grants, g) })
			a.Grants = append(unseen, *in.Body.Grants...)
		}
		return nil
	})
	return &administratorOutput{shownTo(c.acting, a)}, err
}
