package bolt

import (
	"errors"
	"fmt"
	"iter"
	"runtime"

	"go.etcd.io/bbolt"

	"muster/directory/engine"
)

// What one batch may hold. The first function always fits.
const (
	batchCalls = 256
	batchBytes = 8 << 20
)

// batch is one bbolt transaction on behalf of many calls.
type batch struct {
	*snapshot
	calls []*call
	done  []*engine.Tx // the functions that succeeded
	bytes int
	err   error // what spoils the whole batch
}

// write is the writer: it makes one batch after another until the queue is
// closed.
func (e *Engine) write() {
	defer close(e.written)
	defer faultsPanic()()
	for first := range e.queue {
		e.idle.begin()
		b, err := e.begin()
		if err != nil {
			e.idle.end()
			first.turn <- turn{err: err}
			continue
		}
		b.fill(first, e.queue)
		e.finish(b)
	}
}

func (e *Engine) begin() (*batch, error) {
	if e.broken != nil {
		return nil, e.broken
	}
	tx, err := e.db.Begin(true)
	if err != nil {
		return nil, err
	}
	t, err := e.open(tx)
	if err != nil {
		return nil, err
	}
	return &batch{snapshot: &snapshot{e, t}}, nil
}

// fill lets the first call run, then everybody who is waiting.
func (b *batch) fill(first *call, queue <-chan *call) {
	for c := first; c != nil && b.err == nil; c = b.next(queue) {
		b.run(c)
	}
}

// next is the next waiting call, if there is one and it has a place. Callers
// that were just told the last outcome may be about to come again: they get
// one chance to reach the queue, which costs nothing when there are none.
func (b *batch) next(queue <-chan *call) *call {
	if b.err != nil || len(b.calls) >= batchCalls || b.bytes >= batchBytes {
		return nil
	}
	if c := waiting(queue); c != nil {
		return c
	}
	runtime.Gosched()
	return waiting(queue)
}

func waiting(queue <-chan *call) *call {
	select {
	case c := <-queue:
		return c
	default:
		return nil
	}
}

// run hands the turn over and takes what comes back into the batch.
func (b *batch) run(c *call) {
	b.calls = append(b.calls, c)
	c.turn <- turn{snapshot: b}
	tx := <-c.ran
	if tx == nil || tx.Len() == 0 {
		return
	}
	b.done = append(b.done, tx)
	b.bytes += tx.Size()
	b.err = b.apply(tx)
}

func (b *batch) apply(tx *engine.Tx) (err error) {
	defer b.damage(&err)
	for w := range tx.Writes() {
		if w.Value == nil {
			err = b.bucket.Delete(w.Key)
		} else {
			err = b.bucket.Put(w.Key, w.Value)
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", b.engine.path, err)
		}
	}
	return nil
}

// finish commits the batch and tells everybody in it how that went.
func (e *Engine) finish(b *batch) {
	err := b.err
	switch {
	case err != nil || len(b.done) == 0:
		b.end(false)
	default:
		err = e.commit(b.Tx)
		b.transaction = nil
	}
	e.idle.end()
	if err == nil && len(b.done) > 0 {
		e.watchers.Publish(b.keys())
	}
	for _, c := range b.calls {
		c.outcome <- err
	}
}

// commit makes a transaction durable. After a failure it finds out whether
// the transaction can be seen: then it may or may not survive a crash, and
// nothing further is built on it.
func (e *Engine) commit(tx *bbolt.Tx) error {
	id := tx.ID()
	err := e.tryCommit(tx)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("committing to %s: %w", e.path, err)
	seen := e.visible() >= id
	if seen || errors.Is(err, engine.ErrCorrupt) {
		e.broken = fmt.Errorf("no updates until %s is opened again: %v", e.path, err)
	}
	if seen {
		return fmt.Errorf("%w: %w", engine.ErrUnknown, err)
	}
	return err
}

func (e *Engine) tryCommit(tx *bbolt.Tx) (err error) {
	defer func() {
		if damage := recover(); damage != nil {
			err = e.corrupt(damage)
			_ = tx.Rollback()
		}
	}()
	return e.settle(tx)
}

// visible is the id of the last transaction that a reader sees.
func (e *Engine) visible() int {
	tx, err := e.db.Begin(false)
	if err != nil {
		return int(^uint(0) >> 1) // nothing can be read any more: suppose the worst
	}
	defer func() { _ = tx.Rollback() }()
	return tx.ID()
}

// keys are those that the batch changed.
func (b *batch) keys() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, tx := range b.done {
			for w := range tx.Writes() {
				if !yield(w.Key) {
					return
				}
			}
		}
	}
}
