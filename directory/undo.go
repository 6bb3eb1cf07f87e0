package directory

import (
	"context"
	"slices"
	"time"
)

// UndoRun takes back what the pushes of a connection took away since a moment:
// locks, deletes, removals from groups, groups deleted and renamed. It goes
// backwards through the events as a task. What was undone is refused by the
// guard when it comes again, until an administrator lets it through.
func (d *Directory) UndoRun(ctx context.Context, by EventSource, org, connection string, since time.Time) (task ID, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return NoID, err
	}
	if err := d.sequence(ctx, org); err != nil {
		return NoID, err
	}
	err = d.administer(ctx, by, org, func(a *application) error {
		if _, err := a.connectionOf(connection); err != nil {
			return err
		}
		last, err := a.lastSeq()
		if err != nil {
			return err
		}
		first, err := a.firstSince(since, last)
		if err != nil {
			return err
		}
		if first > last {
			return refuse(InvalidValue, "nothing happened since %s", instant(since)).on("since")
		}
		if err := a.dropWaiting(connection); err != nil {
			return err
		}
		if err := a.closeGuardCase(connection); err != nil {
			return err
		}
		task, err = a.startTask(Task{Kind: TaskUndo, Connection: connection, Total: int(last - first + 1),
			Mark: mark{Next: last, Last: first, Ready: true}})
		return err
	})
	return task, err
}

// firstSince is the number of the first event not before a moment; last + 1 for
// none. Events are in the order of time but for the clocks of several nodes.
func (r reading) firstSince(since time.Time, last uint64) (uint64, error) {
	low, high := uint64(1), last+1
	for low < high {
		middle := (low + high) / 2
		record, err := r.Get(orgKey(tableEvent, r.org).number(middle))
		if err != nil {
			return 0, err
		}
		d := newDecoder(record)
		if d.id(); d.time().Before(since) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

func (a *application) dropWaiting(connection string) error {
	prefix := guardKey(a.org, connection, guardWaiting)
	ids, err := a.tails(prefix, sweepStep)
	for _, id := range ids {
		if err := a.tx.Delete(prefix.clone().id(id)); err != nil {
			return err
		}
	}
	return err
}

// undoItems are the next events, newest first.
func (a *application) undoItems(t *Task, limit int) (items []item, err error) {
	for n := t.Mark.Next; n >= t.Mark.Last && n > 0 && len(items) < limit; n-- {
		k := orgKey(tableEvent, a.org).number(n)
		record, err := a.Get(k)
		if err != nil {
			return nil, err
		}
		e, err := a.event(k, record)
		if err != nil {
			return nil, err
		}
		m := t.Mark
		m.Next = n - 1
		it := item{about: e.User, mark: m}
		if it.about == NoID {
			it.about = e.Group
		}
		if e.Source.Connection == t.Connection && e.Source.Channel == SCIM {
			it.do = a.undoing(t, &e)
		}
		items = append(items, it)
	}
	return items, nil
}

// undoing is what takes an event back, nil when it took nothing away.
func (a *application) undoing(t *Task, e *Event) func() error {
	switch e.Type {
	case UserLocked, UserUpdated, UserDeleted:
		return func() error { return a.undoUser(t, e) }
	case GroupUpdated, GroupDeleted:
		return func() error { return a.undoGroup(t, e) }
	}
	return nil
}

// undoUser lifts the lock, the tombstone or the closed link that the event
// brought, as long as it still stands. The connection's own lock is set aside,
// as an administrator does it.
func (a *application) undoUser(t *Task, e *Event) error {
	before, err := a.userByID(e.User)
	if before == nil || err != nil {
		return err
	}
	after := before.clone()
	what := UserUpdated
	switch {
	case e.Type == UserDeleted:
		if after.Deleted == nil || after.Deleted.Erased || after.Deleted.Source != (Source{t.Connection, SCIM}) {
			return nil
		}
		after.Deleted, after.Yielded = nil, false
		what = UserRestored
	case after.Deleted != nil:
		return nil
	case !a.undoLock(t, e, after) && !a.undoLeave(t, e, after):
		return nil
	case before.Locked() && !after.Locked():
		what = UserUnlocked
	}
	back := leftBy(e)
	if what == UserRestored {
		back = before.Deleted.Groups
	}
	if err := a.rejoinAll(back, after); err != nil {
		return err
	}
	if err := a.settle(before, after); err != nil {
		return err
	}
	if err := a.tx.Set(guardKey(a.org, t.Connection, guardUndone).id(e.User), nil); err != nil {
		return err
	}
	return a.write(before, after, what)
}

// leftBy are the groups that a user left with the event.
func leftBy(e *Event) (groups []ID) {
	for _, c := range e.Changes {
		if c.Attribute == Groups && c.Layer == SCIM {
			groups = append(groups, idsOf(c.Before)...)
		}
	}
	return groups
}

// locks says whether the event is that a source locked.
func (e *Event) locks() bool {
	return slices.ContainsFunc(e.Changes, func(c AttributeChange) bool { return c.Attribute == Active && c.After.String() == "false" })
}

// undoLock sets the connection's lock aside if the event placed it. Events are
// undone from the newest on, so the lock that holds is the first that is met.
func (a *application) undoLock(t *Task, e *Event, u *User) bool {
	l := u.Layer(Source{t.Connection, SCIM})
	if l == nil || !l.holds() || !e.locks() {
		return false
	}
	l.Lifted = a.now
	u.reopen(t.Connection)
	return true
}

// reopen opens the links that a connection locked.
func (u *User) reopen(connection string) {
	for i := range u.Links {
		if l := &u.Links[i]; l.Connection == connection && l.State == LinkLocked {
			l.State = LinkLive
		}
	}
}

// undoLeave brings back the word and the links of a connection that is not home
// and deleted them.
func (a *application) undoLeave(t *Task, e *Event, u *User) bool {
	closed := func(l Link) bool { return l.Connection == t.Connection && l.State == LinkDeleted }
	if u.Home == t.Connection || !slices.ContainsFunc(u.Links, closed) || u.Layer(Source{t.Connection, SCIM}) != nil {
		return false
	}
	found := false
	for _, c := range e.Changes {
		if c.Shadowed && len(c.Before) > 0 && len(c.After) == 0 && c.Attribute != Active && (c.Layer == SCIM || c.Layer == SSO) {
			u.layer(Source{t.Connection, c.Layer}).set(Entry{Name: c.Attribute, Value: c.Before, Stamp: a.now})
			found = true
		}
	}
	if !found {
		return false
	}
	for i := range u.Links {
		if closed(u.Links[i]) {
			u.Links[i].State = LinkLive
		}
	}
	return true
}

// undoGroup brings a group, its name and its members back.
func (a *application) undoGroup(t *Task, e *Event) error {
	g, err := a.groupByID(e.Group)
	if err != nil {
		return err
	}
	var gone []ID
	next := Group{ID: e.Group, Org: a.org, Source: Source{t.Connection, SCIM}, Created: a.now.At}
	if g != nil {
		next = *g
	}
	var above []ID
	for _, c := range e.Changes {
		switch {
		case c.Attribute == Members:
			gone = idsOf(c.Before)
		case c.Attribute == Groups:
			above = idsOf(c.Before)
		case e.Type == GroupDeleted && c.Attribute == ExternalID:
			next.ExternalID = c.Before.String()
		case c.Attribute == DisplayName && (e.Type == GroupDeleted || next.DisplayName == c.After.String()):
			next.DisplayName = c.Before.String()
		}
	}
	if g == nil && e.Type != GroupDeleted || next.Source != (Source{t.Connection, SCIM}) {
		return nil
	}
	return a.bringBack(t, g, &next, gone, above)
}

// bringBack writes a group as it was, with the members who may still be in it.
func (a *application) bringBack(t *Task, g, next *Group, gone, above []ID) error {
	var back []ID
	for _, id := range gone {
		came, err := a.takeMember(next, id)
		if RefusalCode(err) != "" {
			continue // deleted, erased or no longer of the connection
		}
		if err != nil {
			return err
		}
		if came {
			back = append(back, id)
		}
	}
	for _, id := range back {
		if err := a.tx.Set(guardKey(a.org, t.Connection, guardUndone).id(id), nil); err != nil {
			return err
		}
	}
	renamed := g != nil && g.DisplayName != next.DisplayName
	if g != nil && !renamed && len(back) == 0 {
		return nil
	}
	if err := a.writeGroup(g, next, MemberChange{Add: back}); err != nil {
		return err
	}
	for _, id := range above {
		parent, err := a.groupByID(id)
		if err != nil {
			return err
		}
		if parent != nil {
			if err := a.addMember(id, next.ID); err != nil {
				return err
			}
		}
	}
	if renamed || len(above) > 0 {
		back = append(back, next.ID)
	}
	return a.reresolve(back)
}

func idsOf(v Value) []ID {
	var ids []ID
	for _, e := range v {
		if id, ok := ParseID(e.Field("value")); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
