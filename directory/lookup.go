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
		case op == filter.SW && (a.Name == UserName || a.Name == ExternalID || a.Name == Emails && a.Sub == "value"):
			return 1000
		case a.Name == "id" && op == filter.SW:
			return 2000
		case a.Name == Groups && a.Sub == "value" && op == filter.EQ:
			return 5000
		}
		return 0
	}
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
func (k userKind) lookup(l filter.Lookup) ([]ID, error) {
	switch {
	case l.Name == "id" && l.Op == filter.SW:
		return k.inRange(tableUser, l.Value)
	case l.Name == "id":
		return parsedID(l.Value), nil
	case l.Name == ExternalID:
		return k.identified(l)
	case l.Name == Groups:
		users, _, err := k.affected(parsedID(l.Value))
		return users, err
	case slices.Contains(k.p.unique, l.Name) && l.Op == filter.EQ:
		value, err := k.Get(indexKey(k.org, indexUnique).text(l.Name).text(l.Value))
		if len(value) != 16 || err != nil {
			return nil, err
		}
		return []ID{ID(value)}, nil
	case l.Name == Emails:
		return k.scanned(at(l, indexKey(k.org, indexEmail)))
	}
	return k.named(l)
}

// parsedID is the id that a text names, if any.
func parsedID(text string) []ID {
	if id, ok := ParseID(text); ok {
		return []ID{id}
	}
	return nil
}

// identified finds by externalId; where both doors carry one value, also whom a
// sign-in by it names.
func (k userKind) identified(l filter.Lookup) ([]ID, error) {
	ids, err := k.scanned(at(l, indexKey(k.org, indexExternal).word(k.v.Connection)))
	c := k.p.Connection(k.v.Connection)
	if c == nil || !c.Subject.Same || l.Op != filter.EQ || err != nil {
		return ids, err
	}
	for _, issuer := range []string{c.issuer(), ""} {
		link := Link{Connection: c.ID, Channel: SSO, Issuer: issuer, Subject: l.Value}
		held, err := k.Get(linkKey(k.org, &link))
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
func (k userKind) named(l filter.Lookup) ([]ID, error) {
	effective, err := k.scanned(at(l, indexKey(k.org, indexName)))
	if err != nil || k.v.Connection == "" {
		return effective, err
	}
	own, err := k.scanned(at(l, indexKey(k.org, indexClaim).word(k.v.Connection)))
	return append(effective, own...), err
}

// at is the part of an index that a lookup by eq or sw is about.
func at(l filter.Lookup, index key) key {
	if l.Op == filter.SW {
		return index.prefix(l.Value)
	}
	return index.text(l.Value)
}

// scanned returns the ids of a part of an index: the value of an entry that has
// one owner, else the end of its key.
func (s *search) scanned(prefix key) (ids []ID, err error) {
	for pair, err := range s.Scan(prefix, prefix.end()) {
		if err == nil {
			err = s.pay(keepCost)
		}
		if err != nil {
			return nil, err
		}
		if len(pair.Value) == 16 {
			ids = append(ids, ID(pair.Value))
		} else {
			ids = append(ids, tailID(pair.Key))
		}
	}
	return ids, nil
}

// inRange returns what ends the keys of a table that begin with an id in a
// range, which the beginning of an id's text names.
func (s *search) inRange(table byte, start string) ([]ID, error) {
	low, high, ok := idRange(start)
	if !ok {
		return nil, nil
	}
	var ids []ID
	for pair, err := range s.Scan(orgKey(table, s.org).id(low), orgKey(table, s.org).id(high).end()) {
		if err == nil {
			err = s.pay(keepCost)
		}
		if err != nil {
			return nil, err
		}
		ids = append(ids, tailID(pair.Key))
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
