package etcd

import (
	"context"

	"muster/directory/engine"
)

// queuedRaces is how many races the first of the queue may lose before it
// shuts the others of its process out.
const queuedRaces = 2

// Update runs fn until it commits without having lost a race.
func (e *Engine) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	if lost, err := e.race(ctx, fn); !lost {
		return err
	}
	return e.retry(ctx, fn)
}

// retry runs fn again and again, one loser at a time.
func (e *Engine) retry(ctx context.Context, fn func(engine.WriteTx) error) error {
	select {
	case e.losers <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-e.losers }()
	for range queuedRaces {
		if lost, err := e.race(ctx, fn); !lost {
			return err
		}
	}
	return e.alone(ctx, fn)
}

// race runs fn once, beside others, and says whether it lost to one of them.
func (e *Engine) race(ctx context.Context, fn func(engine.WriteTx) error) (lost bool, err error) {
	a, lost, err := e.attempt(ctx, fn)
	if lost || err != nil || a.tx.Len() == 0 {
		return lost, err
	}
	select {
	case r := <-e.receipts:
		defer func() { e.receipts <- r }()
		return e.commitEither(ctx, a, r)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// alone runs fn while nobody else in this process can commit, until it has won
// against the other processes.
func (e *Engine) alone(ctx context.Context, fn func(engine.WriteTx) error) error {
	var mine []*receipt
	defer func() {
		for _, r := range mine {
			e.receipts <- r
		}
	}()
	for range slots {
		select {
		case r := <-e.receipts:
			mine = append(mine, r)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		a, lost, err := e.attempt(ctx, fn)
		if !lost && err == nil && a.tx.Len() > 0 {
			lost, err = e.commitEither(ctx, a, mine[0])
		}
		if !lost {
			return err
		}
	}
}

// commitEither commits by one request or by several, and after a loss waits
// until commits may happen.
func (e *Engine) commitEither(ctx context.Context, a attempted, r *receipt) (lost bool, err error) {
	if large(a.tx) {
		lost, err = e.commitLarge(ctx, a, r)
	} else {
		lost, err = e.commit(ctx, a, r)
	}
	if !lost {
		return false, err
	}
	answer, err := e.get(ctx, e.horizon())
	if err != nil {
		return false, err
	}
	if err := e.opened(ctx, barOf(answer.Kvs)); err != nil {
		return false, err
	}
	return true, nil
}

// attempted is a function that has run: what it wrote, and the revision of
// what it read, 0 when it read nothing.
type attempted struct {
	tx       *engine.Tx
	revision int64
}

// attempt runs fn on a snapshot of its own. It is lost when the cluster forgot
// that snapshot meanwhile, or when nobody may commit, whatever fn made of it.
func (e *Engine) attempt(ctx context.Context, fn func(engine.WriteTx) error) (a attempted, lost bool, err error) {
	s := e.snapshot(ctx)
	s.writes = true
	defer s.end()
	tx := engine.NewTx(s, e.Limits())
	err = tx.Run(fn)
	if err == nil {
		err = ctx.Err()
	}
	if s.gone && ctx.Err() == nil {
		return attempted{}, true, nil
	}
	if !s.bar.open() && ctx.Err() == nil {
		err := e.opened(ctx, s.bar)
		return attempted{}, err == nil, err
	}
	return attempted{tx, s.revision}, false, err
}
