package engine_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"muster/directory/engine"
)

func keys(n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range n {
			if !yield(fmt.Append(nil, "k", i)) {
				return
			}
		}
	}
}

func TestAWatcherThatIsBehindGetsOneResync(t *testing.T) {
	var w engine.Watchers
	notices, err := w.Watch(t.Context(), []byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		w.Publish(keys(1))
	}
	first := <-notices
	w.Close()
	rest := 0
	for range notices {
		rest++
	}
	if !first.Resync || rest > 64 {
		t.Errorf("first %+v, then %d more", first, rest)
	}
}

func TestAWatcherThatListensGetsNoResync(t *testing.T) {
	var w engine.Watchers
	notices, err := w.Watch(t.Context(), []byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		w.Publish(keys(3))
		if n := <-notices; n.Resync || len(n.Keys) != 3 {
			t.Fatalf("got %+v", n)
		}
	}
}

func TestAHugeCommitIsAResync(t *testing.T) {
	var w engine.Watchers
	notices, err := w.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Publish(keys(4096))
	if n := <-notices; n.Resync || len(n.Keys) != 4096 {
		t.Errorf("4096 keys: Resync %v, %d keys", n.Resync, len(n.Keys))
	}
	w.Publish(keys(4097))
	if n := <-notices; !n.Resync {
		t.Error("4097 keys: no Resync")
	}
	w.Resync()
	if n := <-notices; !n.Resync {
		t.Error("no Resync where it was asked for")
	}
}

func TestWatchersMayCloseAndEndInAnyOrder(t *testing.T) {
	var w engine.Watchers
	ctx, cancel := context.WithCancel(t.Context())
	one, err := w.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	cancel()
	w.Close()
	w.Publish(keys(1))
	if _, open := <-one; open {
		t.Error("a notice after Close")
	}
	if _, err := w.Watch(t.Context(), nil); err != engine.ErrClosed {
		t.Errorf("Watch after Close returned %v", err)
	}
}
