package etcd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
	"muster/directory/engine/etcd/etcdtest"
)

// openTwo opens a store twice.
func openTwo(t *testing.T, prefix string) (a, b *Engine, ok bool) {
	t.Helper()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return nil, nil, false
	}
	var two [2]*Engine
	for i := range two {
		e, err := Open(Options{Endpoints: c.Endpoints(), Prefix: prefix})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		two[i] = e
	}
	return two[0], two[1], true
}

// many is more than one request holds.
const many = 1000

func setMany(value string) func(tx engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		for i := range many {
			if err := tx.Set(fmt.Appendf(nil, "k%04d", i), []byte(value)); err != nil {
				return err
			}
		}
		return nil
	}
}

// values counts what the many keys hold.
func values(e *Engine) (map[string]int, error) {
	var found map[string]int
	err := e.View(context.Background(), func(tx engine.ReadTx) error {
		found = map[string]int{}
		for pair, err := range tx.Scan([]byte("k"), []byte("l")) {
			if err != nil {
				return err
			}
			found[string(pair.Value)]++
		}
		return nil
	})
	return found, err
}

// TestALargeTransactionIsSeenWholeOrNotAtAll reads on two processes while one
// of them writes much and the other little.
func TestALargeTransactionIsSeenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	a, b, ok := openTwo(t, "/whole/")
	if !ok {
		return
	}
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	for _, e := range []*Engine{a, b} {
		beside.Go(func() {
			for ctx.Err() == nil {
				found, err := values(e)
				if err != nil || len(found) > 1 {
					t.Errorf("seen: %v, %v", found, err)
				}
				for value, n := range found {
					if n != many {
						t.Errorf("%d of %q", n, value)
					}
				}
			}
		})
	}
	var small atomic.Int64
	beside.Go(func() {
		for ctx.Err() == nil {
			err := b.Update(t.Context(), func(tx engine.WriteTx) error {
				_, err := tx.Get([]byte("small"))
				return errors.Join(err, tx.Set([]byte("small"), fmt.Append(nil, small.Load())))
			})
			if err != nil {
				t.Error(err)
			}
			small.Add(1)
		}
	})
	const most = 200
	round := 0
	for ; round < most && (round < 6 || small.Load() < 6); round++ {
		update(t, a, setMany(fmt.Sprint("round ", round)))
	}
	stop()
	beside.Wait()
	if round == most {
		t.Errorf("only %d small updates went through beside %d large ones", small.Load(), round)
	}
	if n := a.below(t, "j"); n != 0 {
		t.Errorf("%d pieces of journals are left", n)
	}
}

// stuck leaves a large transaction at a point where its process died.
func stuck(t *testing.T, e *Engine, fn func(tx engine.WriteTx) error, decided bool) {
	t.Helper()
	r := <-e.receipts
	a, lost, err := e.attempt(t.Context(), fn)
	if lost || err != nil {
		t.Fatal(lost, err)
	}
	operation := e.newOperation()
	if err := e.writeJournal(t.Context(), operation, a.tx); err != nil {
		t.Fatal(err)
	}
	mine, err := e.shut(t.Context(), a, operation)
	if err != nil || mine.revision == 0 {
		t.Fatal(mine, err)
	}
	if !decided {
		return
	}
	goal := bar{state: applying, operation: operation}
	happened, err := e.settle(t.Context(), r, []clientv3.Cmp{r.unchanged(), e.is(mine)}, []clientv3.Op{clientv3.OpPut(e.horizon(), goal.value())})
	if !happened || err != nil {
		t.Fatal(happened, err)
	}
	if _, err := e.applyPart(t.Context(), bar{revision: r.revision, state: applying, operation: operation},
		[]engine.Write{{Key: []byte("k0000"), Value: []byte("new")}}, "first"); err != nil {
		t.Fatal(err)
	}
}

// TestACommittedLargeTransactionSurvivesItsProcess: others see all of it at
// once, and finish it.
func TestACommittedLargeTransactionSurvivesItsProcess(t *testing.T) {
	t.Parallel()
	dead, e, ok := openTwo(t, "/rolled/")
	if !ok {
		return
	}
	update(t, e, setMany("old"))
	update(t, e, setAll(3, "gone"))
	stuck(t, dead, func(tx engine.WriteTx) error {
		return errors.Join(setMany("new")(tx), deleteAll(3, "gone")(tx), tx.Set([]byte("zz"), nil))
	}, true)
	whole := func(when string) {
		found, err := values(e)
		if err != nil || found["new"] != many || len(found) != 1 {
			t.Errorf("%s: %v, %v", when, found, err)
		}
		err = e.View(t.Context(), func(tx engine.ReadTx) error {
			gone, err := tx.Get([]byte("gone001"))
			first, err2 := tx.Get([]byte("k0000"))
			if gone != nil || string(first) != "new" {
				t.Errorf("%s: gone001 is %q, k0000 %q", when, gone, first)
			}
			n := 0
			for _, err := range tx.Scan([]byte("g"), nil) {
				n++
				err2 = errors.Join(err2, err)
			}
			if n != many+1 {
				t.Errorf("%s: %d pairs", when, n)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Error(err)
		}
	}
	whole("before anybody writes")
	update(t, e, setAll(1, "after"))
	whole("after somebody has written")
	if n := e.below(t, "j"); n != 0 {
		t.Errorf("%d pieces of the journal are left", n)
	}
	if n := e.below(t, "g"); n == 0 {
		t.Error("the deletions were not noted")
	}
}

// TestAnUndecidedLargeTransactionIsBrokenOff: its process died before it had
// decided; nothing of it happens, and others go on after a while.
func TestAnUndecidedLargeTransactionIsBrokenOff(t *testing.T) {
	t.Parallel()
	dead, e, ok := openTwo(t, "/broken/")
	if !ok {
		return
	}
	stuck(t, dead, setMany("new"), false)
	if found, err := values(e); len(found) > 0 || err != nil {
		t.Errorf("seen: %v, %v", found, err)
	}
	began := time.Now()
	update(t, e, setAll(1, "after"))
	if waited := time.Since(began); waited < barPatience-time.Second || waited > 2*barPatience {
		t.Errorf("waited %s", waited)
	}
	if found, err := values(e); len(found) > 0 || err != nil {
		t.Errorf("afterwards: %v, %v", found, err)
	}
	e.now = func() time.Time { return time.Now().Add(25 * time.Hour) }
	if err := e.collectJournals(t.Context()); err != nil || e.below(t, "j") != 0 {
		t.Errorf("%d pieces of the journal are left, %v", e.below(t, "j"), err)
	}
}

// TestALargeTransactionLosesRacesLikeAnyOther.
func TestALargeTransactionLosesRacesLikeAnyOther(t *testing.T) {
	t.Parallel()
	a, b, ok := openTwo(t, "/races/")
	if !ok {
		return
	}
	for name, change := range map[string]func(tx engine.WriteTx) error{
		"a value":    setAll(1, "r"),
		"a deletion": deleteAll(1, "r"),
		"an insert":  func(tx engine.WriteTx) error { return tx.Set([]byte("r5"), nil) },
	} {
		update(t, b, setAll(1, "r"))
		runs := 0
		update(t, a, func(tx engine.WriteTx) error {
			for _, err := range tx.Scan([]byte("r"), []byte("s")) {
				if err != nil {
					return err
				}
			}
			for i := range many {
				if _, err := tx.Get(fmt.Appendf(nil, "absent%d", i)); err != nil {
					return err
				}
			}
			if runs++; runs == 1 {
				update(t, b, change)
			}
			return setMany(name)(tx)
		})
		if runs != 2 {
			t.Errorf("%s: %d runs, want 2", name, runs)
		}
	}
}
