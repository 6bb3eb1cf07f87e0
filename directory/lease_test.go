package directory

import (
	"testing"
	"time"

	"muster/directory/engine/memory"
)

func TestOneProcessHoldsALeaseUntilItEnds(t *testing.T) {
	e := memory.New(memory.Options{})
	defer e.Close()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var nodes [2]*Directory
	for i := range nodes {
		d, err := Open(t.Context(), e, Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = d
	}
	for _, step := range []struct {
		node int
		wait time.Duration
		want bool
	}{
		{0, 0, true}, {1, 0, false}, {0, 4 * time.Second, true}, {1, 5 * time.Second, false},
		{0, 0, true}, {1, 9 * time.Second, false}, {1, time.Second, true}, {0, 0, false},
	} {
		now = now.Add(step.wait)
		held, err := nodes[step.node].lease(t.Context(), "work", 10*time.Second)
		if err != nil || held != step.want {
			t.Errorf("%s: node %d holds: %v, %v; want %v", now.Format(time.TimeOnly), step.node, held, err, step.want)
		}
	}
	if held, err := nodes[0].lease(t.Context(), "other work", time.Second); err != nil || !held {
		t.Errorf("other work: %v, %v", held, err)
	}
}

// TestTheLeaseOfADeadHolderWhoseClockWasAheadEnds: the others go by what they
// see, each by its own clock.
func TestTheLeaseOfADeadHolderWhoseClockWasAheadEnds(t *testing.T) {
	e := memory.New(memory.Options{})
	defer e.Close()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	node := func(ahead time.Duration) *Directory {
		d, err := Open(t.Context(), e, Options{Now: func() time.Time { return now.Add(ahead) }})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	fast, slow := node(time.Hour), node(0)
	for _, step := range []struct {
		node *Directory
		wait time.Duration
		want bool
	}{
		{fast, 0, true}, {slow, 0, false}, {fast, 8 * time.Second, true}, {slow, 4 * time.Second, false}, // it lives
		{slow, 9 * time.Second, false}, {slow, time.Second, true}, // it is dead
	} {
		now = now.Add(step.wait)
		held, err := step.node.lease(t.Context(), "work", 10*time.Second)
		if err != nil || held != step.want {
			t.Errorf("%s: holds: %v, %v; want %v", now.Format(time.TimeOnly), held, err, step.want)
		}
	}
}
