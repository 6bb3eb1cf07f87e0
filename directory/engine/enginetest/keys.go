package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"muster/directory/engine"
)

func keyChecks() []check {
	return []check{
		{"keys are ordered as bytes", keysInByteOrder},
		{"scan bounds", scanBounds},
		{"an empty value is not an absent one", emptyIsNotAbsent},
		{"the empty key is refused", emptyKeyRefused},
		{"large values come back whole", largeValues},
	}
}

func keysInByteOrder(b *bed) error {
	ordered := []string{"\x00", "\x00\x00", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "aa", "ab", "b", "é", "\xff", "\xff\x00", "\xff\xff"}
	var want []string
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		for i := range ordered {
			if err := tx.Set([]byte(ordered[len(ordered)-1-i]), nil); err != nil {
				return err
			}
		}
		return nil
	})
	for _, key := range ordered {
		want = append(want, key+"=")
	}
	err = errors.Join(err, b.holds(want...))
	return errors.Join(err, b.View(b.ctx, func(tx engine.ReadTx) error {
		return errors.Join(
			scans(tx, []byte("a"), []byte("a\x00"), "a="),
			scans(tx, []byte("a\x00"), []byte("b"), "a\x00=", "a\x00b=", "aa=", "ab="),
			scans(tx, []byte("\xff"), nil, "\xff=", "\xff\x00=", "\xff\xff="))
	}))
}

func scanBounds(b *bed) error {
	if err := b.set("b", "1", "c", "1", "d", "1"); err != nil {
		return err
	}
	bounds := func(tx engine.ReadTx) error {
		return errors.Join(
			scans(tx, nil, nil, "b=1", "c=1", "d=1"),
			scans(tx, []byte{}, nil, "b=1", "c=1", "d=1"),
			scans(tx, nil, []byte{}),
			scans(tx, nil, []byte("c"), "b=1"),
			scans(tx, []byte("c"), nil, "c=1", "d=1"),
			scans(tx, []byte("b"), []byte("d"), "b=1", "c=1"),
			scans(tx, []byte("a"), []byte("bb"), "b=1"),
			scans(tx, []byte("c"), []byte("c")),
			scans(tx, []byte("d"), []byte("b")),
			scans(tx, []byte("e"), nil))
	}
	own := func(tx engine.WriteTx) error {
		return errors.Join(tx.Set([]byte("c"), []byte("1")), bounds(tx))
	}
	return errors.Join(b.View(b.ctx, bounds), b.Update(b.ctx, own))
}

func emptyIsNotAbsent(b *bed) error {
	tell := func(tx engine.ReadTx) error {
		for key, present := range map[string]bool{"nil": true, "empty": true, "absent": false, "deleted": false} {
			value, err := tx.Get([]byte(key))
			if err != nil {
				return err
			}
			if (value != nil) != present || len(value) > 0 {
				return fmt.Errorf("the value of %q is %#v, present must be %v", key, value, present)
			}
		}
		return scans(tx, nil, nil, "empty=", "nil=")
	}
	if err := b.set("deleted", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		return errors.Join(tx.Set([]byte("nil"), nil), tx.Set([]byte("empty"), []byte{}), tx.Delete([]byte("deleted")), tell(tx))
	})
	return errors.Join(err, b.View(b.ctx, tell), b.Update(b.ctx, func(tx engine.WriteTx) error { return tell(tx) }))
}

func emptyKeyRefused(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error { return tx.Set(nil, []byte("1")) })
	refused := is("Update that sets the empty key", err, engine.ErrKey)
	nothing := func(tx engine.ReadTx) error { return errors.Join(reads(tx, "", ""), scans(tx, nil, nil, "a=1")) }
	err = b.Update(b.ctx, func(tx engine.WriteTx) error { return errors.Join(tx.Delete([]byte{}), nothing(tx)) })
	return errors.Join(refused, err, b.View(b.ctx, nothing))
}

func largeValues(b *bed) error {
	value := []byte(strings.Repeat("0123456789abcdef", 1<<16-1))
	if err := b.set("before", "1", "large", string(value), "small", "1"); err != nil {
		return err
	}
	whole := func(tx engine.ReadTx) error {
		got, err := tx.Get([]byte("large"))
		if err != nil || !bytes.Equal(got, value) {
			return fmt.Errorf("a value of %d bytes came back as %d others, %v", len(value), len(got), err)
		}
		return errors.Join(reads(tx, "before", "1"), reads(tx, "small", "1"))
	}
	return b.View(b.ctx, whole)
}
