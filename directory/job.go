package directory

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// job is work of an organisation that is too much for one transaction: users
// to be resolved again, found below roots or, without roots, all of them. It
// is written with the change that caused it and goes on after a crash.
type job struct {
	ID    ID   `json:"id"`
	All   bool `json:"all,omitempty"`
	Roots []ID `json:"roots,omitempty"` // users and groups still to do, the first one under way
	Done  []ID `json:"done,omitempty"`  // groups gone through
	After ID   `json:"after,omitzero"`  // the last one done of all, or below the first root
	// Request and Started are of the change that caused it, Total is how many users
	// it concerns at most, Looked how many it has resolved.
	Request string    `json:"request,omitempty"`
	Started time.Time `json:"started"`
	Total   int       `json:"total"`
	Looked  int       `json:"looked"`
}

// Recompute is the resolving of many users after one change, as it stands.
type Recompute struct {
	ID      ID
	Request string // of the change that caused it
	Started time.Time
	Total   int // users it concerns, at most
	Looked  int // users it has resolved
}

// Recomputing lists what an organisation's users still wait for, oldest first.
func (d *Directory) Recomputing(ctx context.Context, org string) (list []Recompute, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		prefix := orgKey(tableJob, org)
		ids, err := r.tails(prefix, -1)
		for _, id := range ids {
			var j job
			if _, err := r.jsonAt(prefix.clone().id(id), &j); err != nil {
				return err
			}
			list = append(list, Recompute{j.ID, j.Request, j.Started, j.Total, j.Looked})
		}
		return err
	})
	return list, err
}

// workLease is how long others wait for a process that died at work.
const workLease = 10 * time.Second

// jobStep is how many users one transaction of a job resolves.
const jobStep = 200

// startJob writes a job with the change under way.
func (a *application) startJob(roots []ID) error {
	return a.putJob(job{Roots: roots})
}

func (a *application) putJob(j job) error {
	id, err := a.d.ids.next(a.now.At)
	if err != nil {
		return err
	}
	j.ID, j.Request, j.Started = id, a.now.Request, a.now.At
	if j.Total, err = a.total(countUsers); err != nil {
		return err
	}
	return a.setJSON(orgKey(tableJob, a.org).id(id), j)
}

// reresolveAll resolves every user of the organisation, at once when they are
// few.
func (a *application) reresolveAll() error {
	prefix := orgKey(tableUser, a.org)
	ids, err := a.tails(prefix, maxAffected+1)
	if err != nil {
		return err
	}
	if err := a.dropJobs(); err != nil {
		return err
	}
	if len(ids) > maxAffected {
		return a.putJob(job{All: true})
	}
	for _, id := range ids {
		if err := a.refresh(id); err != nil {
			return err
		}
	}
	return nil
}

// dropJobs forgets jobs that one over all users makes needless.
func (a *application) dropJobs() error {
	prefix := orgKey(tableJob, a.org)
	ids, err := a.tails(prefix, sweepStep)
	for _, id := range ids {
		if err := a.tx.Delete(prefix.clone().id(id)); err != nil {
			return err
		}
	}
	return err
}

// jobsPending says whether users of the organisation wait to be resolved. A
// fault counts as yes: then access is resolved live.
func (r reading) jobsPending() bool {
	prefix := orgKey(tableJob, r.org)
	for range r.Scan(prefix, prefix.end()) {
		return true
	}
	return false
}

// Run does the directory's background work until ctx ends: jobs, and what time
// brings (expired one-time values and sessions, lapsed pins, tombstones past
// their retention). Where several processes run it on one store, one works at a
// time.
func (d *Directory) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	if !d.serial {
		beside.Go(func() { d.sequencing(ctx) })
	}
	for {
		more := false
		mine, err := d.lease(ctx, "work", workLease)
		if mine {
			more, err = d.Work(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			d.log.ErrorContext(ctx, "background work", "error", err)
		}
		wait := time.Second
		if more && err == nil {
			wait = 0
		}
		sleep(ctx, wait)
	}
}

// Work does one round of the background work and says whether more waits.
func (d *Directory) Work(ctx context.Context) (more bool, err error) {
	orgs, err := d.Orgs(ctx)
	if err != nil {
		return false, err
	}
	for _, org := range orgs {
		for _, step := range []func(context.Context, string) (bool, error){d.stepJob, d.stepTask, d.lapsePin, d.eraseOld, d.sweepGuard, d.sweepCases} {
			again, stepErr := step(ctx, org)
			more, err = more || again, errors.Join(err, stepErr)
		}
	}
	for _, step := range []func(context.Context) (bool, error){d.sweep, d.dropLetters} {
		again, stepErr := step(ctx)
		more, err = more || again, errors.Join(err, stepErr)
	}
	return more, err
}

// background is an application that no request stands behind.
func (d *Directory) background(ctx context.Context, org string, fn func(*application) error) error {
	now := canonicalTime(d.now())
	return d.update(ctx, org, func(w writing) error {
		p, err := w.policy()
		if err != nil {
			return err
		}
		a := &application{writing: w, now: Stamp{At: now, Actor: "muster"}}
		a.s = situation{change: &Change{Org: org, Channel: ByRule, Actor: "muster"}, now: now, policy: p}
		if err := fn(a); err != nil {
			return err
		}
		return a.conclude()
	})
}

// stepJob does one batch of the organisation's oldest job.
func (d *Directory) stepJob(ctx context.Context, org string) (more bool, err error) {
	pending := false
	if err := d.view(ctx, org, func(r reading) error { pending = r.jobsPending(); return nil }); err != nil || !pending {
		return false, err
	}
	for step := jobStep; ; step = max(1, step/4) {
		err = d.background(ctx, org, func(a *application) (err error) { more, err = a.oldestJob(step); return err })
		if step == 1 || !errors.Is(err, ErrTooLarge) {
			return more, err
		}
	}
}

// oldestJob does one batch of at most step users.
func (a *application) oldestJob(step int) (more bool, err error) {
	prefix := orgKey(tableJob, a.org)
	ids, err := a.tails(prefix, 1)
	if len(ids) == 0 || err != nil {
		return false, err
	}
	var j job
	if _, err := a.jsonAt(prefix.clone().id(ids[0]), &j); err != nil {
		return false, err
	}
	if err := a.advance(&j, step); err != nil {
		return false, err
	}
	if !j.All && len(j.Roots) == 0 {
		return true, a.tx.Delete(prefix.clone().id(j.ID))
	}
	return true, a.setJSON(prefix.clone().id(j.ID), j)
}

// advance resolves the next batch of a job and moves its mark.
func (a *application) advance(j *job, step int) error {
	for left := step; left > 0 && (j.All || len(j.Roots) > 0); {
		did, err := a.advanceRoot(j, left)
		if err != nil {
			return err
		}
		left -= did
		j.Looked = min(j.Looked+did, j.Total)
	}
	return nil
}

// advanceRoot resolves at most left users of all, or below the job's first
// root, and takes that off the list when it is through. It counts what it did.
func (a *application) advanceRoot(j *job, left int) (did int, err error) {
	prefix := orgKey(tableUser, a.org)
	if !j.All {
		g, err := a.groupByID(j.Roots[0])
		if err != nil {
			return 0, err
		}
		if g == nil {
			err := a.refresh(j.Roots[0])
			j.Roots = j.Roots[1:]
			return 1, err
		}
		prefix = orgKey(tableMember, a.org).id(g.ID)
	}
	ids, err := a.tailsAfter(prefix, j.After, left)
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := a.refreshOrQueue(j, id); err != nil {
			return 0, err
		}
	}
	if len(ids) == left {
		j.After = ids[left-1]
		return left, nil
	}
	j.After = NoID
	if j.All {
		j.All = false
	} else {
		j.Done = append(j.Done, j.Roots[0])
		j.Roots = j.Roots[1:]
	}
	return len(ids) + 1, nil
}

// refreshOrQueue resolves a user, and leaves a nested group for later.
func (a *application) refreshOrQueue(j *job, id ID) error {
	g, err := a.groupByID(id)
	if err != nil {
		return err
	}
	if g == nil {
		return a.refresh(id)
	}
	if !slices.Contains(j.Roots, id) && !slices.Contains(j.Done, id) {
		j.Roots = append(j.Roots, id)
	}
	return nil
}

// tailsAfter is tails from behind an id on.
func (r reading) tailsAfter(prefix key, after ID, limit int) ([]ID, error) {
	from := prefix.clone()
	if after != NoID {
		from = append(from.id(after), 0)
	}
	var ids []ID
	for pair, err := range r.Scan(from, prefix.end()) {
		if err != nil {
			return nil, err
		}
		if len(ids) == limit {
			break
		}
		ids = append(ids, tailID(pair.Key))
	}
	return ids, nil
}
