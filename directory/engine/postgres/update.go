package postgres

import (
	"context"

	"muster/directory/engine"
)

// queuedRaces is how many races the first of the queue may lose before it
// shuts everybody out for one run.
const queuedRaces = 2

// verdict says what became of one run of a function.
type verdict int

const (
	settled verdict = iota // its error is the outcome
	raced                  // somebody else was first
	cut                    // the connection broke and nothing was committed
)

// Update runs fn until it commits without having lost a race.
func (e *Engine) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	v, err := e.race(ctx, fn)
	if v != raced {
		return err
	}
	return e.retry(ctx, fn)
}

// retry runs fn again and again, one loser at a time.
func (e *Engine) retry(ctx context.Context, fn func(engine.WriteTx) error) error {
	if err := e.losers.take(ctx); err != nil {
		return err
	}
	defer e.losers.give()
	for range queuedRaces {
		if v, err := e.race(ctx, fn); v != raced {
			return err
		}
	}
	for {
		if v, err := e.alone(ctx, fn); v != raced {
			return err
		}
	}
}

// race runs fn beside others.
func (e *Engine) race(ctx context.Context, fn func(engine.WriteTx) error) (verdict, error) {
	return e.run(ctx, fn, beginUpdate, identity)
}

// alone runs fn while nobody else writes. Only a deadlock with what is not
// muster's can make it lose.
func (e *Engine) alone(ctx context.Context, fn func(engine.WriteTx) error) (verdict, error) {
	return e.run(ctx, fn, beginUpdate, e.sql.exclude, identity)
}

// run runs fn once, and once more where the connection broke before anything
// was committed.
func (e *Engine) run(ctx context.Context, fn func(engine.WriteTx) error, opening ...string) (verdict, error) {
	if err := e.writers.take(ctx); err != nil {
		return settled, err
	}
	defer e.writers.give()
	v, err := e.attempt(ctx, fn, opening)
	if v == cut && ctx.Err() == nil {
		v, err = e.attempt(ctx, fn, opening)
	}
	if v == raced {
		e.retries.Add(1)
	}
	return v, err
}

func (e *Engine) attempt(ctx context.Context, fn func(engine.WriteTx) error, opening []string) (verdict, error) {
	s, err := e.begin(ctx, opening...)
	if err != nil {
		return judge(err), err
	}
	defer s.end()
	tx := engine.NewTx(s, tracked)
	err = tx.Run(fn)
	switch {
	case s.err != nil && ctx.Err() == nil && err != nil:
		return judge(s.err), err
	case err != nil:
		return settled, err
	case ctx.Err() != nil:
		return settled, ctx.Err()
	}
	return e.commit(s, tx)
}

// tracked are the limits as engine.Tx needs them: the server tracks the reads.
var tracked = engine.Limits{Bytes: limits.Bytes, KeyBytes: limits.KeyBytes, ValueBytes: limits.ValueBytes, Serial: true}

// judge is what a fault before the commit means.
func judge(err error) verdict {
	switch {
	case isRace(err):
		return raced
	case isLost(err):
		return cut
	}
	return settled
}
