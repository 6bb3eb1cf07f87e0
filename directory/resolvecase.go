package directory

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// ErrNotPermitted: the case does not permit this resolution as things stand.
var ErrNotPermitted = errors.New("resolution not permitted")

// ResolveCase resolves a case in one transaction: what the remedy does, and a
// case.resolved event; every event it causes names the case. A case that was
// rejected or ignored may still be resolved otherwise while its cause stands. ErrNotFound when there
// is no such case, ErrNotPermitted when it does not offer the resolution now, a
// *Refusal when the rules do not let it through; then nothing changed.
func (d *Directory) ResolveCase(ctx context.Context, by EventSource, org string, id ID, how Remedy) (k Case, err error) {
	err = d.administer(ctx, by, org, func(a *application) error {
		found, err := a.caseByID(id)
		if err != nil {
			return err
		}
		if found == nil {
			return ErrNotFound
		}
		if err := a.resolveCase(found, how); err != nil {
			return err
		}
		k = *found
		return nil
	})
	return k, err
}

func (a *application) resolveCase(k *Case, how Remedy) error {
	now, err := a.circumstances(k)
	if err != nil {
		return err
	}
	final := !k.Closed.IsZero() && k.Resolved != ResolveReject && k.Resolved != ResolveIgnore
	if final || !now.stands() || !slices.Contains(now.permitted(), how.Resolution) {
		return ErrNotPermitted
	}
	digest, err := a.digestOf(k)
	if err != nil {
		return err
	}
	if digest == nil { // ignored; if it was met again, that is another case by now
		digest = k.digest(a.s.policy)
		if newer, err := a.caseAt(digest); newer != nil || err != nil {
			return cmp.Or(err, ErrNotPermitted)
		}
	}
	a.resolves = k.ID
	if err := a.remedy(now, how); err != nil {
		return err
	}
	open := k.Closed.IsZero()
	k.Closed, k.ClosedBy, k.Resolved, k.Note = a.now.At, a.now.Actor, how.Resolution, how.Note
	if open {
		return a.ended(k, digest, CaseResolved)
	}
	return a.closeCase(k, digest, CaseResolved)
}

// digestOf is the key under which the conflict of an open or remembered case is
// recognised, nil when it is not any more.
func (r reading) digestOf(k *Case) (key, error) {
	marks, err := r.casesAbout(k.about()[0])
	if i := slices.IndexFunc(marks, func(m caseMark) bool { return m.id == k.ID }); i >= 0 {
		return marks[i].digest, err
	}
	return nil, err
}

// remedy does what a resolution says.
func (a *application) remedy(c circumstances, how Remedy) error {
	switch how.Resolution {
	case ResolveLink:
		u, err := c.choose(how.User, c.linkable)
		if err != nil {
			return err
		}
		return a.linkTo(u, c.identity())
	case ResolveRepoint:
		u, err := c.choose(how.User, c.repointable)
		if err != nil {
			return err
		}
		return a.repoint(u, c.identity())
	case ResolveSwap:
		return a.swap(c.users[0], c.users[1], c.Evidence.Attribute)
	case ResolveRestore:
		u, err := c.choose(how.User, restorable)
		if err != nil {
			return err
		}
		return a.restore(u)
	case ResolveNew:
		return a.releaseTo(c)
	case ResolveAllow:
		conn, err := a.connectionOf(c.Source.Connection)
		if err != nil {
			return err
		}
		_, _, per := conn.Guard.limits()
		return a.openGuard(conn.ID, Allowance{Until: a.now.At.Add(per)})
	case ResolveMerge:
		u, err := c.choose(how.User, func(u *User) bool { return u != nil })
		if err != nil {
			return err
		}
		other := c.users[0]
		if other == u {
			other = c.users[1]
		}
		return a.merge(u, other)
	}
	return nil
}

// choose is the user whom a remedy names, or the only one it can be about.
func (c circumstances) choose(id ID, fits func(*User) bool) (*User, error) {
	var found *User
	for _, u := range c.users {
		switch {
		case !fits(u) || id != NoID && u.ID != id:
		case found != nil:
			return nil, &Refusal{Code: Ambiguous, Detail: "several users are possible; name one"}
		default:
			found = u
		}
	}
	if found == nil {
		return nil, ErrNotPermitted
	}
	return found, nil
}

// identity is the link that the case is about.
func (c circumstances) identity() Link {
	return Link{Connection: c.Source.Connection, Channel: c.Evidence.Channel, Issuer: c.Evidence.Issuer, Subject: c.Evidence.Subject}
}

// restore lifts a tombstone.
func (a *application) restore(u *User) error {
	after := u.clone()
	after.Deleted, after.Yielded = nil, false
	if err := a.rejoin(u, after); err != nil {
		return err
	}
	return a.rewrite(u, after, UserRestored)
}

// releaseTo lets go what a stranger needs to come in as a new user: of
// tombstones the names and the subject, of a live user the earlier name. That
// the subject is none of the others is remembered with the case.
func (a *application) releaseTo(c circumstances) error {
	for _, u := range c.users {
		if u == nil || u.Deleted == nil && c.Kind != CaseMoved {
			continue
		}
		after := u.clone()
		after.Yielded = u.Yielded || u.Deleted != nil
		after.Links = slices.DeleteFunc(after.Links, func(l Link) bool {
			return l.Connection == c.Source.Connection && l.Subject == c.Evidence.Subject && (u.Deleted != nil || l.State == LinkMoved)
		})
		if err := a.write(u, after, UserUpdated); err != nil {
			return err
		}
	}
	return nil
}

// swap exchanges the values of two users where they stand: the one write that
// an administrator makes in the name of the sources, whose next push of the
// same names then changes nothing.
func (a *application) swap(x, y *User, name string) error {
	was, _ := x.Effective.Get(name)
	is, _ := y.Effective.Get(name)
	after := [2]*User{x.clone(), y.clone()}
	for i, value := range []Value{is, was} {
		u := after[i]
		ch := winner(a.s.policy, u, name)
		if ch == "" || ch == ByRule {
			return refuse(Owned, "of user %s no layer supplies the value", u.ID).on(name)
		}
		src := Source{Channel: ch}
		if ch == SCIM || ch == SSO {
			src.Connection = u.Home
		}
		l := u.layer(src)
		l.set(Entry{Name: name, Value: value, Stamp: a.now})
		u.Held = slices.DeleteFunc(slices.Clone(u.Held), func(n string) bool { return n == name })
		if err := a.resolveUser(u); err != nil {
			return err
		}
	}
	for i, u := range after {
		if err := a.sole(u, after[1-i]); err != nil {
			return err
		}
	}
	if shareUnique(a.s.policy, after[0], after[1]) {
		return refuse(Uniqueness, "other layers of the two users claim the same value").on(name)
	}
	if err := a.write(x, after[0], UserUpdated); err != nil {
		return err
	}
	return a.write(y, after[1], UserUpdated)
}

// shareUnique says whether two users would have one unique value.
func shareUnique(p *Policy, x, y *User) bool {
	theirs := uniqueIndex(p, y)
	return slices.ContainsFunc(uniqueIndex(p, x), func(e indexEntry) bool {
		return slices.ContainsFunc(theirs, func(o indexEntry) bool { return string(o.key) == string(e.key) })
	})
}

// sole refuses values that belong to anybody but the two users.
func (a *application) sole(u, other *User) error {
	for _, e := range uniqueIndex(a.s.policy, u) {
		held, err := a.Get(e.key)
		if err != nil {
			return err
		}
		if len(held) == 16 && ID(held) != u.ID && ID(held) != other.ID {
			return refuse(Uniqueness, "the value belongs to another user (id %s)", ID(held)).on(e.unique)
		}
	}
	return nil
}
