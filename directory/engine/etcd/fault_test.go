package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/directory/engine"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
)

func number(t testing.TB, e engine.Engine, key string) (n int) {
	t.Helper()
	err := e.View(context.Background(), func(tx engine.ReadTx) error {
		value, err := tx.Get([]byte(key))
		if err != nil || value == nil {
			n = 0
			return err
		}
		_, err = fmt.Sscan(string(value), &n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// add adds one to the number at a key; read runs after it was read.
func add(ctx context.Context, e engine.Engine, key string, read func()) error {
	return e.Update(ctx, func(tx engine.WriteTx) error {
		value, err := tx.Get([]byte(key))
		if err != nil {
			return err
		}
		n := 0
		if value != nil {
			if _, err := fmt.Sscan(string(value), &n); err != nil {
				return err
			}
		}
		read()
		return tx.Set([]byte(key), fmt.Append(nil, n+1))
	})
}

func TestACommitWhoseAnswerIsLostHappensOnce(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	door := c.Members[0].Door
	e := open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: "/lost/"})
	defer e.Close()
	for i, fault := range []struct {
		name       string
		begin, end func()
	}{
		{"the answer is lost", door.Mute, door.Unmute},
		{"the request is held up", door.Cut, door.Restore},
		{"the connection breaks", door.Reset, func() {}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			runs := 0
			err := e.Update(t.Context(), func(tx engine.WriteTx) error {
				if runs++; runs == 1 {
					fault.begin()
					time.AfterFunc(4*time.Second, fault.end)
				}
				return tx.Set(fmt.Appendf(nil, "%d of %d", runs, i), nil)
			})
			if err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			if n := count(t, e); n != i+1 {
				t.Errorf("%d commits after %d updates", n, i+1)
			}
		})
	}
}

// TestACommitThatComesLateComesTooLate: some requests are held up on one way
// while the other way tells that they have not happened.
func TestACommitThatComesLateComesTooLate(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	slow, quick := etcdtest.NewProxy(t, c.Endpoints()[0]), etcdtest.NewProxy(t, c.Endpoints()[0])
	e := open(t, etcd.Options{Endpoints: []string{slow.Address(), quick.Address()}, Prefix: "/late/"})
	defer e.Close()
	var all sync.WaitGroup
	var cut sync.Once
	for i := range 8 {
		all.Go(func() {
			runs := 0
			err := e.Update(t.Context(), func(tx engine.WriteTx) error {
				runs++
				cut.Do(slow.Cut)
				return tx.Set(fmt.Appendf(nil, "%d of %d", runs, i), nil)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	slow.Restore()
	time.Sleep(time.Second)
	if n := count(t, e); n != 8 {
		t.Errorf("%d commits after 8 updates", n)
	}
}

// count counts all pairs.
func count(t *testing.T, e engine.Engine) (n int) {
	t.Helper()
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		n = 0
		for _, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

func TestAClusterThatStaysSilentLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	member := c.Members[0]
	e := open(t, etcd.Options{Endpoints: c.Endpoints(), Prefix: "/silent/", Patience: time.Second})
	defer e.Close()
	if err := add(t.Context(), e, "n", member.Door.Mute); !errors.Is(err, engine.ErrUnknown) {
		t.Errorf("a commit without an answer: %v, want ErrUnknown", err)
	}
	if err := add(t.Context(), e, "n", func() {}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("an update that cannot read: %v, want ErrUnavailable", err)
	}
	member.Door.Unmute()
	if n := number(t, e, "n"); n != 1 {
		t.Errorf("the commit whose outcome was open left %d", n)
	}
	if err := add(t.Context(), e, "n", func() {}); err != nil || number(t, e, "n") != 2 {
		t.Errorf("afterwards: %v, %d", err, number(t, e, "n"))
	}
	member.Kill()
	if err := e.View(t.Context(), func(tx engine.ReadTx) error { _, err := tx.Get([]byte("n")); return err }); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a view without a cluster: %v, want ErrUnavailable", err)
	}
}

// TestNothingAcknowledgedIsLost adds from two processes while leaders die,
// members are cut off and connections break (LF-4).
func TestNothingAcknowledgedIsLost(t *testing.T) {
	t.Parallel()
	c, ok := etcdtest.Start(t, etcdtest.Options{Members: 3})
	if !ok {
		return
	}
	o := etcd.Options{Endpoints: c.Endpoints(), Prefix: "/chaos/"}
	engines := []*etcd.Engine{open(t, o), open(t, o)}
	ctx, stop := context.WithCancel(t.Context())
	var added, open [3]atomic.Int64
	var workers sync.WaitGroup
	for i := range 6 {
		workers.Go(func() {
			for ctx.Err() == nil {
				switch err := add(t.Context(), engines[i%2], fmt.Sprint("n", i/2), func() {}); {
				case err == nil:
					added[i/2].Add(1)
				case errors.Is(err, engine.ErrUnknown):
					open[i/2].Add(1)
				case !errors.Is(err, engine.ErrUnavailable):
					t.Error(err)
				}
			}
		})
	}
	disturb(c)
	before := added[0].Load() + added[1].Load() + added[2].Load()
	time.Sleep(time.Second)
	stop()
	workers.Wait()
	if added[0].Load()+added[1].Load()+added[2].Load() == before {
		t.Error("nothing goes on when all is well again")
	}
	for i := range added {
		n, least := int64(number(t, engines[0], fmt.Sprint("n", i))), added[i].Load()
		if n < least || n > least+open[i].Load() {
			t.Errorf("key %d holds %d; %d were acknowledged and %d left open", i, n, least, open[i].Load())
		}
		t.Logf("key %d: %d acknowledged, %d open", i, least, open[i].Load())
	}
	for _, e := range engines {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// disturb does one thing after another to a cluster and leaves it whole.
func disturb(c *etcdtest.Cluster) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, fault := range random.Perm(5) {
		time.Sleep(500 * time.Millisecond)
		switch fault {
		case 0:
			leader := c.Leader()
			leader.Kill()
			time.Sleep(2 * time.Second)
			leader.Start()
			leader.WaitHealthy()
		case 1:
			leader := c.Leader()
			leader.Pause()
			time.Sleep(2500 * time.Millisecond)
			leader.Continue()
		case 2:
			member := c.Leader()
			member.Isolate()
			time.Sleep(2500 * time.Millisecond)
			member.Rejoin()
		case 3:
			for _, m := range c.Members {
				m.Door.Reset()
			}
		case 4:
			door := c.Members[0].Door
			door.Mute()
			time.Sleep(2 * time.Second)
			door.Unmute()
		}
	}
	for _, m := range c.Members {
		m.WaitHealthy()
	}
}
