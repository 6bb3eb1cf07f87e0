package admin

import (
	"context"

	"muster/directory"
)

// orgsOf lists the organisations that somebody sees.
func (s *Server) orgsOf(ctx context.Context, who directory.Acting) (list []*directory.Policy, err error) {
	ids, err := s.directory.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !who.Grants.Sees(id) {
			continue
		}
		p, err := s.directory.Policy(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// doorLabel says what a connection does, in one word or two: JIT, SCIM, both, update only (JC-19).
func doorLabel(c *directory.Connection) string {
	scim, sso := c.Mode(directory.SCIM), c.Mode(directory.SSO)
	switch {
	case c.State == directory.Paused, c.State == directory.Retired:
		return "door." + string(c.State)
	case scim == directory.Create && sso == directory.Create:
		return "door.both"
	case scim == directory.Create && sso == directory.Update:
		return "door.scim-update"
	case scim == directory.Create:
		return "door.scim"
	case sso == directory.Create:
		return "door.jit"
	case scim == directory.Update || sso == directory.Update:
		return "door.update"
	}
	return "door.off"
}
