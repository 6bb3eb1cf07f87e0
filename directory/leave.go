package directory

import (
	"context"
	"slices"
)

// Leaving says what becomes of a connection's users when it goes.
type Leaving struct {
	Org        string `json:"org"`
	Connection string `json:"connection"`
	// Users is the choice that has to be made.
	Users LeaveChoice `json:"users"`
	// Remove deletes the connection afterwards; otherwise it stays, retired.
	Remove bool `json:"remove,omitempty"`
	// Count is how many users the connection is home of, as LeavePlan says it:
	// what an administrator saw is what happens, or nothing.
	Count int `json:"count"`
}

// LeaveChoice is what becomes of users whose connection goes.
type LeaveChoice string

// The choices.
const (
	LeaveLocal  LeaveChoice = "finalise" // what counted of its word becomes local, home none
	LeaveDelete LeaveChoice = "delete"   // a tombstone, which an administrator can restore
)

// LeavePlan is what leaving would do, counted.
type LeavePlan struct {
	Home   int `json:"home"`   // users it is home of
	Locked int `json:"locked"` // of these, locked: they stay locked, by an administrator's lock
	Linked int `json:"linked"` // users of another home that it is linked to
	Groups int `json:"groups"` // its groups: those that count become local, the others go
	// Changed is how many users would be seen differently, Sample the first of them.
	Changed int          `json:"changed"`
	Sample  []UserChange `json:"sample,omitempty"`
}

// UserChange is what would change of one user.
type UserChange struct {
	User     ID                `json:"user"`
	UserName string            `json:"userName"`
	Changes  []AttributeChange `json:"changes,omitempty"`
	// Denied is the rule that would refuse sign-in from then on, Admitted that
	// one would no longer.
	Denied   string `json:"denied,omitempty"`
	Admitted bool   `json:"admitted,omitempty"`
}

// maxSample bounds how many users a plan or preview lists.
const maxSample = 100

// PlanLeave counts what Leave would do to users who become local, by the same
// code without the commit. It reads every user.
func (d *Directory) PlanLeave(ctx context.Context, org, connection string) (plan LeavePlan, err error) {
	err = d.view(ctx, org, func(r reading) error {
		plan = LeavePlan{}
		a, err := r.rehearsal()
		if err != nil {
			return err
		}
		c, err := r.connectionOf(connection)
		if err != nil {
			return err
		}
		for _, ch := range []Channel{SCIM, SSO} {
			n, err := r.total(countGroups + Source{c.ID, ch}.String())
			if err != nil {
				return err
			}
			plan.Groups += n
		}
		return r.eachUser(func(u *User) error { return plan.add(a, c, u) })
	})
	return plan, err
}

// rehearsal is an application that only reads.
func (r reading) rehearsal() (*application, error) {
	p, err := r.policy()
	if err != nil {
		return nil, err
	}
	now := canonicalTime(r.d.now())
	a := &application{writing: writing{reading: r}, now: Stamp{At: now}}
	a.s = situation{change: &Change{Org: r.org, Channel: Local}, now: now, policy: p}
	return a, nil
}

// eachUser calls fn for every user, tombstones included, one after another.
func (r reading) eachUser(fn func(*User) error) error {
	prefix := orgKey(tableUser, r.org)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		u, err := decodeUser(r.org, pair.Value)
		if err != nil {
			return err
		}
		if err := fn(u); err != nil {
			return err
		}
	}
	return nil
}

func (plan *LeavePlan) add(a *application, c *Connection, u *User) error {
	if u.Deleted != nil || !u.knows(c.ID) {
		return nil
	}
	switch {
	case u.Home != c.ID:
		plan.Linked++
	case u.Locked():
		plan.Home, plan.Locked = plan.Home+1, plan.Locked+1
	default:
		plan.Home++
	}
	after := u.clone()
	a.absorb(after, c.ID)
	if err := a.resolveUser(after); err != nil {
		return err
	}
	if change := changeOf(a.s.policy, u, after); change != nil {
		plan.Changed++
		if len(plan.Sample) < maxSample {
			plan.Sample = append(plan.Sample, *change)
		}
	}
	return nil
}

// changeOf is what the world would see differently, nil for nothing.
func changeOf(p *Policy, before, after *User) *UserChange {
	x := UserChange{User: after.ID, UserName: before.Effective.Text(UserName), Changes: effectiveChanges(p, before, after)}
	switch {
	case after.Denied > 0 && before.Denied == 0:
		x.Denied = p.ruleName(after.Denied)
	case after.Denied == 0 && before.Denied > 0:
		x.Admitted = true
	}
	if len(x.Changes) == 0 && x.Denied == "" && !x.Admitted {
		return nil
	}
	return &x
}

// knows says whether the connection has a word or link about the user.
func (u *User) knows(connection string) bool {
	return u.Home == connection ||
		slices.ContainsFunc(u.Links, func(l Link) bool { return l.Connection == connection }) ||
		slices.ContainsFunc(u.Layers, func(l Layer) bool { return l.Source.Connection == connection })
}

// Leave retires a connection at once and then, as a task, gives its users up as
// the choice says: made local, or deleted, or both doors closed for ever. Late
// pushes and sign-ins through it are refused and change nothing.
func (d *Directory) Leave(ctx context.Context, by EventSource, l Leaving) (task ID, err error) {
	if l.Users != LeaveLocal && l.Users != LeaveDelete {
		return NoID, refuse(InvalidValue, "is %s or %s", LeaveLocal, LeaveDelete).on("users")
	}
	plan, err := d.PlanLeave(ctx, l.Org, l.Connection)
	if err != nil {
		return NoID, err
	}
	if plan.Home != l.Count {
		return NoID, refuse(GuardTripped, "connection %s is the home of %d users, not of %d; look again and confirm that number",
			l.Connection, plan.Home, l.Count).on("count")
	}
	err = d.administer(ctx, by, l.Org, func(a *application) error {
		c, err := a.connectionOf(l.Connection)
		if err != nil {
			return err
		}
		if err := a.setState(c, Retired); err != nil {
			return err
		}
		kind := TaskFinalise
		if l.Remove {
			kind = TaskRemove
			if err := a.revokeTokens(c); err != nil {
				return err
			}
		}
		users, err := a.total(countUsers)
		if err != nil {
			return err
		}
		task, err = a.startTask(Task{Kind: kind, Connection: c.ID, Total: users, Mark: mark{Bury: l.Users == LeaveDelete, Ready: true}})
		return err
	})
	return task, err
}

// SetState pauses, retires or activates a connection. What does not change
// writes nothing.
func (d *Directory) SetState(ctx context.Context, by EventSource, org, connection string, s State) error {
	var f faults
	if oneOf(&f, "state", s, ConnectionActive, Paused, Retired); len(f) > 0 || s == "" {
		return invalid("state", "is one of %s, %s, %s", ConnectionActive, Paused, Retired)
	}
	return d.administer(ctx, by, org, func(a *application) error {
		c, err := a.connectionOf(connection)
		if err != nil {
			return err
		}
		return a.setState(c, s)
	})
}

func (a *application) setState(c *Connection, s State) error {
	if c.state() == s {
		return nil
	}
	next := *c
	next.State = s
	if s == Retired {
		next.SessionsFrom = a.now.At
	}
	if err := a.setJSON(plainKey(tableConnection, c.ID), next); err != nil {
		return err
	}
	return a.reconfigured("connection "+c.ID+" is "+string(s), func(conns []*Connection) []*Connection {
		return append(slices.DeleteFunc(conns, func(x *Connection) bool { return x.ID == c.ID }), &next)
	})
}

// reconfigured stores the organisation's next revision after its connections
// changed.
func (a *application) reconfigured(line string, change func([]*Connection) []*Connection) error {
	old := a.s.policy
	next, faults := compilePolicy(old.Org, change(old.Connections()))
	if len(faults) > 0 {
		return &ConfigError{faults}
	}
	return a.putOrg(orgRecord{Org: *old.Org, Revision: old.Revision, Generation: old.Generation}, old, next, []string{line})
}

// revokeTokens ends the connection's tokens at once.
func (a *application) revokeTokens(c *Connection) error {
	prefix := orgKey(tableTokenName, a.org).text(c.ID)
	var names []key
	var hashes []key
	for pair, err := range a.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		names, hashes = append(names, slices.Clone(pair.Key)), append(hashes, slices.Clone(pair.Value))
	}
	for i := range names {
		if err := a.dropToken(names[i], hashes[i]); err != nil {
			return err
		}
	}
	return nil
}

// absorb makes what a connection said of the user, as far as it counts, the
// organisation's own word, and forgets the connection. A lock in force becomes
// an administrator's; identifiers that a lock froze stay what they are.
func (a *application) absorb(u *User, connection string) {
	st := standing{policy: a.s.policy, user: u}
	said := map[string]Value{}
	for _, ch := range []Channel{SCIM, SSO} {
		l := u.Layer(Source{connection, ch})
		if l == nil || !u.open(l.Source) {
			continue
		}
		for _, e := range l.Entries {
			if e.Name != ExternalID {
				said[e.Name] = nil
			}
		}
	}
	frozen := st.frozenHere()
	locked := u.Layer(Source{connection, SCIM}).locks(u) || u.Layer(Source{connection, SSO}).locks(u)
	for name := range said {
		if v := st.inherited(name, connection); len(v) > 0 {
			said[name] = v
		}
		if v, ok := u.Effective.Get(name); ok && slices.Contains(frozen, name) {
			said[name] = v
		}
	}
	local := u.layer(Source{Channel: Local})
	for name, v := range said {
		if len(v) > 0 {
			local.set(Entry{Name: name, Value: v, Stamp: a.now})
		}
	}
	if locked && !local.holds() {
		local.Locked, local.Lifted = a.now, Stamp{}
	}
	u.forget(connection)
}

// locks says whether the layer's lock holds the whole user.
func (l *Layer) locks(u *User) bool { return l != nil && l.holds() && l.Source.Connection == u.Home }

// frozenHere are the attributes that do not follow the layers now.
func (s standing) frozenHere() []string {
	names := slices.Clone(s.user.Held)
	if s.user.Locked() || s.user.Deleted != nil {
		names = append(names, s.policy.frozenNames(s.user.Home)...)
	}
	return names
}

// inherited is what becomes local of an attribute: the connection's word where
// it outranks the local one, and both where layers are united.
func (s standing) inherited(name, connection string) (out Value) {
	unites, key := s.policy.unites(name), s.policy.Attribute(name).Key
	if !unites && s.user.Home != connection {
		return nil
	}
	for _, ch := range s.policy.order(name) {
		var v Value
		switch ch {
		case Local:
			v, _ = s.user.Layer(Source{Channel: Local}).Get(name)
		case SCIM, SSO:
			v, _ = s.user.Layer(Source{connection, ch}).Get(name)
			v = s.admissible(name, ch, v)
		}
		if !unites && len(v) > 0 {
			return v
		}
		out = join(out, v, key)
	}
	return out
}

// forget drops a connection's layers and links, and its being home.
func (u *User) forget(connection string) {
	u.Layers = slices.DeleteFunc(slices.Clone(u.Layers), func(l Layer) bool { return l.Source.Connection == connection })
	u.Links = slices.DeleteFunc(slices.Clone(u.Links), func(l Link) bool { return l.Connection == connection })
	if u.Home == connection {
		u.Home = ""
	}
}
