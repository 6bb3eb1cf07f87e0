package directory

import (
	"context"
	"slices"
	"strings"

	"muster/directory/filter"
)

// Groups lists groups in the order of their creation.
func (d *Directory) Groups(ctx context.Context, v Viewer, q Query) (page Page[*Group], err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		page = Page[*Group]{Items: []*Group{}}
		if _, err := r.viewerPolicy(v); err != nil {
			return err
		}
		if q.Filter == "" {
			return r.scannedGroups(v, q, nil, &page)
		}
		m, err := compileFilter(q.Filter, groupSchema{})
		if err != nil {
			return err
		}
		lookups, ok := m.Plan(groupCost)
		if !ok {
			return r.scannedGroups(v, q, m, &page)
		}
		return r.lookedUpGroups(v, q, m, lookups, &page)
	})
	return page, err
}

func groupCost(a filter.Attribute, op filter.CompareOperator) int {
	switch {
	case op == filter.EQ && (a.Name == "id" || a.Name == ExternalID):
		return 1
	case op == filter.EQ && a.Name == DisplayName:
		return 5
	case op == filter.EQ && a.Name == Members:
		return 50
	case op == filter.SW && a.Name == DisplayName:
		return 1000
	}
	return 0
}

// scannedGroups pages through the viewer's groups; with a filter it reads all
// of them, within the budget.
func (r reading) scannedGroups(v Viewer, q Query, m *filter.Matcher, page *Page[*Group]) error {
	prefix := orgKey(tableGroup, r.org)
	if v.Connection != "" {
		prefix = indexKey(r.org, indexGroupOwned).word(v.Connection).word(string(SCIM))
	}
	looked, asked := 0, askedMembers(q.Filter)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		if looked++; looked > maxScan {
			return errTooMany
		}
		page.Total++
		if m == nil && (page.Total <= q.Offset || len(page.Items) >= q.Limit) {
			continue
		}
		g, err := r.groupByID(tailID(pair.Key))
		if err != nil {
			return err
		}
		if m != nil && !m.Match(r.groupView(g, asked)) {
			page.Total--
			continue
		}
		if page.Total > q.Offset && len(page.Items) < q.Limit {
			page.Items = append(page.Items, g)
		}
	}
	return nil
}

// groupView lets a filter look at a group. Where the filter compares members
// with ids only, just those are looked up; otherwise all are read.
func (r reading) groupView(g *Group, asked []ID) groupView {
	return groupView{g, func() Value {
		ids := asked
		if ids == nil {
			ids, _ = r.tails(orgKey(tableMember, r.org).id(g.ID), maxScan)
		}
		v := make(Value, 0, len(ids))
		for _, id := range ids {
			if in, err := r.isMember(g.ID, id); in && err == nil {
				v = append(v, Element{{"value", id.String()}})
			}
		}
		return v
	}}
}

// askedMembers are the ids that a filter compares members with, nil when it
// asks anything else of them.
func askedMembers(text string) []ID {
	tree, err := filter.Parse(text)
	if err != nil {
		return nil
	}
	ids := []ID{}
	for path, term := range filter.Comparisons(tree) {
		if !strings.EqualFold(path.AttributeName, Members) {
			continue
		}
		value, _ := term.CompareValue.(string)
		if term.Operator != filter.EQ {
			return nil
		}
		if id, ok := ParseID(value); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

func (r reading) lookedUpGroups(v Viewer, q Query, m *filter.Matcher, lookups []filter.Lookup, page *Page[*Group]) error {
	asked := askedMembers(q.Filter)
	var ids []ID
	for _, l := range lookups {
		found, err := r.lookupGroups(v, l)
		if err != nil {
			return err
		}
		ids = append(ids, found...)
	}
	slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(ids) {
		g, err := r.groupByID(id)
		if err != nil {
			return err
		}
		if g == nil || !v.seesGroup(g) || !m.Match(r.groupView(g, asked)) {
			continue
		}
		if page.Total++; page.Total > q.Offset && len(page.Items) < q.Limit {
			page.Items = append(page.Items, g)
		}
	}
	return nil
}

func (r reading) lookupGroups(v Viewer, l filter.Lookup) ([]ID, error) {
	switch l.Name {
	case "id", Members:
		id, ok := ParseID(l.Value)
		if !ok {
			return nil, nil
		}
		if l.Name == "id" {
			return []ID{id}, nil
		}
		return r.tails(orgKey(tableBelongs, r.org).id(id), maxScan)
	}
	var ids []ID
	for _, src := range r.groupSources(v) {
		found, err := r.lookupOwned(src, l)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

// groupSources lists whose groups a viewer sees.
func (r reading) groupSources(v Viewer) []Source {
	if v.Connection != "" {
		return []Source{{v.Connection, SCIM}}
	}
	list := []Source{{Channel: Local}}
	if p, err := r.policy(); err == nil {
		for id := range p.connections {
			list = append(list, Source{id, SCIM}, Source{id, SSO})
		}
	}
	return list
}

func (r reading) lookupOwned(src Source, l filter.Lookup) ([]ID, error) {
	at := func(index string) key {
		return indexKey(r.org, index).word(src.Connection).word(string(src.Channel))
	}
	switch {
	case l.Name == ExternalID:
		value, err := r.Get(at(indexGroupExt).text(l.Value))
		if len(value) != 16 || err != nil {
			return nil, err
		}
		return []ID{ID(value)}, nil
	case l.Op == filter.SW:
		return r.tails(at(indexGroupName).prefix(l.Value), maxScan)
	}
	return r.tails(at(indexGroupName).text(l.Value), maxScan)
}
