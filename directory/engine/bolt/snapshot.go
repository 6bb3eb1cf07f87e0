package bolt

import (
	"bytes"
	"context"
	"iter"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"muster/directory/engine"
)

// View runs fn on a bbolt read transaction.
func (e *Engine) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	t, err := e.reading()
	if err != nil {
		return err
	}
	s := &snapshot{e, t}
	whole := false
	defer func() { s.end(whole) }()
	defer faultsPanic()()
	err = fn(s)
	whole = true
	return err
}

// faultsPanic makes this goroutine panic where reading the mapped file fails,
// instead of ending the process, until the returned function is called.
func faultsPanic() (restore func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// snapshot is a transaction in the hands of one function.
type snapshot struct {
	engine       *Engine
	*transaction // nil when the function has returned
}

// reading is a transaction that shows the last commit.
func (e *Engine) reading() (*transaction, error) {
	t, round := e.idle.next()
	if t != nil {
		return t, nil
	}
	tx, err := e.db.Begin(false)
	if err != nil {
		return nil, err
	}
	t, err = e.open(tx)
	if err == nil {
		t.round = round
	}
	return t, err
}

// open opens the bucket. When it cannot, the transaction is over.
func (e *Engine) open(tx *bbolt.Tx) (t *transaction, err error) {
	defer func() {
		if damage := recover(); damage != nil {
			_ = tx.Rollback()
			t, err = nil, e.corrupt(damage)
		}
	}()
	return &transaction{Tx: tx, bucket: tx.Bucket(bucketName)}, nil
}

// end takes the transaction away. Another View may have it, unless the function
// broke off or left a Scan unfinished.
func (s *snapshot) end(whole bool) {
	t := s.transaction
	s.transaction = nil
	if !whole || t.cursor == nil || !s.engine.idle.keep(t) {
		_ = t.Rollback()
	}
}

// Get reads a pair.
func (s *snapshot) Get(key []byte) ([]byte, error) {
	if s.transaction == nil {
		return nil, engine.ErrClosed
	}
	cursor := s.take()
	found, value, err := s.seek(cursor, key)
	s.cursor = cursor
	if err != nil || found == nil || !bytes.Equal(found, key) {
		return nil, err
	}
	return value, nil
}

// Scan reads a range.
func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		if s.transaction == nil {
			yield(engine.Pair{}, engine.ErrClosed)
			return
		}
		cursor := s.take()
		defer s.putBack(cursor)
		key, value, err := s.seek(cursor, from)
		for err == nil && key != nil && (to == nil || bytes.Compare(key, to) < 0) {
			if !yield(engine.Pair{Key: key, Value: value}, nil) {
				return
			}
			key, value, err = s.next(cursor)
		}
		if err != nil {
			yield(engine.Pair{}, err)
		}
	}
}

// putBack ends a Scan, which may outlive its function.
func (s *snapshot) putBack(cursor *bbolt.Cursor) {
	if s.transaction != nil {
		s.cursor = cursor
	}
}

func (s *snapshot) seek(cursor *bbolt.Cursor, key []byte) (k, v []byte, err error) {
	defer s.damage(&err)
	k, v = cursor.Seek(key)
	return k, v, nil
}

func (s *snapshot) next(cursor *bbolt.Cursor) (k, v []byte, err error) {
	if s.transaction == nil {
		return nil, nil, engine.ErrClosed
	}
	defer s.damage(&err)
	k, v = cursor.Next()
	return k, v, nil
}

// damage turns bbolt's panic about a page into an error.
func (s *snapshot) damage(err *error) {
	if damage := recover(); damage != nil {
		*err = s.engine.corrupt(damage)
	}
}
