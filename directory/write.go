package directory

import (
	"slices"
	"time"
)

// write commits one user: record, links, indexes, counters and, when anything
// that matters changed, one event. before is nil for a new user.
func (a *application) write(before, after *User, what EventType) error {
	return a.record(before, after, Event{Type: what})
}

// record is write with an event that says more.
func (a *application) record(before, after *User, e Event) error {
	e.User, e.Changes = after.ID, userChanges(a.s.policy, before, after)
	a.told = e.Changes
	if a.moved != nil {
		e.Changes = append(e.Changes, *a.moved)
		a.moved = nil
	}
	matters := before == nil || len(e.Changes) > 0 || e.Type != UserUpdated || !slices.Equal(before.Links, after.Links)
	if matters {
		after.Modified = a.moment(before)
		e.Time = after.Modified
		touchLayers(before, after, a.now)
	}
	if after.Deleted != nil {
		after.Seats, after.Queued = nil, nil
	}
	if err := a.endLost(before, after); err != nil {
		return err
	}
	encoded := encodeUser(after)
	if before != nil && string(encoded) == before.stored && e.Other == NoID {
		return nil
	}
	if err := a.store(before, after, encoded); err != nil || !matters {
		return err
	}
	return a.emit(e, after.key)
}

// moment is when a change of a user happens: after the user's last one, and not
// before what this transaction told already.
func (a *application) moment(before *User) time.Time {
	at := a.now.At
	if before != nil {
		at = following(at, before.Modified)
	}
	if at.Before(a.emitted) {
		return a.emitted
	}
	return at
}

// store writes the record of a user with its links, indexes and counters.
func (a *application) store(before, after *User, encoded []byte) error {
	if before != nil {
		a.touch(after.ID)
	}
	if err := a.writeLinks(before, after); err != nil {
		return err
	}
	if err := a.writeIndex(before, after); err != nil {
		return err
	}
	if err := a.writeCounts(before, after); err != nil {
		return err
	}
	return a.tx.Set(userKey(a.org, after.ID), encoded)
}

// touchLayers dates the layers that changed.
func touchLayers(before, after *User, now Stamp) {
	for i := range after.Layers {
		l := &after.Layers[i]
		var old *Layer
		if before != nil {
			old = before.Layer(l.Source)
		}
		if old == nil {
			l.Created, l.Modified = now.At, now.At
		} else if !old.equal(l) {
			l.Modified = now.At
		}
	}
}

// writeIndex brings the indexes from one record to the next. A user resolved
// under an older generation has all entries written: what must be indexed may
// have changed with the policy.
func (a *application) writeIndex(before, after *User) error {
	var old []indexEntry
	if before != nil {
		old = userIndex(a.s.policy, before)
	}
	now := userIndex(a.s.policy, after)
	gone, came := indexChange(old, now)
	if before != nil && before.Generation != after.Generation {
		came = now
	}
	for _, e := range gone {
		if err := a.dropEntry(e, after.ID); err != nil {
			return err
		}
	}
	for _, e := range came {
		if err := a.tx.Set(e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

// dropEntry removes an index entry, unless its value passed to somebody else in
// this transaction.
func (a *application) dropEntry(e indexEntry, owner ID) error {
	if e.unique != "" {
		held, err := a.Get(e.key)
		if err != nil || len(held) == 16 && ID(held) != owner {
			return err
		}
	}
	return a.tx.Delete(e.key)
}

// writeLinks moves the link keys. A subject held by another live user is a
// conflict; a tombstone and an earlier name give it up.
func (a *application) writeLinks(before, after *User) error {
	var old []Link
	if before != nil {
		old = before.Links
	}
	for _, l := range old {
		if l.Subject != "" && !slices.ContainsFunc(after.Links, func(x Link) bool { return sameLink(x, l) }) {
			if err := a.tx.Delete(linkKey(a.org, &l)); err != nil {
				return err
			}
		}
	}
	for _, l := range after.Links {
		if l.Subject == "" || slices.ContainsFunc(old, func(x Link) bool { return sameLink(x, l) }) {
			continue
		}
		if err := a.claimSubject(l, after); err != nil {
			return err
		}
		a.touch(subjectHash(l.Connection, l.Channel, l.Subject))
		if err := a.tx.Set(linkKey(a.org, &l), after.ID[:]); err != nil {
			return err
		}
	}
	return nil
}

// claimSubject makes sure that nobody else signs in by the link's subject.
func (a *application) claimSubject(l Link, owner *User) error {
	issuers := []string{l.Issuer}
	if c := a.s.policy.Connection(l.Connection); c != nil && l.Channel == SSO {
		issuers = append(issuers, "", c.issuer())
	}
	for _, issuer := range issuers {
		at := l
		at.Issuer = issuer
		holder, err := a.userAt(linkKey(a.org, &at))
		if err != nil {
			return err
		}
		if holder == nil || holder.ID == owner.ID {
			continue
		}
		if err := a.dispossess(holder, at); err != nil {
			return err
		}
	}
	return nil
}

// dispossess takes a subject from a tombstone, or from the earlier name of a
// live user; from anybody else it is a conflict.
func (a *application) dispossess(holder *User, l Link) error {
	i := slices.IndexFunc(holder.Links, func(x Link) bool { return sameLink(x, l) })
	if holder.Deleted != nil && !slices.ContainsFunc(a.released, func(id ID) bool { return id == holder.ID }) {
		return a.s.withCase(CaseGrave, refuse(Reserved, "%q identifies a user whom %s deleted", l.Subject, holder.Deleted.Source).
			on(a.s.subjectAttribute()), holder)
	}
	if i >= 0 && holder.Deleted == nil && holder.Links[i].State != LinkMoved {
		return refuse(Uniqueness, "%q identifies another user (id %s) of connection %s", l.Subject, holder.ID, l.Connection).
			on(a.s.subjectAttribute())
	}
	next := holder.clone()
	next.Links = slices.DeleteFunc(next.Links, func(x Link) bool { return sameLink(x, l) })
	return a.write(holder, next, UserUpdated)
}

func (s *situation) subjectAttribute() string {
	if s.conn != nil && s.conn.scimSubject() != "" {
		return s.conn.scimSubject()
	}
	return ExternalID
}

// writeCounts keeps the totals.
func (a *application) writeCounts(before, after *User) error {
	live := func(u *User) bool { return u != nil && u.Deleted == nil }
	if err := a.countChange(countUsers, after.ID, live(before), live(after)); err != nil {
		return err
	}
	if err := a.writeSeats(before, after); err != nil {
		return err
	}
	for _, connection := range pushers(before, after) {
		was := live(before) && before.Linked(connection, SCIM)
		is := live(after) && after.Linked(connection, SCIM)
		if err := a.countChange(countLinked+connection, after.ID, was, is); err != nil {
			return err
		}
	}
	return nil
}

// pushers are the connections with a SCIM link to either state of a user, each once.
func pushers(states ...*User) (list []string) {
	for _, u := range states {
		if u == nil {
			continue
		}
		for _, l := range u.Links {
			if l.Channel == SCIM && l.State != LinkMoved && !slices.Contains(list, l.Connection) {
				list = append(list, l.Connection)
			}
		}
	}
	return list
}

func (a *application) countChange(name string, id ID, was, is bool) error {
	switch {
	case is && !was:
		return a.count(name, 1)
	case was && !is:
		return a.count(name, -1)
	}
	return nil
}

// userChanges compares two states of a user: the effective values first, then
// what only a shadowed layer says.
func userChanges(p *Policy, before, after *User) []AttributeChange {
	list := effectiveChanges(p, before, after)
	for i := range after.Layers {
		l := &after.Layers[i]
		var old *Layer
		if before != nil {
			old = before.Layer(l.Source)
		}
		list = append(list, layerChanges(l.Source.Channel, old, l, list)...)
	}
	if before == nil {
		return list
	}
	for i := range before.Layers {
		if l := &before.Layers[i]; after.Layer(l.Source) == nil { // told whole: an undo brings it back
			list = append(list, layerChanges(l.Source.Channel, l, &Layer{}, nil)...)
		}
	}
	return list
}

// effectiveChanges lists what the world sees differently, the state included.
func effectiveChanges(p *Policy, before, after *User) []AttributeChange {
	var old Attributes
	wasActive := false
	if before != nil {
		old, wasActive = before.Effective, before.IsActive()
	}
	var list []AttributeChange
	if before == nil {
		list = make([]AttributeChange, 0, 1+len(after.Effective))
	}
	if wasActive != after.IsActive() {
		list = append(list, AttributeChange{Attribute: Active, Layer: stateChannel(before, after),
			Before: boolValue(before != nil, wasActive), After: boolValue(true, after.IsActive())})
	}
	for _, x := range after.Effective {
		if v, _ := old.Get(x.Name); !v.Equal(x.Value) {
			list = append(list, AttributeChange{Attribute: x.Name, Layer: winner(p, after, x.Name), Before: v, After: x.Value, Rule: after.ruleOf(x.Name)})
		}
	}
	for _, x := range old {
		if _, ok := after.Effective.Get(x.Name); !ok {
			list = append(list, AttributeChange{Attribute: x.Name, Layer: winner(p, before, x.Name), Before: x.Value})
		}
	}
	return list
}

// ruleOf is 1 + the index of the rule that set the effective value, 0 for none.
func (u *User) ruleOf(name string) int {
	effective, _ := u.Effective.Get(name)
	for _, r := range u.ruled {
		if r.Name == name && r.Value.Equal(effective) {
			return r.rule
		}
	}
	return 0
}

func boolValue(known, v bool) Value {
	switch {
	case !known:
		return nil
	case v:
		return Text("true")
	}
	return Text("false")
}

// stateChannel is the channel that brought the user into this state.
func stateChannel(before, after *User) Channel {
	if before == nil && after.IsActive() {
		return after.Layers[0].Source.Channel
	}
	for _, u := range []*User{after, before} {
		if u == nil {
			continue
		}
		if u.Deleted != nil {
			return u.Deleted.Source.Channel
		}
		if l := u.lockedBy(); l != nil {
			return l.Source.Channel
		}
	}
	return ""
}

// winner is the channel whose word is the effective value of an attribute.
func winner(p *Policy, u *User, name string) Channel {
	st := standing{policy: p, user: u}
	effective, _ := u.Effective.Get(name)
	for _, ch := range p.order(name) {
		if ch == ByRule {
			continue
		}
		if v := st.said(ch, name, nil); len(v) > 0 && (v.Equal(effective) || p.unites(name)) {
			return ch
		}
	}
	if slices.Contains(p.order(name), ByRule) {
		return ByRule
	}
	return ""
}

// layerChanges lists what a layer says differently without effect.
func layerChanges(ch Channel, before, after *Layer, told []AttributeChange) []AttributeChange {
	var list []AttributeChange
	add := func(name string, old, now Value) {
		if !old.Equal(now) && !slices.ContainsFunc(told, func(c AttributeChange) bool { return c.Attribute == name && c.Layer == ch }) {
			list = append(list, AttributeChange{Attribute: name, Layer: ch, Before: old, After: now, Shadowed: true})
		}
	}
	if was, is := before != nil && !before.Locked.At.IsZero(), !after.Locked.At.IsZero(); was != is {
		add(Active, boolValue(true, !was), boolValue(true, !is))
	}
	for _, e := range after.Entries {
		v, _ := before.Get(e.Name)
		add(e.Name, v, e.Value)
	}
	if before != nil {
		for _, e := range before.Entries {
			if _, ok := after.Get(e.Name); !ok {
				add(e.Name, e.Value, nil)
			}
		}
	}
	return list
}
