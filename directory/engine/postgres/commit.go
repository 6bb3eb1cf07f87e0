package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"muster/directory/engine"
)

const (
	// commitTimeout ends the wait for a server that does not answer, or for a
	// synchronous replica that is gone.
	commitTimeout = 30 * time.Second
	askAgain      = 50 * time.Millisecond
)

// Bounds of what a row of changes lists; beyond them it says: everything.
const (
	changedKeys  = 4096
	changedBytes = 256 << 10
)

// commit sends all writes and the commit, and finds out what became of them.
// From here on it does not end with the caller's context.
func (e *Engine) commit(s *session, tx *engine.Tx) (verdict, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), commitTimeout)
	defer cancel()
	serial := e.serial.Add(1)
	err := send(ctx, s, e.batch(tx, serial))
	switch {
	case err == nil:
		e.told(tx)
		return settled, nil
	case isRefused(err):
		return judge(err), explain(ctx, err)
	case tx.Len() == 0, pgconn.SafeToRetry(err):
		return cut, fmt.Errorf("%w: postgres: %w", engine.ErrUnavailable, err)
	}
	s.end()
	return e.settle(s, tx, serial, err)
}

// batch is what commits a transaction. Writes go in the order of their keys, as
// everybody's do, so that two do not wait for each other in a circle.
func (e *Engine) batch(tx *engine.Tx, serial int64) *pgx.Batch {
	b := new(pgx.Batch)
	if tx.Len() > 0 {
		b.Queue(e.sql.share)
		r := run{batch: b, sql: &e.sql}
		for w := range tx.Writes() {
			r.add(w)
		}
		r.flush()
		b.Queue(e.sql.change, e.node, serial, changed(tx))
	}
	b.Queue("commit")
	return b
}

// run is a row of writes of one kind, which go in one statement.
type run struct {
	batch        *pgx.Batch
	sql          *statements
	keys, values [][]byte
	deleting     bool
}

func (r *run) add(w engine.Write) {
	if deleting := w.Value == nil; deleting != r.deleting {
		r.flush()
		r.deleting = deleting
	}
	r.keys = append(r.keys, w.Key)
	if !r.deleting {
		r.values = append(r.values, w.Value)
	}
}

func (r *run) flush() {
	switch {
	case len(r.keys) == 0:
	case r.deleting:
		r.batch.Queue(r.sql.remove, r.keys)
	default:
		r.batch.Queue(r.sql.set, r.keys, r.values)
	}
	r.keys, r.values = nil, nil
}

// changed lists the keys of a transaction; nil when they are too many.
func changed(tx *engine.Tx) [][]byte {
	keys, size := make([][]byte, 0, tx.Len()), 0
	for key := range keysOf(tx) {
		keys, size = append(keys, key), size+len(key)
	}
	if len(keys) > changedKeys || size > changedBytes {
		return nil
	}
	return keys
}

func keysOf(tx *engine.Tx) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for w := range tx.Writes() {
			if !yield(w.Key) {
				return
			}
		}
	}
}

// send runs a batch that ends with a commit.
func send(ctx context.Context, s *session, b *pgx.Batch) error {
	results := s.conn.SendBatch(ctx, b)
	var tag pgconn.CommandTag
	var err error
	for range b.Len() {
		if tag, err = results.Exec(); err != nil {
			break
		}
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err == nil && tag.String() != "COMMIT" {
		return &pgconn.PgError{SeverityUnlocalized: "ERROR", Message: "the commit was answered with " + tag.String()}
	}
	return err
}

// told lets every watcher know what was, or may have been, committed.
func (e *Engine) told(tx *engine.Tx) {
	if tx.Len() == 0 {
		return
	}
	e.watchers.Publish(keysOf(tx))
	select {
	case e.committed <- struct{}{}:
	default:
	}
}

// settle finds out what became of a commit whose connection broke.
func (e *Engine) settle(s *session, tx *engine.Tx, serial int64, broke error) (verdict, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), e.patience)
	defer cancel()
	for {
		status, there, err := e.outcome(ctx, s.xid, serial)
		switch {
		case err == nil && there:
			e.told(tx)
			return settled, nil
		case err == nil && status == "aborted":
			return cut, fmt.Errorf("%w: postgres: %w", engine.ErrUnavailable, broke)
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			e.told(tx)
			return settled, fmt.Errorf("%w: postgres: %w", engine.ErrUnknown, broke)
		}
	}
}

// outcome asks for the status of a transaction and whether its row of changes
// is there.
func (e *Engine) outcome(ctx context.Context, xid string, serial int64) (status string, there bool, err error) {
	err = e.pool.QueryRow(ctx, e.sql.outcome, xid, e.node, serial).Scan(&status, &there)
	if isLost(err) {
		e.pool.Reset()
	}
	return status, there, err
}
