package directory_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
	"muster/directory/engine/memory"
)

// nodes are directories on one engine, each with a clock of its own.
func nodes(t *testing.T, e engine.Engine, clocks ...time.Duration) (all []*directory.Directory) {
	t.Helper()
	for _, ahead := range clocks {
		d, err := directory.Open(t.Context(), e, directory.Options{Now: func() time.Time { return time.Now().Add(ahead) }})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	s := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{
		ID: "idp", Write: directory.Write{SCIM: directory.Create}, Guard: directory.Guard{Off: true}}}}
	if _, err := all[0].Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{s}); err != nil {
		t.Fatal(err)
	}
	return all
}

// retitle gives a user the next title, a number.
func retitle(ctx context.Context, d *directory.Directory, id directory.ID) error {
	_, err := d.Apply(ctx, directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbEdit, ID: id,
		Edit: func(own directory.Attributes) (directory.Attributes, error) {
			n, _ := strconv.Atoi(own.Text("title"))
			own.Set("title", directory.Text(fmt.Sprint(n+1)))
			return own, nil
		}})
	return err
}

// inOrder fails the test unless all events are there, without gaps, and each
// user's titles count up.
func inOrder(t *testing.T, d *directory.Directory, want int) {
	t.Helper()
	events, err := d.Events(t.Context(), "acme", 0, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	titles, seen := map[directory.ID]int{}, map[directory.ID]bool{}
	for i, e := range events {
		if e.Seq != uint64(i+1) || seen[e.ID] {
			t.Errorf("event %d has number %d, or was there before", i+1, e.Seq)
		}
		seen[e.ID] = true
		for _, c := range e.Changes {
			if c.Attribute != "title" {
				continue
			}
			titles[e.User]++
			if c.After.String() != fmt.Sprint(titles[e.User]) {
				t.Errorf("user %s: title %s follows %d", e.User, c.After, titles[e.User]-1)
			}
		}
	}
	if len(events) != want {
		t.Errorf("%d events, want %d", len(events), want)
	}
	problems, err := d.Check(t.Context())
	for _, p := range problems {
		t.Errorf("check: %s: %s", p.What, p.Detail)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestEventsKeepEachUsersOrderWhateverTheClocksSay: nodes whose clocks differ
// by minutes change the same users, while several sequencers begin, race each
// other and die.
func TestEventsKeepEachUsersOrderWhateverTheClocksSay(t *testing.T) {
	e := memory.New(memory.Options{Limits: engine.Limits{Batch: 60}})
	defer e.Close()
	all := nodes(t, e, 0, -2*time.Minute, 3*time.Minute)
	sequencing(t, all, func() {
		const users, changes = 5, 40
		var ids []directory.ID
		for i := range users {
			r, err := all[2].Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM,
				Verb: directory.VerbCreate, Attributes: attributes("userName", fmt.Sprint("u", i), "externalId", fmt.Sprint(i))})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r.User.ID)
		}
		var writers sync.WaitGroup
		for i, d := range all {
			writers.Go(func() {
				for n := range changes {
					if err := retitle(t.Context(), d, ids[(n+i)%users]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		inOrder(t, all[0], 1+users+len(all)*changes)
	})
}

// sequencing runs the background work of all nodes and kills it again and
// again while fn runs.
func sequencing(t *testing.T, all []*directory.Directory, fn func()) {
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i, d := range all {
		running.Go(func() {
			for ctx.Err() == nil {
				life, end := context.WithTimeout(ctx, time.Duration(i+1)*3*time.Millisecond)
				if err := d.Run(life); err != nil {
					t.Error(err)
				}
				end()
			}
		})
		running.Go(func() {
			for ctx.Err() == nil {
				if _, err := d.Events(ctx, "acme", 0, 10); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	fn()
	stop()
	running.Wait()
}

// TestWhereTransactionsRunOneAfterAnotherTheChangeTakesItsNumber.
func TestWhereTransactionsRunOneAfterAnotherTheChangeTakesItsNumber(t *testing.T) {
	e, err := bolt.Open(filepath.Join(t.TempDir(), "muster.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d := nodes(t, e, 0)[0]
	if n := waiting(t, e); n != 0 {
		t.Errorf("%d events wait", n)
	}
	inOrder(t, d, 1)
}

// waiting counts the events without a number.
func waiting(t *testing.T, e engine.Engine) (n int) {
	t.Helper()
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		n = 0
		for _, err := range tx.Scan([]byte("p"), []byte("q")) {
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestTheSequencerNeedsNoReader: events get their numbers although nobody asks
// for them, and one node at a time gives them.
func TestTheSequencerNeedsNoReader(t *testing.T) {
	e := memory.New(memory.Options{})
	defer e.Close()
	all := nodes(t, e, 0, 0)
	if waiting(t, e) != 1 {
		t.Errorf("%d events wait, want the first", waiting(t, e))
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, d := range all {
		running.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for range 500 {
		if waiting(t, e) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	running.Wait()
	if waiting(t, e) != 0 {
		t.Error("nobody has numbered the event")
	}
	inOrder(t, all[1], 1)
}
