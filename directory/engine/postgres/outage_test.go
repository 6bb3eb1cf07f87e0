package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/directory/engine"
	"muster/directory/engine/postgres/postgrestest"
)

// load counts, each worker in a key of its own and all in one, and knows what
// was acknowledged.
type load struct {
	t       *testing.T
	engine  *Engine
	stop    atomic.Bool
	all     sync.WaitGroup
	acked   [6]atomic.Int64
	unknown [6]atomic.Int64
}

func startLoad(t *testing.T, e *Engine) *load {
	l := &load{t: t, engine: e}
	for i := range l.acked {
		l.all.Go(func() { l.work(i) })
	}
	return l
}

func (l *load) work(i int) {
	for !l.stop.Load() {
		err := l.engine.Update(context.Background(), func(tx engine.WriteTx) error {
			return errors.Join(add(fmt.Sprint("worker", i))(tx), add("all")(tx))
		})
		switch {
		case err == nil:
			l.acked[i].Add(1)
		case errors.Is(err, engine.ErrUnknown):
			l.unknown[i].Add(1)
		case !errors.Is(err, engine.ErrUnavailable):
			l.t.Errorf("worker %d: %v", i, err)
			return
		}
		if err != nil && strings.Contains(err.Error(), postgrestest.Password) {
			l.t.Errorf("the password is in the error: %v", err)
		}
	}
}

// total is how many were acknowledged so far.
func (l *load) total() (n int64) {
	for i := range l.acked {
		n += l.acked[i].Load()
	}
	return n
}

// goesOn waits until more is acknowledged.
func (l *load) goesOn() {
	l.t.Helper()
	began := l.total()
	for deadline := time.Now().Add(30 * time.Second); l.total() < began+60; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Error("nothing is acknowledged any more")
			return
		}
	}
}

// end asserts that everything acknowledged is there, and nothing else but what
// may be.
func (l *load) end() {
	l.t.Helper()
	l.stop.Store(true)
	l.all.Wait()
	err := l.engine.View(context.Background(), func(tx engine.ReadTx) error {
		sum := 0
		for i := range l.acked {
			n, err := number(tx, fmt.Sprint("worker", i))
			if err != nil {
				return err
			}
			acked, unknown := int(l.acked[i].Load()), int(l.unknown[i].Load())
			if n < acked || n > acked+unknown {
				l.t.Errorf("worker %d: %d are there, %d were acknowledged, %d are unknown", i, n, acked, unknown)
			}
			sum += n
		}
		n, err := number(tx, "all")
		if n != sum {
			l.t.Errorf("all is %d, the workers sum up to %d", n, sum)
		}
		l.t.Logf("%d acknowledged, %d there", l.total(), n)
		return err
	})
	if err != nil {
		l.t.Error(err)
	}
}

func TestNothingAcknowledgedIsLostWhenTheServerStartsAgain(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	l := startLoad(t, open(t, server.URL("postgres")))
	l.goesOn()
	for _, end := range []func(){server.Kill, server.Stop, server.Kill} {
		end()
		server.Start()
		l.goesOn()
	}
	l.end()
}

func TestNothingAcknowledgedIsLostWhenASynchronousReplicaIsPromoted(t *testing.T) {
	primary := postgrestest.Start(t)
	if primary == nil {
		return
	}
	replica := primary.Replica("one")
	primary.Exec("alter system set synchronous_standby_names = 'one'", "select pg_reload_conf()")
	primary.Streams("one")
	both := strings.Replace(primary.URL("postgres"), primary.Address(), primary.Address()+","+replica.Address(), 1)
	l := startLoad(t, open(t, both))
	l.goesOn()
	primary.Kill()
	replica.Promote()
	l.goesOn()
	l.end()
}

func TestAViewThatLosesItsServerFailsAndTheNextOneWorks(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	e := open(t, server.URL("postgres"))
	if err := e.Update(t.Context(), add("n")); err != nil {
		t.Fatal(err)
	}
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		if _, err := number(tx, "n"); err != nil {
			return err
		}
		server.Kill()
		_, err := number(tx, "n")
		return err
	})
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a View without its server: %v", err)
	}
	if err := e.Update(t.Context(), add("n")); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("an Update without a server: %v", err)
	}
	server.Start()
	holds(t, e, "n", "1")
}

func TestACallWithoutAServerEndsWithItsContext(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	relay := newRelay(t, server.Address())
	e := open(t, relay.url(server))
	relay.hang()
	for name, call := range map[string]func(context.Context) error{
		"View":   func(ctx context.Context) error { return e.View(ctx, func(engine.ReadTx) error { return nil }) },
		"Update": func(ctx context.Context) error { return e.Update(ctx, add("n")) },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		err := call(ctx)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
			t.Errorf("%s of a server that hangs: %v after %s", name, err, took)
		}
	}
}

// The connection breaks after the function has run: before the commit reaches
// the server, after it did, and with nobody left to ask.
func TestACommitWhoseConnectionBreaksIsLookedUp(t *testing.T) {
	server := postgrestest.Start(t)
	if server == nil {
		return
	}
	tests := []struct {
		name   string
		armed  fate
		server bool // can be reached afterwards
		err    error
		runs   int
		want   string
	}{
		{"before it is sent", loseRequest, true, nil, 2, "2"},
		{"after it was done", loseAnswer, true, nil, 1, "2"},
		{"after it was done, and the server is gone", loseAnswer, false, engine.ErrUnknown, 1, "2"},
		{"before it is sent, and the server is gone", loseRequest, false, engine.ErrUnknown, 1, "1"},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			relay := newRelay(t, server.Address())
			e, err := Open(t.Context(), relay.url(server, fmt.Sprint("schema=s", i), "pool_max_conns=1"), Options{Patience: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = e.Close() }()
			if err := e.Update(t.Context(), add("n")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * notifyEvery) // for the notification of that
			runs := 0
			err = e.Update(t.Context(), func(tx engine.WriteTx) error {
				runs++
				err := add("n")(tx)
				if runs == 1 {
					relay.arm(test.armed, test.server)
				}
				return err
			})
			if !errors.Is(err, test.err) || err != nil && test.err == nil || runs != test.runs {
				t.Errorf("%d runs, %v; want %d, %v", runs, err, test.runs, test.err)
			}
			holds(t, open(t, server.URL("postgres", fmt.Sprint("schema=s", i))), "n", test.want)
		})
	}
}
