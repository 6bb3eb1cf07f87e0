package directory

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Setup is the wanted state of one organisation with its connections.
// Connections it does not name stay as they are.
type Setup struct {
	Org         Org
	Connections []Connection
	// Tests says whether sign-ins must have been tried out before they write, and
	// Override by connection why not; it is told in an event.
	Tests    TestRule
	Override map[string]string
	// Revision is the Policy's that the wanted state was made from: when somebody
	// changed the configuration since, a *StaleError tells, and nothing changes.
	// 0 says that there is no such organisation yet; nil takes it as it is.
	Revision *uint64
}

// Configure brings organisations and connections to the wanted state, all in
// one transaction or not at all, and returns one line for each object it
// changed. A *ConfigError lists every fault; then nothing changed. Users whom
// the change concerns are resolved with it, or by a durable job when they are
// many.
func (d *Directory) Configure(ctx context.Context, by EventSource, setups []Setup) (changed []string, err error) {
	now := canonicalTime(d.now())
	err = d.update(ctx, "", func(w writing) error {
		changed = nil
		faults := repeated(setups)
		for i := range setups {
			s := setups[i]
			w.org = s.Org.ID
			a := &application{writing: w, now: Stamp{now, by.Actor, by.Request}}
			a.s.change = &Change{Org: s.Org.ID, Channel: by.Channel, Actor: by.Actor, Request: by.Request}
			lines, bad, err := a.setUp(s)
			if err == nil && a.s.policy != nil {
				err = a.conclude()
			}
			if err != nil {
				return err
			}
			changed, faults = append(changed, lines...), append(faults, prefixed(fmt.Sprintf("orgs[%d]", i), bad)...)
		}
		if len(faults) > 0 {
			return &ConfigError{faults}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// repeated finds organisations named twice.
func repeated(setups []Setup) (faults []Fault) {
	for i := range setups {
		for j := range i {
			if setups[i].Org.ID == setups[j].Org.ID {
				faults = append(faults, Fault{Path: fmt.Sprintf("orgs[%d].id", i), Detail: fmt.Sprintf("%q is there twice", setups[i].Org.ID)})
			}
		}
	}
	return faults
}

func prefixed(path string, faults []Fault) []Fault {
	for i := range faults {
		faults[i].Path = path + "." + faults[i].Path
	}
	return faults
}

// setUp writes one organisation and its connections.
func (a *application) setUp(s Setup) (changed []string, faults []Fault, err error) {
	if faults := checkSetup(&s, a.now.At); len(faults) > 0 {
		return nil, faults, nil
	}
	old, err := a.policy()
	if err != nil && err != ErrNotFound {
		return nil, nil, err
	}
	if err := old.unchangedSince(s.Revision); err != nil {
		return nil, nil, err
	}
	conns := map[string]*Connection{}
	record := orgRecord{Org: s.Org}
	if old != nil {
		maps.Copy(conns, old.connections)
		record.Revision, record.Generation = old.Revision, old.Generation
		if !equalJSON(old.Org, &s.Org) {
			changed = append(changed, "org "+s.Org.ID+" updated")
		}
	} else {
		changed = append(changed, "org "+s.Org.ID+" created")
	}
	for i := range s.Connections {
		if err := a.freeDomains(&s.Connections[i], conns[s.Connections[i].ID]); err != nil {
			return nil, nil, err
		}
	}
	for i := range s.Connections {
		wanted := s.Connections[i]
		c := &wanted
		c.Org = s.Org.ID
		line, bad, err := a.setConnection(c, conns[c.ID])
		if err != nil {
			return nil, nil, err
		}
		enabled, untested, err := a.enabling(&s, c, conns[c.ID])
		if err != nil {
			return nil, nil, err
		}
		faults = append(faults, prefixed(fmt.Sprintf("connections[%d]", i), append(bad, untested...))...)
		for _, line := range []string{line, enabled} {
			if line != "" {
				changed = append(changed, line)
			}
		}
		conns[c.ID] = c
	}
	next, bad := compilePolicy(&s.Org, slices.Collect(maps.Values(conns)))
	if faults = append(faults, bad...); len(faults) > 0 || len(changed) == 0 {
		return nil, faults, nil
	}
	if faults, err := a.alreadyShared(old, next); len(faults) > 0 || err != nil {
		return nil, faults, err
	}
	return changed, nil, a.putOrg(record, old, next, changed)
}

// freeDomains gives up the domains a connection will not own any more, before
// another one takes them.
func (a *application) freeDomains(c, old *Connection) error {
	if old == nil {
		return nil
	}
	for _, domain := range old.Domains {
		if slices.Contains(c.Domains, domain) {
			continue
		}
		if err := a.tx.Delete(plainKey(tableDomain, emailDomain("@"+domain))); err != nil {
			return err
		}
	}
	return nil
}

// setConnection writes one connection and the domains it owns.
func (a *application) setConnection(c, old *Connection) (line string, faults []Fault, err error) {
	if err := a.d.sealSecrets(c, old); err != nil {
		return "", nil, err
	}
	if faults := keepMetadata(c, old); len(faults) > 0 {
		return "", faults, nil
	}
	if old != nil {
		c.SessionsFrom = old.SessionsFrom
		if c.state() == Retired && old.state() != Retired {
			c.SessionsFrom = a.now.At
		}
	}
	if old == nil {
		if held, err := a.Get(plainKey(tableConnection, c.ID)); err != nil || held != nil {
			return "", []Fault{{Path: "id", Detail: fmt.Sprintf("%q is a connection of another organisation", c.ID)}}, err
		}
		line = "connection " + c.ID + " created"
	} else {
		if equalJSON(old, c) {
			return "", nil, nil
		}
		line = "connection " + c.ID + " updated"
	}
	for i, domain := range c.Domains {
		at := plainKey(tableDomain, emailDomain("@"+domain))
		owner, err := a.Get(at)
		if err != nil {
			return "", nil, err
		}
		if owner != nil && string(owner) != c.ID {
			faults = append(faults, Fault{Path: fmt.Sprintf("domains[%d]", i), Detail: fmt.Sprintf("%q already has an owner", domain)})
			continue
		}
		if err := a.tx.Set(at, []byte(c.ID)); err != nil {
			return "", nil, err
		}
	}
	if len(faults) > 0 {
		return "", faults, nil
	}
	if err := a.setJSON(plainKey(tableConnection, c.ID), c); err != nil {
		return "", nil, err
	}
	return line, nil, a.tx.Set(append(orgKey(tableOrgConn, c.Org), c.ID...), nil)
}

// alreadyShared finds users who have the same value of an attribute that is to
// become unique. It reads every user, which a policy seldom asks for.
func (a *application) alreadyShared(old, next *Policy) (faults []Fault, err error) {
	var fresh []string
	for _, name := range next.unique {
		if old != nil && !slices.Contains(old.unique, name) {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	holders := map[string]ID{}
	prefix := orgKey(tableUser, a.org)
	for pair, err := range a.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		u, err := decodeUser(a.org, pair.Value)
		if err != nil {
			return nil, err
		}
		for _, name := range fresh {
			faults = append(faults, next.sharedBy(u, name, holders)...)
		}
		if len(faults) > 20 {
			break
		}
	}
	return faults, nil
}

// sharedBy notes the user's values of an attribute that an earlier user has.
func (p *Policy) sharedBy(u *User, name string, holders map[string]ID) (faults []Fault) {
	v, _ := u.Effective.Get(name)
	if u.Deleted != nil {
		return nil
	}
	for _, e := range v {
		at := name + "\x00" + p.fold(name, e.Field("value"))
		if other, ok := holders[at]; ok {
			faults = append(faults, Fault{Path: "attributes." + name + ".unique",
				Detail: fmt.Sprintf("users %s and %s both have %q", other, u.ID, e.Field("value"))})
		}
		holders[at] = u.ID
	}
	return faults
}

// putOrg stores the organisation under its next revision and resolves its
// users again when what they resolve to may differ.
func (a *application) putOrg(record orgRecord, old, next *Policy, changed []string) error {
	record.Revision++
	record.Saved = Saved{At: a.now.At, By: a.now.Actor, Changed: changed}
	again := old != nil && !equalJSON(old.resolving(), next.resolving())
	if again || old == nil {
		record.Generation++
	}
	if err := a.setJSON(plainKey(tableOrg, a.org), record); err != nil {
		return err
	}
	next.Revision, next.Generation, next.Saved = record.Revision, record.Generation, record.Saved
	a.s.policy = next
	if err := a.emitConfig(changed); err != nil {
		return err
	}
	if !again || a.trial {
		return nil
	}
	return a.reresolveAll()
}

// resolving is the part of a policy that resolve looks at.
func (p *Policy) resolving() any {
	type channel struct {
		State  State
		Groups GroupSource
		Match  []string
	}
	conns := map[string]channel{}
	for id, c := range p.connections {
		conns[id] = channel{c.state(), c.GroupsSource(), c.matchKeys()}
	}
	return struct {
		Attributes map[string]AttributePolicy
		Rules      []Rule
		Protected  []string
		Conns      map[string]channel
	}{p.Org.Attributes, p.Org.Rules, p.Org.Protected.Roles, conns}
}

func equalJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// ConnectionForDomain finds the connection that owns a verified domain, with
// the policy of its organisation. ErrNotFound when nobody does.
func (d *Directory) ConnectionForDomain(ctx context.Context, domain string) (*Connection, *Policy, error) {
	var owner string
	err := d.view(ctx, "", func(r reading) error {
		id, err := r.Get(plainKey(tableDomain, emailDomain("@"+domain)))
		owner = string(id)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return d.Connection(ctx, owner)
}
