package directory

import (
	"context"
	"slices"
	"time"
)

// sweepStep is how many expired entries one transaction removes.
const sweepStep = 500

// sweepMargin is how long what has expired is kept beyond its end: the node that sweeps
// may have a clock ahead of one that still takes what was used.
const sweepMargin = time.Hour

// sweep removes one-time values and sessions that have expired.
func (d *Directory) sweep(ctx context.Context) (more bool, err error) {
	now := canonicalTime(d.now())
	due := false
	to := key{tableExpiry}.time(now.Add(-sweepMargin))
	err = d.view(ctx, "", func(r reading) error {
		for _, err := range r.Scan(key{tableExpiry}, to) {
			due = true
			return err
		}
		return nil
	})
	if !due || err != nil {
		return false, err
	}
	err = d.update(ctx, "", func(w writing) error {
		var keys []key
		for pair, err := range w.Scan(key{tableExpiry}, to) {
			if err != nil {
				return err
			}
			if len(keys) == sweepStep {
				break
			}
			keys = append(keys, slices.Clone(pair.Key))
		}
		more = len(keys) == sweepStep
		for _, k := range keys {
			if err := w.expire(k); err != nil {
				return err
			}
		}
		return nil
	})
	return more, err
}

// expire removes what an expiry entry stands for, unless it was renewed since.
func (w writing) expire(k key) error {
	rest := k[9:]
	if forget := map[byte]func(key) error{tableSession: w.forgetSession, tableAdminSession: w.forgetAdminSession}[rest[0]]; len(rest) == 33 && forget != nil {
		if err := forget(rest); err != nil {
			return err
		}
		return w.tx.Delete(k)
	}
	at := append(key{tableOnce}, rest...)
	record, err := w.Get(at)
	if err != nil {
		return err
	}
	if len(record) >= 8 && slices.Equal(record[:8], k[1:9]) {
		if err := w.tx.Delete(at); err != nil {
			return err
		}
	}
	return w.tx.Delete(k)
}

// lapsePin removes the pins whose time is over from the user who has waited
// longest. Where the value below would break an invariant the pin stays, with a
// case.
func (d *Directory) lapsePin(ctx context.Context, org string) (more bool, err error) {
	id, err := d.due(ctx, org, indexPin)
	if id == NoID || err != nil {
		return false, err
	}
	return true, d.background(ctx, org, func(a *application) error {
		before, err := a.userByID(id)
		if before == nil || err != nil {
			return err
		}
		after, p := before.clone(), a.s.policy
		for i := range after.Layers {
			l := &after.Layers[i]
			l.Entries = slices.DeleteFunc(slices.Clone(l.Entries), func(e Entry) bool {
				return !e.Until.IsZero() && !e.Until.After(a.now.At)
			})
		}
		if err := a.resolveUser(after); err != nil {
			return err
		}
		c, err := a.conflict(before, after)
		if err != nil {
			return err
		}
		if c != nil {
			return a.keepPin(before, refuse(Uniqueness, "the pin has lapsed, but the value below belongs to another user (id %s); the pin stays",
				c.holder.ID).on(c.entry.unique), c.holder.ID)
		}
		for _, name := range append([]string{UserName}, p.named...) {
			if (name == UserName || p.Org.Attributes[name].Required == RequiredAlways) && before.has(name) && !after.has(name) {
				return a.keepPin(before, refuse(AttributeMissing, "the pin has lapsed, but nothing else supplies the attribute; the pin stays").on(name))
			}
		}
		return a.write(before, after, UserUpdated)
	})
}

// keepPin makes a lapsed pin one without end, and opens a case.
func (a *application) keepPin(before *User, r *Refusal, others ...ID) error {
	after := before.clone()
	for i := range after.Layers {
		l := &after.Layers[i]
		l.Entries = slices.Clone(l.Entries)
		for j := range l.Entries {
			if e := &l.Entries[j]; !e.Until.IsZero() && !e.Until.After(a.now.At) {
				e.Until = time.Time{}
			}
		}
	}
	r.kind, r.Evidence = CasePin, Evidence{Users: append([]ID{before.ID}, others...), Attribute: r.Attribute, Values: map[string]string{}}
	if err := a.putCase(a.s.policy, a.s.change, r); err != nil {
		return err
	}
	return a.write(before, after, UserUpdated)
}

// due returns the first user of a time index whose moment has come.
func (d *Directory) due(ctx context.Context, org, index string) (id ID, err error) {
	now := canonicalTime(d.now())
	err = d.view(ctx, org, func(r reading) error {
		id = NoID
		if index == indexBuried {
			p, err := r.policy()
			if err != nil {
				return err
			}
			now = now.Add(-p.Org.retention())
		}
		prefix := indexKey(org, index)
		for pair, err := range r.Scan(prefix, prefix.clone().time(now)) {
			if err == nil {
				id = tailID(pair.Key)
			}
			return err
		}
		return nil
	})
	return id, err
}

// eraseOld erases the tombstone that is longest past its retention.
func (d *Directory) eraseOld(ctx context.Context, org string) (more bool, err error) {
	id, err := d.due(ctx, org, indexBuried)
	if id == NoID || err != nil {
		return false, err
	}
	return true, d.background(ctx, org, func(a *application) error {
		u, err := a.userByID(id)
		if u == nil || u.Deleted == nil || u.Deleted.Erased || err != nil {
			return err
		}
		if a.now.At.Before(u.Deleted.At.Add(a.s.policy.Org.retention())) {
			return nil // restored and deleted again since it was found
		}
		_, err = a.erase(u)
		return err
	})
}
