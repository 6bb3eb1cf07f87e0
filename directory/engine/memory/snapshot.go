package memory

import (
	"bytes"
	"iter"

	"muster/directory/engine"
)

// snapshot is what one commit left behind. It never changes.
type snapshot struct {
	root   *tree
	commit uint64
}

// Get reads a pair.
func (s *snapshot) Get(key []byte) ([]byte, error) {
	if pair := s.root.find(key); pair != nil {
		return pair.value, nil
	}
	return nil, nil
}

// Scan reads a range.
func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		w := s.root.from(from)
		for pair := w.next(to); pair != nil; pair = w.next(to) {
			if !yield(engine.Pair{Key: pair.key, Value: pair.value}, nil) {
				return
			}
		}
	}
}

// holds says whether everything that tx read in the snapshot old is the same
// in s.
func (s *snapshot) holds(tx *engine.Tx, old *snapshot) bool {
	if s == old {
		return true
	}
	for key := range tx.Points() {
		if !same(s.root.find(key), old.root.find(key)) {
			return false
		}
	}
	for r := range tx.Ranges() {
		if !s.sameRange(old, r) {
			return false
		}
	}
	return true
}

func (s *snapshot) sameRange(old *snapshot, r engine.Range) bool {
	now, then := s.root.from(r.From), old.root.from(r.From)
	for {
		a, b := now.next(r.To), then.next(r.To)
		if !same(a, b) {
			return false
		}
		if a == nil {
			return true
		}
	}
}

// same compares what two trees hold for a key, nil being nothing.
func same(a, b *tree) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.commit == b.commit && bytes.Equal(a.key, b.key)
}
