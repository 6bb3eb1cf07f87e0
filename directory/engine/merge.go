package engine

import (
	"bytes"
	"iter"
)

// Scan yields the snapshot's pairs with the transaction's own writes laid
// over them.
func (t *Tx) Scan(from, to []byte) iter.Seq2[Pair, error] {
	return func(yield func(Pair, error) bool) {
		if err := t.usable(); err != nil {
			yield(Pair{}, err)
			return
		}
		read, err := t.trackSpan(from, to)
		if err != nil {
			yield(Pair{}, err)
			return
		}
		m := merge{tx: t, own: t.writes.seek(from), to: to, read: read, yield: yield}
		m.run(from)
	}
}

// merge walks the snapshot and the write buffer side by side. Where both
// hold a key, the buffer wins.
type merge struct {
	tx    *Tx
	own   *node // the next own write
	to    []byte
	read  *span
	yield func(Pair, error) bool
}

func (m *merge) run(from []byte) {
	for p, err := range m.tx.snapshot.Scan(from, m.to) {
		if err != nil {
			m.yield(Pair{}, m.tx.fail(err))
			return
		}
		if !m.ownBelow(p.Key) || !m.stored(p) {
			return
		}
	}
	if m.ownBelow(m.to) {
		m.read.finish()
	}
}

// ownBelow yields own writes with key < end, all of them when end is nil.
func (m *merge) ownBelow(end []byte) bool {
	for m.own != nil && (end == nil || bytes.Compare(m.own.key, end) < 0) {
		n := m.own
		m.own = n.next()
		if n.value != nil && !m.emit(Pair{n.key, n.value}) {
			return false
		}
	}
	return true
}

// stored yields a pair of the snapshot, unless an own write replaces it.
func (m *merge) stored(p Pair) bool {
	if m.own == nil || !bytes.Equal(m.own.key, p.Key) {
		return m.emit(p)
	}
	n := m.own
	m.own = n.next()
	if n.value == nil {
		return true
	}
	return m.emit(Pair{n.key, n.value})
}

func (m *merge) emit(p Pair) bool {
	m.read.reach(p.Key)
	return m.yield(p, nil)
}
