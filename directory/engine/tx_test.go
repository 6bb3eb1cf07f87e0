package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory/engine"
)

// stored is a snapshot of sorted pairs that can be told to fail.
type stored struct {
	keys  []string
	fault error
}

func (s stored) Get(key []byte) ([]byte, error) {
	if slices.Contains(s.keys, string(key)) {
		return key, s.fault
	}
	return nil, s.fault
}

func (s stored) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		for _, key := range s.keys {
			if (engine.Range{From: from, To: to}).Contains([]byte(key)) && !yield(engine.Pair{Key: []byte(key), Value: []byte(key)}, nil) {
				return
			}
		}
		if s.fault != nil {
			yield(engine.Pair{}, s.fault)
		}
	}
}

// run gives back what a transaction tracked and wrote.
func run(t *testing.T, s stored, limits engine.Limits, fn func(engine.WriteTx) error) (points, ranges, writes []string, err error) {
	t.Helper()
	tx := engine.NewTx(s, limits)
	err = tx.Run(fn)
	for key := range tx.Points() {
		points = append(points, string(key))
	}
	for r := range tx.Ranges() {
		ranges = append(ranges, fmt.Sprintf("%q-%q", r.From, r.To))
	}
	for w := range tx.Writes() {
		writes = append(writes, fmt.Sprintf("%s=%s", w.Key, w.Value))
	}
	slices.Sort(points)
	return points, ranges, writes, err
}

func walk(tx engine.ReadTx, from, to []byte, most int) {
	n := 0
	for range tx.Scan(from, to) {
		if n++; n == most {
			return
		}
	}
}

func TestReadsAreTracked(t *testing.T) {
	s := stored{keys: []string{"a", "b", "c"}}
	cases := []struct {
		name           string
		read           func(tx engine.WriteTx)
		points, ranges []string
	}{
		{"points, absent ones too, each once", func(tx engine.WriteTx) {
			_, _ = tx.Get([]byte("a"))
			_, _ = tx.Get([]byte("x"))
			_, _ = tx.Get([]byte("a"))
		}, []string{"a", "x"}, nil},
		{"but no own writes", func(tx engine.WriteTx) {
			_ = tx.Set([]byte("a"), nil)
			_, _ = tx.Get([]byte("a"))
		}, nil, nil},
		{"a whole range", func(tx engine.WriteTx) { walk(tx, []byte("a"), []byte("z"), 99) }, nil, []string{`"a"-"z"`}},
		{"everything", func(tx engine.WriteTx) { walk(tx, nil, nil, 99) }, nil, []string{`""-""`}},
		{"an empty range", func(tx engine.WriteTx) { walk(tx, []byte("x"), []byte("z"), 99) }, nil, []string{`"x"-"z"`}},
		{"a range as far as it was read", func(tx engine.WriteTx) { walk(tx, nil, nil, 2) }, nil, []string{`""-"b\x00"`}},
		{"own writes reach as far", func(tx engine.WriteTx) {
			_ = tx.Set([]byte("bb"), nil)
			walk(tx, nil, nil, 3)
		}, nil, []string{`""-"bb\x00"`}},
		{"a scan that was never resumed", func(tx engine.WriteTx) {
			next, stop := iter.Pull2(tx.Scan([]byte("a"), nil))
			_, _, _ = next()
			_ = stop
		}, nil, []string{`"a"-"a\x00"`}},
		{"a scan that was never begun is none", func(tx engine.WriteTx) { _ = tx.Scan(nil, nil) }, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			points, ranges, _, err := run(t, s, engine.Limits{}, func(tx engine.WriteTx) error { c.read(tx); return nil })
			if diff := cmp.Diff([][]string{c.points, c.ranges}, [][]string{points, ranges}); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func TestNothingIsTrackedWhereUpdatesAreSerial(t *testing.T) {
	points, ranges, _, err := run(t, stored{}, engine.Limits{Serial: true, Operations: 1}, func(tx engine.WriteTx) error {
		for i := range 5 {
			walk(tx, nil, nil, 9)
			if _, err := tx.Get(fmt.Append(nil, i)); err != nil {
				return err
			}
		}
		return tx.Set([]byte("a"), nil)
	})
	if points != nil || ranges != nil || err != nil {
		t.Error(points, ranges, err)
	}
}

func TestWritesComeOnceAndInOrder(t *testing.T) {
	_, _, writes, err := run(t, stored{}, engine.Limits{}, func(tx engine.WriteTx) error {
		return errors.Join(tx.Set([]byte("c"), []byte("1")), tx.Set([]byte("a"), []byte("1")), tx.Set([]byte("c"), []byte("2")), tx.Delete([]byte("b")))
	})
	if diff := cmp.Diff([]string{"a=1", "b=", "c=2"}, writes); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestBudgetCountsWhatWillBeWritten(t *testing.T) {
	limits := engine.Limits{Bytes: 10, Operations: 2}
	same := func(tx engine.WriteTx) error {
		for range 5 {
			if err := tx.Set([]byte("key"), []byte("1234567")); err != nil {
				return err
			}
		}
		return nil
	}
	if _, _, _, err := run(t, stored{}, limits, same); err != nil {
		t.Errorf("one pair of ten bytes, five times: %v", err)
	}
	more := func(tx engine.WriteTx) error { return errors.Join(same(tx), tx.Set([]byte("k"), nil)) }
	if _, _, _, err := run(t, stored{}, limits, more); !errors.Is(err, engine.ErrTooLarge) {
		t.Errorf("eleven bytes: %v", err)
	}
}

func TestAFaultOfTheStorageCannotBeIgnored(t *testing.T) {
	fault := errors.New("disk on fire")
	s := stored{keys: []string{"a"}, fault: fault}
	reads := map[string]func(tx engine.WriteTx){
		"Get":  func(tx engine.WriteTx) { _, _ = tx.Get([]byte("a")) },
		"Scan": func(tx engine.WriteTx) { walk(tx, nil, nil, 99) },
	}
	for name, read := range reads {
		if _, _, _, err := run(t, s, engine.Limits{}, func(tx engine.WriteTx) error { read(tx); return tx.Set([]byte("b"), nil) }); err != fault && !errors.Is(err, fault) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, _, err := run(t, s, engine.Limits{}, func(tx engine.WriteTx) error { walk(tx, nil, nil, 1); return nil }); err != nil {
		t.Errorf("a fault that was not reached: %v", err)
	}
}

func TestBigTransactionsMixScansAndWrites(t *testing.T) {
	const n = 30_000
	tx := engine.NewTx(stored{}, engine.Limits{})
	err := tx.Run(func(tx engine.WriteTx) error {
		for i := range n {
			key := fmt.Appendf(nil, "%05d", i*7919%n)
			if err := tx.Set(key, key); err != nil {
				return err
			}
			walk(tx, key, nil, 3)
		}
		return nil
	})
	if err != nil || tx.Len() != n || tx.Size() != 10*n {
		t.Errorf("%d writes, %d bytes, %v", tx.Len(), tx.Size(), err)
	}
	var last []byte
	for w := range tx.Writes() {
		if bytes.Compare(last, w.Key) >= 0 || !bytes.Equal(w.Key, w.Value) {
			t.Fatalf("%q after %q holds %q", w.Key, last, w.Value)
		}
		last = w.Key
	}
}

// BenchmarkTransaction is what one change of a user takes.
func BenchmarkTransaction(b *testing.B) {
	s := stored{keys: []string{"a", "b", "c"}}
	value := make([]byte, 500)
	for _, limits := range []engine.Limits{{}, {Serial: true}} {
		b.Run(fmt.Sprint("serial=", limits.Serial), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = engine.NewTx(s, limits).Run(func(tx engine.WriteTx) error {
					for i := range 12 {
						key := [...]byte{'u', 's', 'e', 'r', byte(i * 7)}
						_, _ = tx.Get(key[:])
						_ = tx.Set(key[:], value)
						if i%4 == 0 {
							walk(tx, key[:], nil, 3)
						}
					}
					return nil
				})
			}
		})
	}
}

func BenchmarkBigTransaction(b *testing.B) {
	for b.Loop() {
		_ = engine.NewTx(stored{}, engine.Limits{Serial: true}).Run(func(tx engine.WriteTx) error {
			for i := range 30_000 {
				key := fmt.Appendf(nil, "%05d", i*7919%30_000)
				_ = tx.Set(key, key)
			}
			return nil
		})
	}
}
