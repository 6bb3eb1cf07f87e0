package directory

import (
	"context"
	"errors"
	"iter"
	"slices"

	"muster/directory/filter"
)

// maxScan bounds how many records one filter without a usable index may look at.
const maxScan = 200_000

// TooMany: the filter would look at more records than one request may.
var errTooMany = errors.New("too many records to scan; filter on an indexed attribute")

// IsTooMany says whether a query was refused because it would scan too much
// (scimType tooMany, RFC 7644 §3.12).
func IsTooMany(err error) bool { return errors.Is(err, errTooMany) }

// compileFilter returns a *filter.Error when the text cannot be read.
func compileFilter(text string, schema filter.Schema) (*filter.Matcher, error) {
	tree, err := filter.Parse(text)
	if err != nil {
		return nil, err
	}
	return filter.Compile(tree, schema, filter.Options{})
}

func (d *Directory) user(ctx context.Context, v Viewer, id ID) (p *Profile, err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		policy, err := r.viewerPolicy(v)
		if err != nil {
			return err
		}
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if u == nil || u.Deleted != nil || u.closedTo(v.Connection) {
			return ErrNotFound
		}
		p, err = r.profile(policy, u, v, false)
		return err
	})
	return p, err
}

// viewerPolicy loads the policy and refuses an unknown connection.
func (r reading) viewerPolicy(v Viewer) (*Policy, error) {
	p, err := r.policy()
	if err == nil && v.Connection != "" && p.Connection(v.Connection) == nil {
		err = ErrNotFound
	}
	return p, err
}

// closedTo: the connection deleted its own link and sees the user no more.
func (u *User) closedTo(connection string) bool {
	if connection == "" {
		return false
	}
	l := u.link(connection, SCIM)
	return l != nil && l.State == LinkDeleted
}

func (d *Directory) users(ctx context.Context, v Viewer, q Query) (page Page[*Profile], err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		page = Page[*Profile]{Items: []*Profile{}}
		p, err := r.viewerPolicy(v)
		if err != nil {
			return err
		}
		if q.Filter == "" {
			return r.allUsers(p, v, q, &page)
		}
		m, err := compileFilter(q.Filter, p.users)
		if err != nil {
			return err
		}
		if lookups, ok := m.Plan(userCost(p)); ok {
			return r.lookedUpUsers(p, v, q, m, lookups, &page)
		}
		return r.scannedUsers(p, v, q, m, &page)
	})
	return page, err
}

// userPrefix is where the ids of a viewer's own users stand, in the order of
// their creation.
func (r reading) userPrefix(v Viewer) key {
	if v.Connection == "" {
		return orgKey(tableUser, r.org)
	}
	return indexKey(r.org, indexLinked).word(v.Connection)
}

// allUsers pages through the viewer's users without reading those passed over.
func (r reading) allUsers(p *Policy, v Viewer, q Query, page *Page[*Profile]) error {
	name := countUsers
	if v.Connection != "" {
		name = countLinked + v.Connection
	}
	total, err := r.total(name)
	if err != nil {
		return err
	}
	page.Total = total
	if q.Limit <= 0 || q.Offset >= total {
		return nil
	}
	passed := 0
	prefix := r.userPrefix(v)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		if v.Connection != "" && passed < q.Offset {
			passed++
			continue
		}
		u, err := r.userByID(tailID(pair.Key))
		if err != nil {
			return err
		}
		if u == nil || u.Deleted != nil {
			continue
		}
		if passed < q.Offset {
			passed++
			continue
		}
		item, err := r.profile(p, u, v, q.SkipGroups)
		if err != nil {
			return err
		}
		if page.Items = append(page.Items, item); len(page.Items) == q.Limit {
			return nil
		}
	}
	return nil
}

// scannedUsers puts every user of the viewer to the filter, within the budget.
func (r reading) scannedUsers(p *Policy, v Viewer, q Query, m *filter.Matcher, page *Page[*Profile]) error {
	prefix := r.userPrefix(v)
	looked := 0
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		if looked++; looked*max(m.Terms()/8, 1) > maxScan {
			return errTooMany
		}
		u, err := r.userByID(tailID(pair.Key))
		if err != nil {
			return err
		}
		if u == nil || u.Deleted != nil {
			continue
		}
		if err := r.offer(p, v, q, u, m.Match, page); err != nil {
			return err
		}
	}
	return nil
}

// offer adds the user to the page when it matches and is within it.
func (r reading) offer(p *Policy, v Viewer, q Query, u *User, match func(filter.Resource) bool, page *Page[*Profile]) error {
	item, err := r.profile(p, u, v, false)
	if err != nil {
		return err
	}
	if !match(item) {
		return nil
	}
	page.Total++
	if page.Total > q.Offset && len(page.Items) < q.Limit {
		if q.SkipGroups {
			item.Groups = nil
		}
		page.Items = append(page.Items, item)
	}
	return nil
}

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
func (r reading) lookedUpUsers(p *Policy, v Viewer, q Query, m *filter.Matcher, lookups []filter.Lookup, page *Page[*Profile]) error {
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
		match := m.Match
		if v.Connection != "" {
			match = func(own filter.Resource) bool { return m.Match(own) || m.Match(r.colliding(p, u, v)) }
		}
		if err := r.offer(p, v, q, u, match, page); err != nil {
			return err
		}
	}
	return nil
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
		return r.tails(indexKey(r.org, indexExternal).word(v.Connection).text(l.Value), maxScan+1)
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
	if connection == "" || u.Home != connection || !u.Locked() {
		return false
	}
	l := u.Layer(Source{connection, SCIM})
	for _, look := range lookups {
		if look.Name != UserName && look.Name != Emails {
			return false
		}
		said, _ := l.Get(look.Name)
		if slices.ContainsFunc(said, func(e Element) bool { return p.fold(look.Name, e.Field("value")) == look.Value }) {
			return false
		}
	}
	return l != nil
}

func (d *Directory) group(ctx context.Context, v Viewer, id ID) (g *Group, err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		if _, err := r.viewerPolicy(v); err != nil {
			return err
		}
		if g, err = r.groupByID(id); err != nil {
			return err
		}
		if g == nil || !v.seesGroup(g) {
			return ErrNotFound
		}
		return nil
	})
	return g, err
}

// seesGroup: a connection sees what it pushed, an application every group.
func (v Viewer) seesGroup(g *Group) bool {
	return v.Connection == "" || g.Source == Source{v.Connection, SCIM}
}

// members yields a group's members page by page, each page a snapshot of its
// own, so that a reader that is slow holds no transaction open.
func (d *Directory) members(ctx context.Context, v Viewer, group ID) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		if _, err := d.group(ctx, v, group); err != nil {
			yield(Member{}, err)
			return
		}
		from := orgKey(tableMember, v.Org).id(group)
		to := from.end()
		for from != nil {
			page, next, err := d.memberPage(ctx, v.Org, from, to)
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			from = next
		}
	}
}

const membersPerPage = 1000

func (d *Directory) memberPage(ctx context.Context, org string, from, to key) (page []Member, next key, err error) {
	err = d.view(ctx, org, func(r reading) error {
		page, next = page[:0], nil
		for pair, err := range r.Scan(from, to) {
			if err != nil {
				return err
			}
			if len(page) == membersPerPage {
				next = slices.Clone(pair.Key)
				return nil
			}
			id := tailID(pair.Key)
			nested, err := r.Get(groupKey(org, id))
			if err != nil {
				return err
			}
			page = append(page, Member{id, nested != nil})
		}
		return nil
	})
	return page, next, err
}
