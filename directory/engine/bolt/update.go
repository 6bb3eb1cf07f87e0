package bolt

import (
	"context"

	"muster/directory/engine"
)

// Update waits for its turn, runs fn and waits until the batch is durable.
func (e *Engine) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	c := &call{turn: make(chan turn), ran: make(chan *engine.Tx), outcome: make(chan error, 1)}
	select {
	case e.queue <- c:
		return c.run(e.limits, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call is one Update in the hands of the writer.
type call struct {
	turn    chan turn       // writer -> caller: run now
	ran     chan *engine.Tx // caller -> writer: what to write, or nil
	outcome chan error      // writer -> caller: how the batch ended
}

// turn is a snapshot to run on, or why there is none.
type turn struct {
	snapshot engine.ReadTx
	err      error
}

// run is the caller's side. fn runs here, so that its panic is its caller's,
// with its own stack, and the writer survives whatever fn does.
func (c *call) run(limits engine.Limits, fn func(engine.WriteTx) error) error {
	t := <-c.turn
	if t.err != nil {
		return t.err
	}
	failed := c.attempt(engine.NewTx(t.snapshot, limits), fn)
	if err := <-c.outcome; err != nil {
		return err
	}
	return failed
}

// attempt gives the turn back, however fn ends.
func (c *call) attempt(tx *engine.Tx, fn func(engine.WriteTx) error) error {
	var success *engine.Tx
	defer func() { c.ran <- success }()
	defer faultsPanic()()
	if err := tx.Run(fn); err != nil {
		return err
	}
	success = tx
	return nil
}
