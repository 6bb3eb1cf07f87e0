package bolt

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"

	"muster/directory/engine"
)

// TestViewNeverSeesLessThanBefore lets views and updates race: what one view or
// update saw, every later view sees, though it may run on a kept transaction.
func TestViewNeverSeesLessThanBefore(t *testing.T) {
	e, _ := open1(t, Options{})
	key := []byte("counter")
	var seen atomic.Uint64 // at least this was seen by somebody who is done
	raise := func(n uint64) {
		for old := seen.Load(); old < n && !seen.CompareAndSwap(old, n); old = seen.Load() {
		}
	}
	number := func(r engine.ReadTx) uint64 {
		value, err := r.Get(key)
		if len(value) != 8 || err != nil {
			return 0
		}
		return binary.BigEndian.Uint64(value)
	}
	var all sync.WaitGroup
	var stop atomic.Bool
	for range 4 {
		all.Go(func() {
			for !stop.Load() {
				before := seen.Load()
				err := e.View(t.Context(), func(r engine.ReadTx) error {
					n := number(r)
					if n < before {
						t.Errorf("a view saw %d after somebody saw %d", n, before)
					}
					raise(n)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 300 {
		var n uint64
		err := e.Update(t.Context(), func(w engine.WriteTx) error {
			n = number(w) + 1
			return w.Set(key, binary.BigEndian.AppendUint64(nil, n))
		})
		if err != nil {
			t.Fatal(err)
		}
		raise(n)
	}
	stop.Store(true)
	all.Wait()
}

func TestTransactionsAreKeptFromViewToView(t *testing.T) {
	e, _ := open1(t, Options{})
	look := func() {
		if err := e.View(t.Context(), func(r engine.ReadTx) error { _, err := r.Get([]byte("a")); return err }); err != nil {
			t.Fatal(err)
		}
	}
	look()
	if len(e.idle.list) != 1 {
		t.Fatalf("%d transactions wait after a view", len(e.idle.list))
	}
	kept := e.idle.list[0]
	look()
	if len(e.idle.list) != 1 || e.idle.list[0] != kept {
		t.Error("the second view did not use the first one's transaction")
	}
	if err := e.Update(t.Context(), func(w engine.WriteTx) error { return w.Set([]byte("a"), nil) }); err != nil {
		t.Fatal(err)
	}
	if len(e.idle.list) != 0 {
		t.Error("a transaction outlived a commit")
	}
}

func TestTransactionOfABrokenOffViewIsNotKept(t *testing.T) {
	e, _ := open1(t, Options{})
	var leaked engine.ReadTx
	func() {
		defer func() { _ = recover() }()
		_ = e.View(t.Context(), func(r engine.ReadTx) error {
			leaked = r
			if _, err := r.Get([]byte("a")); err != nil {
				t.Error(err)
			}
			panic("broken off")
		})
	}()
	if len(e.idle.list) != 0 {
		t.Error("its transaction waits for the next view")
	}
	if _, err := leaked.Get([]byte("a")); err != engine.ErrClosed {
		t.Errorf("after the view, Get returned %v", err)
	}
}

func TestReaderOfAnEndedViewStaysClosedWhenItsTransactionIsUsedAgain(t *testing.T) {
	e, _ := open1(t, Options{})
	var leaked engine.ReadTx
	err := e.View(t.Context(), func(r engine.ReadTx) error { leaked = r; _, err := r.Get([]byte("a")); return err })
	if err != nil {
		t.Fatal(err)
	}
	err = e.View(t.Context(), func(r engine.ReadTx) error {
		if _, err := leaked.Get([]byte("a")); err != engine.ErrClosed {
			t.Errorf("Get returned %v", err)
		}
		for _, err := range leaked.Scan(nil, nil) {
			if err != engine.ErrClosed {
				t.Errorf("Scan yielded %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
