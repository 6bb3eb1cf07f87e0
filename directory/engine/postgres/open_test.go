package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/postgres/postgrestest"
)

func TestVersionsBelow15AreRefused(t *testing.T) {
	for version, want := range map[string]bool{
		"15.18 (Debian 15.18-0+deb12u1)": true, "15beta1": true, "17.2": true, "14.9": false, "9.6.24": false, "13.0.0": false,
	} {
		if err := suitable(version); (err == nil) != want {
			t.Errorf("PostgreSQL %s: %v", version, err)
		}
	}
}

func TestURLsThatCannotBeUsedAreRefusedWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://u:secret@host:notaport/db",
		"postgres://u:secret@host/db?sslmode=perhaps",
		"postgres://u:secret@host/db?schema=No%20Schema",
		"postgres://u:secret@host/db?pool_max_conns=0",
		"postgres://u:secret@127.0.0.1:1/db",
	} {
		e, err := Open(t.Context(), url, Options{})
		if err == nil {
			t.Errorf("%s was opened", url)
			_ = e.Close()
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
}

// refused opens a URL and compares what the error says.
func refused(t *testing.T, url, want string) {
	t.Helper()
	e, err := Open(t.Context(), url, Options{})
	if err == nil {
		_ = e.Close()
		t.Errorf("opened; want an error with %q", want)
		return
	}
	if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), postgrestest.Password) {
		t.Errorf("%v; want %q and no password", err, want)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	server.Exec("create role poor login password 'poor'", "create schema other", "create schema half authorization poor",
		"create schema later", "create table later.format (version int)", "insert into later.format values (99)",
		"revoke create on database postgres from public", "alter role muster set synchronous_commit = off")
	good := open(t, server.URL("postgres"))
	server.Exec("grant usage on schema muster to poor", "grant select on all tables in schema muster to poor")
	poor := strings.Replace(server.URL("postgres"), "muster:"+postgrestest.Password, "poor:poor", 1)

	refused(t, strings.Replace(server.URL("postgres"), postgrestest.Password, "wrong", 1), "password authentication failed")
	_, err := Open(t.Context(), server.URL("postgres", "schema=empty"), Options{Existing: true})
	if err == nil || !strings.Contains(err.Error(), "schema empty: there is no directory in it") {
		t.Errorf("what must exist and does not: %v", err)
	}
	refused(t, server.URL("nowhere"), `database "nowhere" does not exist`)
	refused(t, server.URL("postgres", "schema=later"), "schema later: its tables have version 99")
	refused(t, poor+"&schema=new", "CREATE SCHEMA new AUTHORIZATION")
	refused(t, poor+"&schema=other", "CREATE SCHEMA other AUTHORIZATION")
	refused(t, poor, "the role lacks rights: ")
	refused(t, server.URL("postgres", "default_transaction_read_only=on"), "read-only")
	if err := open(t, poor+"&schema=half").Close(); err != nil {
		t.Errorf("a schema of the role's own: %v", err)
	}
	var setting string
	if err := good.pool.QueryRow(t.Context(), "show synchronous_commit").Scan(&setting); err != nil || setting != "on" {
		t.Errorf("synchronous_commit is %s, %v", setting, err)
	}
}

func TestNodesThatOpenANewDatabaseAtOnceAgree(t *testing.T) {
	server := postgrestest.Start(t, "max_connections=100")
	if server == nil {
		return
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			e, err := Open(t.Context(), server.URL("postgres"), Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = e.Close() }()
			if err := e.Update(t.Context(), add("n")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	holds(t, open(t, server.URL("postgres")), "n", "6")
}

func TestReplicasAreRefusedAndPassedOver(t *testing.T) {
	primary := postgrestest.Start(t)
	if primary == nil {
		return
	}
	open(t, primary.URL("postgres"))
	replica := primary.Replica("one")
	refused(t, replica.URL("postgres"), "read-only replica")
	both := strings.Replace(replica.URL("postgres"), replica.Address(), replica.Address()+","+primary.Address(), 1)
	if err := open(t, both).Update(t.Context(), add("n")); err != nil {
		t.Error(err)
	}
}

func TestKeysOfEveryByteAreKeptAndLongOnesRefused(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	key := make([]byte, limits.KeyBytes) // that no compression makes shorter
	for i, n := 0, uint32(1); i < len(key); i++ {
		n = n*1664525 + 1013904223
		key[i] = byte(n >> 24)
	}
	write := func(key []byte) error {
		return e.Update(t.Context(), func(tx engine.WriteTx) error { return tx.Set(key, []byte("1")) })
	}
	if err := write(key); err != nil {
		t.Error(err)
	}
	holds(t, e, string(key), "1")
	if err := write(append(key, 1)); !errors.Is(err, engine.ErrTooLarge) {
		t.Errorf("a key of one byte more: %v", err)
	}
}

// add counts in a key.
func add(key string) func(engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		n, err := number(tx, key)
		if err != nil {
			return err
		}
		return tx.Set([]byte(key), []byte(text(n+1)))
	}
}

func holds(t *testing.T, e *Engine, key, want string) {
	t.Helper()
	err := e.View(context.Background(), func(tx engine.ReadTx) error {
		got, err := tx.Get([]byte(key))
		if err == nil && string(got) != want {
			t.Errorf("%.20q is %q, want %q", key, got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
