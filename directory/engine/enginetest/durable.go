package enginetest

import (
	"errors"
	"fmt"

	"muster/directory/engine"
)

func durableChecks() []check {
	return []check{
		{"what was committed is there after reopening", reopened},
		{"what failed is not there after reopening", reopenedWithoutFailures},
	}
}

// reopen closes the engine and opens it again.
func (b *bed) reopen() error {
	if err := b.Close(); err != nil {
		return err
	}
	b.Engine = b.open()
	return nil
}

func reopened(b *bed) error {
	var want []string
	for round := range 3 {
		key := fmt.Sprint("round", round)
		if err := b.set(key, "1", "gone", "1"); err != nil {
			return err
		}
		want = append(want, key+"=1")
		remove := func(tx engine.WriteTx) error { return tx.Delete([]byte("gone")) }
		if err := errors.Join(b.Update(b.ctx, remove), b.reopen(), b.holds(want...)); err != nil {
			return err
		}
	}
	return nil
}

func reopenedWithoutFailures(b *bed) error {
	if err := b.set("a", "1", "c", "1"); err != nil {
		return err
	}
	failed := b.Update(b.ctx, scribble(func() error { return errOfFunction }))
	_, _ = caught(func() error { return b.Update(b.ctx, scribble(func() error { panic("on purpose") })) })
	return errors.Join(same("Update", failed, errOfFunction), b.reopen(), b.holds("a=1", "c=1"))
}
