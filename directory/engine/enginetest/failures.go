package enginetest

import (
	"errors"
	"fmt"
	"runtime"

	"muster/directory/engine"
)

func failureChecks() []check {
	return []check{
		{"a failed update leaves nothing and returns its error", failedUpdate},
		{"a failed view returns its error", failedView},
		{"a panic leaves nothing and reaches the caller", panickingUpdate},
		{"a panic in a view reaches the caller", panickingView},
		{"a function that ends its goroutine leaves nothing", exitingUpdate},
		{"failures harm nobody beside them", failuresBesideOthers},
		{"a failed update does not decide what others see", failedUpdateUnseen},
	}
}

var errOfFunction = fmt.Errorf("wrapped: %w", errors.New("the function's own"))

// scribble changes everything and fails as it is told to.
func scribble(fail func() error) func(engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		err := errors.Join(tx.Set([]byte("a"), []byte("2")), tx.Set([]byte("b"), []byte("2")), tx.Delete([]byte("c")))
		if err != nil {
			return err
		}
		return fail()
	}
}

func failedUpdate(b *bed) error {
	if err := b.set("a", "1", "c", "1"); err != nil {
		return err
	}
	got := b.Update(b.ctx, scribble(func() error { return errOfFunction }))
	return errors.Join(same("Update", got, errOfFunction), b.holds("a=1", "c=1"))
}

func failedView(b *bed) error {
	got := b.View(b.ctx, func(engine.ReadTx) error { return errOfFunction })
	return same("View", got, errOfFunction)
}

// caught runs fn and returns what it panicked with.
func caught(fn func() error) (value any, err error) {
	defer func() { value = recover() }()
	return nil, fn()
}

func panickingUpdate(b *bed) error {
	if err := b.set("a", "1", "c", "1"); err != nil {
		return err
	}
	type reason struct{ text string }
	why := &reason{"on purpose"}
	got, err := caught(func() error {
		return b.Update(b.ctx, scribble(func() error { panic(why) }))
	})
	if got != any(why) {
		return fmt.Errorf("the panic arrived as %v, error %v", got, err)
	}
	again := within(b.hang, "Update after a panic", func() error { return b.set("d", "1") })
	return errors.Join(again, b.holds("a=1", "c=1", "d=1"), b.closes())
}

func panickingView(b *bed) error {
	why := new(int)
	got, err := caught(func() error {
		return b.View(b.ctx, func(engine.ReadTx) error { panic(why) })
	})
	if got != any(why) {
		return fmt.Errorf("the panic arrived as %v, error %v", got, err)
	}
	again := within(b.hang, "Update after a panic", func() error { return b.set("d", "1") })
	return errors.Join(again, b.closes())
}

// closes asserts that nothing that is over counts as running.
func (b *bed) closes() error { return within(b.hang, "Close", b.Close) }

func exitingUpdate(b *bed) error {
	if err := b.set("a", "1", "c", "1"); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = b.Update(b.ctx, scribble(func() error {
			runtime.Goexit()
			return nil
		}))
	}()
	err := within(b.hang, "the end of a goroutine", func() error { <-ended; return nil })
	again := within(b.hang, "Update afterwards", func() error { return b.set("d", "1") })
	return errors.Join(err, again, b.holds("a=1", "c=1", "d=1"), b.closes())
}

// failuresBesideOthers: of nine at once, three succeed, three return an error
// and three panic.
func failuresBesideOthers(b *bed) error {
	meet := b.rendezvous(9)
	err := b.parallel(9, func(i int) error {
		why := new(int)
		value, err := caught(func() error {
			return b.Update(b.ctx, func(tx engine.WriteTx) error {
				meet.wait()
				if err := tx.Set(fmt.Append(nil, i), nil); err != nil {
					return err
				}
				return []func() error{
					func() error { return nil },
					func() error { return errOfFunction },
					func() error { panic(why) },
				}[i%3]()
			})
		})
		return errors.Join(
			same("Update", err, []error{nil, errOfFunction, nil}[i%3]),
			equal("panic", value == any(why), i%3 == 2))
	})
	return errors.Join(err, b.holds("0=", "3=", "6="))
}

// failedUpdateUnseen: what a failing function wrote is read by nobody.
func failedUpdateUnseen(b *bed) error {
	meet := b.rendezvous(6)
	err := b.parallel(6, func(i int) error {
		got := b.Update(b.ctx, func(tx engine.WriteTx) error {
			there, err := under(tx, 'r')
			if err != nil || len(there) > 0 {
				return errors.Join(err, fmt.Errorf("sees %q", there))
			}
			if err := tx.Set([]byte("r"), fmt.Append(nil, i)); err != nil {
				return err
			}
			meet.wait()
			return errOfFunction
		})
		return same("Update", got, errOfFunction)
	})
	return errors.Join(err, b.holds())
}
