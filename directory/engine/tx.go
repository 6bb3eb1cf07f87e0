package engine

import (
	"bytes"
	"iter"
)

// Tx is the transaction that every engine shares: reads come from a snapshot
// with its own writes laid over them, writes wait in a buffer. Nothing
// reaches the storage until the engine, after Run, commits Writes.
//
// Under Limits.Serial nothing is tracked, because nothing can change between
// a read and the commit. A Tx belongs to one goroutine.
type Tx struct {
	snapshot ReadTx
	limits   Limits
	writes   buffer
	points   map[string]struct{}
	spans    []*span
	asked    int   // bytes of keys in points and spans
	err      error // the first refusal or fault: it outlives a function that ignores it
	ended    bool
}

// Range is a span of keys, From <= key < To. A nil To has no upper end.
type Range struct{ From, To []byte }

// Contains says whether key lies in r.
func (r Range) Contains(key []byte) bool {
	return bytes.Compare(r.From, key) <= 0 && (r.To == nil || bytes.Compare(key, r.To) < 0)
}

// Write is one buffered change. A nil Value deletes the key.
type Write struct{ Key, Value []byte }

// NewTx starts a transaction on a snapshot, which must not change while the
// transaction runs.
func NewTx(snapshot ReadTx, limits Limits) *Tx {
	return &Tx{snapshot: snapshot, limits: limits}
}

// Run gives the transaction to fn and ends it. It returns fn's error
// unchanged, else the first write that was refused or read that failed, else
// nil: then Writes may be committed, provided that what was read still holds.
func (t *Tx) Run(fn func(WriteTx) error) error {
	defer t.end()
	if err := fn(t); err != nil {
		return err
	}
	return t.err
}

// Writes yields the buffered changes, each key once, in ascending order.
// Their slices stay as they are for as long as anyone holds them.
func (t *Tx) Writes() iter.Seq[Write] {
	return func(yield func(Write) bool) {
		for n := t.writes.first(); n != nil; n = n.next() {
			if !yield(Write{n.key, n.value}) {
				return
			}
		}
	}
}

// Len is how many keys were written.
func (t *Tx) Len() int { return t.writes.count }

// Size is how many bytes of keys and values were written.
func (t *Tx) Size() int { return t.writes.bytes }

// Reads is how many points and ranges were read.
func (t *Tx) Reads() int { return len(t.points) + len(t.spans) }

// Asked is how many bytes the keys of what was read have.
func (t *Tx) Asked() int { return t.asked }

// Points yields the keys that Get asked the snapshot for, present or absent,
// each once, in no order.
func (t *Tx) Points() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for key := range t.points {
			if !yield([]byte(key)) {
				return
			}
		}
	}
}

// Ranges yields what Scan has read: of a scan that was broken off, only the
// part up to its last key.
func (t *Tx) Ranges() iter.Seq[Range] {
	return func(yield func(Range) bool) {
		for _, s := range t.spans {
			if !yield(s.read()) {
				return
			}
		}
	}
}

// Get returns the transaction's own write, else what the snapshot holds.
func (t *Tx) Get(key []byte) ([]byte, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	if len(key) == 0 {
		return nil, nil
	}
	if n := t.writes.find(key); n != nil {
		return n.value, nil
	}
	if err := t.trackPoint(key); err != nil {
		return nil, err
	}
	value, err := t.snapshot.Get(key)
	if err != nil {
		return nil, t.fail(err)
	}
	return value, nil
}

// Set buffers a copy of key and value.
func (t *Tx) Set(key, value []byte) error {
	if err := t.usable(); err != nil {
		return err
	}
	if len(key) == 0 {
		return t.fail(ErrKey)
	}
	if over(len(value), t.limits.ValueBytes) {
		return t.fail(ErrTooLarge)
	}
	return t.write(key, value, false)
}

// Delete buffers the deletion of key.
func (t *Tx) Delete(key []byte) error {
	if err := t.usable(); err != nil || len(key) == 0 {
		return err
	}
	return t.write(key, nil, true)
}

func (t *Tx) write(key, value []byte, deleted bool) error {
	if over(len(key), t.limits.KeyBytes) {
		return t.fail(ErrTooLarge)
	}
	t.writes.put(key, value, deleted)
	return t.checkBudget()
}

// checkBudget refuses after the fact: a transaction over its budget never
// commits, so what the buffer holds by then does not matter.
func (t *Tx) checkBudget() error {
	operations := max(t.writes.count, t.Reads())
	if over(operations, t.limits.Operations) || over(t.writes.bytes+t.asked, t.limits.Bytes) {
		return t.fail(ErrTooLarge)
	}
	return nil
}

func (t *Tx) trackPoint(key []byte) error {
	if t.limits.Serial {
		return nil
	}
	if t.points == nil {
		t.points = make(map[string]struct{})
	}
	before := len(t.points)
	t.points[string(key)] = struct{}{}
	if len(t.points) > before {
		t.asked += len(key)
	}
	return t.checkBudget()
}

// trackSpan records a scan before it reads anything. The span grows with the
// iteration, so that even one that is never resumed is recorded. Scans of the
// same bounds share one.
func (t *Tx) trackSpan(from, to []byte) (*span, error) {
	if t.limits.Serial {
		return nil, nil
	}
	for _, s := range t.spans {
		if bytes.Equal(s.from, from) && bytes.Equal(s.to, to) && (s.to == nil) == (to == nil) {
			return s, nil
		}
	}
	s := &span{from: bytes.Clone(from), to: bytes.Clone(to)}
	t.spans = append(t.spans, s)
	t.asked += len(from) + len(to)
	return s, t.checkBudget()
}

func (t *Tx) usable() error {
	if t.ended {
		return ErrClosed
	}
	return t.err
}

func (t *Tx) fail(err error) error {
	if t.err == nil {
		t.err = err
	}
	return err
}

func (t *Tx) end() { t.ended = true }

func over(n, limit int) bool { return limit > 0 && n > limit }

// span is the part of a scan that was read so far.
type span struct {
	from, to []byte
	last     []byte // the last key handed out by any scan
	whole    bool   // the scan reached its end
}

func (s *span) reach(key []byte) {
	if s != nil && bytes.Compare(key, s.last) > 0 {
		s.last = key
	}
}

func (s *span) finish() {
	if s != nil {
		s.whole = true
	}
}

func (s *span) read() Range {
	switch {
	case s.whole:
		return Range{s.from, s.to}
	case s.last == nil:
		return Range{s.from, append(bytes.Clone(s.from), 0)}
	default:
		return Range{s.from, append(bytes.Clone(s.last), 0)}
	}
}
