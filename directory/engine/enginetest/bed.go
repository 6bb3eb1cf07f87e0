package enginetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory/engine"
)

// bed is what one check works on: an empty engine, a context that outlives
// the check and the time after which waiting is hanging.
type bed struct {
	engine.Engine
	ctx  context.Context
	hang time.Duration
	open func() engine.Engine
}

// shut closes the engine, unless the check has done so.
func (b *bed) shut() error {
	if err := b.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
		return fmt.Errorf("closing: %w", err)
	}
	return nil
}

// set writes key, value, key, value... in one transaction.
func (b *bed) set(pairs ...string) error {
	return b.Update(b.ctx, func(tx engine.WriteTx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Set([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
}

// get reads one value from a snapshot of its own; "" also when absent.
func (b *bed) get(key string) (value string, err error) {
	err = b.View(b.ctx, func(tx engine.ReadTx) error {
		value, err = text(tx, key)
		return err
	})
	return value, err
}

// holds compares the whole content, written key=value, with what it must be.
func (b *bed) holds(want ...string) error {
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		return scans(tx, nil, nil, want...)
	})
}

// scans compares what a range of tx holds, written key=value.
func scans(tx engine.ReadTx, from, to []byte, want ...string) error {
	got, err := list(tx, from, to)
	if err != nil {
		return err
	}
	return equal(fmt.Sprintf("Scan(%q, %q)", from, to), got, append([]string{}, want...))
}

// list reads a range, each pair written key=value.
func list(tx engine.ReadTx, from, to []byte) ([]string, error) {
	pairs := []string{}
	for p, err := range tx.Scan(from, to) {
		if err != nil {
			return nil, fmt.Errorf("Scan(%q, %q): %w", from, to, err)
		}
		pairs = append(pairs, string(p.Key)+"="+string(p.Value))
	}
	return pairs, nil
}

// under lists the keys that begin with prefix, which is one letter.
func under(tx engine.ReadTx, prefix byte) ([]string, error) {
	return list(tx, []byte{prefix}, []byte{prefix + 1})
}

// text reads one value; "" also when absent.
func text(tx engine.ReadTx, key string) (string, error) {
	value, err := tx.Get([]byte(key))
	if err != nil {
		return "", fmt.Errorf("Get(%q): %w", key, err)
	}
	return string(value), nil
}

// reads compares one value; "" also means absent.
func reads(tx engine.ReadTx, key, want string) error {
	got, err := text(tx, key)
	if err != nil {
		return err
	}
	return equal(fmt.Sprintf("Get(%q)", key), got, want)
}

func equal[T any](what string, got, want T) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s: -want +got\n%s", what, diff)
	}
	return nil
}

// same asserts that an error came back as the very same value.
func same(what string, got, want error) error {
	if got != want {
		return fmt.Errorf("%s returned %v (%T), not the error itself: %v", what, got, got, want)
	}
	return nil
}

// is asserts errors.Is.
func is(what string, got, want error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("%s returned %v, want %v", what, got, want)
	}
	return nil
}

// within fails when fn takes longer than it may. It leaves fn behind then.
func within(d time.Duration, what string, fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	select {
	case err := <-done:
		return err
	case <-time.After(d):
		return fmt.Errorf("%s hangs", what)
	}
}
