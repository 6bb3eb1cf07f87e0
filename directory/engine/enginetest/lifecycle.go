package enginetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/directory/engine"
)

func lifecycleChecks() []check {
	return []check{
		{"a cancelled context runs nothing", cancelledBefore},
		{"a cancelled context ends the wait", cancelledWhileWaiting},
		{"a context cancelled inside the function tells the truth", cancelledInside},
		{"Close waits for a view", closeWaitsForView},
		{"Close waits for an update", closeWaitsForUpdate},
		{"a closed engine refuses everything", closedRefuses},
	}
}

func cancelledBefore(b *bed) error {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	ran := errors.New("the function ran")
	view := b.View(ctx, func(engine.ReadTx) error { return ran })
	update := b.Update(ctx, func(tx engine.WriteTx) error { return errors.Join(ran, tx.Set([]byte("a"), nil)) })
	_, watch := b.Watch(ctx, nil)
	return errors.Join(is("View", view, context.Canceled), is("Update", update, context.Canceled),
		is("Watch", watch, context.Canceled), b.holds())
}

// occupy keeps an update running until release is called, which returns its
// outcome.
func (b *bed) occupy() (release func() error) {
	running, stop, outcome := make(chan struct{}, 100), make(chan struct{}), make(chan error, 1)
	go func() {
		outcome <- b.Update(b.ctx, func(tx engine.WriteTx) error {
			running <- struct{}{}
			<-stop
			return tx.Set([]byte("occupied"), nil)
		})
	}()
	<-running
	return func() error {
		close(stop)
		return within(b.hang, "the running update", func() error { return <-outcome })
	}
}

// cancelledWhileWaiting: an engine that runs one update after another lets
// the second go before the first is over; any other may just commit it.
func cancelledWhileWaiting(b *bed) error {
	release := b.occupy()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Millisecond)
	defer cancel()
	want := []string{"occupied="}
	var got error
	err := within(b.hang, "a cancelled Update", func() error {
		got = b.Update(ctx, func(tx engine.WriteTx) error { return tx.Set([]byte("a"), nil) })
		return nil
	})
	if err := errors.Join(err, release()); err != nil {
		return err
	}
	if got == nil {
		want = []string{"a=", "occupied="}
	} else if err := is("Update", got, context.DeadlineExceeded); err != nil {
		return err
	}
	return b.holds(want...)
}

func cancelledInside(b *bed) error {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	got := b.Update(ctx, func(tx engine.WriteTx) error {
		cancel()
		return tx.Set([]byte("a"), nil)
	})
	if got == nil {
		return b.holds("a=")
	}
	return errors.Join(is("Update", got, context.Canceled), b.holds())
}

// closeBeside closes the engine while something runs, and says when that may
// end.
func (b *bed) closeBeside(release func() error) error {
	closed := make(chan error, 1)
	go func() { closed <- b.Close() }()
	if err := within(b.hang, "View of a closing engine", b.refuses); err != nil {
		return err
	}
	select {
	case err := <-closed:
		return fmt.Errorf("no wait in Close, which returned %v", err)
	case <-time.After(5 * time.Millisecond):
	}
	if err := release(); err != nil {
		return fmt.Errorf("what ran when Close came: %w", err)
	}
	return within(b.hang, "Close", func() error { return <-closed })
}

// refuses waits until a View is refused, which is when Close has begun.
func (b *bed) refuses() error {
	for {
		err := b.View(b.ctx, func(engine.ReadTx) error { return nil })
		if err != nil {
			return is("View", err, engine.ErrClosed)
		}
	}
}

func closeWaitsForView(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	running, stop, outcome := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		outcome <- b.View(b.ctx, func(tx engine.ReadTx) error {
			close(running)
			<-stop
			return reads(tx, "a", "1")
		})
	}()
	<-running
	return b.closeBeside(func() error {
		close(stop)
		return within(b.hang, "the running view", func() error { return <-outcome })
	})
}

func closeWaitsForUpdate(b *bed) error { return b.closeBeside(b.occupy()) }

func closedRefuses(b *bed) error {
	notices, err := b.Watch(b.ctx, nil)
	if err != nil {
		return err
	}
	if err := within(b.hang, "Close", b.Close); err != nil {
		return err
	}
	ran := errors.New("the function ran")
	view := b.View(b.ctx, func(engine.ReadTx) error { return ran })
	update := b.Update(b.ctx, func(engine.WriteTx) error { return ran })
	_, watch := b.Watch(b.ctx, nil)
	return errors.Join(is("View", view, engine.ErrClosed), is("Update", update, engine.ErrClosed),
		is("Watch", watch, engine.ErrClosed), is("Close", b.Close(), engine.ErrClosed), b.ends(notices))
}
