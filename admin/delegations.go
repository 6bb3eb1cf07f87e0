package admin

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"muster/directory"
)

// delegationRow is a rule by which people administer who sign in through a connection.
type delegationRow struct {
	directory.Delegation
	Who string // name of the group or user, its id when it has none any more
}

// delegationRows lists the rules of the organisation; there are at most so many as the directory admits.
func (s *Server) delegationRows(v *visit) (rows []delegationRow, err error) {
	ctx := v.Request().Context()
	list, err := s.directory.Delegations(ctx, v.org())
	if err != nil {
		return nil, err
	}
	viewer := directory.Viewer{Org: v.org()}
	for _, x := range list {
		row := delegationRow{Delegation: x}
		if x.Group != directory.NoID {
			row.Who = x.Group.String()
			g, err := s.directory.Group(ctx, viewer, x.Group)
			if err == nil {
				row.Who = g.DisplayName
			} else if !errors.Is(err, directory.ErrNotFound) {
				return nil, err
			}
		} else {
			u, err := s.directory.User(ctx, viewer, x.User)
			if err != nil && !errors.Is(err, directory.ErrNotFound) {
				return nil, err
			}
			row.Who = nameOf(u, x.User)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// addDelegation makes a rule for the members of a group.
func (s *Server) addDelegation(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	group, err := s.groupNamed(ctx, v.org(), strings.TrimSpace(f.Value("group")))
	if err != nil {
		return err
	}
	if group == directory.NoID {
		f.fail("group", "administrators.group-wrong")
	}
	if len(f.Faults) == 0 {
		_, err = s.directory.Delegate(ctx, v.acting, directory.Delegation{Org: v.org(), Connection: f.Value("connection"), Group: group,
			Grant: directory.Grant{Role: directory.AdminRole(f.Value("role")), Org: v.org()}})
		if err == nil {
			return v.done(v.at("/administrators"), "delegated")
		}
		if !f.failed(err) {
			return err
		}
		f.move("grants.role", "role")
		f.gather()
	}
	return s.listAdministratorsPage(v, http.StatusUnprocessableEntity, f)
}

// groupNamed finds the one group with that id or name, NoID when there is none or there are several.
func (s *Server) groupNamed(ctx context.Context, org, name string) (directory.ID, error) {
	if id, ok := directory.ParseID(name); ok || name == "" {
		return id, nil
	}
	found, err := s.directory.Groups(ctx, directory.Viewer{Org: org},
		directory.Query{Filter: "displayName eq " + strconv.Quote(name), Limit: 2, Paging: directory.ByCursor})
	if err != nil || len(found.Items) != 1 {
		return directory.NoID, err
	}
	return found.Items[0].ID, nil
}

// endDelegation removes a rule of this organisation.
func (s *Server) endDelegation(v *visit) error {
	id, err := v.id("delegation")
	if err != nil {
		return err
	}
	if err := s.undelegate(v.Request().Context(), v.acting, v.org(), id); err != nil {
		return err
	}
	return v.done(v.at("/administrators"), "undelegated")
}

// undelegate ends a rule, for page and API. To another organisation's administrators it does not exist.
func (s *Server) undelegate(ctx context.Context, by directory.Acting, org string, id directory.ID) error {
	list, err := s.directory.Delegations(ctx, org)
	if err != nil {
		return err
	}
	for _, known := range list {
		if known.ID == id {
			return s.directory.Undelegate(ctx, by, id)
		}
	}
	return directory.ErrNotFound
}
