package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/directory/engine"
)

// fault is one way to break the contract. It says what the engine does.
type fault string

// faulty is an engine as simple as can be, correct but for one fault. Its
// disk outlives it.
type faulty struct {
	fault
	disk      *disk
	limits    engine.Limits
	gate      engine.Gate
	watchers  engine.Watchers
	listeners []chan engine.Notice // instead of watchers, where they are at fault
	commits   sync.Mutex           // held to commit, or by who has lost too often
}

// faultyHarness opens engines with one fault, or with none.
func faultyHarness(f fault, limits engine.Limits) Harness {
	disks := map[string]*disk{}
	return Harness{Durable: true, Open: func(_ testing.TB, dir string) engine.Engine {
		if disks[dir] == nil || f == "forgets when closed" {
			disks[dir] = newDisk()
		}
		return &faulty{fault: f, disk: disks[dir], limits: limits}
	}}
}

func (e *faulty) is(faults ...fault) bool { return slices.Contains(faults, e.fault) }

func (e *faulty) Limits() engine.Limits { return e.limits }

// enter is the gate; leave, which ends it, is never nil.
func (e *faulty) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil && !e.is("contexts are not asked") {
		return nil, err
	}
	err = e.gate.Enter()
	switch {
	case err != nil && e.is("a closed engine answers"):
		return func() {}, nil
	case err == nil && e.is("Close waits for nobody"):
		e.gate.Leave()
		return func() {}, nil
	}
	return e.gate.Leave, err
}

// leaving runs leave after fn, or fails to.
func (e *faulty) leaving(leave func(), fn func() error) error {
	if e.is("a panic never leaves") {
		err := fn()
		leave()
		return err
	}
	defer leave()
	return fn()
}

func (e *faulty) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	leave, err := e.enter(ctx)
	if err != nil {
		return err
	}
	return e.leaving(leave, func() error { return e.view(fn) })
}

func (e *faulty) view(fn func(engine.ReadTx) error) (err error) {
	defer e.swallow(&err)
	if e.is("views keep updates out") {
		e.commits.Lock()
		defer e.commits.Unlock()
	}
	s := e.disk.snapshot()
	switch {
	case e.is("views read what is newest"):
		s = nil
	case e.is("views are one commit behind"):
		s = e.disk.outdated()
	}
	return e.wrapped(fn(&reader{faulty: e, snapshot: s}))
}

func (e *faulty) swallow(err *error) {
	if !e.is("panics become errors") {
		return
	}
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("panic: %v", reason)
	}
}

func (e *faulty) wrapped(err error) error {
	if err != nil && e.is("errors are wrapped") {
		return fmt.Errorf("transaction: %w", err)
	}
	return err
}

func (e *faulty) Close() error {
	err := e.gate.Close()
	if e.is("a closed engine answers") {
		return nil
	}
	e.watchers.Close()
	return err
}

func (e *faulty) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	switch e.fault {
	case "watchers hear nothing":
		prefix = []byte("nothing begins like this")
	case "watchers hear of everything":
		prefix = nil
	case "contexts are not asked", "a closed engine answers":
		return make(chan engine.Notice), nil
	case "watchers are waited for", "watchers share keys", "watches never end":
		listener := make(chan engine.Notice, 4)
		e.listeners = append(e.listeners, listener)
		return listener, nil
	}
	return e.watchers.Watch(ctx, prefix)
}

func (e *faulty) publish(tx *engine.Tx) {
	var keys [][]byte
	for w := range tx.Writes() {
		if w.Value != nil || !e.is("deletions are not told") {
			keys = append(keys, bytes.Clone(w.Key))
		}
	}
	for _, listener := range e.listeners {
		listener <- engine.Notice{Keys: keys}
	}
	e.watchers.Publish(slices.Values(keys))
}

var errConflict = errors.New("conflict")

func (e *faulty) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	leave, err := e.enter(ctx)
	if err != nil {
		return err
	}
	return e.leaving(leave, func() error { return e.update(ctx, fn) })
}

func (e *faulty) update(ctx context.Context, fn func(engine.WriteTx) error) error {
	if e.is("waiting ignores the context") {
		return e.alone(fn)
	}
	for range 3 {
		if lost, err := e.race(fn); !lost {
			return e.denied(ctx, err)
		}
		if e.is("conflicts are told", "every overlap is a conflict") {
			return errConflict
		}
	}
	if e.is("losers are on their own") {
		return e.update(ctx, fn)
	}
	return e.alone(fn)
}

func (e *faulty) denied(ctx context.Context, err error) error {
	if err == nil && e.is("a cancelled commit is denied") {
		return ctx.Err()
	}
	return err
}

func (e *faulty) race(fn func(engine.WriteTx) error) (lost bool, err error) {
	a := e.attempt()
	if err := a.run(fn); err != nil {
		return false, err
	}
	e.commits.Lock()
	defer e.commits.Unlock()
	if !e.disk.holds(a) {
		return true, nil
	}
	return false, a.commit()
}

func (e *faulty) alone(fn func(engine.WriteTx) error) error {
	e.commits.Lock()
	defer e.commits.Unlock()
	a := e.attempt()
	if err := a.run(fn); err != nil {
		return err
	}
	return a.commit()
}

// attempt is one run of one update.
type attempt struct {
	*faulty
	start  *snapshot
	tx     *engine.Tx
	writer *writer
}

func (e *faulty) attempt() *attempt {
	a := &attempt{faulty: e, start: e.disk.snapshot()}
	reads := engine.ReadTx(a.start)
	if e.is("updates read what is newest", "writes are seen at once") {
		reads = &reader{faulty: e}
	}
	a.tx = engine.NewTx(reads, e.budget())
	a.writer = &writer{reader: reader{faulty: e, tx: a.tx, snapshot: a.start}}
	return a
}

func (e *faulty) budget() engine.Limits {
	l := e.limits
	switch e.fault {
	case "limits do not matter":
		return engine.Limits{}
	case "limits come too early":
		l.Operations--
	}
	return l
}

func (a *attempt) run(fn func(engine.WriteTx) error) (err error) {
	defer a.swallow(&err)
	finished := false
	defer func() {
		if !finished && a.is("panics commit") {
			_ = a.commit()
		}
	}()
	var own error
	err = a.tx.Run(func(engine.WriteTx) error {
		own = fn(a.writer)
		return own
	})
	finished = true
	if err != nil && own == nil && a.is("refusals can be ignored") {
		return nil
	}
	return a.wrapped(a.failed(err))
}

// failed does what an engine must not do after a failure.
func (a *attempt) failed(err error) error {
	switch {
	case err == nil:
	case a.is("errors commit"):
		_ = a.commit()
	case a.is("a failure undoes the last commit"):
		a.disk.undo()
	case a.is("writes are seen at once"):
		a.disk.forget(a.tx)
	}
	return err
}

func (a *attempt) commit() error {
	if a.tx.Len() == 0 && a.is("an update that writes nothing fails") {
		return errors.New("nothing to write")
	}
	if a.is("watchers are told before the commit") {
		a.publish(a.tx)
		time.Sleep(5 * time.Millisecond)
	}
	a.disk.apply(a)
	a.publish(a.tx)
	return nil
}
