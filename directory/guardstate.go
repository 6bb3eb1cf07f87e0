package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Waiting is one operation that a guard refused and that has not come through
// since.
type Waiting struct {
	// Resource is the user, or the group, that the operation is about.
	Resource ID        `json:"resource"`
	Group    bool      `json:"group,omitempty"`
	Loss     Loss      `json:"loss"`
	Users    int       `json:"users"` // how many it concerns, at least
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Count    int       `json:"count"` // how often it was tried
	Request  string    `json:"request,omitempty"`
}

// Allowance opens a guard: for a number of operations (0: any number) until a
// moment.
type Allowance struct {
	Operations int       `json:"operations,omitempty"`
	Until      time.Time `json:"until,omitzero"`
}

// GuardStatus is what a guard has counted and what it holds back.
type GuardStatus struct {
	Connection string `json:"connection"`
	Off        bool   `json:"off,omitempty"`
	// Window is when the current window began, Per how long it lasts.
	Window time.Time     `json:"window,omitzero"`
	Per    time.Duration `json:"per"`
	// Users are the connection's, Limit how many of them one window may take
	// access or groups from, Counted how many it has.
	Users   int `json:"users"`
	Limit   int `json:"limit"`
	Counted int `json:"counted"`
	// Tripped is when the guard refused last, zero for never.
	Tripped time.Time `json:"tripped,omitzero"`
	// Open is what an administrator lets through now.
	Open Allowance `json:"open,omitzero"`
	// Waiting are the operations held back, at most as many as were asked for;
	// Held is how many there are.
	Waiting []Waiting `json:"waiting,omitempty"`
	Held    int       `json:"held"`
}

// guardRecord is what is kept about a guard apart from its windows.
type guardRecord struct {
	Window  time.Time `json:"window,omitzero"`  // in which it tripped last
	Tripped time.Time `json:"tripped,omitzero"` // when
	Until   time.Time `json:"until,omitzero"`   // let through until then
	Left    int       `json:"left,omitempty"`   // operations more; 0 is any number
}

func (g guardRecord) lets(now time.Time) bool { return now.Before(g.Until) }

// What is kept below guardKey.
const (
	guardStatus  = "status"
	guardWaiting = "waiting" // + resource
	guardUndone  = "undone"  // + user whose loss was undone
)

func guardKey(org, connection, what string) key {
	return orgKey(tableGuardKept, org).word(connection).word(what)
}

func (r reading) guardState(connection string) (g guardRecord, err error) {
	_, err = r.jsonAt(guardKey(r.org, connection, guardStatus), &g)
	return g, err
}

// putWaiting keeps what was refused, and tells of the first refusal in a window.
func (a *application) putWaiting(c *Connection, w Waiting) error {
	at := guardKey(a.org, c.ID, guardWaiting).id(w.Resource)
	old := Waiting{First: a.now.At}
	if _, err := a.jsonAt(at, &old); err != nil {
		return err
	}
	w.First, w.Last, w.Count, w.Request = old.First, a.now.At, old.Count+1, a.now.Request
	if err := a.setJSON(at, w); err != nil {
		return err
	}
	state, err := a.guardState(c.ID)
	if err != nil {
		return err
	}
	window, known := c.Guard.window(a.now.At), state.Window
	state.Window, state.Tripped = window, a.now.At
	if err := a.setJSON(guardKey(a.org, c.ID, guardStatus), state); err != nil || known.Equal(window) {
		return err
	}
	return a.emit(Event{Type: GuardAlert, Changes: []AttributeChange{{Attribute: string(w.Loss), Layer: SCIM, After: Text(fmt.Sprint(w.Users))}}}, [16]byte{})
}

// Guard says what the guard of a connection has counted and what it holds
// back: at most limit operations, and how many there are.
func (d *Directory) Guard(ctx context.Context, org, connection string, limit int) (s GuardStatus, err error) {
	err = d.view(ctx, org, func(r reading) error {
		c, err := r.connectionOf(connection)
		if err != nil {
			return err
		}
		s, err = r.guardStatus(c, limit)
		return err
	})
	return s, err
}

func (r reading) guardStatus(c *Connection, limit int) (s GuardStatus, err error) {
	_, _, per := c.Guard.limits()
	s = GuardStatus{Connection: c.ID, Off: c.Guard.Off, Window: c.Guard.window(canonicalTime(r.d.now())), Per: per}
	if s.Users, err = r.total(countLinked + c.ID); err != nil {
		return s, err
	}
	s.Limit = c.Guard.allows(s.Users)
	if s.Counted, err = r.guardCount(c); err != nil {
		return s, err
	}
	state, err := r.guardState(c.ID)
	if err != nil {
		return s, err
	}
	s.Tripped = state.Tripped
	if state.lets(r.d.now()) {
		s.Open = Allowance{state.Left, state.Until}
	}
	prefix := guardKey(r.org, c.ID, guardWaiting)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return s, err
		}
		if s.Held++; s.Held > limit {
			continue
		}
		var w Waiting
		if err := json.Unmarshal(pair.Value, &w); err != nil {
			return s, fmt.Errorf("%w: what a guard holds back: %v", errRecord, err)
		}
		s.Waiting = append(s.Waiting, w)
	}
	return s, nil
}

// connectionOf returns a connection of the organisation.
func (r reading) connectionOf(id string) (*Connection, error) {
	p, err := r.policy()
	if err != nil {
		return nil, err
	}
	c := p.Connection(id)
	if c == nil {
		return nil, ErrNotFound
	}
	return c, nil
}

// maxAllowance bounds how long a guard stays open.
const maxAllowance = 7 * 24 * time.Hour

// LetThrough opens the guard of a connection and closes its case: what the
// identity provider sends again is done. The zero Allowance shuts it again.
func (d *Directory) LetThrough(ctx context.Context, by EventSource, org, connection string, let Allowance) error {
	now := canonicalTime(d.now())
	switch until := canonicalUntil(let.Until); {
	case let.Operations < 0:
		return invalid("operations", "is negative")
	case !until.IsZero() && !until.After(now):
		return invalid("until", "is over")
	case until.After(now.Add(maxAllowance)):
		return invalid("until", "is more than %s ahead", maxAllowance)
	case until.IsZero() && let.Operations > 0:
		return invalid("until", "is missing: an opened guard shuts by itself")
	}
	return d.administer(ctx, by, org, func(a *application) error {
		if err := a.openGuard(connection, let); err != nil {
			return err
		}
		return a.closeGuardCase(connection)
	})
}

// openGuard lets operations through, or shuts the guard again.
func (a *application) openGuard(connection string, let Allowance) error {
	c, err := a.connectionOf(connection)
	if err != nil {
		return err
	}
	state, err := a.guardState(c.ID)
	if err != nil {
		return err
	}
	state.Until, state.Left = canonicalUntil(let.Until), let.Operations
	if err := a.setJSON(guardKey(a.org, c.ID, guardStatus), state); err != nil {
		return err
	}
	change := AttributeChange{Attribute: connection, Layer: Local, After: Text(instant(state.Until))}
	if state.Until.IsZero() {
		change.After = nil
	}
	return a.emit(Event{Type: GuardOpened, Changes: []AttributeChange{change}}, [16]byte{})
}

// closeGuardCase closes the case in which an administrator was asked.
func (a *application) closeGuardCase(connection string) error {
	at := (&Case{Org: a.org, Kind: CaseGuard, Code: GuardTripped, Source: Source{connection, SCIM}}).digest(a.s.policy)
	k, err := a.caseAt(at)
	if k == nil || !k.Closed.IsZero() || err != nil {
		return err
	}
	k.Closed, k.ClosedBy, k.Resolved = a.now.At, a.now.Actor, ResolveAllow
	return a.ended(k, at, CaseResolved)
}

// administer is a transaction of an administrator that is no Change of a user
// or group.
func (d *Directory) administer(ctx context.Context, by EventSource, org string, fn func(*application) error) error {
	now := canonicalTime(d.now())
	return d.update(ctx, org, func(w writing) error {
		p, err := w.policy()
		if err != nil {
			return err
		}
		a := &application{writing: w, now: Stamp{now, by.Actor, by.Request}}
		a.s = situation{change: &Change{Org: org, Channel: Local, Actor: by.Actor, Request: by.Request}, now: now, policy: p}
		if err := fn(a); err != nil {
			return err
		}
		return a.conclude()
	})
}
