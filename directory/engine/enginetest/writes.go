package enginetest

import (
	"errors"
	"fmt"

	"muster/directory/engine"
)

func writeChecks() []check {
	return []check{
		{"an update sees its own writes in Get", ownWritesInGet},
		{"an update sees its own writes in Scan", ownWritesInScan},
		{"the last write of a key counts", lastWriteCounts},
		{"deleting what is absent is no error", deleteAbsent},
		{"an update that writes nothing succeeds", writesNothing},
		{"writing while scanning is allowed", writeWhileScanning},
		{"many writes and scans in one update", manyWrites},
	}
}

func ownWritesInGet(b *bed) error {
	if err := b.set("old", "1", "gone", "1"); err != nil {
		return err
	}
	return b.Update(b.ctx, func(tx engine.WriteTx) error {
		err := errors.Join(tx.Set([]byte("old"), []byte("2")), tx.Set([]byte("new"), []byte("2")), tx.Delete([]byte("gone")))
		return errors.Join(err, reads(tx, "old", "2"), reads(tx, "new", "2"), reads(tx, "gone", ""))
	})
}

// ownWritesInScan lays writes before, on, between and after what is stored.
func ownWritesInScan(b *bed) error {
	if err := b.set("b", "1", "d", "1", "f", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		for _, key := range []string{"a", "c", "d", "g"} {
			if err := tx.Set([]byte(key), []byte("2")); err != nil {
				return err
			}
		}
		err := errors.Join(tx.Delete([]byte("f")), tx.Delete([]byte("g")), tx.Delete([]byte("nothing")))
		return errors.Join(err,
			scans(tx, nil, nil, "a=2", "b=1", "c=2", "d=2"),
			scans(tx, []byte("b"), []byte("d"), "b=1", "c=2"),
			scans(tx, []byte("bb"), []byte("f"), "c=2", "d=2"),
			scans(tx, []byte("d"), []byte("d\x00"), "d=2"),
			scans(tx, []byte("e"), nil))
	})
	return errors.Join(err, b.holds("a=2", "b=1", "c=2", "d=2"))
}

func lastWriteCounts(b *bed) error {
	if err := b.set("a", "1", "b", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		return errors.Join(
			tx.Set([]byte("a"), []byte("2")), tx.Delete([]byte("a")), tx.Set([]byte("a"), []byte("3")),
			tx.Set([]byte("b"), []byte("2")), tx.Delete([]byte("b")),
			tx.Set([]byte("c"), []byte("2")), tx.Delete([]byte("c")),
			scans(tx, nil, nil, "a=3"))
	})
	return errors.Join(err, b.holds("a=3"))
}

func deleteAbsent(b *bed) error {
	err := b.Update(b.ctx, func(tx engine.WriteTx) error { return tx.Delete([]byte("a")) })
	return errors.Join(err, b.holds())
}

func writesNothing(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error { return reads(tx, "a", "1") })
	return errors.Join(err, b.holds("a=1"))
}

func writeWhileScanning(b *bed) error {
	if err := b.set("a", "1", "b", "1", "c", "1", "d", "1"); err != nil {
		return err
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		var got []string
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			got = append(got, string(p.Key)+string(p.Value))
			if err := errors.Join(tx.Delete(p.Key), tx.Set([]byte("0"+string(p.Key)), p.Value)); err != nil {
				return err
			}
		}
		return equal("Scan", got, []string{"a1", "b1", "c1", "d1"})
	})
	return errors.Join(err, b.holds("0a=1", "0b=1", "0c=1", "0d=1"))
}

// manyWrites goes as far as the limits of one transaction permit.
func manyWrites(b *bed) error {
	n := 2000
	if most := b.Limits().Operations; most > 0 {
		n = min(n, most/2)
	}
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("%05d=%d", i, i))
	}
	err := b.Update(b.ctx, func(tx engine.WriteTx) error {
		for i := range n {
			i = i * 7919 % n // 7919 is prime: every key once, in no order
			key := fmt.Sprintf("%05d", i)
			if err := tx.Set([]byte(key), fmt.Append(nil, i)); err != nil {
				return err
			}
			if i%64 == 0 {
				if err := scans(tx, []byte(key), []byte(key+"\x00"), fmt.Sprintf("%s=%d", key, i)); err != nil {
					return err
				}
			}
		}
		return scans(tx, nil, nil, want...)
	})
	return errors.Join(err, b.holds(want...))
}
