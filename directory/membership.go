package directory

import (
	"maps"
	"slices"
)

// maxAffected is how many other users one transaction resolves; more become a
// durable job.
const maxAffected = 1000

// moveGroups keeps memberships in step with the user: an assertion's groups
// replace or extend those of its channel, a tombstone leaves its groups and a
// restored user returns to them.
func (a *application) moveGroups(d decision, before, after *User) error {
	switch {
	case after.Deleted != nil:
		return a.leaveAll(after)
	case before != nil && before.Deleted != nil:
		return a.rejoin(before, after)
	}
	if a.s.change.Verb == VerbDelete {
		return a.leaveOwned(after)
	}
	if a.s.change.Channel != SSO || a.s.muted() || !a.s.conn.groupsCount(SSO) || slices.ContainsFunc(a.warnings, isStale) {
		return nil
	}
	return a.syncGroups(after)
}

func isStale(w Warning) bool { return w.Code == StaleAssertion }

// leaveAll takes a tombstone out of its groups and notes them for a restore.
func (a *application) leaveAll(u *User) error {
	groups, err := a.tails(orgKey(tableBelongs, a.org).id(u.ID), -1)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := a.removeMember(g, u.ID); err != nil {
			return err
		}
	}
	u.Deleted.Groups = groups
	return nil
}

// rejoin puts a restored user back into the groups that still are there.
func (a *application) rejoin(before, after *User) error {
	return a.rejoinAll(before.Deleted.Groups, after)
}

func (a *application) rejoinAll(groups []ID, after *User) error {
	for _, g := range groups {
		group, err := a.groupByID(g)
		if err != nil {
			return err
		}
		if group == nil {
			continue
		}
		if err := a.addMember(g, after.ID); err != nil {
			return err
		}
	}
	return nil
}

// leaveOwned takes the user out of the groups of a connection that is not home
// and deleted its link.
func (a *application) leaveOwned(u *User) error {
	groups, err := a.groupsOf(u.ID)
	if err != nil {
		return err
	}
	var left []ID
	for _, g := range groups {
		if !g.Indirect && g.Source.Connection == a.s.conn.ID {
			left = append(left, g.ID)
			if err := a.removeMember(g.ID, u.ID); err != nil {
				return err
			}
		}
	}
	if len(left) > 0 {
		a.moved = &AttributeChange{Attribute: Groups, Layer: SCIM, Before: idValue(left)}
	}
	return nil
}

// syncGroups makes the user a member of exactly the groups that the assertion
// names (SET), of those too (PARTIAL), or of none or as before (ABSENT). Only
// groups seen in assertions of this connection are touched.
func (a *application) syncGroups(u *User) error {
	claim := a.s.change.Groups
	if claim.State == GroupsAbsent && a.s.conn.Groups.Absent == Keep {
		return nil
	}
	if len(claim.Names) > maxUserGroups {
		return refuse(InvalidValue, "names %d groups; at most %d are kept", len(claim.Names), maxUserGroups).on(Groups)
	}
	current, err := a.groupsOf(u.ID)
	if err != nil {
		return err
	}
	if len(current)+len(claim.Names) > 2*maxUserGroups {
		return refuse(InvalidValue, "the user would be in more than %d groups", 2*maxUserGroups).on(Groups)
	}
	mine := Source{a.s.conn.ID, SSO}
	have := map[string]ID{}
	var before, after []string
	for _, g := range current {
		if g.Source == mine && !g.Indirect {
			have[NormalGroup(g.Name)] = g.ID
			before = append(before, NormalGroup(g.Name))
		}
	}
	came, told := false, map[string]bool{}
	for _, name := range claim.Names {
		n := NormalGroup(name)
		if n == "" || len(n) > maxName || told[n] {
			continue
		}
		told[n] = true
		after = append(after, n)
		if _, ok := have[n]; ok {
			delete(have, n)
			continue
		}
		came = true
		if err := a.joinSeen(mine, n, u.ID); err != nil {
			return err
		}
	}
	if claim.State == GroupsPartial {
		after = append(after, slices.Sorted(maps.Keys(have))...)
		clear(have)
	}
	for _, id := range have {
		if err := a.removeMember(id, u.ID); err != nil {
			return err
		}
	}
	if came || len(have) > 0 {
		a.moved = &AttributeChange{Attribute: Groups, Layer: SSO, Before: Texts(before...), After: Texts(after...)}
	}
	return nil
}

// joinSeen adds the user to the group of an asserted value, which is made when
// it is seen first.
func (a *application) joinSeen(src Source, name string, user ID) error {
	at := indexKey(a.org, indexGroupExt).word(src.Connection).word(string(src.Channel)).text(name)
	value, err := a.Get(at)
	if err != nil {
		return err
	}
	if len(value) == 16 {
		return a.addMember(ID(value), user)
	}
	id, err := a.d.ids.next(a.now.At)
	if err != nil {
		return err
	}
	g := &Group{ID: id, Org: a.org, Source: src, ExternalID: name, DisplayName: name, Created: a.now.At, Modified: a.now.At}
	if err := a.writeGroup(nil, g, MemberChange{}); err != nil {
		return err
	}
	return a.addMember(id, user)
}

func (a *application) addMember(group, member ID) error {
	if err := a.tx.Set(memberKey(a.org, group, member), nil); err != nil {
		return err
	}
	return a.tx.Set(belongsKey(a.org, member, group), nil)
}

func (a *application) removeMember(group, member ID) error {
	if err := a.tx.Delete(memberKey(a.org, group, member)); err != nil {
		return err
	}
	return a.tx.Delete(belongsKey(a.org, member, group))
}

// isMember says whether the member is directly in the group.
func (r reading) isMember(group, member ID) (bool, error) {
	v, err := r.Get(memberKey(r.org, group, member))
	return v != nil, err
}

// affected lists the users below groups and users, at most maxAffected; more
// says that there are others.
func (r reading) affected(members []ID) (users []ID, more bool, err error) {
	return r.affectedUpTo(members, maxAffected)
}

// affectedUpTo lists the users below groups and users, groups counted at most
// so many; more says that there are others.
func (r reading) affectedUpTo(members []ID, most int) (users []ID, more bool, err error) {
	seen := map[ID]bool{}
	queue := slices.Clone(members)
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		if len(seen) > most {
			return nil, true, nil
		}
		g, err := r.groupByID(id)
		if err != nil {
			return nil, false, err
		}
		if g == nil {
			users = append(users, id)
			continue
		}
		below, err := r.tails(orgKey(tableMember, r.org).id(id), most+1)
		if err != nil {
			return nil, false, err
		}
		queue = append(queue, below...)
	}
	return users, false, nil
}
