package postgres

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/directory/engine"
	"muster/directory/engine/postgres/postgrestest"
)

func number(tx engine.ReadTx, key string) (int, error) {
	value, err := tx.Get([]byte(key))
	if err != nil || value == nil {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

func text(n int) string { return strconv.Itoa(n) }

func TestManyNodesCountWithoutLosingOne(t *testing.T) {
	server := postgrestest.Start(t, "max_connections=150")
	if server == nil {
		return
	}
	const nodes, workers, rounds = 3, 4, 10
	var all sync.WaitGroup
	var retries atomic.Uint64
	for range nodes {
		e := open(t, server.URL("postgres"))
		var own sync.WaitGroup
		for range workers {
			own.Go(func() {
				for range rounds {
					if err := e.Update(t.Context(), add("n")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Go(func() {
			own.Wait()
			retries.Add(e.Retries())
		})
	}
	all.Wait()
	holds(t, open(t, server.URL("postgres")), "n", text(nodes*workers*rounds))
	if retries.Load() == 0 {
		t.Error("nobody ran again, though everybody counted in one key")
	}
}

// A slow function on one node beats quick ones on another, which its own
// process's queue does not hold back.
func TestALoserShutsOutOtherNodes(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	slow, quick := open(t, server.URL("postgres")), open(t, server.URL("postgres"))
	var done atomic.Bool
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for !done.Load() {
				if err := quick.Update(t.Context(), add("n")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	runs := 0
	err := slow.Update(t.Context(), func(tx engine.WriteTx) error {
		runs++
		n, err := number(tx, "n")
		time.Sleep(100 * time.Millisecond)
		return errors.Join(err, tx.Set([]byte("n"), []byte(text(n+1))), tx.Set([]byte("slow"), []byte("1")))
	})
	done.Store(true)
	others.Wait()
	if err != nil || runs > 2+queuedRaces {
		t.Errorf("%d runs, %v", runs, err)
	}
}

// Somebody with psql locks rows in the other order.
func TestADeadlockRunsAgain(t *testing.T) {
	server := postgrestest.Start(t, "deadlock_timeout=50ms")
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	write := func(tx engine.WriteTx) error {
		return errors.Join(tx.Set([]byte("a"), []byte("e")), tx.Set([]byte("b"), []byte("e")))
	}
	if err := e.Update(t.Context(), write); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.URL("postgres", "deadlock_timeout=10s"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	exec := func(statement string) {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Error(err)
		}
	}
	exec("begin")
	exec("update muster.kv set v = 'sql' where k = 'b'")
	outcome := make(chan error, 1)
	go func() { outcome <- e.Update(t.Context(), write) }()
	time.Sleep(30 * time.Millisecond) // it has a and waits for b
	exec("update muster.kv set v = 'sql' where k = 'a'")
	exec("commit")
	if err := <-outcome; err != nil {
		t.Error(err)
	}
	if e.Retries() == 0 {
		t.Error("no deadlock was met")
	}
	holds(t, e, "a", "e")
	holds(t, e, "b", "e")
}

// A long transaction reads a table larger than its predicate locks, and writes
// where others write.
func TestMoreReadsThanPredicateLocks(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	err := e.Update(t.Context(), func(tx engine.WriteTx) error {
		for i := range 20_000 {
			if err := tx.Set(fmt.Appendf(nil, "k%06d", i), make([]byte, 100)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			err := e.Update(t.Context(), func(tx engine.WriteTx) error {
				n := 0
				for _, err := range tx.Scan([]byte("k"), []byte("l")) {
					if err != nil {
						return err
					}
					n++
				}
				return tx.Set(fmt.Appendf(nil, "k%d", i), []byte(text(n)))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
