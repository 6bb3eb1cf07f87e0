package directory

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"muster/directory/engine"
)

// reading is one snapshot seen as records of one organisation.
type reading struct {
	engine.ReadTx
	d   *Directory
	org string
}

// writing is a transaction seen as records of one organisation.
type writing struct {
	reading
	tx    engine.WriteTx
	shard byte // of the counters it changes
}

func (d *Directory) view(ctx context.Context, org string, fn func(reading) error) error {
	return d.engine.View(ctx, func(tx engine.ReadTx) error { return fn(reading{tx, d, org}) })
}

func (d *Directory) update(ctx context.Context, org string, fn func(writing) error) error {
	shard, back := d.shards.take()
	defer back()
	return d.engine.Update(ctx, func(tx engine.WriteTx) error { return fn(writing{reading{tx, d, org}, tx, shard}) })
}

// userByID returns the record of a user, tombstones included, nil when there is none.
func (r reading) userByID(id ID) (*User, error) {
	record, err := r.Get(userKey(r.org, id))
	if record == nil || err != nil {
		return nil, err
	}
	return decodeUser(r.org, record)
}

// groupByID returns the record of a group, nil when there is none.
func (r reading) groupByID(id ID) (*Group, error) {
	record, err := r.Get(groupKey(r.org, id))
	if record == nil || err != nil {
		return nil, err
	}
	return decodeGroup(r.org, record)
}

// userAt returns the user whose id a key holds, nil when the key is absent.
func (r reading) userAt(k key) (*User, error) {
	value, err := r.Get(k)
	if len(value) != 16 || err != nil {
		return nil, err
	}
	return r.userByID(ID(value))
}

// tails yields the ids that end the keys beginning with a prefix, at most limit (negative: all).
func (r reading) tails(prefix key, limit int) ([]ID, error) {
	var ids []ID
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		if limit >= 0 && len(ids) == limit {
			break
		}
		ids = append(ids, tailID(pair.Key))
	}
	return ids, nil
}

// maxGroupDepth, maxUserGroups and maxNesting bound what one user's groups may
// cost: levels, groups of one member, and groups above or below one group. A
// membership beyond them is refused.
const (
	maxGroupDepth = 16
	maxUserGroups = 5000
	maxNesting    = 500
)

// groupPath is a group of a user with the ways into it.
type groupPath struct {
	GroupRef
	// through are the places, in the list, of the groups by which the user is in
	// this one; -1 is the user itself.
	through []int
}

// groupsOf lists the groups of a user or group: direct ones first, then those
// reached through nesting, each once.
func (r reading) groupsOf(member ID) ([]groupPath, error) {
	var refs []groupPath
	place := map[ID]int{}
	level := []int{-1}
	for depth := 0; len(level) > 0 && depth < maxGroupDepth; depth++ {
		var next []int
		for _, below := range level {
			id := member
			if below >= 0 {
				id = refs[below].ID
			}
			parents, err := r.tails(orgKey(tableBelongs, r.org).id(id), -1)
			if err != nil {
				return nil, err
			}
			for _, parent := range parents {
				at, seen := place[parent]
				if !seen {
					ref, err := r.groupRef(parent, depth > 0)
					if err != nil {
						return nil, err
					}
					at = len(refs)
					place[parent] = at
					refs, next = append(refs, groupPath{GroupRef: ref}), append(next, at)
				}
				refs[at].through = append(refs[at].through, below)
			}
		}
		level = next
	}
	return refs, nil
}

func (r reading) groupRef(id ID, indirect bool) (GroupRef, error) {
	g, err := r.groupByID(id)
	if err != nil {
		return GroupRef{}, err
	}
	if g == nil {
		return GroupRef{}, fmt.Errorf("%w: membership of a group %s that is not there", errRecord, id)
	}
	return GroupRef{g.ID, g.DisplayName, g.Source, indirect, g.Known}, nil
}

// total sums the shards of a counter.
func (r reading) total(name string) (int, error) {
	prefix := orgKey(tableCount, r.org).word(name)
	sum := int64(0)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return 0, err
		}
		sum += int64(binary.BigEndian.Uint64(pair.Value))
	}
	return int(sum), nil
}

// count adds to a counter, in a shard that no other transaction of this process
// changes at the same time and few of other processes do.
func (w writing) count(name string, by int64) error {
	k := append(orgKey(tableCount, w.org).word(name), w.shard)
	old, err := w.Get(k)
	if err != nil {
		return err
	}
	if len(old) == 8 {
		by += int64(binary.BigEndian.Uint64(old))
	}
	return w.tx.Set(k, binary.BigEndian.AppendUint64(nil, uint64(by)))
}

// Names of counters.
const (
	countUsers  = "users"   // live users
	countGroups = "groups/" // + connection: groups it pushed
	countLinked = "linked/" // + connection: live users it pushed
	countSeats  = "seats/"  // + rule: users it serves
)

// jsonAt reads a JSON record; false when there is none.
func (r reading) jsonAt(k key, into any) (bool, error) {
	record, err := r.Get(k)
	if record == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(record, into); err != nil {
		return false, fmt.Errorf("%w: %v", errRecord, err)
	}
	return true, nil
}

func (w writing) setJSON(k key, v any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.tx.Set(k, record)
}
