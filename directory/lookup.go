package directory

import (
	"slices"

	"muster/directory/filter"
)

// userCost says which lookups the indexes serve.
func userCost(p *Policy) filter.Cost {
	return func(a filter.Attribute, op filter.CompareOperator) int {
		switch {
		case a.Name == "id" && op == filter.EQ:
			return 1
		case a.Name == UserName && op == filter.EQ:
			return 2
		case a.Name == ExternalID && op == filter.EQ:
			return 3
		case op == filter.EQ && slices.Contains(p.unique, a.Name):
			return 2
		case a.Name == Emails && a.Sub == "value" && op == filter.EQ:
			return 5
		case a.Name == UserName && op == filter.SW, a.Name == Emails && a.Sub == "value" && op == filter.SW:
			return 1000
		case a.Name == Groups && a.Sub == "value" && op == filter.EQ:
			return 5000
		}
		return 0
	}
}

// lookedUpUsers puts the candidates of the indexes to the filter. Beyond the
// viewer's own users it finds those whom a create would collide with.
func (r reading) lookedUpUsers(p *Policy, v Viewer, q Query, m *filter.Matcher, lookups []filter.Lookup, page *listing) error {
	exact := onlyEquals(q.Filter)
	var ids []ID
	for _, l := range lookups {
		found, err := r.lookup(p, v, l)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
		if len(ids) > maxScan {
			return errTooMany
		}
	}
	slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(ids) {
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if u == nil || u.Deleted != nil || u.closedTo(v.Connection) || u.hiddenFrom(p, v.Connection, lookups) {
			continue
		}
		if v.Connection != "" && !exact && !u.Linked(v.Connection, SCIM) {
			continue
		}
		match := m.Match
		if v.Connection != "" && exact {
			match = func(own filter.Resource) bool { return m.Match(own) || m.Match(seen{r.colliding(p, u, v), p}) }
		}
		if err := r.offer(p, v, q, u, match, page); err != nil {
			return err
		}
	}
	return nil
}

// onlyEquals: a filter made of eq terms alone can confirm a value, but not
// search for one; only such a filter sees users of other connections.
func onlyEquals(text string) bool {
	tree, err := filter.Parse(text)
	if err != nil {
		return false
	}
	for _, term := range filter.Comparisons(tree) {
		if term.Operator != filter.EQ {
			return false
		}
	}
	return true
}

// lookup returns the candidates of one index lookup.
func (r reading) lookup(p *Policy, v Viewer, l filter.Lookup) ([]ID, error) {
	switch {
	case l.Name == "id":
		id, ok := ParseID(l.Value)
		if !ok {
			return nil, nil
		}
		return []ID{id}, nil
	case l.Name == ExternalID:
		return r.identified(p, v, l.Value)
	case l.Name == Groups:
		id, ok := ParseID(l.Value)
		if !ok {
			return nil, nil
		}
		users, _, err := r.affected([]ID{id})
		return users, err
	case slices.Contains(p.unique, l.Name):
		value, err := r.Get(indexKey(r.org, indexUnique).text(l.Name).text(l.Value))
		if len(value) != 16 || err != nil {
			return nil, err
		}
		return []ID{ID(value)}, nil
	case l.Name == Emails && l.Op == filter.EQ:
		return r.tails(indexKey(r.org, indexEmail).text(l.Value), maxScan+1)
	case l.Name == Emails:
		return r.tails(indexKey(r.org, indexEmail).prefix(l.Value), maxScan+1)
	}
	return r.named(v, l)
}

// identified finds by externalId; where both doors carry one value, also whom a
// sign-in by it names.
func (r reading) identified(p *Policy, v Viewer, value string) ([]ID, error) {
	ids, err := r.tails(indexKey(r.org, indexExternal).word(v.Connection).text(value), maxScan+1)
	c := p.Connection(v.Connection)
	if c == nil || !c.Subject.Same || err != nil {
		return ids, err
	}
	for _, issuer := range []string{c.issuer(), ""} {
		l := Link{Connection: c.ID, Channel: SSO, Issuer: issuer, Subject: value}
		held, err := r.Get(linkKey(r.org, &l))
		if err != nil {
			return nil, err
		}
		if len(held) == 16 {
			ids = append(ids, ID(held))
		}
	}
	return ids, nil
}

// named looks a userName up among the effective names and the viewer's own.
func (r reading) named(v Viewer, l filter.Lookup) ([]ID, error) {
	var ids []ID
	for _, base := range []key{indexKey(r.org, indexName), indexKey(r.org, indexClaim).word(v.Connection)} {
		prefix := base.prefix(l.Value)
		if l.Op == filter.EQ {
			prefix = base.text(l.Value)
		}
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return nil, err
			}
			if len(ids) > maxScan {
				return nil, errTooMany
			}
			if len(pair.Value) == 16 {
				ids = append(ids, ID(pair.Value))
			}
		}
	}
	return ids, nil
}

// colliding is the user as the uniqueness check sees it: by its effective name
// and primary address, whatever the viewer's own layer says.
func (r reading) colliding(p *Policy, u *User, v Viewer) *Profile {
	c := &Profile{ID: u.ID, Org: u.Org, Created: u.Created, Modified: u.Modified, Attributes: minimalView(u)}
	if v, ok := u.Effective.Get(Emails); ok && len(v) > 0 {
		c.Attributes.Set(Emails, Value{v.Primary()})
	}
	if l := u.link(v.Connection, SSO); l != nil && l.Subject != "" {
		c.Attributes.Set(ExternalID, Text(l.Subject))
	}
	for _, name := range p.unique {
		if value, ok := u.Effective.Get(name); ok {
			c.Attributes.Set(name, value)
		}
	}
	if u.Linked(v.Connection, SCIM) {
		own := ownAttributes(u.Layer(Source{v.Connection, SCIM}))
		for _, x := range own {
			if _, ok := c.Attributes.Get(x.Name); !ok {
				c.Attributes.Set(x.Name, x.Value)
			}
		}
	}
	return c
}

// hiddenFrom: a locked user's frozen name that its own home pushes no longer is
// not found by that connection, or the leaver's account would be handed over
// with the name.
func (u *User) hiddenFrom(p *Policy, connection string, lookups []filter.Lookup) bool {
	if connection == "" {
		return false
	}
	return !slices.ContainsFunc(lookups, func(l filter.Lookup) bool {
		return l.Name != UserName && l.Name != Emails || !p.gaveUp(u, connection, l.Name, l.Value)
	})
}
