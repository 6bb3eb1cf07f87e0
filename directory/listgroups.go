package directory

import (
	"iter"
	"strings"

	"muster/directory/filter"
)

// groupKind is groups as a search goes through them.
type groupKind struct{ *search }

func (groupKind) resource() Resource { return GroupResource }

func (groupKind) schema() filter.Schema { return groupSchema{} }

func (groupKind) cost() filter.Cost { return groupCost }

// groupCost says which lookups the indexes serve.
func groupCost(a filter.Attribute, op filter.CompareOperator) int {
	value := a.Name == Members && a.Sub == "value"
	switch {
	case op == filter.EQ && (a.Name == "id" || a.Name == ExternalID):
		return 1
	case op == filter.EQ && a.Name == DisplayName:
		return 5
	case op == filter.EQ && value:
		return 50
	case op == filter.SW && (a.Name == DisplayName || a.Name == ExternalID):
		return 1000
	case op == filter.SW && a.Name == "id":
		return 2000
	case op == filter.SW && value:
		return 5000
	}
	return 0
}

// total sums the counters of the sources whose groups the viewer sees.
func (k groupKind) total() (int, error) {
	if k.v.Connection != "" {
		return k.search.total(countGroups + Source{k.v.Connection, SCIM}.String())
	}
	sum := 0
	for _, src := range k.sources() {
		n, err := k.search.total(countGroups + src.String())
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// ids are the connection's own groups, or all.
func (k groupKind) ids(after ID) iter.Seq2[ID, error] {
	prefix := orgKey(tableGroup, k.org)
	if k.v.Connection != "" {
		prefix = indexKey(k.org, indexGroupOwned).word(k.v.Connection).word(string(SCIM))
	}
	return func(yield func(ID, error) bool) {
		for pair, err := range k.Scan(prefix.clone().id(after), prefix.end()) {
			if err != nil {
				yield(NoID, err)
				return
			}
			if id := tailID(pair.Key); id != after && !yield(id, nil) {
				return
			}
		}
	}
}

func (k groupKind) ranked(attribute string) (runs []run) {
	if attribute != DisplayName {
		return nil
	}
	for _, src := range k.sources() {
		runs = append(runs, run{k.index(indexGroupName, src), present})
	}
	return runs
}

// index is the part of an index that is about the groups of one source.
func (k groupKind) index(name string, src Source) key {
	return indexKey(k.org, name).word(src.Connection).word(string(src.Channel))
}

// sources lists whose groups the viewer sees.
func (k groupKind) sources() []Source {
	if k.v.Connection != "" {
		return []Source{{k.v.Connection, SCIM}}
	}
	list := []Source{{Channel: Local}}
	for id := range k.p.connections {
		list = append(list, Source{id, SCIM}, Source{id, SSO})
	}
	return list
}

func (k groupKind) lookup(l filter.Lookup) ([]ID, error) {
	switch {
	case l.Name == "id" && l.Op == filter.SW:
		return k.inRange(tableGroup, l.Value)
	case l.Name == "id":
		return parsedID(l.Value), nil
	case l.Name == Members && l.Op == filter.SW:
		return k.inRange(tableBelongs, l.Value)
	case l.Name == Members:
		var ids []ID
		for _, member := range parsedID(l.Value) {
			found, err := k.scanned(orgKey(tableBelongs, k.org).id(member))
			if err != nil {
				return nil, err
			}
			ids = append(ids, found...)
		}
		return ids, nil
	}
	index := indexGroupName
	if l.Name == ExternalID {
		index = indexGroupExt
	}
	var ids []ID
	for _, src := range k.sources() {
		found, err := k.scanned(at(l, k.index(index, src)))
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

// judge puts a group to the filter.
func (k groupKind) judge(t task, id ID) (*candidate, error) {
	if err := k.pay(t.readCost()); err != nil {
		return nil, err
	}
	g, err := k.groupByID(id)
	if err != nil || g == nil || !k.v.seesGroup(g) {
		return nil, err
	}
	looks := &groupView{Group: g, read: func() (Value, error) { return k.members(g.ID, t.asks) }}
	matches := t.match == nil || t.match.Match(looks)
	if looks.fault != nil || !matches {
		return nil, looks.fault
	}
	return &candidate{looks, len(g.DisplayName), func() (Found, error) { return Found{Group: g}, nil }}, nil
}

// asked is what a filter wants to know of the members of a group. As any
// element may satisfy a term, it need not see them all: for eq it is enough to
// look the value up, for pr to see one member, and for ne to see one more than
// there are values.
type asked struct {
	ids   []ID
	first int
	all   bool
	kinds bool // whether members are users or groups
}

func askedMembers(text string) asked {
	tree, err := filter.Parse(text)
	if err != nil {
		return asked{}
	}
	var a asked
	for path, term := range filter.Comparisons(tree) {
		if !strings.EqualFold(path.AttributeName, Members) {
			continue
		}
		if sub := path.SubAttributeName(); sub != "" && !strings.EqualFold(sub, "value") {
			a.all, a.kinds = true, true
			continue
		}
		value, _ := term.CompareValue.(string)
		if id, ok := ParseID(value); ok {
			a.ids = append(a.ids, id)
		}
		switch term.Operator {
		case filter.EQ:
			if term.CompareValue == nil {
				a.first = max(a.first, 1)
			}
		case filter.PR, filter.NE:
			a.first = max(a.first, 1)
		default:
			a.all = true
		}
	}
	if a.first > 0 {
		a.first += len(a.ids)
	}
	return a
}

// members reads what was asked of a group's members.
func (k groupKind) members(group ID, a asked) (Value, error) {
	var v Value
	add := func(id ID) error {
		e := Element{{"value", id.String()}}
		if !a.kinds {
			v = append(v, e)
			return nil
		}
		nested, err := k.Get(groupKey(k.org, id))
		kind := UserResource
		if nested != nil {
			kind = GroupResource
		}
		v = append(v, NewElement(e[0], Field{"type", kind.String()}))
		return err
	}
	if !a.all {
		for _, id := range a.ids {
			in, err := k.isMember(group, id)
			if in && err == nil {
				err = add(id)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if !a.all && a.first == 0 {
		return v, nil
	}
	prefix := orgKey(tableMember, k.org).id(group)
	for pair, err := range k.Scan(prefix, prefix.end()) {
		if err == nil {
			err = k.pay(keepCost)
		}
		if err == nil {
			err = add(tailID(pair.Key))
		}
		if err != nil || !a.all && len(v) >= a.first+len(a.ids) {
			return v, err
		}
	}
	return v, nil
}

// groupView is a group as filters and orders see it.
type groupView struct {
	*Group
	read  func() (Value, error)
	fault error // of reading the members
}

// Elements implements filter.Resource.
func (g *groupView) Elements(_, name string) filter.Elements {
	switch name {
	case "id":
		return valueElements{Text(g.ID.String())}
	case DisplayName:
		return valueElements{Text(g.DisplayName)}
	case ExternalID:
		return valueElements{Text(g.Group.ExternalID)}
	case "schemas":
		return valueElements{Texts(groupURN)}
	case "meta":
		return valueElements{Value{NewElement(Field{"created", instant(g.Created)}, Field{"lastModified", instant(g.Modified)},
			Field{"resourceType", GroupResource.String()}, Field{"version", `W/"` + g.Version() + `"`})}}
	case Members:
		v, err := g.read()
		if err != nil && g.fault == nil {
			g.fault = err
		}
		return valueElements{v}
	}
	return nil
}

// groupURN is the schema of groups.
const groupURN = "urn:ietf:params:scim:schemas:core:2.0:Group"

// groupSchema resolves the names of a filter over groups.
type groupSchema struct{}

// Attribute implements filter.Schema.
func (groupSchema) Attribute(uri, name, sub string) (filter.Attribute, bool) {
	if uri != "" && !strings.EqualFold(uri, groupURN) {
		return filter.Attribute{}, false
	}
	if a, ok := metaAttribute("", name, sub); ok {
		return a, true
	}
	switch strings.ToLower(name) {
	case "displayname":
		return filter.Attribute{Name: DisplayName, Fold: foldGroup}, sub == ""
	case "externalid":
		return filter.Attribute{Name: ExternalID, CaseExact: true}, sub == ""
	case "schemas":
		return filter.Attribute{Name: "schemas", Kind: filter.KindReference}, sub == ""
	case "members":
		switch strings.ToLower(sub) {
		case "", "value":
			return filter.Attribute{Name: Members, Sub: "value", Fold: strings.ToLower}, true
		case "type":
			return filter.Attribute{Name: Members, Sub: "type"}, true
		}
	}
	return filter.Attribute{}, false
}

// foldGroup is how filters compare display names, which SCIM says differ not by case.
func foldGroup(s string) string { return filter.Fold(NormalGroup(s)) }
