package directory

import (
	"context"
	"encoding/binary"
	"slices"
	"time"
)

// limits fills in the defaults of a guard: 10 %, at least 10, per hour.
func (g Guard) limits() (share float64, least int, per time.Duration) {
	share, least, per = g.Share, g.Min, g.Per
	if share == 0 {
		share = 0.1
	}
	if least == 0 {
		least = 10
	}
	if per == 0 {
		per = time.Hour
	}
	return share, least, per
}

// allows says how many of a connection's users one window may take access from.
func (g Guard) allows(users int) int {
	share, least, _ := g.limits()
	return max(least, int(share*float64(users)))
}

// guard counts one more user whom the connection takes access or groups from,
// each user once in a window, and refuses beyond the limit.
func (a *application) guard(user ID) error {
	c := a.s.conn
	if c == nil || c.Guard.Off || a.s.change.Channel != SCIM {
		return nil
	}
	_, _, per := c.Guard.limits()
	window := a.now.At.Truncate(per)
	at := orgKey(tableGuard, a.org).word(c.ID).time(window)
	mine := at.clone().id(user)
	if seen, err := a.Get(mine); seen != nil || err != nil {
		return err
	}
	old, err := a.Get(at)
	if err != nil {
		return err
	}
	count := uint64(1)
	if len(old) == 8 {
		count += binary.BigEndian.Uint64(old)
	}
	users, err := a.total(countLinked + c.ID)
	if err != nil {
		return err
	}
	if limit := c.Guard.allows(users); count > uint64(limit) {
		r := refuse(GuardTripped, "connection %s may lock, delete or remove from groups %d users per %s; this would be one more",
			c.ID, limit, per)
		r.Evidence.Values = map[string]string{"window": instant(window)}
		return r
	}
	if err := a.tx.Set(mine, nil); err != nil {
		return err
	}
	return a.tx.Set(at, binary.BigEndian.AppendUint64(nil, count))
}

// sweepGuard forgets what the guard counted in windows that are over.
func (d *Directory) sweepGuard(ctx context.Context, org string) (more bool, err error) {
	var old []key
	err = d.view(ctx, org, func(r reading) error {
		old = nil
		p, err := r.policy()
		if err != nil {
			return err
		}
		for _, c := range p.Connections() {
			_, _, per := c.Guard.limits()
			prefix := orgKey(tableGuard, org).word(c.ID)
			for pair, err := range r.Scan(prefix, prefix.clone().time(d.now().Add(-2*per))) {
				if err != nil {
					return err
				}
				if len(old) == sweepStep {
					return nil
				}
				old = append(old, slices.Clone(pair.Key))
			}
		}
		return nil
	})
	if len(old) == 0 || err != nil {
		return false, err
	}
	return true, d.update(ctx, org, func(w writing) error {
		for _, k := range old {
			if err := w.tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}
