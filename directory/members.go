package directory

import (
	"slices"
)

// changeMembers applies member deltas and returns what really changed.
func (a *application) changeMembers(g *Group) (added, removed []ID, err error) {
	m := a.s.change.Members
	if m.Add, err = a.answering(m.Add); err != nil {
		return nil, nil, err
	}
	if m.Remove, err = a.answering(m.Remove); err != nil {
		return nil, nil, err
	}
	settled := make(map[ID]bool, len(m.Add))
	for _, id := range m.Add {
		settled[id] = true
	}
	drop := m.Remove
	if m.Replace {
		if drop, err = a.tails(orgKey(tableMember, a.org).id(g.ID), -1); err != nil {
			return nil, nil, err
		}
	}
	drop = slices.DeleteFunc(slices.Clone(drop), func(id ID) bool {
		again := settled[id]
		settled[id] = true
		return again
	})
	if removed, err = a.dropMembers(g, drop); err != nil {
		return nil, nil, err
	}
	for _, id := range m.Add {
		came, err := a.takeMember(g, id)
		if err != nil {
			return nil, nil, err
		}
		if came {
			added = append(added, id)
		}
	}
	return added, removed, nil
}

// dropMembers takes members out and returns those who were in. The guard counts
// everybody who loses by it, those below nested groups included. A tombstone
// that would come back to the group on a restore does not any more.
func (a *application) dropMembers(g *Group, ids []ID) (gone []ID, err error) {
	for _, id := range ids {
		in, err := a.isMember(g.ID, id)
		if err != nil {
			return nil, err
		}
		if in {
			gone = append(gone, id)
		} else if err := a.forgetGrave(g.ID, id); err != nil {
			return nil, err
		}
	}
	if len(gone) == 0 {
		return nil, nil
	}
	if err := a.guard(toll{LossGroups, g.ID, gone}); err != nil {
		return nil, err
	}
	for _, id := range gone {
		if err := a.removeMember(g.ID, id); err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// forgetGrave takes a group off the list to which a deleted user would return.
func (a *application) forgetGrave(group, id ID) error {
	u, err := a.userByID(id)
	if u == nil || u.Deleted == nil || !slices.Contains(u.Deleted.Groups, group) || err != nil {
		return err
	}
	next := u.clone()
	grave := *u.Deleted
	grave.Groups = slices.DeleteFunc(slices.Clone(grave.Groups), func(g ID) bool { return g == group })
	next.Deleted = &grave
	return a.tx.Set(userKey(a.org, id), encodeUser(next))
}

// takeMember adds a member that the group's owner may add.
func (a *application) takeMember(g *Group, id ID) (bool, error) {
	in, err := a.isMember(g.ID, id)
	if in || err != nil {
		return false, err
	}
	if err := a.memberAllowed(g, id); err != nil {
		return false, err
	}
	groups, err := a.tails(orgKey(tableBelongs, a.org).id(id), maxUserGroups)
	if err != nil {
		return false, err
	}
	if len(groups) == maxUserGroups {
		return false, invalid(Members, "%s is in %d groups already", id, maxUserGroups)
	}
	return true, a.addMember(g.ID, id)
}

// memberAllowed: a connection's group holds users linked to it and its own
// groups, a local group anybody of the organisation; no group is below itself.
func (a *application) memberAllowed(g *Group, id ID) error {
	u, err := a.userByID(id)
	if err != nil {
		return err
	}
	if u != nil && u.Deleted == nil && (g.Source.Connection == "" || u.Linked(g.Source.Connection, SCIM) || u.Linked(g.Source.Connection, SSO)) {
		return nil
	}
	child, err := a.groupByID(id)
	if err != nil {
		return err
	}
	if child == nil || g.Source.Connection != "" && child.Source != g.Source {
		return invalid(Members, "%s is no user or group of this connection", id)
	}
	return a.acyclic(g.ID, id)
}

// acyclic refuses a nesting that would put a group below itself, or deeper and
// wider than groups are followed.
func (a *application) acyclic(group, child ID) error {
	above, up, err := a.nesting(group, tableBelongs)
	if err != nil {
		return err
	}
	below, down, err := a.nesting(child, tableMember)
	if err != nil {
		return err
	}
	switch {
	case slices.Contains(above, child):
		return invalid(Members, "group %s is this group or already above it", child)
	case up+down > maxGroupDepth || len(above) > maxNesting || len(below) > maxNesting:
		return invalid(Members, "groups nest at most %d levels deep, with at most %d groups above or below one", maxGroupDepth, maxNesting)
	}
	return nil
}

// nesting lists a group with all groups above it (tableBelongs) or below it
// (tableMember), and how many levels that takes. Beyond maxNesting it stops.
func (a *application) nesting(group ID, table byte) (groups []ID, levels int, err error) {
	groups = []ID{group}
	seen := map[ID]bool{group: true}
	for from := 0; from < len(groups) && len(groups) <= maxNesting; levels++ {
		to := len(groups)
		for _, id := range groups[from:to] {
			prefix := orgKey(table, a.org).id(id)
			for pair, err := range a.Scan(prefix, prefix.end()) {
				if err != nil {
					return nil, 0, err
				}
				next := tailID(pair.Key)
				if seen[next] {
					continue
				}
				g, err := a.Get(groupKey(a.org, next))
				if err != nil {
					return nil, 0, err
				}
				if g == nil {
					continue
				}
				seen[next] = true
				groups = append(groups, next)
			}
		}
		from = to
	}
	return groups, levels, nil
}
