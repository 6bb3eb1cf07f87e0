package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/directory/engine"
	"muster/directory/engine/postgres/postgrestest"
)

// hears waits for a key, or Resync, and tells how long that took.
func hears(t *testing.T, notices <-chan engine.Notice, key string) (resync bool, after time.Duration) {
	t.Helper()
	began, late := time.Now(), time.After(5*time.Second)
	for {
		select {
		case notice := <-notices:
			for _, k := range notice.Keys {
				if string(k) == key {
					return false, time.Since(began)
				}
			}
			if notice.Resync {
				return true, time.Since(began)
			}
		case <-late:
			t.Fatalf("%s was never told", key)
		}
	}
}

func watch(t *testing.T, e *Engine) <-chan engine.Notice {
	t.Helper()
	notices, err := e.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return notices
}

func TestOtherNodesHearWithinASecond(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	one, other := open(t, server.URL("postgres")), open(t, server.URL("postgres"))
	notices := watch(t, other)
	for i := range 20 {
		key := fmt.Sprint("k", i)
		if err := one.Update(t.Context(), add(key)); err != nil {
			t.Fatal(err)
		}
		if resync, after := hears(t, notices, key); resync || after > time.Second {
			t.Errorf("%s: resync %v after %s", key, resync, after)
		}
	}
}

// Transaction ids are given at the beginning and become visible at the commit:
// whoever remembers the highest seen misses what began earlier and ended later.
func TestWhatCommitsOutOfOrderIsHeard(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	one, other := open(t, server.URL("postgres")), open(t, server.URL("postgres"))
	notices := watch(t, other)
	err := one.Update(t.Context(), func(tx engine.WriteTx) error {
		for i := range 3 {
			key := fmt.Sprint("later", i)
			if err := other.Update(t.Context(), add(key)); err != nil {
				return err
			}
			hears(t, notices, key)
			if err := one.Update(t.Context(), add("quick"+key)); err != nil {
				return err
			}
			hears(t, notices, "quick"+key)
		}
		return tx.Set([]byte("early"), nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if resync, _ := hears(t, notices, "early"); resync {
		t.Error("a Resync where the key was to be told")
	}
}

func TestTooManyKeysAreAResync(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	one, other := open(t, server.URL("postgres")), open(t, server.URL("postgres"))
	notices := watch(t, other)
	err := one.Update(t.Context(), func(tx engine.WriteTx) error {
		for i := range changedKeys + 1 {
			if err := tx.Set(fmt.Append(nil, i), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if resync, _ := hears(t, notices, "0"); !resync {
		t.Error("a key of too many was told alone")
	}
}

func TestARestartIsAResyncAndTheFeedGoesOn(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	one, other := open(t, server.URL("postgres")), open(t, server.URL("postgres"))
	notices := watch(t, other)
	server.Kill()
	if resync, _ := hears(t, notices, "none"); !resync {
		t.Error("no Resync while the server is away")
	}
	server.Start()
	for deadline := time.Now().Add(5 * time.Second); ; {
		if err := one.Update(t.Context(), add("k")); err != nil {
			t.Fatal(err)
		}
		if resync, _ := hears(t, notices, "k"); !resync {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("only Resync since the restart")
		}
	}
}

func TestRowsOfChangesGoWhenEverybodyHadAMinuteToReadThem(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	config, _, err := parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	f := &feed{engine: e, config: config.ConnConfig}
	if err := f.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer f.disconnect()
	rows := func(want int) {
		t.Helper()
		var n int
		if err := e.pool.QueryRow(t.Context(), "select count(*) from muster.changes").Scan(&n); err != nil || n != want {
			t.Errorf("%d rows, want %d, %v", n, want, err)
		}
	}
	step := func(back time.Duration) { // as if that much time had passed
		t.Helper()
		f.pruned = f.pruned.Add(-back)
		for i := range f.past {
			f.past[i].at = f.past[i].at.Add(-back)
		}
		if err := f.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := f.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Update(t.Context(), add("old")); err != nil {
		t.Fatal(err)
	}
	step(keepChanges)
	if err := e.Update(t.Context(), add("new")); err != nil {
		t.Fatal(err)
	}
	rows(2)
	step(keepChanges / 2)
	rows(2)
	step(keepChanges / 2)
	rows(1)
	step(keepChanges)
	rows(0)
}

// The server prefers to read few pages whatever its statistics say.
func TestReadsUseTheIndex(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	for _, statement := range []string{e.sql.get, e.sql.scan, e.sql.remove} {
		conn, err := e.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		description, err := conn.Conn().Prepare(t.Context(), "plan", statement)
		if err != nil {
			t.Fatal(err)
		}
		arguments := []string{"", "null", "null, null", "null, null, null"}[len(description.ParamOIDs)]
		rows, err := conn.Query(t.Context(), "explain execute plan("+arguments+")", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(plan); !strings.Contains(text, "Index Scan using kv_pkey") || strings.Contains(text, "Seq Scan") {
			t.Errorf("%s: %s", statement, text)
		}
		if err := conn.Conn().Deallocate(t.Context(), "plan"); err != nil {
			t.Fatal(err)
		}
		conn.Release()
	}
}
