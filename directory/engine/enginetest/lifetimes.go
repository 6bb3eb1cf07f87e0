package enginetest

import (
	"errors"
	"fmt"

	"muster/directory/engine"
)

func lifetimeChecks() []check {
	return []check{
		{"Set and Delete copy what they are given", writesCopy},
		{"slices stay unchanged whatever the update writes", slicesOutliveWrites},
		{"slices stay unchanged whatever others commit", slicesOutliveCommits},
		{"slices stay unchanged whatever is read next", slicesOutliveReads},
		{"what was committed does not change with later writes of others", commitsAreApart},
	}
}

func writesCopy(b *bed) error {
	if err := b.set("gone", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		key, value := []byte("key1"), []byte("val1")
		if err := tx.Set(key, value); err != nil {
			return err
		}
		copy(key, "key2")
		copy(value, "val2")
		gone := []byte("gone")
		if err := tx.Delete(gone); err != nil {
			return err
		}
		copy(gone, "here")
		return scans(tx, nil, nil, "key1=val1")
	})
	return errors.Join(err, b.holds("key1=val1"))
}

// seen is what a transaction was handed, beside a copy made at once.
type seen struct {
	slices [][]byte
	copies []string
}

func (s *seen) keep(slices ...[]byte) {
	for _, slice := range slices {
		s.slices = append(s.slices, slice)
		s.copies = append(s.copies, string(slice))
	}
}

func (s *seen) unchanged() error {
	for i, slice := range s.slices {
		if string(slice) != s.copies[i] {
			return fmt.Errorf("a slice handed out as %q became %q", s.copies[i], slice)
		}
	}
	return nil
}

// read keeps what Get and Scan hand out for a, b and c.
func (s *seen) read(tx engine.ReadTx) error {
	for _, key := range []string{"a", "b", "c"} {
		value, err := tx.Get([]byte(key))
		if err != nil {
			return err
		}
		s.keep(value)
	}
	for p, err := range tx.Scan(nil, nil) {
		if err != nil {
			return err
		}
		s.keep(p.Key, p.Value)
	}
	return nil
}

func slicesOutliveWrites(b *bed) error {
	if err := b.set("a", "stored", "b", "stored", "c", "stored"); err != nil {
		return err
	}
	return b.Update(b.ctx, func(tx engine.WriteTx) error {
		var s seen
		for _, value := range []string{"first.", "second", "third."} {
			if err := s.read(tx); err != nil {
				return err
			}
			err := errors.Join(tx.Set([]byte("a"), []byte(value)), tx.Delete([]byte("b")), tx.Set([]byte("bb"), []byte(value)))
			if err != nil {
				return err
			}
		}
		return s.unchanged()
	})
}

func slicesOutliveCommits(b *bed) error {
	if err := b.set("a", "stored", "b", "stored", "c", "stored"); err != nil {
		return err
	}
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		var s seen
		if err := s.read(tx); err != nil {
			return err
		}
		for i := range 20 {
			value := fmt.Sprintf("other%d", i%10)
			if err := b.set("a", value, "b", value, "bb", value); err != nil {
				return err
			}
		}
		return s.unchanged()
	})
}

func slicesOutliveReads(b *bed) error {
	if err := b.set("a", "1", "b", "2", "c", "3"); err != nil {
		return err
	}
	twice := func(tx engine.ReadTx) error {
		var s seen
		return errors.Join(s.read(tx), s.read(tx), s.unchanged())
	}
	return errors.Join(b.View(b.ctx, twice), b.Update(b.ctx, func(tx engine.WriteTx) error { return twice(tx) }))
}

// commitsAreApart writes twice from one piece of memory.
func commitsAreApart(b *bed) error {
	value := []byte("first.")
	err := b.Update(b.ctx, func(tx engine.WriteTx) error { return tx.Set([]byte("a"), value) })
	copy(value, "second")
	return errors.Join(err, b.holds("a=first."),
		b.Update(b.ctx, func(tx engine.WriteTx) error { return tx.Set([]byte("b"), value) }),
		b.holds("a=first.", "b=second"))
}
