package directory

import (
	"context"
	"errors"

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

// User returns what the viewer sees of one user; the Profile may be shared and
// must not be changed. ErrNotFound for a stranger, a tombstone, and an id of
// another organisation.
func (d *Directory) User(ctx context.Context, v Viewer, id ID) (p *Profile, err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		policy, err := r.viewerPolicy(v)
		if err != nil {
			return err
		}
		p, err = r.sight(policy, v, id)
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

// Users lists users in the order of their creation.
func (d *Directory) Users(ctx context.Context, v Viewer, q Query) (Page[*Profile], error) {
	var l listing
	err := d.view(ctx, v.Org, func(r reading) error {
		l = listing{Page: Page[*Profile]{Items: []*Profile{}}}
		p, err := r.viewerPolicy(v)
		if err != nil {
			return err
		}
		if q.Filter == "" {
			return r.allUsers(p, v, q, &l)
		}
		m, err := compileFilter(q.Filter, p.users)
		if err != nil {
			return err
		}
		if lookups, ok := m.Plan(userCost(p)); ok {
			return r.lookedUpUsers(p, v, q, m, lookups, &l)
		}
		return r.scannedUsers(p, v, q, m, &l)
	})
	return l.Page, err
}

// listing is a page in the making.
type listing struct {
	Page[*Profile]
	bytes int
}

// maxPage is how many bytes of records one page shows, its first item aside.
const maxPage = 4 << 20

// full counts a record in, and says whether the page does not take it any more.
func (l *listing) full(record string) bool {
	l.bytes += len(record)
	return len(l.Items) > 0 && l.bytes > maxPage
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
func (r reading) allUsers(p *Policy, v Viewer, q Query, page *listing) error {
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
		if page.full(u.stored) {
			return nil
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
func (r reading) scannedUsers(p *Policy, v Viewer, q Query, m *filter.Matcher, page *listing) error {
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
func (r reading) offer(p *Policy, v Viewer, q Query, u *User, match func(filter.Resource) bool, page *listing) error {
	item, err := r.profile(p, u, v, false)
	if err != nil {
		return err
	}
	if !match(seen{item, p}) {
		return nil
	}
	page.Total++
	if page.Total > q.Offset && len(page.Items) < q.Limit && !page.full(u.stored) {
		if q.SkipGroups {
			item.Groups = nil
		}
		page.Items = append(page.Items, item)
	}
	return nil
}

// Group returns one group that the viewer owns, or, for an application, any.
func (d *Directory) Group(ctx context.Context, v Viewer, id ID) (g *Group, err error) {
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
