package directory

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"iter"

	"muster/directory/engine"
)

// A whole store moves as its pairs of keys and values: from engine to engine
// (Copy), into a stream (Backup) and out of it (Restore). While it arrives, its
// first record says that it is unfinished, and Open refuses it; the true one is
// written last, when everything else was read again and found to be the same.

// ErrNotEmpty: a store that is to receive another one holds something.
var ErrNotEmpty = errors.New("the store is not empty")

// Extent is how much a store holds. Two stores of one digest hold the same.
type Extent struct {
	Keys   int64
	Bytes  int64 // of keys and values
	Digest [sha256.Size]byte
}

func (x Extent) String() string {
	return fmt.Sprintf("%d keys, %d bytes, digest %x", x.Keys, x.Bytes, x.Digest[:8])
}

// measure adds up an Extent.
type measure struct {
	Extent
	hash hash.Hash
}

func newMeasure() *measure { return &measure{hash: sha256.New()} }

func (m *measure) add(p engine.Pair) {
	var lengths [16]byte
	binary.BigEndian.PutUint64(lengths[:8], uint64(len(p.Key)))
	binary.BigEndian.PutUint64(lengths[8:], uint64(len(p.Value)))
	m.hash.Write(lengths[:])
	m.hash.Write(p.Key)
	m.hash.Write(p.Value)
	m.Keys++
	m.Bytes += int64(len(p.Key) + len(p.Value))
}

func (m *measure) extent() Extent {
	m.hash.Sum(m.Digest[:0])
	return m.Extent
}

// Copy brings everything that one store holds into an empty one, as of one
// moment, and compares both. What an earlier Copy or Restore left unfinished is
// removed first. Now and then it tells how far it is.
func Copy(ctx context.Context, from, to engine.Engine, tell func(Extent)) (x Extent, err error) {
	err = from.View(ctx, func(tx engine.ReadTx) error {
		x, err = load(ctx, to, tx.Scan(nil, nil), tell)
		return err
	})
	return x, err
}

// load fills an empty store.
func load(ctx context.Context, to engine.Engine, pairs iter.Seq2[engine.Pair, error], tell func(Extent)) (Extent, error) {
	l := &loading{ctx: ctx, to: to, tell: tell, seen: newMeasure()}
	if err := l.begin(); err != nil {
		return Extent{}, err
	}
	for p, err := range pairs {
		if err != nil {
			return Extent{}, err
		}
		if err := l.take(p); err != nil {
			return Extent{}, err
		}
	}
	return l.finish()
}

// loading is a store that is being filled.
type loading struct {
	ctx    context.Context
	to     engine.Engine
	tell   func(Extent)
	seen   *measure
	format []byte // the first record, which is written last
	batch  []engine.Pair
	size   int
}

// Bounds of one transaction of a loading, within the engine's own.
const (
	batchPairs = 1000
	batchBytes = 1 << 20
)

var formatKey = key{tableFormat}

// begin marks the store, so that nobody takes the half of it for the whole.
func (l *loading) begin() error {
	if err := l.to.View(l.ctx, emptyOrUnfinished); err != nil {
		return err
	}
	mark, err := json.Marshal(storeRecord{Version: formatVersion, Unfinished: true})
	if err != nil {
		return err
	}
	if err := l.write([]engine.Pair{{Key: formatKey, Value: mark}}); err != nil {
		return err
	}
	for {
		rest, err := l.leftovers()
		if err != nil || len(rest) == 0 {
			return err
		}
		if err := l.write(rest); err != nil {
			return err
		}
	}
}

func emptyOrUnfinished(tx engine.ReadTx) error {
	record, err := tx.Get(formatKey)
	if err != nil {
		return err
	}
	var s storeRecord
	if record != nil && json.Unmarshal(record, &s) == nil && s.Unfinished {
		return nil
	}
	for _, err := range tx.Scan(nil, nil) {
		return errors.Join(ErrNotEmpty, err)
	}
	return nil
}

// leftovers are some pairs of an earlier attempt, to be deleted.
func (l *loading) leftovers() (rest []engine.Pair, err error) {
	err = l.to.View(l.ctx, func(tx engine.ReadTx) error {
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			if len(rest) == l.mostPairs() {
				return nil
			}
			if !bytes.Equal(p.Key, formatKey) {
				rest = append(rest, engine.Pair{Key: bytes.Clone(p.Key)})
			}
		}
		return nil
	})
	return rest, err
}

func (l *loading) mostPairs() int {
	limits := l.to.Limits()
	if most := cmp.Or(limits.Batch, limits.Operations); most > 0 {
		return max(1, min(batchPairs, most))
	}
	return batchPairs
}

// take adds a pair, in ascending order of keys.
func (l *loading) take(p engine.Pair) error {
	l.seen.add(p)
	p = engine.Pair{Key: bytes.Clone(p.Key), Value: append([]byte{}, p.Value...)}
	if bytes.Equal(p.Key, formatKey) {
		l.format = p.Value
		return nil
	}
	size := len(p.Key) + len(p.Value)
	if len(l.batch) > 0 && (len(l.batch) >= l.mostPairs() || l.size+size > batchBytes) {
		if err := l.flush(); err != nil {
			return err
		}
	}
	l.batch, l.size = append(l.batch, p), l.size+size
	return nil
}

func (l *loading) flush() error {
	err := l.write(l.batch)
	if errors.Is(err, engine.ErrTooLarge) {
		return fmt.Errorf("a record of table %q with a key of %d bytes and a value of %d is more than this store takes: %w",
			l.batch[0].Key[:1], len(l.batch[0].Key), len(l.batch[0].Value), err)
	}
	l.batch, l.size = nil, 0
	if l.tell != nil {
		l.tell(l.seen.Extent)
	}
	return err
}

// write sets pairs, and deletes those with a nil value. Doing so twice does no
// harm, so what may have been done is done again.
func (l *loading) write(pairs []engine.Pair) error {
	for again := false; ; again = true {
		err := l.to.Update(l.ctx, func(tx engine.WriteTx) error { return put(tx, pairs) })
		if again || !errors.Is(err, engine.ErrUnknown) {
			return err
		}
	}
}

func put(tx engine.WriteTx, pairs []engine.Pair) error {
	for _, p := range pairs {
		err := error(nil)
		if p.Value == nil {
			err = tx.Delete(p.Key)
		} else {
			err = tx.Set(p.Key, p.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish reads everything again, with the first record as it will be, and
// writes that record when it was all there.
func (l *loading) finish() (Extent, error) {
	if l.format == nil {
		return Extent{}, fmt.Errorf("%w: no directory: the first record is missing", errRecord)
	}
	if err := l.flush(); err != nil {
		return Extent{}, err
	}
	want := l.seen.extent()
	got, err := l.arrived()
	if err != nil {
		return Extent{}, err
	}
	if got != want {
		return Extent{}, fmt.Errorf("what arrived is not what was sent: %s; sent %s", got, want)
	}
	return want, l.write([]engine.Pair{{Key: formatKey, Value: l.format}})
}

func (l *loading) arrived() (Extent, error) {
	m := newMeasure()
	err := l.to.View(l.ctx, func(tx engine.ReadTx) error {
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			if bytes.Equal(p.Key, formatKey) {
				p.Value = l.format
			}
			m.add(p)
		}
		return nil
	})
	return m.extent(), err
}
