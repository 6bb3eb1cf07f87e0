package postgres

import (
	"context"

	"muster/directory/engine"
)

const (
	beginView   = "begin isolation level repeatable read read only"
	beginUpdate = "begin isolation level serializable"
	snapshot    = "select pg_current_snapshot()::text"
	identity    = "select pg_current_xact_id()::text"
)

// View runs fn on one snapshot.
func (e *Engine) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	s, err := e.begin(ctx, beginView, snapshot)
	if err != nil {
		return err
	}
	defer s.end()
	return fn(s)
}
