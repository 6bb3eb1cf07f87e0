package directory

import (
	"context"
	"slices"
)

// Merge joins two users into one, because they are one person: the survivor
// keeps its id and takes over the other's links, memberships, and what the
// other's sources said. Of two subjects of one connection the one linked later
// stays, and the earlier is reserved. The other becomes a tombstone whose id
// goes on answering with the survivor: to readers, and to the connections whose
// push moved with it. It can be undone until the tombstone is erased.
//
// Refused are users who are locked, a tombstone whose lock would come back or go
// with it, and two whom one connection pushes: for it they are two, and it would
// delete the one by the other's id.
func (d *Directory) Merge(ctx context.Context, by EventSource, org string, survivor, other ID) error {
	return d.administer(ctx, by, org, func(a *application) error {
		s, err := a.userByID(survivor)
		if err != nil {
			return err
		}
		o, err := a.userByID(other)
		if err != nil {
			return err
		}
		return a.merge(s, o)
	})
}

// UndoMerge takes a merge back: links, layers and memberships that came with
// the other go with it again, layers with what their source said since.
// ErrNotFound when that user was not merged or is erased by now.
func (d *Directory) UndoMerge(ctx context.Context, by EventSource, org string, other ID) error {
	return d.administer(ctx, by, org, func(a *application) error { return a.unmerge(other) })
}

// mayMerge says why two users cannot become one, nil when they can.
func mayMerge(s, o *User) error {
	if s == nil || o == nil || s.ID == o.ID || !isLive(s) && !isLive(o) {
		return ErrNotFound
	}
	for _, u := range []*User{s, o} {
		if u.Deleted != nil && !restorable(u) {
			return ErrNotFound
		}
		if isLive(u) && u.Locked() {
			return refuse(Suspended, "user %s is locked; a locked user's link never moves", u.ID)
		}
	}
	for _, l := range o.Links {
		if isLive(s) && isLive(o) && l.Channel == SCIM && o.Linked(l.Connection, SCIM) && s.Linked(l.Connection, SCIM) {
			return refuse(LinkRequired, "connection %s pushes both users; remove one of them there first", l.Connection)
		}
	}
	return lockKept(s, o)
}

// lockKept refuses a merge that would lock a live user, or lift an
// administrator's lock along with a tombstone. The lock of a connection that
// knows the person anew goes with what it said before.
func lockKept(s, o *User) error {
	joint := s.clone()
	joint.Deleted = nil
	joint.absorb(o)
	lock := joint.lockedBy()
	for i := range o.Layers {
		if l := &o.Layers[i]; lock == nil && l.holds() && l.Source.Connection == "" {
			lock = l
		}
	}
	if lock != nil {
		return refuse(Suspended, "the lock of %s since %s would be lifted or would hold both; unlock that user first", lock.Source, instant(lock.Locked.At))
	}
	return nil
}

// merger is what undoes a merge.
type merger struct {
	Survivor, Other []byte   // their records as they were
	Taken           []Source // layers that moved
	Groups          []ID     // those the survivor came into
}

func mergeKey(org string, survivor, other ID) key {
	return orgKey(tableMerge, org).id(survivor).id(other)
}

func (a *application) merge(s, o *User) error {
	if err := mayMerge(s, o); err != nil {
		return err
	}
	m := merger{Survivor: []byte(s.stored), Other: []byte(o.stored)}
	after := s.clone()
	if s.Deleted != nil {
		after.Deleted, after.Yielded = nil, false
		if err := a.rejoin(s, after); err != nil {
			return err
		}
	}
	grave := o.clone()
	grave.Yielded, grave.Links = true, nil
	grave.Seats, grave.Queued = nil, nil
	tomb := Tombstone{At: a.now.At, Source: Source{Channel: Local}, Into: s.ID}
	if o.Deleted != nil {
		tomb.Groups = o.Deleted.Groups
	}
	grave.Deleted = &tomb
	m.Taken, tomb.Answers = after.absorb(o)
	if o.Deleted == nil {
		if err := a.leaveAll(grave); err != nil {
			return err
		}
	}
	var err error
	if m.Groups, err = a.joinAll(s.ID, tomb.Groups); err != nil {
		return err
	}
	for _, id := range []ID{s.ID, o.ID} {
		if id == o.ID || s.Home == "" {
			if err := a.endSessions(id, nil); err != nil {
				return err
			}
		}
	}
	if err := a.setJSON(mergeKey(a.org, s.ID, o.ID), m); err != nil {
		return err
	}
	if err := a.tx.Set(mergeKey(a.org, NoID, NoID), nil); err != nil { // there are merged users
		return err
	}
	if err := a.store(o, grave, encodeUser(grave)); err != nil {
		return err
	}
	if err := a.settle(s, after); err != nil {
		return err
	}
	return a.record(s, after, Event{Type: UserMerged, Other: o.ID})
}

// absorb takes over the other's links and layers. It lists the layers that came
// whole, and the connections whose push moved.
func (u *User) absorb(o *User) (taken []Source, pushes []string) {
	if u.Home == "" {
		u.Home = o.Home
	}
	lost := map[Source]bool{}
	for _, l := range o.Links {
		src := Source{l.Connection, l.Channel}
		own := u.link(l.Connection, l.Channel)
		switch {
		case l.State == LinkMoved:
		case own == nil:
		case own.outranks(&l, o):
			lost[src] = true
			if l.Ahead {
				continue
			}
			l.State = LinkMoved
		case own.Ahead:
			gone := *own
			u.Links = slices.DeleteFunc(u.Links, func(x Link) bool { return x == gone })
		default:
			own.State = LinkMoved
		}
		if l.Channel == SCIM && l.State != LinkMoved && o.Deleted == nil {
			pushes = append(pushes, l.Connection)
		}
		u.Links = append(u.Links, l)
	}
	for _, l := range o.Layers {
		switch {
		case l.Source.Connection == "":
			u.lackedFrom(&l)
		case !lost[l.Source] || u.Layer(l.Source) == nil:
			*u.layer(l.Source) = l
			taken = append(taken, l.Source)
		}
	}
	return taken, pushes
}

// outranks: of two links of one door the one that was used stays, a live
// user's before a tombstone's, then the later.
func (l *Link) outranks(other *Link, o *User) bool {
	switch {
	case l.Ahead != other.Ahead:
		return other.Ahead
	case o.Deleted != nil:
		return true
	}
	return !other.At.After(l.At)
}

// lackedFrom takes an administrator's entries where there are none.
func (u *User) lackedFrom(l *Layer) {
	for _, e := range l.Entries {
		if _, ok := u.Layer(l.Source).Get(e.Name); !ok {
			u.layer(l.Source).set(e)
		}
	}
}

// joinAll makes the user a member of groups and lists those it was not in.
func (a *application) joinAll(user ID, groups []ID) (came []ID, err error) {
	for _, g := range groups {
		group, err := a.groupByID(g)
		if err != nil {
			return nil, err
		}
		in, err := a.isMember(g, user)
		if err != nil {
			return nil, err
		}
		if group == nil || in {
			continue
		}
		came = append(came, g)
		if err := a.addMember(g, user); err != nil {
			return nil, err
		}
	}
	return came, nil
}

func (a *application) unmerge(other ID) error {
	o, err := a.userByID(other)
	if err != nil {
		return err
	}
	if o == nil || o.Deleted == nil || o.Deleted.Into == NoID || o.Deleted.Erased {
		return ErrNotFound
	}
	s, err := a.liveUser(o.Deleted.Into)
	if err != nil {
		return err
	}
	var m merger
	if known, err := a.jsonAt(mergeKey(a.org, s.ID, other), &m); !known || err != nil {
		return orNotFound(err)
	}
	wasS, err := decodeUser(a.org, m.Survivor)
	if err != nil {
		return err
	}
	wasO, err := decodeUser(a.org, m.Other)
	if err != nil {
		return err
	}
	after, again := s.clone(), wasO.clone()
	again.stored, again.Links = o.stored, nil
	after.giveBack(wasS, again, wasO.Links, m.Taken)
	if err := a.part(s, after, wasS, m.Groups); err != nil {
		return err
	}
	if again.Deleted == nil {
		if err := a.rejoin(o, again); err != nil {
			return err
		}
	}
	if err := a.tx.Delete(mergeKey(a.org, s.ID, other)); err != nil {
		return err
	}
	return a.apart(s, after, o, again)
}

func orNotFound(err error) error {
	if err == nil {
		return ErrNotFound
	}
	return err
}

// giveBack moves to again what absorb took: the links that are still there, and
// the layers as they are by now. What absorb displaced comes back.
func (u *User) giveBack(was, again *User, links []Link, taken []Source) {
	for _, l := range links {
		i := slices.IndexFunc(u.Links, func(x Link) bool {
			return x.Connection == l.Connection && x.Channel == l.Channel && x.Subject == l.Subject
		})
		if i < 0 {
			continue
		}
		back := u.Links[i]
		if back.State == LinkMoved {
			back.State = l.State
		}
		again.Links = append(again.Links, back)
		u.Links = slices.Delete(u.Links, i, i+1)
	}
	for _, l := range was.Links {
		switch i := slices.IndexFunc(u.Links, func(x Link) bool { return sameLink(x, l) }); {
		case i >= 0:
			u.Links[i].State = l.State
		case l.Ahead && u.link(l.Connection, l.Channel) == nil:
			u.Links = append(u.Links, l)
		}
	}
	for _, src := range taken {
		if l := u.Layer(src); l != nil {
			*again.layer(src) = *l
		}
		u.dropLayer(src)
		if l := was.Layer(src); l != nil {
			*u.layer(src) = *l
		}
	}
	for _, l := range again.Layers {
		if l.Source.Connection == "" {
			u.unlacked(&l, was)
		}
	}
	if was.Home != u.Home && u.Home == again.Home {
		u.Home = was.Home
	}
}

// unlacked drops the administrator's entries that lackedFrom brought and nobody
// changed since.
func (u *User) unlacked(l *Layer, was *User) {
	for _, e := range l.Entries {
		_, had := was.Layer(l.Source).Get(e.Name)
		if now, ok := u.Layer(l.Source).Get(e.Name); ok && !had && now.Equal(e.Value) {
			u.layer(l.Source).set(Entry{Name: e.Name})
		}
	}
}

// part takes the survivor out of the groups that it came into, and back into its
// grave if it was lifted out of one.
func (a *application) part(s, after, was *User, groups []ID) error {
	for _, g := range groups {
		if err := a.removeMember(g, s.ID); err != nil {
			return err
		}
	}
	if was.Deleted == nil {
		return nil
	}
	tomb := *was.Deleted
	after.Deleted, after.Yielded = &tomb, was.Yielded
	return a.leaveAll(after)
}

// apart writes the two users again, the survivor first, so that what is the
// other's is free.
func (a *application) apart(s, after, o, again *User) error {
	if err := a.settle(s, after); err != nil {
		return err
	}
	if err := a.record(s, after, Event{Type: UserUnmerged, Other: o.ID}); err != nil {
		return err
	}
	if again.Deleted != nil {
		return a.store(o, again, encodeUser(again))
	}
	again.Seats = nil // others may have taken them
	if err := a.settle(o, again); err != nil {
		return err
	}
	return a.record(o, again, Event{Type: UserRestored})
}

// survivor is who answers for an id to a connection: the user itself, or who it
// was merged into by way of that connection's push. "" stands for readers of the
// effective view, to whom every merged id answers.
func (r reading) survivor(u *User, connection string) (*User, error) {
	for range maxMerges {
		if u == nil || u.Deleted == nil || u.Deleted.Into == NoID || connection != "" && !slices.Contains(u.Deleted.Answers, connection) {
			return u, nil
		}
		next, err := r.userByID(u.Deleted.Into)
		if err != nil {
			return nil, err
		}
		u = next
	}
	return u, nil
}

// answering puts survivors in the place of merged users whom a connection still
// calls by their old ids.
func (a *application) answering(ids []ID) ([]ID, error) {
	if merged, err := a.Get(mergeKey(a.org, NoID, NoID)); a.s.conn == nil || merged == nil || err != nil {
		return ids, err
	}
	out := make([]ID, 0, len(ids))
	for _, id := range ids {
		u, err := a.userByID(id)
		if err == nil {
			u, err = a.survivor(u, a.s.conn.ID)
		}
		if err != nil {
			return nil, err
		}
		if u != nil {
			id = u.ID
		}
		out = append(out, id)
	}
	return out, nil
}

// maxMerges bounds how many merges one id is followed through.
const maxMerges = 16

// forgetMerges removes what undoes the merges of a user who is erased, on either
// side: it tells of both.
func (a *application) forgetMerges(u *User) error {
	if u.Deleted.Into != NoID {
		if err := a.tx.Delete(mergeKey(a.org, u.Deleted.Into, u.ID)); err != nil {
			return err
		}
	}
	others, err := a.tails(orgKey(tableMerge, a.org).id(u.ID), -1)
	if err != nil {
		return err
	}
	for _, other := range others {
		if err := a.tx.Delete(mergeKey(a.org, u.ID, other)); err != nil {
			return err
		}
	}
	return nil
}
