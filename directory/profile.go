package directory

import "slices"

// profile is what one viewer sees of a live user. One who was resolved before
// the policy or a group changed is resolved as of now.
func (r reading) profile(p *Policy, u *User, v Viewer, skipGroups bool) (*Profile, error) {
	stale := r.stale(p, u)
	var groups []groupPath
	if !skipGroups || stale {
		var err error
		if groups, err = r.groupsOf(u.ID); err != nil {
			return nil, err
		}
	}
	if stale {
		u = current(p, u, groupsThatCount(p, u, groups))
	}
	out := r.profileOf(p, u, v, groups)
	if skipGroups {
		out.Groups = nil
	}
	return out, nil
}

// sight is what one viewer sees of the user with an id. As long as the record,
// its groups and the policy are what they were, it is the Profile that was made
// of them before.
func (r reading) sight(p *Policy, v Viewer, id ID) (*Profile, error) {
	record, err := r.Get(userKey(r.org, id))
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, ErrNotFound
	}
	groups, err := r.groupsOf(id)
	if err != nil {
		return nil, err
	}
	at := sight{id, v.Connection}
	if last := r.d.recent.at(at); last.is(record, p, groups) {
		return last.profile, nil
	}
	u, err := decodeUser(r.org, record)
	if err != nil {
		return nil, err
	}
	if u.Deleted != nil || u.closedTo(v.Connection) {
		next, err := r.survivor(u, v.Connection)
		if next == nil || next == u || err != nil {
			return nil, orNotFound(err)
		}
		return r.sight(p, v, next.ID)
	}
	if r.stale(p, u) {
		return r.profileOf(p, current(p, u, groupsThatCount(p, u, groups)), v, groups), nil
	}
	out := r.profileOf(p, u, v, groups)
	r.d.recent.remember(at, &glance{u.stored, p, groups, out})
	return out, nil
}

// profileOf shows a resolved user to a viewer.
func (r reading) profileOf(p *Policy, u *User, v Viewer, groups []groupPath) *Profile {
	out := &Profile{ID: u.ID, Org: u.Org, Created: u.Created, Modified: u.Modified}
	switch {
	case v.Connection == "":
		out.Attributes = effectiveView(u)
		out.Groups = groupsThatCount(p, u, groups)
	case u.Linked(v.Connection, SCIM):
		out.own(u, v.Connection)
		out.Groups = ownedBy(Source{v.Connection, SCIM}, groups)
	default:
		out.Attributes = minimalView(u)
		out.Minimal = true
	}
	out.Version = out.version()
	return out
}

// ownedBy keeps the groups of one source.
func ownedBy(src Source, groups []groupPath) (list []GroupRef) {
	for _, g := range groups {
		if g.Source == src {
			list = append(list, g.GroupRef)
		}
	}
	return list
}

// stale says whether the stored effective values may be behind: the policy has
// a newer generation, or a job is still resolving members of a group.
func (r reading) stale(p *Policy, u *User) bool {
	return u.Generation != p.Generation || len(p.rules) > 0 && r.jobsPending()
}

// current is the user as it resolves now.
func current(p *Policy, u *User, counting []GroupRef) *User {
	c := u.clone()
	res := resolve(standing{p, c, counting})
	c.Effective, c.Denied = res.attributes, res.denied
	return c
}

func effectiveView(u *User) Attributes {
	a := slices.Grow(u.Effective.Clone(), 1)
	a.Set(Active, boolValue(true, u.IsActive()))
	return a
}

// minimalView lets a connection find a user it is not linked to.
func minimalView(u *User) Attributes {
	a := Attributes{}
	a.Set(Active, boolValue(true, u.IsActive()))
	a.Set(UserName, Text(u.Effective.Text(UserName)))
	return a
}

// own shows a connection its own layer. A layer without a userName (the
// connection adopted the user by an edit) shows the effective one.
func (p *Profile) own(u *User, connection string) {
	l := u.Layer(Source{connection, SCIM})
	p.Attributes = ownAttributes(l)
	if l != nil {
		p.Created, p.Modified = l.Created, l.Modified
	}
	if p.Attributes.Text(UserName) == "" {
		p.Attributes.Set(UserName, Text(u.Effective.Text(UserName)))
	}
}

func (p *Profile) version() string {
	h := newDigest()
	for _, a := range p.Attributes {
		h.text(a.Name)
		h.value(a.Value)
	}
	for _, g := range p.Groups {
		h.text(string(g.ID[:]))
		h.text(g.Name)
	}
	return h.String()
}
