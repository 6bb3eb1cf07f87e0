package directory

import (
	"slices"
	"strings"
	"time"
)

// Source is who a layer belongs to: one channel of one connection, or the
// organisation's administrators (Local and Pin, without a connection).
type Source struct {
	Connection string  `json:"connection,omitempty"`
	Channel    Channel `json:"channel"`
}

// String is "scim/acme-okta" or "pin".
func (s Source) String() string {
	if s.Connection == "" {
		return string(s.Channel)
	}
	return string(s.Channel) + "/" + s.Connection
}

// Stamp is when and in which request something was said, and by whom.
type Stamp struct {
	At      time.Time `json:"at,omitzero"`
	Actor   string    `json:"actor,omitempty"`   // the token's or administrator's name, "" when the connection itself
	Request string    `json:"request,omitempty"` // correlation id
}

// Layer is what one source last said about one user. No other source writes it.
type Layer struct {
	Source  Source
	Entries []Entry // sorted by name, none of them empty
	// Locked is when and how this source locked the user, zero when it did not.
	Locked Stamp
	// Lifted is when an administrator set that lock aside; it stays aside until
	// the source unlocks and locks again.
	Lifted Stamp
	// AssertedAt is when the identity provider made the newest assertion applied.
	AssertedAt time.Time
	// Created and Modified are this layer's own; what SCIM shows as meta.
	Created, Modified time.Time
}

// Entry is one attribute in a layer.
type Entry struct {
	Name  string
	Value Value
	Stamp Stamp
	// Reason and Until belong to pins: why, and when the pin lapses (zero: never).
	Reason string
	Until  time.Time
}

func (l *Layer) index(name string) (int, bool) {
	return slices.BinarySearchFunc(l.Entries, name, func(e Entry, n string) int { return strings.Compare(e.Name, n) })
}

// Get returns the layer's value of an attribute; false when it says nothing.
func (l *Layer) Get(name string) (Value, bool) {
	if l == nil {
		return nil, false
	}
	if i, ok := l.index(name); ok {
		return l.Entries[i].Value, true
	}
	return nil, false
}

// set writes one entry, keeping the stamp of an equal value; EMPTY removes it.
func (l *Layer) set(e Entry) {
	i, ok := l.index(e.Name)
	switch {
	case len(e.Value) == 0 && ok:
		l.Entries = slices.Delete(slices.Clone(l.Entries), i, i+1)
	case len(e.Value) == 0:
	case !ok:
		l.Entries = slices.Insert(slices.Clone(l.Entries), i, e)
	case !l.Entries[i].same(&e):
		l.Entries = slices.Clone(l.Entries)
		l.Entries[i] = e
	}
}

// say writes what a source says in one pass: VALUE sets, EMPTY clears, and what
// it does not mention stays or goes. An equal value keeps its stamp; "active"
// is no entry.
func (l *Layer) say(a Attributes, unmentioned Absent, entry func(Attribute) Entry) {
	size := len(a)
	if unmentioned == Keep {
		size += len(l.Entries)
	}
	now := make([]Entry, 0, size)
	old := l.Entries
	for _, x := range a {
		for len(old) > 0 && old[0].Name < x.Name {
			if unmentioned == Keep {
				now = append(now, old[0])
			}
			old = old[1:]
		}
		var before *Entry
		if len(old) > 0 && old[0].Name == x.Name {
			before, old = &old[0], old[1:]
		}
		if x.Name == Active || len(x.Value) == 0 {
			continue
		}
		e := entry(x)
		if before != nil && before.same(&e) {
			e = *before
		}
		now = append(now, e)
	}
	if unmentioned == Keep {
		now = append(now, old...)
	}
	l.Entries = now
}

// same holds when both say the same, whenever they said it.
func (e *Entry) same(o *Entry) bool {
	return e.Value.Equal(o.Value) && e.Reason == o.Reason && e.Until.Equal(o.Until)
}

// attributes are the layer's entries without their stamps.
func (l *Layer) attributes() Attributes {
	if l == nil {
		return nil
	}
	list := make(Attributes, len(l.Entries), len(l.Entries)+2)
	for i, e := range l.Entries {
		list[i] = Attribute{e.Name, e.Value}
	}
	return list
}

// holds says whether the layer's lock is in force.
func (l *Layer) holds() bool { return !l.Locked.At.IsZero() && l.Lifted.At.IsZero() }

// equal holds when both say the same, whenever they said it.
func (l *Layer) equal(o *Layer) bool {
	return l.Locked.At.IsZero() == o.Locked.At.IsZero() && l.Lifted.At.IsZero() == o.Lifted.At.IsZero() &&
		slices.EqualFunc(l.Entries, o.Entries, func(a, b Entry) bool {
			return a.Name == b.Name && a.same(&b)
		})
}

// Layer returns the user's layer of a source, nil when that source said nothing.
func (u *User) Layer(s Source) *Layer {
	for i := range u.Layers {
		if u.Layers[i].Source == s {
			return &u.Layers[i]
		}
	}
	return nil
}

// layer returns the layer of a source, making it when it is missing.
func (u *User) layer(s Source) *Layer {
	if l := u.Layer(s); l != nil {
		return l
	}
	u.Layers = append(u.Layers, Layer{Source: s})
	return &u.Layers[len(u.Layers)-1]
}

// dropLayer forgets what a source said.
func (u *User) dropLayer(s Source) {
	u.Layers = slices.DeleteFunc(u.Layers, func(l Layer) bool { return l.Source == s })
}
