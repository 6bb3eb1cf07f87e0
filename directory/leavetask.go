package directory

import "slices"

// The stages in which a connection leaves: memberships that do not count go
// first, since they must not begin to count with the group; then the groups
// become local, while their members still count the same; then the users.
const (
	leaveMembers = iota
	leaveGroups
	leaveUsers
)

// leaveItems are the next users or groups of a connection that leaves.
func (a *application) leaveItems(t *Task, limit int) (items []item, err error) {
	for ; t.Mark.Stage <= leaveUsers; t.Mark.Stage, t.Mark.After = t.Mark.Stage+1, NoID {
		if t.Mark.Stage == leaveGroups {
			items, err = a.leavingGroups(t, limit)
		} else {
			items, err = a.leavingUsers(t, limit)
		}
		if len(items) > 0 || err != nil {
			return items, err
		}
	}
	return nil, nil
}

// leavingGroups are the groups that the connection still owns: each item takes
// one away, so the next batch begins at the front. One that is refused would
// be met again; nothing here refuses.
func (a *application) leavingGroups(t *Task, limit int) (items []item, err error) {
	for _, ch := range []Channel{SCIM, SSO} {
		prefix := indexKey(a.org, indexGroupOwned).word(t.Connection).word(string(ch))
		ids, err := a.tails(prefix, limit-len(items))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			items = append(items, item{id, func() error { return a.leaveGroup(t, id) }, t.Mark})
		}
	}
	return items, nil
}

// leaveGroup makes a group that counts local, and deletes one that does not.
func (a *application) leaveGroup(t *Task, id ID) error {
	g, err := a.groupByID(id)
	if g == nil || err != nil {
		return err
	}
	if c := a.s.policy.Connection(t.Connection); t.Mark.Bury || c == nil || !c.groupsCount(g.Source.Channel) {
		_, err := a.deleteGroup(g)
		return err
	}
	next := *g
	next.Source, next.ExternalID = Source{Channel: Local}, ""
	for _, e := range groupIndex(g) {
		if err := a.tx.Delete(e.key); err != nil {
			return err
		}
	}
	for _, e := range groupIndex(&next) {
		if err := a.tx.Set(e.key, e.value); err != nil {
			return err
		}
	}
	if err := a.count(countGroups+g.Source.String(), -1); err != nil {
		return err
	}
	if err := a.count(countGroups+next.Source.String(), 1); err != nil {
		return err
	}
	next.Modified = a.now.At
	if err := a.tx.Set(groupKey(a.org, id), encodeGroup(&next)); err != nil {
		return err
	}
	if err := a.emit(Event{Type: GroupReleased, Group: id, Changes: groupChanges(g, &next, MemberChange{})}, [16]byte{}); err != nil {
		return err
	}
	return a.reresolve([]ID{id})
}

// leavingUsers are the next users after the mark, whoever's they are.
func (a *application) leavingUsers(t *Task, limit int) (items []item, err error) {
	ids, err := a.tailsAfter(orgKey(tableUser, a.org), t.Mark.After, limit)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		m := t.Mark
		m.After = id
		do := func() error { return a.leaveUser(t, id) }
		if t.Mark.Stage == leaveMembers {
			do = func() error { return a.leaveClosed(t, id) }
		}
		items = append(items, item{id, do, m})
	}
	return items, nil
}

// leaveClosed takes a user whose link the connection locked out of its groups.
func (a *application) leaveClosed(t *Task, id ID) error {
	u, err := a.userByID(id)
	if u == nil || u.Deleted != nil || u.Home == t.Connection || err != nil {
		return err
	}
	closed := func(ch Channel) bool { return !u.open(Source{t.Connection, ch}) }
	if !closed(SCIM) && !closed(SSO) {
		return nil
	}
	groups, err := a.tails(orgKey(tableBelongs, a.org).id(id), -1)
	if err != nil {
		return err
	}
	for _, at := range groups {
		g, err := a.groupByID(at)
		if err != nil {
			return err
		}
		if g != nil && g.Source.Connection == t.Connection && closed(g.Source.Channel) {
			if err := a.removeMember(at, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaveUser makes the connection's word about a user local, or deletes a user
// whose home it is. A tombstone keeps what it needs for a restore.
func (a *application) leaveUser(t *Task, id ID) error {
	before, err := a.userByID(id)
	if before == nil || err != nil || !before.knows(t.Connection) {
		return err
	}
	after := before.clone()
	home := before.Home == t.Connection
	a.absorb(after, t.Connection)
	what := UserReleased
	switch {
	case home && t.Mark.Bury && before.Deleted == nil:
		after.Deleted = &Tombstone{At: a.now.At, Source: Source{Channel: Local}}
		if err := a.leaveAll(after); err != nil {
			return err
		}
		what = UserDeleted
	case !home || before.Deleted != nil:
		what = UserUpdated
	}
	if err := a.settle(before, after); err != nil {
		return err
	}
	return a.write(before, after, what)
}

// dropAll deletes the few keys that begin with a prefix.
func (w writing) dropAll(prefix key) error {
	var keys []key
	for pair, err := range w.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		keys = append(keys, slices.Clone(pair.Key))
	}
	for _, k := range keys {
		if err := w.tx.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// dropConnection removes a connection that no user or group refers to any more.
func (a *application) dropConnection(id string) error {
	c := a.s.policy.Connection(id)
	if c == nil {
		return nil
	}
	for _, domain := range c.Domains {
		if err := a.tx.Delete(plainKey(tableDomain, emailDomain("@"+domain))); err != nil {
			return err
		}
	}
	if err := a.dropAll(plainKey(tableOwnKey, id)); err != nil {
		return err
	}
	for _, k := range []key{plainKey(tableConnection, id), append(orgKey(tableOrgConn, a.org), id...), guardKey(a.org, id, guardStatus)} {
		if err := a.tx.Delete(k); err != nil {
			return err
		}
	}
	return a.reconfigured("connection "+id+" deleted", func(conns []*Connection) []*Connection {
		return slices.DeleteFunc(conns, func(x *Connection) bool { return x.ID == id })
	})
}
