package directory

import (
	"context"
	"errors"
)

// Preview is what a configuration would change, counted before it is saved.
type Preview struct {
	Lines []string // one for each object that would change
	// Users are the live ones looked at, none where users resolve the same.
	Users int
	// Changed are those who would be seen differently; of them Denied lose and
	// Admitted regain their sign-in. Held keep a value because the one they would
	// get belongs to somebody else.
	Changed, Denied, Admitted, Held int
	// Job: they are too many to be resolved at once.
	Job bool
	// Sample are the first who change, at most 100.
	Sample []UserChange
}

// Preview says what Configure would do with one setup, by the same code without
// the commit. A *ConfigError lists the faults. It reads every user of the
// organisation when users may resolve differently.
func (d *Directory) Preview(ctx context.Context, s Setup) (p Preview, err error) {
	old, next, lines, err := d.tryOut(ctx, s)
	if err != nil {
		return Preview{}, err
	}
	if old == nil || next == nil || equalJSON(old.resolving(), next.resolving()) {
		return Preview{Lines: lines}, nil
	}
	err = d.view(ctx, s.Org.ID, func(r reading) error {
		p = Preview{Lines: lines}
		a, err := r.rehearsal()
		if err != nil {
			return err
		}
		a.rehearsed = map[string]int{}
		err = r.eachUser(func(u *User) error {
			if u.Deleted != nil {
				return nil
			}
			return p.add(a, u, old, next)
		})
		p.Job = p.Users > maxAffected
		return err
	})
	return p, err
}

// tryOut compiles a setup as Configure does and takes it back: what is decided
// now, what would be, and what would change. next is nil when nothing would.
func (d *Directory) tryOut(ctx context.Context, s Setup) (old, next *Policy, lines []string, err error) {
	err = d.update(ctx, s.Org.ID, func(w writing) error {
		old, next, lines = nil, nil, nil
		a := &application{writing: w, now: Stamp{At: canonicalTime(d.now())}, trial: true}
		a.s.change = &Change{Org: s.Org.ID, Channel: Local}
		var faults []Fault
		if old, err = a.policy(); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if lines, faults, err = a.setUp(s); err != nil {
			return err
		}
		if len(faults) > 0 {
			return &ConfigError{faults}
		}
		next = a.s.policy
		return errDry
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return old, next, lines, err
}

// add looks at one user under both policies.
func (p *Preview) add(a *application, u *User, old, next *Policy) error {
	p.Users++
	groups, err := a.groupsOf(u.ID)
	if err != nil {
		return err
	}
	before := u
	if a.stale(old, u) {
		before = current(old, u, groupsThatCount(old, u, groups))
	}
	after := before.clone()
	after.Held = nil
	a.s.policy = next
	if err := a.resolveUser(after); err != nil {
		return err
	}
	for _, name := range after.Seats {
		a.rehearsed[name]++
	}
	for _, name := range u.Seats {
		a.rehearsed[name]--
	}
	if c, err := a.conflict(before, after); err != nil {
		return err
	} else if c != nil {
		p.Held++
	}
	change := changeOf(next, before, after)
	if change == nil {
		return nil
	}
	p.Changed++
	if change.Denied != "" {
		p.Denied++
	}
	if change.Admitted {
		p.Admitted++
	}
	if len(p.Sample) < maxSample {
		p.Sample = append(p.Sample, *change)
	}
	return nil
}
