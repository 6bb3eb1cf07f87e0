package directory

import (
	"iter"

	"muster/directory/filter"
)

// userKind is users as a search goes through them.
type userKind struct{ *search }

func (userKind) resource() Resource { return UserResource }

func (k userKind) schema() filter.Schema { return k.p.users }

func (k userKind) cost() filter.Cost { return userCost(k.p) }

func (k userKind) total() (int, error) {
	if k.v.Connection != "" {
		return k.search.total(countLinked + k.v.Connection)
	}
	return k.search.total(countUsers)
}

// ids are the connection's own users, or everybody who is no tombstone.
func (k userKind) ids(after ID) iter.Seq2[ID, error] {
	prefix := orgKey(tableUser, k.org)
	if k.v.Connection != "" {
		prefix = indexKey(k.org, indexLinked).word(k.v.Connection)
	}
	return func(yield func(ID, error) bool) {
		for pair, err := range k.Scan(prefix.clone().id(after), prefix.end()) {
			if err != nil {
				yield(NoID, err)
				return
			}
			id := tailID(pair.Key)
			if id == after {
				continue
			}
			if k.v.Connection == "" && isTombstone(pair.Value) {
				if err := k.pay(passCost); err != nil {
					yield(NoID, err)
					return
				}
				continue
			}
			if !yield(id, nil) {
				return
			}
		}
	}
}

// ranked: the names, and whom they leave out.
func (k userKind) ranked(attribute string) []run {
	if attribute != UserName {
		return nil
	}
	names := indexKey(k.org, indexName)
	if k.v.Connection != "" {
		names = indexKey(k.org, indexClaim).word(k.v.Connection)
	}
	return []run{{names, present}, {indexKey(k.org, indexShown).word(k.v.Connection), ""}}
}

// judge puts a user to the filter. One that a scan comes upon is the viewer's
// own; an index also finds those whom a create would collide with.
func (k userKind) judge(t task, id ID) (*candidate, error) {
	if err := k.pay(t.readCost()); err != nil {
		return nil, err
	}
	u, err := k.userByID(id)
	if err != nil || u == nil || u.Deleted != nil || t.planned && !k.reachable(t, u) {
		return nil, err
	}
	if err := k.pay(len(u.stored) / readSize * t.readCost()); err != nil {
		return nil, err
	}
	item, err := k.profile(k.p, u, k.v, t.lean || t.match == nil && k.q.SkipGroups)
	if err == nil {
		err = k.pay(keepCost * len(item.Groups))
	}
	if err != nil || !k.matches(t, u, item) {
		return nil, err
	}
	return &candidate{seen{item, k.p}, len(u.stored), func() (Found, error) { return k.shown(t, u, item) }}, nil
}

// reachable says whether the viewer may find the user by an index.
func (k userKind) reachable(t task, u *User) bool {
	if u.closedTo(k.v.Connection) || u.hiddenFrom(k.p, k.v.Connection, t.lookups) {
		return false
	}
	return k.v.Connection == "" || u.Linked(k.v.Connection, SCIM) || t.exact
}

func (k userKind) matches(t task, u *User, item *Profile) bool {
	if t.match == nil || t.match.Match(seen{item, k.p}) {
		return true
	}
	return t.planned && t.exact && k.v.Connection != "" && t.match.Match(seen{k.colliding(k.p, u, k.v), k.p})
}

// shown completes what the filter did not need and leaves out what the reader
// does not show.
func (k userKind) shown(t task, u *User, item *Profile) (Found, error) {
	switch {
	case k.q.SkipGroups:
		item.Groups = nil
	case t.lean:
		whole, err := k.profile(k.p, u, k.v, false)
		return Found{User: whole}, err
	}
	return Found{User: item}, nil
}
