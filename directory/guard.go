package directory

import (
	"context"
	"encoding/binary"
	"slices"
	"time"
)

// Loss is how a push takes something from people.
type Loss string

// The losses that a guard counts.
const (
	LossLock   Loss = "lock"
	LossDelete Loss = "delete"
	LossGroups Loss = "groups" // out of a group, by removal or with the group
	LossRename Loss = "rename" // of a group, where rules look at parts of names
)

// toll is what one operation takes, and from whom: users, or members of a
// group and everybody below them.
type toll struct {
	loss     Loss
	resource ID // the user or group that the operation is about
	from     []ID
}

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

// window is the moment at which the guard's current window began.
func (g Guard) window(now time.Time) time.Time {
	_, _, per := g.limits()
	return now.Truncate(per)
}

// guard counts everybody from whom the operation takes access or groups, each
// user once in a window, and refuses the operation beyond the limit. What an
// administrator undid is refused when it comes again. Neither holds while an
// administrator lets operations through.
func (a *application) guard(t toll) error {
	c := a.s.conn
	if c == nil || c.Guard.Off || a.s.change.Channel != SCIM {
		return nil
	}
	state, err := a.guardState(c.ID)
	if err != nil {
		return err
	}
	if state.lets(a.now.At) {
		return a.passOpen(c, state, t)
	}
	count, err := a.guardCount(c)
	if err != nil {
		return err
	}
	limit, err := a.guardLimit(c, count+len(t.from))
	if err != nil {
		return err
	}
	users, more, err := a.affectedUpTo(t.from, max(maxAffected, limit-count))
	if err != nil {
		return err
	}
	fresh, undone, err := a.uncounted(c, users)
	if err != nil {
		return err
	}
	if limit, err = a.guardLimit(c, count+len(fresh)); err != nil {
		return err
	}
	if more || undone || len(fresh) > 0 && count+len(fresh) > limit {
		return a.tripped(c, t, limit, len(users))
	}
	if err := a.countLoss(c, count, fresh); err != nil {
		return err
	}
	return a.tx.Delete(guardKey(a.org, c.ID, guardWaiting).id(t.resource))
}

// guardCount is how many users the current window has counted.
func (r reading) guardCount(c *Connection) (int, error) {
	v, err := r.Get(windowKey(r.org, c, r.d.now()))
	if len(v) != 8 || err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint64(v)), nil
}

func windowKey(org string, c *Connection, now time.Time) key {
	return orgKey(tableGuard, org).word(c.ID).time(c.Guard.window(canonicalTime(now)))
}

// guardLimit is how many one window allows. The total is read only when the
// answer depends on it, since everybody who is created writes it.
func (a *application) guardLimit(c *Connection, wanted int) (int, error) {
	if _, least, _ := c.Guard.limits(); wanted <= least {
		return least, nil
	}
	users, err := a.total(countLinked + c.ID)
	return c.Guard.allows(users), err
}

// uncounted are the users whom this window has not counted yet; undone says
// that what was done to one of them has been undone.
func (a *application) uncounted(c *Connection, users []ID) (fresh []ID, undone bool, err error) {
	window := windowKey(a.org, c, a.now.At)
	for _, id := range users {
		v, err := a.Get(guardKey(a.org, c.ID, guardUndone).id(id))
		if err != nil {
			return nil, false, err
		}
		undone = undone || v != nil
		if v, err = a.Get(window.clone().id(id)); err != nil {
			return nil, false, err
		}
		if v == nil {
			fresh = append(fresh, id)
		}
	}
	return fresh, undone, nil
}

// countLoss notes the users in the window. Very many are noted by their number
// alone; met again in the window they count again.
func (a *application) countLoss(c *Connection, count int, fresh []ID) error {
	if len(fresh) == 0 {
		return nil
	}
	window := windowKey(a.org, c, a.now.At)
	if len(fresh) <= maxAffected {
		for _, id := range fresh {
			if err := a.tx.Set(window.clone().id(id), nil); err != nil {
				return err
			}
		}
	}
	return a.tx.Set(window, binary.BigEndian.AppendUint64(nil, uint64(count+len(fresh))))
}

// passOpen lets an operation through because an administrator said so.
func (a *application) passOpen(c *Connection, state guardRecord, t toll) error {
	users, more, err := a.affectedUpTo(t.from, maxAffected)
	if err != nil {
		return err
	}
	if !more {
		for _, id := range users {
			if err := a.tx.Delete(guardKey(a.org, c.ID, guardUndone).id(id)); err != nil {
				return err
			}
		}
	}
	if state.Left > 0 {
		if state.Left--; state.Left == 0 {
			state.Until = time.Time{}
		}
		if err := a.setJSON(guardKey(a.org, c.ID, guardStatus), state); err != nil {
			return err
		}
	}
	return a.tx.Delete(guardKey(a.org, c.ID, guardWaiting).id(t.resource))
}

// tripped refuses the operation; the case and what waits are written in a
// transaction of their own.
func (a *application) tripped(c *Connection, t toll, limit, users int) error {
	_, _, per := c.Guard.limits()
	r := refuse(GuardTripped, "connection %s may lock, delete or remove from groups %d users per %s; this concerns %d more",
		c.ID, limit, per, users)
	r.kind, r.Evidence.Values = CaseGuard, map[string]string{"window": instant(c.Guard.window(a.now.At))}
	r.waiting = &Waiting{Resource: t.resource, Group: a.s.change.Resource == GroupResource, Loss: t.loss, Users: users}
	return r
}

// guardRename counts a rename that may take a group from a rule: one that looks
// at parts of names. A group that rules name whole they know by its id.
func (a *application) guardRename(before, after *Group) error {
	if before == nil || before.DisplayName == after.DisplayName || a.s.conn == nil ||
		!slices.ContainsFunc(a.s.policy.rules, func(r compiledRule) bool { return r.parts }) {
		return nil
	}
	return a.guard(toll{LossRename, before.ID, []ID{before.ID}})
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
