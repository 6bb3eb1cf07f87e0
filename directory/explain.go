package directory

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Explanation says why a user is as it is.
type Explanation struct {
	User       ID               `json:"user"`
	Home       string           `json:"home,omitempty"`
	State      string           `json:"state"`         // active, locked, deleted, erased
	Into       ID               `json:"into,omitzero"` // who a deleted user was merged into, NoID for nobody
	Attributes []AttributeStory `json:"attributes"`
	Locks      []LockStory      `json:"locks,omitempty"`
	Groups     []GroupRef       `json:"groups,omitempty"`
	// Edges are the memberships that lead to Groups, one for each of them.
	Edges []GroupEdge `json:"edges"`
	Links []Link      `json:"links,omitempty"`
	// Denied names the rule that refuses sign-in, "" when none does.
	Denied string `json:"denied,omitempty"`
}

// GroupEdge is how a user is in a group.
type GroupEdge struct {
	Group GroupRef
	// Direct: the user itself is a member. Through are the user's groups that are
	// members.
	Direct  bool
	Through []ID
	// Counts says whether rules and applications see it, Note why not.
	Counts bool
	Note   string
}

// AttributeStory is one attribute with every word said about it.
type AttributeStory struct {
	Name  string `json:"name"`
	Value Value  `json:"value"` // the effective value
	Told  []Word `json:"told"`
}

// Word is what one layer says about one attribute.
type Word struct {
	Source Source `json:"source"`
	Value  Value  `json:"value"`
	Stamp  Stamp  `json:"stamp,omitzero"`
	Wins   bool   `json:"wins,omitempty"` // it is, or is part of, the effective value
	Rule   string `json:"rule,omitempty"` // "rule NAME" or "rules[n]", for the rule layer
	Note   string `json:"note,omitempty"` // why it does not count, when it does not
	// Reason and Until belong to pins.
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// LockStory is one lock on the user, or on one connection's link.
type LockStory struct {
	Source Source `json:"source"`
	Stamp  Stamp  `json:"stamp"`
	// LinkOnly: the connection is not home, so only its own link is locked.
	LinkOnly bool `json:"linkOnly,omitempty"`
	// Lifted is when an administrator set the lock aside; it holds while that is
	// zero.
	Lifted Stamp `json:"lifted"`
}

// Holds says whether the lock is in force.
func (l LockStory) Holds() bool { return l.Lifted.At.IsZero() }

// Explain says, from one snapshot, which source gave each value, when, and
// what it beat.
func (d *Directory) Explain(ctx context.Context, org string, id ID) (x *Explanation, err error) {
	err = d.view(ctx, org, func(r reading) error {
		p, err := r.policy()
		if err != nil {
			return err
		}
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if u == nil {
			return ErrNotFound
		}
		groups, err := r.groupsOf(id)
		if err != nil {
			return err
		}
		s := standing{p, u, groupsThatCount(p, u, groups)}
		x = s.story()
		for _, g := range groups {
			x.Groups = append(x.Groups, g.GroupRef)
			x.Edges = append(x.Edges, s.edge(g, groups))
		}
		return nil
	})
	return x, err
}

// edge tells how the user is in a group, and whether that counts.
func (s standing) edge(g groupPath, all []groupPath) GroupEdge {
	e := GroupEdge{Group: g.GroupRef, Direct: !g.Indirect, Counts: slices.ContainsFunc(s.groups, func(x GroupRef) bool { return x.ID == g.ID })}
	for _, below := range g.through {
		if below >= 0 {
			e.Through = append(e.Through, all[below].ID)
		}
	}
	c := s.policy.connections[g.Source.Connection]
	switch {
	case e.Counts:
	case c != nil && !c.groupsCount(g.Source.Channel):
		e.Note = fmt.Sprintf("groups of connection %s count by %s", c.ID, c.GroupsSource())
	case !s.user.open(g.Source):
		e.Note = "the connection closed its link"
	default:
		e.Note = "it is reached through groups that do not count"
	}
	return e
}

// story tells of every attribute who said what, and who won.
func (s standing) story() *Explanation {
	r := resolve(s)
	x := &Explanation{User: s.user.ID, Home: s.user.Home, State: s.user.state(), Links: slices.Clone(s.user.Links), Locks: s.user.locks()}
	if s.user.Deleted != nil {
		x.Into = s.user.Deleted.Into
	}
	if r.denied > 0 {
		x.Denied = s.policy.ruleName(r.denied)
	}
	for _, name := range s.names(r.ruled) {
		effective, _ := r.attributes.Get(name)
		x.Attributes = append(x.Attributes, AttributeStory{Name: name, Value: effective, Told: s.told(name, effective, r.ruled)})
	}
	return x
}

func (u *User) state() string {
	switch {
	case u.Deleted != nil && u.Deleted.Erased:
		return "erased"
	case u.Deleted != nil:
		return "deleted"
	case u.Locked():
		return "locked"
	}
	return "active"
}

func (u *User) locks() []LockStory {
	var list []LockStory
	for i := range u.Layers {
		if l := &u.Layers[i]; !l.Locked.At.IsZero() {
			list = append(list, LockStory{l.Source, l.Locked, l.Source.Connection != "" && l.Source.Connection != u.Home, l.Lifted})
		}
	}
	return list
}

// told lists every word on an attribute in the order of precedence, and marks
// those that make the effective value.
func (s standing) told(name string, effective Value, rules []ruled) []Word {
	var list []Word
	won := false
	order := s.policy.order(name)
	for _, ch := range order {
		for _, w := range s.words(ch, name, rules) {
			w.Wins, w.Note = s.judge(w, effective, &won, name)
			list = append(list, w)
		}
	}
	for i := range s.user.Layers {
		l := &s.user.Layers[i]
		if v, ok := l.Get(name); ok && !slices.Contains(order, l.Source.Channel) {
			list = append(list, Word{Source: l.Source, Value: v, Note: "this source does not supply the attribute"})
		}
	}
	return list
}

// words are what the layers of a channel say, the home connection's first.
func (s standing) words(ch Channel, name string, rules []ruled) []Word {
	if ch == ByRule {
		for _, r := range rules {
			if r.Name == name {
				return []Word{{Source: Source{Channel: ByRule}, Value: r.Value, Rule: s.policy.ruleName(r.rule)}}
			}
		}
		return nil
	}
	var list []Word
	for i := range s.user.Layers {
		l := &s.user.Layers[i]
		if j, ok := l.index(name); ok && l.Source.Channel == ch {
			list = append(list, Word{Source: l.Source, Value: l.Entries[j].Value, Stamp: l.Entries[j].Stamp,
				Reason: l.Entries[j].Reason, Until: l.Entries[j].Until})
		}
	}
	slices.SortStableFunc(list, func(a, b Word) int {
		switch {
		case a.Source.Connection == s.user.Home && b.Source.Connection != s.user.Home:
			return -1
		case b.Source.Connection == s.user.Home && a.Source.Connection != s.user.Home:
			return 1
		}
		return 0
	})
	return list
}

// judge says whether a word counts, and if not why.
func (s standing) judge(w Word, effective Value, won *bool, name string) (bool, string) {
	src := w.Source
	if !s.user.open(src) {
		return false, "the connection closed its link"
	}
	if len(s.admissible(name, src.Channel, w.Value)) == 0 {
		return false, "a connection grants no protected role"
	}
	if s.policy.unites(name) {
		wins := slices.ContainsFunc(w.Value, func(e Element) bool {
			return slices.ContainsFunc(effective, func(x Element) bool { return sameElement(x, e, "") })
		})
		if !wins {
			return false, "a higher source has these elements"
		}
		return true, ""
	}
	switch {
	case slices.Contains(s.user.Held, name) && !w.Value.Equal(effective) && !*won:
		return false, "the value belongs to somebody else, so the earlier one stays; a case waits"

	case src.Connection != "" && src.Connection != s.user.Home:
		return false, "not the user's home connection"
	case *won:
		return false, "a higher source has a value"
	case !w.Value.Equal(effective):
		return false, "identifiers are frozen while the user is locked"
	}
	*won = true
	return true, ""
}
