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
	s, err := e.snapshot()
	if err != nil {
		return err
	}
	defer s.end()
	defer faultsPanic()()
	return fn(s)
}

// faultsPanic makes this goroutine panic where reading the mapped file fails,
// instead of ending the process, until the returned function is called.
func faultsPanic() (restore func()) {
	before := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(before) }
}

// snapshot is a bbolt transaction, seen as the one bucket in it.
type snapshot struct {
	engine *Engine
	tx     *bbolt.Tx // nil when the snapshot has ended
	bucket *bbolt.Bucket
	idle   *bbolt.Cursor // the last one that was used, nil while a Scan has it
}

func (e *Engine) snapshot() (*snapshot, error) {
	tx, err := e.db.Begin(false)
	if err != nil {
		return nil, err
	}
	return e.read(tx)
}

// read opens the bucket. When it cannot, the transaction is over.
func (e *Engine) read(tx *bbolt.Tx) (s *snapshot, err error) {
	defer func() {
		if damage := recover(); damage != nil {
			_ = tx.Rollback()
			s, err = nil, e.corrupt(damage)
		}
	}()
	bucket := tx.Bucket(bucketName)
	return &snapshot{engine: e, tx: tx, bucket: bucket, idle: bucket.Cursor()}, nil
}

func (s *snapshot) end() {
	_ = s.tx.Rollback()
	s.tx = nil
}

// Get reads a pair.
func (s *snapshot) Get(key []byte) ([]byte, error) {
	if s.tx == nil {
		return nil, engine.ErrClosed
	}
	cursor := s.cursor()
	found, value, err := s.seek(cursor, key)
	s.release(cursor)
	if err != nil || found == nil || !bytes.Equal(found, key) {
		return nil, err
	}
	return value, nil
}

// Scan reads a range.
func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		if s.tx == nil {
			yield(engine.Pair{}, engine.ErrClosed)
			return
		}
		cursor := s.cursor()
		defer s.release(cursor)
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

// cursor takes the idle cursor, which remembers nothing but its memory, or
// makes one.
func (s *snapshot) cursor() *bbolt.Cursor {
	cursor := s.idle
	if s.idle = nil; cursor == nil {
		cursor = s.bucket.Cursor()
	}
	return cursor
}

func (s *snapshot) release(cursor *bbolt.Cursor) { s.idle = cursor }

func (s *snapshot) seek(cursor *bbolt.Cursor, key []byte) (k, v []byte, err error) {
	defer s.damage(&err)
	k, v = cursor.Seek(key)
	return k, v, nil
}

func (s *snapshot) next(cursor *bbolt.Cursor) (k, v []byte, err error) {
	if s.tx == nil {
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
