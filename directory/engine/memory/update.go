package memory

import (
	"context"

	"muster/directory/engine"
)

// queuedRaces is how many races the first of the queue may lose against
// newcomers before it shuts them out for one run.
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
	if err := e.losers.take(ctx); err != nil {
		return err
	}
	defer e.losers.give()
	for range queuedRaces {
		if lost, err := e.race(ctx, fn); !lost {
			return err
		}
	}
	return e.alone(ctx, fn)
}

// race runs fn once, beside others, and says whether it lost to one of them.
func (e *Engine) race(ctx context.Context, fn func(engine.WriteTx) error) (lost bool, err error) {
	start := e.current.Load()
	tx := engine.NewTx(start, e.limits)
	if err := tx.Run(fn); err != nil || tx.Len() == 0 {
		return false, err
	}
	if err := e.commits.take(ctx); err != nil {
		return false, err
	}
	defer e.commits.give()
	if !e.current.Load().holds(tx, start) {
		return true, nil
	}
	e.apply(tx)
	return false, nil
}

// alone runs fn while nobody else can commit, so it cannot lose.
func (e *Engine) alone(ctx context.Context, fn func(engine.WriteTx) error) error {
	if err := e.commits.take(ctx); err != nil {
		return err
	}
	defer e.commits.give()
	tx := engine.NewTx(e.current.Load(), e.limits)
	if err := tx.Run(fn); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e.apply(tx)
	return nil
}

// turn is a lock that waits in order of arrival and no longer than a context.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }
