package enginetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"muster/directory/engine"
)

func fairChecks() []check {
	return []check{
		{"a slow update beats quick ones", slowIsNotStarved},
		{"everybody gets through a hot key", hotKey},
	}
}

// slowIsNotStarved: one transaction reads a range slowly while others change
// it all the time. It may lose, but not for ever.
func slowIsNotStarved(b *bed) error {
	const mostRuns = 25
	var done atomic.Bool
	return b.parallel(4, func(i int) error {
		if i > 0 {
			return b.disturb(&done, i)
		}
		defer done.Store(true)
		runs := 0
		return b.Update(b.ctx, func(tx engine.WriteTx) error {
			if runs++; runs > mostRuns {
				return fmt.Errorf("lost %d races in a row", mostRuns)
			}
			there, err := under(tx, 'r')
			time.Sleep(5 * time.Millisecond)
			return errors.Join(err, tx.Set([]byte("sum"), fmt.Append(nil, len(there))))
		})
	})
}

func (b *bed) disturb(done *atomic.Bool, i int) error {
	for round := 0; !done.Load(); round++ {
		if err := b.set(fmt.Sprint("r", i), fmt.Sprint(round)); err != nil {
			return err
		}
	}
	return nil
}

// hotKey: a hundred transactions on one key, none of which gives up.
func hotKey(b *bed) error {
	const workers, rounds = 10, 10
	if err := b.set("n", "0"); err != nil {
		return err
	}
	err := b.parallel(workers, func(int) error {
		for range rounds {
			if err := b.Update(b.ctx, increment); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, b.holds(fmt.Sprint("n=", workers*rounds)))
}

func increment(tx engine.WriteTx) error {
	n, err := number(tx, "n")
	letOthersIn()
	if err != nil {
		return err
	}
	return tx.Set([]byte("n"), fmt.Append(nil, n+1))
}
