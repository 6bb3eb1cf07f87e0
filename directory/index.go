package directory

import (
	"bytes"
	"slices"
)

// The indexes of users and groups. Entries are made here only, from the record
// alone, so that writing, reading and Check agree.
const (
	indexName       = "name"     // effective userName -> id; unique
	indexClaim      = "claim"    // connection, userName in its SCIM layer -> id; unique
	indexUnique     = "unique"   // attribute, value -> id; unique
	indexEmail      = "email"    // address, id -> 1 when effective and primary
	indexExternal   = "external" // connection, externalId, id
	indexLinked     = "linked"   // connection, id: users it pushed
	indexShown      = "shown"    // connection, order of the userName shown, id: where neither name nor claim has it
	indexNear       = "near"     // connection, channel, subject in near form, id, where the subject is not
	indexGrave      = "grave"    // match key, value, id of a tombstone that keeps its names
	indexBuried     = "buried"   // time, id of a tombstone
	indexSeat       = "seat"     // rule, id of a user who waits for a seat
	indexPin        = "pin"      // time, id of a user with a pin that lapses then
	indexGroupName  = "gname"    // connection, channel, folded name, id
	indexGroupExt   = "gext"     // connection, channel, externalId -> id; unique
	indexGroupOwned = "gowned"   // connection, channel, id
)

// indexEntry is one key of an index with its value. Unique entries hold the id
// of their only owner.
type indexEntry struct {
	key    key
	value  []byte
	unique string // the attribute that must be unique, "" for a plain entry
}

func indexKey(org, index string) key { return orgKey(tableIndex, org).word(index) }

// entries collects the index entries of one user; their keys share one piece
// of memory.
type entries struct {
	org  string
	list []indexEntry
	room []byte
}

func newEntries(org string) *entries {
	return &entries{org: org, list: make([]indexEntry, 0, 8), room: make([]byte, 512)}
}

// at begins a key; add ends it.
func (x *entries) at(index string) key {
	k := append(append(key(x.room[:0]), tableIndex), x.org...)
	return append(k, 0).word(index)
}

func (x *entries) add(k key, value []byte, unique string) {
	x.room = x.room[min(len(k), len(x.room)):]
	x.list = append(x.list, indexEntry{slices.Clip(k), value, unique})
}

// userIndex lists the entries of one user. A tombstone has only those that
// keep its names from strangers.
func userIndex(p *Policy, u *User) []indexEntry {
	if u.Deleted != nil {
		return graveIndex(p, u)
	}
	x := newEntries(u.Org)
	x.unique(p, u)
	for i := range u.Layers {
		l := &u.Layers[i]
		if ext, _ := l.Get(ExternalID); l.Source.Channel == SCIM && len(ext) > 0 {
			x.add(x.at(indexExternal).word(l.Source.Connection).text(ext.String()).id(u.ID), nil, "")
		}
		for _, e := range l.Entries {
			if !e.Until.IsZero() {
				x.add(x.at(indexPin).time(e.Until).id(u.ID), nil, "")
			}
		}
	}
	for _, l := range u.Links {
		if l.Channel == SCIM && u.Linked(l.Connection, SCIM) {
			x.add(x.at(indexLinked).word(l.Connection).id(u.ID), nil, "")
		}
	}
	x.shown(u)
	for _, name := range u.Queued {
		x.add(x.at(indexSeat).text(name).id(u.ID), nil, "")
	}
	x.emails(u)
	x.nears(u)
	return tidyIndex(x.list)
}

// uniqueIndex lists those entries that nobody else may have.
func uniqueIndex(p *Policy, u *User) []indexEntry {
	if u.Deleted != nil {
		return nil
	}
	x := newEntries(u.Org)
	x.unique(p, u)
	return tidyIndex(x.list)
}

func (x *entries) unique(p *Policy, u *User) {
	if name := u.Effective.Text(UserName); name != "" {
		x.add(x.at(indexName).text(NormalName(name)), u.ID[:], UserName)
	}
	for _, name := range p.unique {
		v, _ := u.Effective.Get(name)
		for _, e := range v {
			x.add(x.at(indexUnique).text(name).text(p.fold(name, e.Field("value"))), u.ID[:], name)
		}
	}
	for i := range u.Layers {
		l := &u.Layers[i]
		if name, _ := l.Get(UserName); l.Source.Channel == SCIM && len(name) > 0 {
			x.add(x.at(indexClaim).word(l.Source.Connection).text(NormalName(name.String())), u.ID[:], UserName)
		}
	}
}

// shown completes the order by userName of every viewer: a user without an
// effective name, and one whom a connection took over without naming it.
func (x *entries) shown(u *User) {
	name := u.Effective.Text(UserName)
	if name == "" {
		x.add(x.at(indexShown).word("").text(orderText(nil, "")).id(u.ID), nil, "")
	}
	for _, l := range u.Links {
		if l.Channel != SCIM || !u.Linked(l.Connection, SCIM) {
			continue
		}
		if claim, _ := u.Layer(Source{l.Connection, SCIM}).Get(UserName); len(claim) == 0 {
			x.add(x.at(indexShown).word(l.Connection).text(orderText(NormalName, name)).id(u.ID), nil, "")
		}
	}
}

// emails are all addresses that any reader may see for the user.
func (x *entries) emails(u *User) {
	effective, _ := u.Effective.Get(Emails)
	primary := NormalEmail(effective.Primary().Field("value"))
	add := func(v Value) {
		for _, e := range v {
			address := NormalEmail(e.Field("value"))
			if address == "" {
				continue
			}
			mark := []byte{0}
			if address == primary {
				mark[0] = 1
			}
			x.add(x.at(indexEmail).text(address).id(u.ID), mark, "")
		}
	}
	add(effective)
	for i := range u.Layers {
		if u.Layers[i].Source.Channel == SCIM {
			v, _ := u.Layers[i].Get(Emails)
			add(v)
		}
	}
}

// graveIndex keeps the names of a tombstone from being taken at a sign-in.
func graveIndex(p *Policy, u *User) []indexEntry {
	if u.Deleted.Erased {
		return nil
	}
	x := newEntries(u.Org)
	x.nears(u)
	list := append(x.list, indexEntry{indexKey(u.Org, indexBuried).time(u.Deleted.At).id(u.ID), nil, ""})
	if u.Yielded {
		return tidyIndex(list)
	}
	for _, name := range p.frozenNames(u.Home) {
		if v, _ := u.Effective.Get(name); len(v) > 0 {
			value := p.fold(name, v.Primary().Field("value"))
			list = append(list, indexEntry{indexKey(u.Org, indexGrave).text(name).text(value).id(u.ID), nil, ""})
		}
	}
	return tidyIndex(list)
}

// groupIndex lists the entries of one group.
func groupIndex(g *Group) []indexEntry {
	at := func(index string) key {
		return indexKey(g.Org, index).word(g.Source.Connection).word(string(g.Source.Channel))
	}
	list := []indexEntry{
		{at(indexGroupName).text(foldGroup(g.DisplayName)).id(g.ID), nil, ""},
		{at(indexGroupOwned).id(g.ID), nil, ""},
	}
	if g.ExternalID != "" {
		list = append(list, indexEntry{at(indexGroupExt).text(g.ExternalID), g.ID[:], ExternalID})
	}
	return tidyIndex(list)
}

func tidyIndex(list []indexEntry) []indexEntry {
	slices.SortFunc(list, func(a, b indexEntry) int { return bytes.Compare(a.key, b.key) })
	return slices.CompactFunc(list, func(a, b indexEntry) bool { return bytes.Equal(a.key, b.key) })
}

// indexChange compares two sorted lists: what must go and what must come.
func indexChange(before, after []indexEntry) (gone, came []indexEntry) {
	if len(before) == 0 {
		return nil, after
	}
	for len(before) > 0 || len(after) > 0 {
		switch c := compareEntries(before, after); {
		case c < 0:
			gone, before = append(gone, before[0]), before[1:]
		case c > 0:
			came, after = append(came, after[0]), after[1:]
		default:
			if !bytes.Equal(before[0].value, after[0].value) {
				came = append(came, after[0])
			}
			before, after = before[1:], after[1:]
		}
	}
	return gone, came
}

func compareEntries(a, b []indexEntry) int {
	if len(a) == 0 {
		return 1
	}
	if len(b) == 0 {
		return -1
	}
	return bytes.Compare(a[0].key, b[0].key)
}
