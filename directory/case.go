package directory

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Case is a refused conflict that waits for an administrator. The same
// conflict met again is the same case with a higher count.
type Case struct {
	ID          ID           `json:"id"`
	Org         string       `json:"org"`
	Code        Code         `json:"code"`
	Source      Source       `json:"source"`
	Detail      string       `json:"detail"`
	Evidence    Evidence     `json:"evidence"`
	Resolutions []Resolution `json:"resolutions"`
	Opened      time.Time    `json:"opened"`
	Last        time.Time    `json:"last"`
	Count       int          `json:"count"`
	// Closed is when and by whom; zero while it waits.
	Closed   time.Time `json:"closed,omitzero"`
	ClosedBy string    `json:"closedBy,omitempty"`
}

// Evidence is what a case was opened on.
type Evidence struct {
	Users   []ID              `json:"users,omitempty"`
	Subject string            `json:"subject,omitempty"`
	Values  map[string]string `json:"values,omitempty"` // what was compared, by name
}

// Resolution is one permitted way to close a case.
type Resolution string

// The resolutions.
const (
	ResolveLink    Resolution = "link"     // link the subject to the user
	ResolveRepoint Resolution = "re-point" // move the existing link to the subject
	ResolveSwap    Resolution = "swap"     // exchange the names
	ResolveRestore Resolution = "restore"  // restore the tombstone
	ResolveNew     Resolution = "new user" // release the identifier and create
	ResolveMerge   Resolution = "merge"    // join two users, with undo
	ResolveAllow   Resolution = "let through"
	ResolveReject  Resolution = "reject"
	ResolveIgnore  Resolution = "ignore"
)

// openCase keeps a refused conflict in a transaction of its own, and returns
// the refusal with the case it waits in.
func (d *Directory) openCase(ctx context.Context, c Change, r *Refusal) error {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return err
	}
	err = d.update(ctx, c.Org, func(w writing) error {
		p, err := w.policy()
		if err != nil {
			return err
		}
		a := &application{writing: w, id: id, now: Stamp{now, c.Actor, c.Request}, s: situation{change: &c, now: now, policy: p}}
		if err := a.putCase(p, &c, r); err != nil || r.waiting == nil {
			return err
		}
		conn := p.Connection(c.Connection)
		if conn == nil {
			return nil
		}
		return a.putWaiting(conn, *r.waiting)
	})
	if err == nil && r.waiting != nil {
		d.log.WarnContext(ctx, "guard tripped", "org", c.Org, "conn", c.Connection, "request", c.Request, "case", r.Case, "users", r.waiting.Users)
	}
	if err != nil {
		d.log.ErrorContext(ctx, "case not kept", "org", c.Org, "conn", c.Connection, "request", c.Request, "code", r.Code, "error", err)
	}
	return r
}

// putCase opens a case, or counts the open one about the same conflict.
func (a *application) putCase(p *Policy, c *Change, r *Refusal) error {
	at := orgKey(tableCaseKey, a.org).text(caseDigest(p, c, r))
	var k Case
	value, err := a.Get(at)
	if err != nil {
		return err
	}
	known := false
	if len(value) == 16 {
		if known, err = a.jsonAt(orgKey(tableCase, a.org).id(ID(value)), &k); err != nil {
			return err
		}
	}
	if !known {
		id, err := a.d.ids.next(a.now.At)
		if err != nil {
			return err
		}
		k = Case{ID: id, Org: a.org, Code: r.Code, Source: Source{c.Connection, c.Channel}, Evidence: r.Evidence,
			Resolutions: resolutionsOf(r.Code), Opened: a.now.At}
		if err := a.tx.Set(at, id[:]); err != nil {
			return err
		}
		if err := a.emit(Event{Type: CaseOpened}, [16]byte{}); err != nil {
			return err
		}
	}
	k.Detail, k.Last = r.Detail, a.now.At
	k.Count++
	r.Case = k.ID
	return a.setJSON(orgKey(tableCase, a.org).id(k.ID), k)
}

// caseDigest is equal for the same conflict met again, by whichever verb: the
// same people and the same value or subject of the same source.
func caseDigest(p *Policy, c *Change, r *Refusal) string {
	about := r.Evidence.Subject
	if r.Attribute != "" {
		about = p.fold(r.Attribute, r.Evidence.Values[r.Attribute])
	}
	parts := []string{string(r.Code), c.Connection, string(c.Channel), r.Attribute, about}
	for _, id := range r.Evidence.Users {
		parts = append(parts, id.String())
	}
	slices.Sort(parts[5:])
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return string(h.Sum(nil))
}

func resolutionsOf(code Code) []Resolution {
	switch code {
	case LinkRequired:
		return []Resolution{ResolveLink, ResolveRepoint, ResolveReject, ResolveIgnore}
	case Ambiguous:
		return []Resolution{ResolveLink, ResolveMerge, ResolveReject, ResolveIgnore}
	case Reserved:
		return []Resolution{ResolveRestore, ResolveMerge, ResolveNew, ResolveReject, ResolveIgnore}
	case Uniqueness:
		return []Resolution{ResolveSwap, ResolveMerge, ResolveReject, ResolveIgnore}
	case GuardTripped:
		return []Resolution{ResolveAllow, ResolveReject}
	}
	return []Resolution{ResolveReject, ResolveIgnore}
}

// Cases lists the open cases of an organisation, newest first.
func (d *Directory) Cases(ctx context.Context, org string) (list []Case, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		prefix := orgKey(tableCase, org)
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			var k Case
			if err := json.Unmarshal(pair.Value, &k); err != nil {
				return fmt.Errorf("%w: case: %v", errRecord, err)
			}
			if k.Closed.IsZero() {
				list = append(list, k)
			}
		}
		slices.Reverse(list)
		return nil
	})
	return list, err
}
