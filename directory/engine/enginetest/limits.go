package enginetest

import (
	"bytes"
	"errors"
	"fmt"

	"muster/directory/engine"
)

func limitChecks() []check {
	return []check{
		{"more than the limits is refused and leaves nothing", overLimits},
		{"as much as the limits is accepted", atLimits},
		{"a refusal that the function ignores still refuses", ignoredRefusal},
	}
}

// excess is one way to be over a limit: n pieces are too many, n-1 are not.
type excess struct {
	what  string
	n     int
	write func(tx engine.WriteTx, n int) error
}

// excesses are the limits that the engine has.
func excesses(l engine.Limits) []excess {
	all := []excess{
		{"operations", l.Operations + 1, setMany},
		{"reads", l.Operations + 1, readMany},
		{"value bytes", l.ValueBytes + 1, setValue},
		{"key bytes", l.KeyBytes + 1, setKey},
		{"bytes", l.Bytes/setChunk + 1, setBytes(l)},
	}
	limits := []int{l.Operations, l.Operations, l.ValueBytes, l.KeyBytes, l.Bytes}
	var real []excess
	for i, limit := range limits {
		if limit > 0 && (all[i].what != "reads" || !l.Serial) {
			real = append(real, all[i])
		}
	}
	return real
}

func setMany(tx engine.WriteTx, n int) error {
	for i := range n {
		if err := tx.Set(fmt.Append(nil, i), nil); err != nil {
			return err
		}
	}
	return nil
}

// readMany reads n points and writes one key.
func readMany(tx engine.WriteTx, n int) error {
	for i := range n {
		if _, err := tx.Get(fmt.Append(nil, i)); err != nil {
			return err
		}
	}
	return tx.Set([]byte("read"), nil)
}

func setValue(tx engine.WriteTx, n int) error { return tx.Set([]byte("k"), make([]byte, n)) }

func setKey(tx engine.WriteTx, n int) error { return tx.Set(bytes.Repeat([]byte("k"), n), nil) }

// setChunk is the size of one pair of setBytes.
const setChunk = 64 << 10

func setBytes(l engine.Limits) func(engine.WriteTx, int) error {
	return func(tx engine.WriteTx, n int) error {
		for i := range n {
			key := fmt.Appendf(nil, "%08d", i)
			if err := tx.Set(key, make([]byte, setChunk-len(key))); err != nil {
				return err
			}
		}
		return nil
	}
}

func overLimits(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	for _, x := range excesses(b.Limits()) {
		err := b.Update(b.ctx, func(tx engine.WriteTx) error {
			return errors.Join(tx.Delete([]byte("a")), x.write(tx, x.n))
		})
		if err := errors.Join(is(x.what, err, engine.ErrTooLarge), b.holds("a=1")); err != nil {
			return err
		}
	}
	return nil
}

func atLimits(b *bed) error {
	for _, x := range excesses(b.Limits()) {
		if err := b.Update(b.ctx, func(tx engine.WriteTx) error { return x.write(tx, x.n-1) }); err != nil {
			return fmt.Errorf("%s: %w", x.what, err)
		}
	}
	return nil
}

// ignoredRefusal counts the empty key as a refusal that every engine has.
func ignoredRefusal(b *bed) error {
	ignore := func(write func(tx engine.WriteTx)) error {
		return b.Update(b.ctx, func(tx engine.WriteTx) error {
			before := tx.Set([]byte("before"), nil)
			write(tx)
			_ = tx.Set([]byte("after"), nil)
			return before
		})
	}
	err := is("the empty key", ignore(func(tx engine.WriteTx) { _ = tx.Set(nil, nil) }), engine.ErrKey)
	for _, x := range excesses(b.Limits()) {
		got := ignore(func(tx engine.WriteTx) { _ = x.write(tx, x.n) })
		err = errors.Join(err, is(x.what, got, engine.ErrTooLarge))
	}
	return errors.Join(err, b.holds())
}
