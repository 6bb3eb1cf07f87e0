package directory

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// Problem is one broken invariant that Check found.
type Problem struct {
	Org    string
	What   string // the record at fault, in words
	Detail string
}

// Check reads the whole directory and lists every broken invariant: indexes,
// links and counters that disagree with the records, memberships known from one
// side only, a name held twice, effective values that are not what the layers
// resolve to, gaps in the events.
func (d *Directory) Check(ctx context.Context) ([]Problem, error) {
	orgs, err := d.Orgs(ctx)
	if err != nil {
		return nil, err
	}
	var problems []Problem
	for _, org := range orgs {
		err := d.view(ctx, org, func(r reading) error {
			c := &checking{reading: r, counts: map[string]int{}}
			if err := c.run(); err != nil {
				return err
			}
			problems = append(problems, c.problems...)
			return nil
		})
		if err != nil {
			return problems, fmt.Errorf("organisation %s: %w", org, err)
		}
	}
	return problems, nil
}

// checking is one pass over one organisation.
type checking struct {
	reading
	policy   *Policy
	pending  bool
	indexed  int            // entries that the records call for
	counts   map[string]int // what the counters should say
	problems []Problem
}

func (c *checking) bad(what, format string, args ...any) {
	c.problems = append(c.problems, Problem{c.org, what, fmt.Sprintf(format, args...)})
}

func (c *checking) run() (err error) {
	if c.policy, err = c.reading.policy(); err != nil {
		return err
	}
	c.pending = c.jobsPending()
	for _, step := range []func() error{c.users, c.groupsAndMembers, c.wayBack, c.indexes, c.cases, c.totals, c.sequence} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// each calls fn for every pair of a table of the organisation.
func (c *checking) each(table byte, fn func(k, v []byte) error) error {
	prefix := orgKey(table, c.org)
	for pair, err := range c.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		if err := fn(pair.Key, pair.Value); err != nil {
			return err
		}
	}
	return nil
}

func (c *checking) users() error {
	return c.each(tableUser, func(k, v []byte) error {
		u, err := decodeUser(c.org, v)
		if err != nil {
			c.bad("user "+tailID(k).String(), "%v", err)
			return nil
		}
		what := "user " + u.ID.String()
		if u.ID != tailID(k) {
			c.bad(what, "stands under another id, %s", tailID(k))
		}
		if err := c.entries(what, userIndex(c.policy, u)); err != nil {
			return err
		}
		if err := c.links(what, u); err != nil {
			return err
		}
		if u.Deleted != nil {
			return c.buried(what, u)
		}
		c.counts[countUsers]++
		for _, name := range u.Seats {
			c.counts[countSeats+name]++
		}
		for _, l := range u.Links {
			if l.Channel == SCIM && l.State != LinkMoved && u.Linked(l.Connection, SCIM) {
				c.counts[countLinked+l.Connection]++
			}
		}
		return c.effective(what, u)
	})
}

// entries says which index entries of a record are missing or differ.
func (c *checking) entries(what string, list []indexEntry) error {
	c.indexed += len(list)
	for _, e := range list {
		v, err := c.Get(e.key)
		if err != nil {
			return err
		}
		if v == nil || !bytes.Equal(v, e.value) {
			c.bad(what, "index entry %q is missing or belongs to somebody else", []byte(e.key))
		}
	}
	return nil
}

func (c *checking) links(what string, u *User) error {
	for _, l := range u.Links {
		if l.Subject == "" {
			continue
		}
		v, err := c.Get(linkKey(c.org, &l))
		if err != nil {
			return err
		}
		if !bytes.Equal(v, u.ID[:]) {
			c.bad(what, "its link %s %s %q names somebody else or nobody", l.Connection, l.Channel, l.Subject)
		}
		if c.policy.Connection(l.Connection) == nil {
			c.bad(what, "is linked to connection %s, which is not there", l.Connection)
		}
	}
	return nil
}

func (c *checking) buried(what string, u *User) error {
	groups, err := c.tails(orgKey(tableBelongs, c.org).id(u.ID), 1)
	if len(groups) > 0 {
		c.bad(what, "is deleted and still in group %s", groups[0])
	}
	return err
}

// effective holds the stored view against what the layers resolve to.
func (c *checking) effective(what string, u *User) error {
	if c.pending || u.Generation != c.policy.Generation {
		return nil
	}
	groups, err := c.groupsOf(u.ID)
	if err != nil {
		return err
	}
	r := resolve(standing{c.policy, u, groupsThatCount(c.policy, u, groups)})
	if !slices.Equal(r.seats, u.Seats) || !slices.Equal(r.wants, u.Queued) {
		c.bad(what, "it holds seats %v and waits for %v, by its layers %v and %v", u.Seats, u.Queued, r.seats, r.wants)
	}
	if !r.attributes.Equal(u.Effective) || r.denied != u.Denied {
		c.bad(what, "its effective values are not what its layers resolve to")
	}
	return nil
}

func (c *checking) groupsAndMembers() error {
	err := c.each(tableGroup, func(k, v []byte) error {
		g, err := decodeGroup(c.org, v)
		if err != nil {
			c.bad("group "+tailID(k).String(), "%v", err)
			return nil
		}
		c.counts[countGroups+g.Source.String()]++
		return c.entries("group "+g.ID.String(), groupIndex(g))
	})
	if err != nil {
		return err
	}
	return c.each(tableMember, func(k, _ []byte) error {
		group, member := ID(k[len(k)-32:len(k)-16]), tailID(k)
		return c.membership(group, member)
	})
}

// membership holds one membership against both ends and the way back.
func (c *checking) membership(group, member ID) error {
	what := fmt.Sprintf("member %s of group %s", member, group)
	for _, k := range []key{groupKey(c.org, group), belongsKey(c.org, member, group)} {
		v, err := c.Get(k)
		if err != nil {
			return err
		}
		if v == nil {
			c.bad(what, "the group or the way back is missing")
		}
	}
	u, err := c.Get(userKey(c.org, member))
	if err != nil {
		return err
	}
	g, err := c.Get(groupKey(c.org, member))
	if u == nil && g == nil {
		c.bad(what, "the member is neither user nor group")
	}
	return err
}

func (c *checking) wayBack() error {
	return c.each(tableBelongs, func(k, _ []byte) error {
		member, group := ID(k[len(k)-32:len(k)-16]), tailID(k)
		v, err := c.Get(memberKey(c.org, group, member))
		if v == nil && err == nil {
			c.bad(fmt.Sprintf("group %s of member %s", group, member), "the membership is missing")
		}
		return err
	})
}

// indexes finds entries that no record calls for. Values of attributes that
// once were unique may stay: they are never believed without the record.
func (c *checking) indexes() error {
	extra := -c.indexed
	unique := indexKey(c.org, indexUnique)
	err := c.each(tableIndex, func(k, _ []byte) error {
		if !bytes.HasPrefix(k, unique) {
			extra++
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.each(tableUser, func(_, v []byte) error {
		u, err := decodeUser(c.org, v)
		if err != nil {
			return nil
		}
		for _, e := range userIndex(c.policy, u) {
			if bytes.HasPrefix(e.key, unique) {
				extra++
			}
		}
		return nil
	})
	if extra > 0 {
		c.bad("index", "%d entries belong to no record", extra)
	}
	return err
}

func (c *checking) totals() error {
	told := map[string]int{}
	err := c.each(tableCount, func(k, v []byte) error {
		name, _, _ := bytes.Cut(k[len(orgKey(tableCount, c.org)):], []byte{0})
		told[string(name)] += int(int64(binary.BigEndian.Uint64(v)))
		return nil
	})
	for name, n := range c.counts {
		if told[name] != n {
			c.bad("counter "+name, "says %d, there are %d", told[name], n)
		}
		delete(told, name)
	}
	for name, n := range told {
		if n != 0 {
			c.bad("counter "+name, "says %d, there are none", n)
		}
	}
	return err
}

// sequence finds gaps in the events.
func (c *checking) sequence() error {
	next := uint64(1)
	err := c.each(tableEvent, func(k, _ []byte) error {
		if seq := binary.BigEndian.Uint64(k[len(k)-8:]); seq != next {
			c.bad("events", "number %d follows %d", seq, next-1)
			next = seq
		}
		next++
		return nil
	})
	if err != nil {
		return err
	}
	last, err := c.Get(orgKey(tableSequence, c.org))
	if len(last) == 8 && binary.BigEndian.Uint64(last) != next-1 {
		c.bad("events", "the last number is %d, the last event %d", binary.BigEndian.Uint64(last), next-1)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return bytes.Compare([]byte(a.What), []byte(b.What)) })
	return err
}
