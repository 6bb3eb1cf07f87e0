package directory

import (
	"slices"
)

// changeMembers applies member deltas and returns what really changed.
func (a *application) changeMembers(g *Group) (added, removed []ID, err error) {
	m := a.s.change.Members
	keep := make(map[ID]bool, len(m.Add))
	for _, id := range m.Add {
		keep[id] = true
	}
	drop := m.Remove
	if m.Replace {
		if drop, err = a.tails(orgKey(tableMember, a.org).id(g.ID), -1); err != nil {
			return nil, nil, err
		}
	}
	for _, id := range drop {
		if keep[id] {
			continue
		}
		gone, err := a.dropMember(g, id)
		if err != nil {
			return nil, nil, err
		}
		if gone {
			removed = append(removed, id)
		}
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

func (a *application) dropMember(g *Group, id ID) (bool, error) {
	in, err := a.isMember(g.ID, id)
	if !in || err != nil {
		return false, err
	}
	if err := a.guard(id); err != nil {
		return false, err
	}
	return true, a.removeMember(g.ID, id)
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

// acyclic refuses a nesting that would put a group below itself, or deeper
// than groups are followed.
func (a *application) acyclic(group, child ID) error {
	if group == child {
		return invalid(Members, "a group cannot be its own member")
	}
	above, err := a.groupsOf(group)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(above, func(g GroupRef) bool { return g.ID == child }) {
		return invalid(Members, "group %s is already above this group", child)
	}
	return nil
}
