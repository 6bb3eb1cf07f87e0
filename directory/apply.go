package directory

import (
	"context"
	"errors"
	"slices"
	"time"
)

// application is one run of a Change inside one transaction. A lost race runs
// it again from the start, with the ids drawn before the first run.
type application struct {
	writing
	s        situation
	id       ID // of whatever the change creates
	now      Stamp
	wrote    ID        // the last event
	emitted  time.Time // of the last event
	warnings []Warning
	cases    []*Refusal
	// released are tombstones that gave way to the new user.
	released []ID
	// verdict is the answer although the change commits: a known person whom a
	// rule now denies loses what the assertion took, and does not come in.
	verdict *Refusal
	// touched are users and subjects whose cases are to be looked at.
	touched []ID
	// resolves is the case that an administrator resolves by this.
	resolves ID
	// told is what the last write of a user or group changed; others counts the
	// users who were resolved with it and changed.
	told   []AttributeChange
	others int
	// freed are rules of which a seat came free; rehearsed are seats taken where
	// nothing is written.
	freed     []string
	rehearsed map[string]int
	// trial: nobody is resolved again, since it is all taken back.
	trial bool
	// mode is how a rehearsal takes the connection's sign-ins to write, "" as the
	// connection says.
	mode Mode
	// moved is what a sign-in changed in the person's groups, by name.
	moved *AttributeChange
}

// errDry ends a transaction that was only to be tried.
var errDry = errors.New("dry run")

// Apply is the one door: every write of users and groups goes through it. It
// returns a *Refusal when a rule says no, ErrNotFound when the path names
// nothing, ErrVersion when IfMatch fails. Nothing is half-written.
func (d *Directory) Apply(ctx context.Context, c Change) (Result, error) {
	result, err := d.attempt(ctx, c, false)
	if r, ok := errors.AsType[*Refusal](err); ok && r.waits() {
		return result, d.openCase(ctx, c, r)
	}
	return result, err
}

// DryRun takes a change through every step of Apply and writes nothing, not
// even a case.
func (d *Directory) DryRun(ctx context.Context, c Change) (Result, error) {
	return d.attempt(ctx, c, true)
}

// attempt runs a change in a transaction, and takes it back when dry.
func (d *Directory) attempt(ctx context.Context, c Change, dry bool) (result Result, err error) {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return Result{}, err
	}
	var a *application
	err = d.update(ctx, c.Org, func(w writing) error {
		change := c
		a = &application{writing: w, id: id, now: Stamp{now, c.Actor, c.Request}}
		a.s = situation{change: &change, now: now}
		if result, err = a.run(); err == nil {
			err = a.conclude()
			result.Others = a.others
		}
		if err == nil && dry {
			return errDry
		}
		return err
	})
	switch {
	case err != nil && !errors.Is(err, errDry):
		return Result{}, err
	case a.verdict != nil:
		return Result{}, a.verdict
	}
	return result, nil
}

// conclude does what waits for the end of a transaction: seats that came free
// go to the next, and cases whose cause is gone close.
func (a *application) conclude() error {
	if err := a.handOver(); err != nil {
		return err
	}
	return a.settleCases()
}

// run takes the change through the steps of the package comment.
func (a *application) run() (Result, error) {
	if err := a.prepare(); err != nil {
		return Result{}, err
	}
	if err := a.s.gate(); err != nil {
		return Result{}, err
	}
	if a.s.change.Resource == GroupResource {
		return a.runGroup()
	}
	if err := a.s.normalise(); err != nil {
		return Result{}, err
	}
	if err := a.find(&a.s); err != nil {
		return Result{}, err
	}
	if a.s.change.Verb == VerbRestore || a.s.change.Verb == VerbErase {
		return a.runTombstone()
	}
	d, err := a.s.decide()
	if err != nil {
		return Result{}, err
	}
	return a.runUser(d)
}

// prepare loads what is decided about the organisation.
func (a *application) prepare() error {
	p, err := a.policy()
	if err != nil {
		return err
	}
	a.s.policy = p
	if a.s.change.Connection != "" {
		if a.s.conn = p.Connection(a.s.change.Connection); a.s.conn == nil {
			return ErrNotFound
		}
		if a.mode != "" {
			rehearsed := *a.s.conn
			rehearsed.State, rehearsed.Write.SSO = ConnectionActive, a.mode
			a.s.conn = &rehearsed
		}
	}
	return nil
}

// runUser writes, resolves, checks and commits one user.
func (a *application) runUser(d decision) (Result, error) {
	before := d.user
	if err := a.conditions(before); err != nil {
		return Result{}, err
	}
	if before != nil { // what is stamped bears the time of its event
		a.now.At = a.moment(before)
		a.s.now = a.now.At
	}
	after := before.clone()
	if d.action == actCreate {
		after = &User{ID: a.id, Org: a.org, Created: a.now.At, key: secretKey()}
	}
	o, err := a.s.writeSource(d, after)
	if err != nil {
		return Result{}, err
	}
	a.warnings, a.cases = append(a.warnings, o.warnings...), append(a.cases, o.cases...)
	if d.action != actCreate {
		a.warnings = append(a.warnings, a.s.lacking()...)
	}
	if d.action == actCreate && a.s.conn != nil && len(d.release) > 0 {
		a.cases = append(a.cases, a.s.withCase(CaseRehire, refuse(Reserved, "re-hire? the new user has the name of one whom %s deleted at %s",
			d.release[0].Deleted.Source, instant(d.release[0].Deleted.At)), append([]*User{after}, d.release...)...))
	}
	if err := a.moveGroups(d, before, after); err != nil {
		return Result{}, err
	}
	if d.action == actAdopt && before.Home == "" {
		if err := a.endSessions(after.ID, nil); err != nil {
			return Result{}, err
		}
	}
	if err := a.release(d.release); err != nil {
		return Result{}, err
	}
	if err := a.settle(before, after); err != nil {
		return Result{}, err
	}
	if err := a.admit(d, before, after); err != nil {
		return Result{}, err
	}
	if o.locked && before != nil && before.Deleted == nil {
		loss := LossLock
		if a.s.change.Verb == VerbDelete {
			loss = LossDelete
		}
		if err := a.guard(toll{loss, after.ID, []ID{after.ID}}); err != nil {
			return Result{}, err
		}
	}
	return a.commitUser(d, before, after)
}

// clone copies a user so that writing the copy leaves the original as it was.
func (u *User) clone() *User {
	if u == nil {
		return nil
	}
	c := *u
	c.Layers = slices.Clone(u.Layers)
	c.Links = slices.Clone(u.Links)
	c.prior = u.Effective
	c.Effective = u.Effective.Clone()
	return &c
}

// conditions holds If-Match and If-None-Match against the version of what the
// writer sees.
func (a *application) conditions(u *User) error {
	c := a.s.change
	if c.IfMatch == nil && (c.IfNoneMatch == nil || u == nil) {
		return nil
	}
	if u == nil {
		return ErrVersion
	}
	p, err := a.profile(a.s.policy, u, Viewer{a.org, c.Connection}, false)
	if err == nil && !c.holds(p.Version) {
		err = ErrVersion
	}
	return err
}

// admit holds what must be true of a user who comes in or stays.
func (a *application) admit(d decision, before, after *User) error {
	if after.Deleted != nil {
		return nil
	}
	if err := a.s.missing(d, after); err != nil {
		return err
	}
	if a.s.change.Channel == SSO && after.Denied > 0 {
		a.verdict = refuse(RuleDenied, "%s applies", a.s.policy.ruleName(after.Denied))
		if d.action != actUpdate {
			return a.verdict
		}
	}
	return a.identityKept(before, after)
}

// identityKept: no connection renames a protected user, nor renames anybody to
// the name of one.
func (a *application) identityKept(before, after *User) error {
	if a.s.conn == nil || before == nil || NormalName(before.Effective.Text(UserName)) == NormalName(after.Effective.Text(UserName)) {
		return nil
	}
	if org := a.s.policy.Org; org.protects(before) || org.protects(after) {
		return refuse(Protected, "no connection may rename a protected user, or anybody to the name of one").on(UserName)
	}
	return nil
}

// release lets tombstones give up their names to a new user.
func (a *application) release(graves []*User) error {
	for _, g := range graves {
		a.released = append(a.released, g.ID)
		next := g.clone()
		next.Yielded = true
		if err := a.write(g, next, UserUpdated); err != nil {
			return err
		}
	}
	return nil
}

// commitUser writes the records and the event, and says what happened.
func (a *application) commitUser(d decision, before, after *User) (Result, error) {
	event := eventType(d, before, after)
	if err := a.write(before, after, event); err != nil {
		return Result{}, err
	}
	result := Result{Outcome: outcomeOf(d), Warnings: a.warnings, Event: a.wrote, Changes: a.told}
	if err := a.announce(d, after); err != nil {
		return Result{}, err
	}
	for _, r := range a.cases {
		if err := a.putCase(a.s.policy, a.s.change, r); err != nil {
			return Result{}, err
		}
	}
	if after.Deleted != nil {
		result.Outcome = Deleted
		return result, nil
	}
	if a.wrote == NoID && d.action == actUpdate {
		result.Outcome = Unchanged
	}
	p, err := a.profile(a.s.policy, after, Viewer{a.org, a.s.viewer()}, false)
	result.User = p
	return result, err
}

// announce queues the letters that the change gives reason for, and uses up the
// invitation that permitted a link.
func (a *application) announce(d decision, after *User) error {
	switch c := a.s.conn; {
	case a.s.change.Invitation != nil:
		return a.putUserInvitation(after)
	case c == nil:
		return nil
	case d.action == actCreate && c.Welcome:
		return a.putLetter(Letter{Kind: LetterWelcome, Org: a.org, Connection: c.ID, User: after.ID})
	case d.action == actAdopt && a.s.invites(after):
		return a.forgetUserInvitation(c.ID, a.s.address)
	}
	return nil
}

// viewer is whose view an answer shows: SCIM sees its own layer, a sign-in and
// an administrator the effective user.
func (s *situation) viewer() string {
	if s.change.Channel == SCIM {
		return s.change.Connection
	}
	return ""
}

func outcomeOf(d decision) Outcome {
	switch d.action {
	case actCreate:
		return Created
	case actAdopt:
		return Adopted
	case actRestore:
		return Restored
	}
	return Updated
}

func eventType(d decision, before, after *User) EventType {
	switch {
	case after.Deleted != nil:
		return UserDeleted
	case d.action == actCreate:
		return UserCreated
	case d.action == actRestore && before.Deleted != nil:
		return UserRestored
	case d.action == actAdopt:
		return UserAdopted
	case !before.Locked() && after.Locked():
		return UserLocked
	case before.Locked() && !after.Locked():
		return UserUnlocked
	}
	return UserUpdated
}
