package directory

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Telling is one event as a person reads it.
type Telling struct {
	Event Event
	// Text is one sentence: what happened, who did it and when.
	Text string
	// Details are the changes, one sentence each.
	Details []string
}

// Story tells what happened to one user or group, newest first: at most limit
// events before a number (0: from the end). The next page begins before the
// last number of this one.
func (d *Directory) Story(ctx context.Context, org string, id ID, before uint64, limit int) (list []Telling, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return nil, err
	}
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		events, err := r.history(id, before, limit)
		for _, e := range events {
			list = append(list, e.tell())
		}
		return err
	})
	return list, err
}

// history are the newest events about a user or group before a number, newest
// first.
func (r reading) history(id ID, before uint64, limit int) (list []Event, err error) {
	if limit <= 0 {
		return nil, nil
	}
	prefix := orgKey(tableHistory, r.org).id(id)
	from := prefix
	if before > 0 {
		from = historyKey(r.org, id, before-1)
	}
	for pair, err := range r.Scan(from, prefix.end()) {
		if err != nil {
			return nil, err
		}
		seq := ^binary.BigEndian.Uint64(pair.Key[len(prefix):])
		k := orgKey(tableEvent, r.org).number(seq)
		record, err := r.Get(k)
		if err != nil {
			return nil, err
		}
		e, err := r.event(k, record)
		if err != nil {
			return nil, err
		}
		if list = append(list, e); len(list) == limit {
			break
		}
	}
	return list, nil
}

// whatHappened begins the sentence of each kind of event.
var whatHappened = map[EventType]string{
	UserCreated: "Created", UserUpdated: "Changed", UserAdopted: "Linked", UserLocked: "Locked", UserUnlocked: "Unlocked",
	UserDeleted: "Deleted", UserRestored: "Restored", UserErased: "Personal data erased",
	UserMerged: "Another user became this one, merged", UserUnmerged: "Parted from a user merged into it",
	UserReleased: "Released from its connection, its values kept,", UserMoved: "Moved to another connection",
	GroupCreated: "Group created", GroupUpdated: "Group changed", GroupDeleted: "Group deleted",
	GroupReleased: "Group released from its connection", CaseOpened: "A conflict waits for an administrator, opened",
	CaseResolved: "A conflict was decided", CaseClosed: "A conflict's cause was removed",
	ConfigSet: "Configuration changed", GuardAlert: "Guard tripped", GuardOpened: "Guard set", TaskDone: "Task finished, ordered",
}

func (e *Event) tell() Telling {
	t := Telling{Event: *e, Text: fmt.Sprintf("%s by %s at %s", cmp.Or(whatHappened[e.Type], string(e.Type)), e.Source.who(), moment(e.Time))}
	for _, c := range e.Changes {
		t.Details = append(t.Details, c.tell())
	}
	return t
}

// who names a source: "okta (SCIM)", "okta (sign-in)", "administrator jane".
func (s EventSource) who() string {
	switch {
	case s.Connection != "":
		return s.Connection + " (" + s.Channel.spoken() + ")"
	case s.Channel == ByRule, s.Actor == "muster":
		return "muster"
	case s.Actor == "":
		return "an administrator"
	}
	return "administrator " + s.Actor
}

// spoken is what people call a channel.
func (ch Channel) spoken() string {
	switch ch {
	case SCIM:
		return "SCIM"
	case SSO:
		return "sign-in"
	case ByRule:
		return "a rule"
	case Pin:
		return "a pin"
	case Local:
		return "an administrator's edit"
	}
	return string(ch)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// tell is one change as a sentence.
func (c *AttributeChange) tell() string {
	name := c.Attribute
	switch {
	case name == Members:
		return fmt.Sprintf("members: %d came, %d left", len(c.After), len(c.Before))
	case c.Shadowed && len(c.After) == 0:
		return fmt.Sprintf("%s no longer says %s (it was %s); what counts stays", c.Layer.spoken(), name, brief(c.Before))
	case c.Shadowed:
		return fmt.Sprintf("%s now says %s is %s; another source counts", c.Layer.spoken(), name, brief(c.After))
	case len(c.After) == 0:
		return fmt.Sprintf("%s is gone (it was %s)", name, brief(c.Before))
	case len(c.Before) == 0:
		return fmt.Sprintf("%s is %s, from %s", name, brief(c.After), c.Layer.spoken())
	}
	return fmt.Sprintf("%s is %s instead of %s, from %s", name, brief(c.After), brief(c.Before), c.Layer.spoken())
}

// brief is a value on one line, the first few of many.
func brief(v Value) string {
	const most = 5
	var list []string
	for _, e := range v[:min(len(v), most)] {
		list = append(list, fmt.Sprintf("%q", e.Field("value")))
	}
	if len(v) > most {
		list = append(list, fmt.Sprintf("and %d more", len(v)-most))
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

// Past is a user as it was, rebuilt from events alone.
type Past struct {
	User ID
	// Seq and Time are of the last event that had happened to the user.
	Seq        uint64
	Time       time.Time
	State      string // active, locked, deleted, erased; "" before it was created
	Attributes Attributes
	// Groups are those the user was directly in, sorted.
	Groups []string
	// lifted are users by whose merge this one left its grave.
	lifted []ID
	grave  bool // it lies there
}

// AsOf is the user as it was when the event with a number had been committed.
// It reads the events of the user and of all groups up to there. After erasure
// nothing personal is left of the past either.
func (d *Directory) AsOf(ctx context.Context, org string, id ID, seq uint64) (p Past, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return p, err
	}
	err = d.view(ctx, org, func(r reading) error {
		p = Past{User: id}
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if u == nil {
			return ErrNotFound
		}
		return r.replay(&p, seq)
	})
	return p, err
}

// replay goes through the events up to a number in their order.
func (r reading) replay(p *Past, seq uint64) error {
	groups := map[ID]string{} // names of the groups there are
	in := map[ID]bool{}       // those the user was put into
	var asserted []string     // those of its sign-ins
	from := orgKey(tableEvent, r.org)
	for pair, err := range r.Scan(from, from.clone().number(seq).end()) {
		if err != nil {
			return err
		}
		head := newDecoder(pair.Value)
		head.id()
		head.time()
		what, user := EventType(head.text()), head.id()
		head.id()
		other := head.id()
		if user != p.User && other != p.User && !strings.HasPrefix(string(what), "group.") {
			continue
		}
		e, err := r.event(pair.Key, pair.Value)
		if err != nil {
			return err
		}
		switch {
		case user == p.User:
			p.apply(&e, in, &asserted)
		case other == p.User:
			p.merged(&e)
		default:
			followGroup(&e, p.User, groups, in)
		}
	}
	if p.State == "active" || p.State == "locked" {
		for id := range in {
			p.Groups = append(p.Groups, groups[id])
		}
		p.Groups = append(p.Groups, asserted...)
		slices.Sort(p.Groups)
	}
	return nil
}

// apply takes a past user one event further.
func (p *Past) apply(e *Event, in map[ID]bool, asserted *[]string) {
	p.Seq, p.Time = e.Seq, e.Time
	for _, c := range e.Changes {
		switch {
		case c.Attribute == Groups && c.Layer == SSO:
			*asserted = nil
			for _, x := range c.After {
				*asserted = append(*asserted, x.Field("value"))
			}
		case c.Attribute == Groups:
			for _, id := range idsOf(c.Before) {
				delete(in, id)
			}
		case c.Shadowed:
		case c.Attribute == Active && c.After.String() == "true":
			p.State = "active"
		case c.Attribute == Active:
			p.State = "locked"
		default:
			p.Attributes.Set(c.Attribute, c.After)
			if len(c.After) == 0 {
				p.Attributes.Delete(c.Attribute)
			}
		}
	}
	p.turn(e)
}

// merged: the user became another one; that it is itself again is an event of
// its own.
func (p *Past) merged(e *Event) {
	if e.Type == UserMerged {
		p.Seq, p.Time, p.State = e.Seq, e.Time, "deleted"
	}
}

// turn takes the state on by what kind of event it was.
func (p *Past) turn(e *Event) {
	switch e.Type {
	case UserMerged:
		if p.grave {
			p.lifted, p.grave = append(p.lifted, e.Other), false
		}
	case UserUnmerged:
		if slices.Contains(p.lifted, e.Other) {
			p.State, p.grave = "deleted", true
		}
	case UserDeleted:
		p.State, p.grave = "deleted", true
	case UserErased:
		p.State, p.Attributes = "erased", nil
	case UserCreated, UserRestored:
		p.grave = false
		if p.State == "" || p.State == "deleted" { // nothing said that it became active
			p.State = "locked"
		}
	}
}

// followGroup takes one group a step further.
func followGroup(e *Event, user ID, groups map[ID]string, in map[ID]bool) {
	for _, c := range e.Changes {
		switch c.Attribute {
		case DisplayName:
			groups[e.Group] = c.After.String()
		case Members:
			if slices.Contains(idsOf(c.Before), user) {
				delete(in, e.Group)
			}
			if slices.Contains(idsOf(c.After), user) {
				in[e.Group] = true
			}
		}
	}
	if e.Type == GroupDeleted {
		delete(in, e.Group)
	}
}
