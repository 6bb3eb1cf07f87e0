package directory_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"muster/directory"
	"muster/directory/engine"
)

// counting is a store that counts what its views read: values and pairs.
type counting struct {
	engine.Engine
	reads atomic.Int64
}

func (c *counting) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	return c.Engine.View(ctx, func(tx engine.ReadTx) error { return fn(countingTx{tx, c}) })
}

type countingTx struct {
	engine.ReadTx
	c *counting
}

func (t countingTx) Get(k []byte) ([]byte, error) {
	t.c.reads.Add(1)
	return t.ReadTx.Get(k)
}

func (t countingTx) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		for pair, err := range t.ReadTx.Scan(from, to) {
			if t.c.reads.Add(1); !yield(pair, err) {
				return
			}
		}
	}
}

// during is how much fn reads.
func (c *counting) during(fn func()) int64 {
	c.reads.Store(0)
	fn()
	return c.reads.Load()
}

func TestOpenCasesCostTheirPageHoweverManyAreClosed(t *testing.T) {
	w, _ := refusing(t)
	last := w.stranger("first").Case
	list := func() {
		page, err := w.Cases(t.Context(), "acme", directory.CaseQuery{Limit: 10})
		if err != nil || len(page.Cases) != 1 || page.Cases[0].ID != last {
			t.Fatalf("%d cases, %v", len(page.Cases), err)
		}
	}
	before := w.store.during(list)
	for i := range 50 {
		w.resolve(w.stranger(fmt.Sprintf("x-%d", i)).Case, []directory.Resolution{directory.ResolveReject, directory.ResolveIgnore}[i%2])
	}
	if after := w.store.during(list); after > before {
		t.Errorf("one open case costs %d reads, and %d beside 50 closed ones", before, after)
	}
	if closed := w.cases(directory.CaseQuery{State: directory.CasesClosed}); len(closed) != 50 {
		t.Errorf("%d closed cases", len(closed))
	}
}

func TestTheNewestEventsOfAUserCostTheirPage(t *testing.T) {
	w := newWorld(t, nil)
	id := w.must(w.push("userName", "ada")).User.ID
	rename := func(n int) { w.must(w.local(directory.VerbMerge, id, "title", fmt.Sprintf("t%d", n))) }
	for n := range 10 {
		rename(n)
	}
	var last uint64
	page := func() {
		list, err := w.History(t.Context(), "acme", id, 5)
		if err != nil || len(list) != 5 {
			t.Fatalf("%d events, %v", len(list), err)
		}
		last = list[4].Seq
		told, err := w.Story(t.Context(), "acme", id, last, 3)
		if err != nil || len(told) != 3 || told[0].Event.Seq >= last || told[1].Event.Seq >= told[0].Event.Seq {
			t.Fatalf("%+v %v", told, err)
		}
	}
	page() // numbers the events that wait, where their store does not
	before := w.store.during(page)
	for n := range 100 {
		rename(100 + n)
	}
	page()
	if after := w.store.during(page); after > before {
		t.Errorf("two pages cost %d reads, and %d with 100 more events", before, after)
	}
	if whole, err := w.History(t.Context(), "acme", id, 1000); err != nil || len(whole) != 111 || whole[110].Type != directory.UserCreated {
		t.Errorf("%d events, %v", len(whole), err)
	}
}
