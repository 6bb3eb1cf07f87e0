package directory

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
)

// maxOpenCases bounds the open cases of one connection. Who makes more
// conflicts than that has them counted and no longer kept.
const maxOpenCases = 1000

// countCases names the counter of a connection's open cases.
const countCases = "cases/"

// caseKey puts the newest case first.
func caseKey(org string, id ID) key { return orgKey(tableCase, org).id(id.inverse()) }

// openKey marks a case that waits, in the same order: closed ones are kept for
// as long as tombstones, and are many more.
func openKey(org string, id ID) key { return orgKey(tableCaseOpen, org).id(id.inverse()) }

// inverse sorts the other way round.
func (id ID) inverse() ID {
	for i := range id {
		id[i] = ^id[i]
	}
	return id
}

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

// putCase opens a case, or counts the one about the same conflict that is open
// or was rejected.
func (a *application) putCase(p *Policy, c *Change, r *Refusal) error {
	k := Case{Org: a.org, Kind: r.kind, Code: r.Code, Source: Source{c.Connection, c.Channel}, Detail: r.Detail,
		Evidence: r.Evidence, Opened: a.now.At, Last: a.now.At, Count: 1}
	at := k.digest(p)
	known, err := a.caseAt(at)
	if err != nil {
		return err
	}
	if known == nil {
		return a.newCase(at, &k, r)
	}
	if r.Case = known.ID; !known.Closed.IsZero() {
		return nil // rejected: the answer is known, and nothing waits
	}
	met := *known
	met.Detail, met.Last = r.Detail, a.now.At
	met.Evidence.Unverified = r.Evidence.Unverified
	met.Count++
	now, err := a.circumstances(&met)
	if err != nil {
		return err
	}
	met.Resolutions = now.permitted()
	return a.setJSON(caseKey(a.org, met.ID), &met)
}

// newCase opens a case, or counts it as one too many.
func (a *application) newCase(at key, k *Case, r *Refusal) error {
	connection := k.Source.Connection
	open, err := a.total(countCases + connection)
	if err != nil {
		return err
	}
	if open >= maxOpenCases && r.kind != CaseOverflow {
		flood := refuse(r.Code, "connection %q has %d open cases; further ones are only counted here", connection, open)
		flood.kind, flood.Evidence = CaseOverflow, Evidence{Values: map[string]string{}}
		err := a.putCase(a.s.policy, a.s.change, flood)
		r.Case = flood.Case
		return err
	}
	id, err := a.d.ids.next(a.now.At)
	if err != nil {
		return err
	}
	k.ID, r.Case = id, id
	now, err := a.circumstances(k)
	if err != nil {
		return err
	}
	k.Resolutions = now.permitted()
	if err := a.tx.Set(at, id[:]); err != nil {
		return err
	}
	if err := a.indexCase(k, at, caseOpen); err != nil {
		return err
	}
	if err := a.count(countCases+connection, 1); err != nil {
		return err
	}
	if err := a.tx.Set(openKey(a.org, id), nil); err != nil {
		return err
	}
	if err := a.setJSON(caseKey(a.org, id), k); err != nil {
		return err
	}
	return a.emit(Event{Type: CaseOpened, Case: id}, [16]byte{})
}

// caseAt reads the case whose id a key holds.
func (r reading) caseAt(at key) (*Case, error) {
	value, err := r.Get(at)
	if len(value) != 16 || err != nil {
		return nil, err
	}
	return r.caseByID(ID(value))
}

// caseByID returns a case, nil when there is none.
func (r reading) caseByID(id ID) (*Case, error) {
	k := new(Case)
	if known, err := r.jsonAt(caseKey(r.org, id), k); !known || err != nil {
		return nil, err
	}
	return k, nil
}

// The marks of the index of cases: what a case is to those it names.
const (
	caseOpen    = 1 // it waits
	caseVerdict = 2 // closed, but what was decided is remembered
)

// indexCase marks a case with everybody it names, or with 0 takes the marks
// away. The entries hold the mark and the key under which the same conflict is
// recognised.
func (a *application) indexCase(k *Case, digest key, mark byte) error {
	for _, about := range k.about() {
		at := orgKey(tableCaseAbout, a.org).id(about).id(k.ID)
		if mark == 0 {
			if err := a.tx.Delete(at); err != nil {
				return err
			}
			continue
		}
		if err := a.tx.Set(at, append([]byte{mark}, digest...)); err != nil {
			return err
		}
	}
	return nil
}

// about lists whom a case names: users, and the subject by its hash.
func (k *Case) about() []ID {
	list := append(slices.Clone(k.Evidence.Users), subjectHash(k.Source.Connection, k.Evidence.Channel, k.Evidence.Subject))
	if k.Evidence.Subject == "" {
		list = list[:len(list)-1]
	}
	if len(list) == 0 {
		list = append(list, k.ID)
	}
	return list
}

// subjectHash stands for a subject where ids stand.
func subjectHash(connection string, ch Channel, subject string) ID {
	sum := sha256.Sum256([]byte(connection + "\x00" + string(ch) + "\x00" + subject))
	return ID(sum[:16])
}

// caseMark is one entry of the index of cases.
type caseMark struct {
	id     ID
	mark   byte
	digest key
}

// casesAbout lists the open and remembered cases that name a user or subject.
func (r reading) casesAbout(about ID) (list []caseMark, err error) {
	prefix := orgKey(tableCaseAbout, r.org).id(about)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		list = append(list, caseMark{tailID(pair.Key), pair.Value[0], slices.Clone(pair.Value[1:])})
	}
	return list, nil
}

// circumstances reads everybody whom a case names.
func (r reading) circumstances(k *Case) (c circumstances, err error) {
	c.Case = k
	if c.policy, err = r.policy(); err != nil {
		return c, err
	}
	for _, id := range k.Evidence.Users {
		u, err := r.userByID(id)
		if err != nil {
			return c, err
		}
		c.users = append(c.users, u)
	}
	conn := c.policy.Connection(k.Source.Connection)
	if k.Evidence.Subject == "" || conn == nil {
		return c, nil
	}
	s := situation{policy: c.policy, conn: conn, change: &Change{Channel: k.Evidence.Channel, Issuer: k.Evidence.Issuer}, subject: k.Evidence.Subject}
	err = r.findLink(&s)
	if s.via != nil && s.via.State != LinkMoved {
		c.linked = s.link
	}
	return c, err
}

// digest is the key under which the same conflict is recognised when it is met
// again, by whichever verb: the same people and the same value or subject of
// the same source.
func (k *Case) digest(p *Policy) key {
	e := &k.Evidence
	about := e.Subject
	if e.Attribute != "" {
		about = p.fold(e.Attribute, e.Values[e.Attribute])
	}
	parts := []string{string(k.Kind), string(k.Code), k.Source.Connection, string(k.Source.Channel), e.Attribute, about}
	if k.Kind == CaseOverflow {
		parts = []string{string(k.Kind), k.Source.Connection}
	}
	fixed := len(parts)
	for _, id := range e.Users {
		parts = append(parts, id.String())
	}
	slices.Sort(parts[fixed:])
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return orgKey(tableCaseKey, k.Org).text(string(h.Sum(nil)))
}

// closeCase closes an open case, or one that was put aside, and says so. What
// was decided about a subject for good stays known.
func (a *application) closeCase(k *Case, digest key, what EventType) error {
	if err := a.remember(k, digest); err != nil {
		return err
	}
	if k.Closed.IsZero() {
		k.Closed = a.now.At
	}
	k.Resolutions = nil
	if k.Resolved == ResolveReject || k.Resolved == ResolveIgnore {
		now, err := a.circumstances(k)
		if err != nil {
			return err
		}
		k.Resolutions = now.permitted()
	}
	if err := a.setJSON(caseKey(a.org, k.ID), k); err != nil {
		return err
	}
	return a.emit(Event{Type: what, Case: k.ID}, [16]byte{})
}

// remember keeps known what was decided for good, and gives every other closed
// case the day on which it goes.
func (a *application) remember(k *Case, digest key) error {
	if k.Resolved == ResolveReject || k.Resolved == ResolveNew && k.Evidence.Subject != "" && k.Kind != CaseMoved {
		if err := a.tx.Set(digest, k.ID[:]); err != nil {
			return err
		}
		return a.indexCase(k, digest, caseVerdict)
	}
	if err := a.indexCase(k, digest, 0); err != nil {
		return err
	}
	return a.forgetDigest(k, digest)
}

// forgetDigest lets the same conflict be another case, and this one go when its
// day has come.
func (a *application) forgetDigest(k *Case, digest key) error {
	if err := a.tx.Delete(digest); err != nil {
		return err
	}
	return a.tx.Set(orgKey(tableCaseEnd, a.org).time(k.Closed.Add(a.s.policy.Org.retention())).id(k.ID), nil)
}
