package enginetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"muster/directory/engine"
)

// rendezvous makes functions overlap: each waits until all have come. On an
// engine that runs one function after another they never do; the first that
// has waited long enough opens the door for all.
type rendezvous struct {
	patience time.Duration
	mu       sync.Mutex
	missing  int
	open     chan struct{}
}

func (b *bed) rendezvous(n int) *rendezvous {
	return &rendezvous{patience: patience(b.Engine), missing: n, open: make(chan struct{})}
}

// patience is how long it is worth waiting for other functions.
func patience(e engine.Engine) time.Duration {
	if e.Limits().Serial {
		return 5 * time.Millisecond
	}
	return time.Second
}

// wait returns when all have come once, at once when they already have.
func (r *rendezvous) wait() {
	r.come()
	select {
	case <-r.open:
	case <-time.After(r.patience):
		r.give()
	}
}

func (r *rendezvous) come() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.missing--
	if r.missing == 0 {
		close(r.open)
	}
}

func (r *rendezvous) give() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.missing > 0 {
		r.missing = 0
		close(r.open)
	}
}

// parallel runs fn n times at once and returns all errors.
func (b *bed) parallel(n int, fn func(i int) error) error {
	failed := make(chan error, n)
	for i := range n {
		go func() { failed <- fn(i) }()
	}
	var all error
	late := time.After(3 * b.hang)
	for range n {
		select {
		case err := <-failed:
			all = errors.Join(all, err)
		case <-late:
			return errors.Join(all, fmt.Errorf("one of %d parallel calls hangs", n))
		}
	}
	return all
}

// letOthersIn makes it likely that functions overlap where no rendezvous makes
// it certain.
func letOthersIn() { time.Sleep(50 * time.Microsecond) }

// race runs the transactions at once. Each gets a function to call between
// its reads and its writes; it returns when all have read.
func (b *bed) race(transactions ...func(tx engine.WriteTx, allRead func()) error) error {
	meet := b.rendezvous(len(transactions))
	return b.parallel(len(transactions), func(i int) error {
		return b.Update(b.ctx, func(tx engine.WriteTx) error {
			return transactions[i](tx, meet.wait)
		})
	})
}
