package etcd

import (
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
	"muster/directory/engine/etcd/etcdtest"
)

// below counts what is stored under a part of the layout.
func (e *Engine) below(t *testing.T, part string) int64 {
	t.Helper()
	answer, err := e.client.Get(t.Context(), e.prefix+part, clientv3.WithPrefix(), clientv3.WithCountOnly())
	if err != nil {
		t.Fatal(err)
	}
	return answer.Count
}

func update(t *testing.T, e *Engine, fn func(tx engine.WriteTx) error) {
	t.Helper()
	if err := e.Update(t.Context(), fn); err != nil {
		t.Error(err)
	}
}

func openEngine(t *testing.T, prefix string) (*Engine, bool) {
	t.Helper()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return nil, false
	}
	e, err := Open(Options{Endpoints: c.Endpoints(), Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e, true
}

func setAll(n int, prefix string) func(tx engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		for i := range n {
			if err := tx.Set(fmt.Appendf(nil, "%s%03d", prefix, i), nil); err != nil {
				return err
			}
		}
		return nil
	}
}

func deleteAll(n int, prefix string) func(tx engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		for i := range n {
			if err := tx.Delete(fmt.Appendf(nil, "%s%03d", prefix, i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestDeletionsAreCollectedAndPairsAreNot(t *testing.T) {
	t.Parallel()
	e, ok := openEngine(t, "/collected/")
	if !ok {
		return
	}
	update(t, e, setAll(100, "r"))
	update(t, e, deleteAll(100, "r"))
	update(t, e, setAll(10, "r"))
	update(t, e, deleteAll(5, "absent"))
	if n := e.below(t, "d"); n != 105 {
		t.Errorf("%d are stored before the collection, want 105", n)
	}
	if err := e.collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, notes := e.below(t, "d"), e.below(t, "g"); n != 10 || notes != 0 {
		t.Errorf("%d are stored after the collection and %d notes, want 10 and none", n, notes)
	}
}

// TestACollectionHidesNoDeletion: a transaction that read a range loses against
// a deletion in it, even when the deletion has been collected since.
func TestACollectionHidesNoDeletion(t *testing.T) {
	t.Parallel()
	e, ok := openEngine(t, "/hidden/")
	if !ok {
		return
	}
	update(t, e, setAll(2, "r"))
	runs := 0
	var counted int
	update(t, e, func(tx engine.WriteTx) error {
		counted = 0
		for _, err := range tx.Scan([]byte("r"), []byte("s")) {
			if err != nil {
				return err
			}
			counted++
		}
		if runs++; runs == 1 {
			update(t, e, deleteAll(2, "r"))
			if err := e.collect(t.Context()); err != nil {
				return err
			}
			if n := e.below(t, "dr"); n != 0 {
				t.Errorf("%d deletions were not collected", n)
			}
		}
		return tx.Set([]byte("count"), nil)
	})
	if counted != 0 || runs != 2 {
		t.Errorf("counted %d in %d runs, want 0 in 2", counted, runs)
	}
}

func TestReceiptsOfDeadProcessesAreCollected(t *testing.T) {
	t.Parallel()
	e, ok := openEngine(t, "/receipts/")
	if !ok {
		return
	}
	o := Options{Prefix: e.prefix, Now: func() time.Time { return time.Now().Add(-25 * time.Hour) }}
	for _, endpoint := range e.client.Endpoints() {
		o.Endpoints = append(o.Endpoints, endpoint[len("http://"):])
	}
	dead, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	update(t, dead, setAll(1, "a"))
	update(t, e, setAll(1, "b"))
	if err := e.collectReceipts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := e.below(t, "r"); n != 1 {
		t.Errorf("%d receipts are left, want that of the living process", n)
	}
	update(t, dead, setAll(2, "a")) // was only thought dead
	if n := e.below(t, "da"); n != 2 {
		t.Errorf("a process whose receipts were collected left %d pairs, want 2", n)
	}
	if err := dead.Close(); err != nil {
		t.Error(err)
	}
	if n := e.below(t, "r"); n != 1 {
		t.Errorf("%d receipts after Close, want 1", n)
	}
}
