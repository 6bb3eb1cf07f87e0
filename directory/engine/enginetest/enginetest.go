package enginetest

import (
	"context"
	"testing"
	"time"

	"muster/directory/engine"
)

// Harness is what the suite needs to know about an engine.
type Harness struct {
	// Open opens the engine whose data belong to dir, an empty directory at
	// first, and fails the test when it cannot. The suite closes the engine.
	Open func(t testing.TB, dir string) engine.Engine
	// Durable: what one Open wrote, the next Open of the same dir reads.
	Durable bool
}

// hang is how long a check waits for what must happen before it says that it
// hangs.
const hang = 10 * time.Second

// check is one thing that holds for every engine.
type check struct {
	name string
	run  func(*bed) error
}

// Run holds an engine against the whole contract.
func Run(t *testing.T, h Harness) {
	for _, c := range checksFor(h) {
		t.Run(c.name, func(t *testing.T) {
			if err := try(t, h, c, hang); err != nil {
				t.Error(err)
			}
		})
	}
}

func checksFor(h Harness) []check {
	all := everyCheck()
	if h.Durable {
		all = append(all, durableChecks()...)
	}
	return all
}

func everyCheck() []check {
	var all []check
	for _, group := range [][]check{
		readChecks(), writeChecks(), keyChecks(), lifetimeChecks(), raceChecks(), fairChecks(),
		failureChecks(), limitChecks(), lifecycleChecks(), watchChecks(), modelChecks(), serialChecks(),
	} {
		all = append(all, group...)
	}
	return all
}

// try runs one check on an engine of its own.
func try(t testing.TB, h Harness, c check, hang time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), 6*hang)
	defer cancel()
	dir := t.TempDir()
	b := &bed{ctx: ctx, hang: hang, Engine: h.Open(t, dir)}
	b.open = func() engine.Engine { return h.Open(t, dir) }
	err := c.run(b)
	if err == nil {
		return b.shut()
	}
	_ = within(hang, "Close", b.shut)
	return err
}
