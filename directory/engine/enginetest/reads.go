package enginetest

import (
	"errors"
	"fmt"
	"strings"

	"muster/directory/engine"
)

func readChecks() []check {
	return []check{
		{"a view is one snapshot for Get", viewIsOneSnapshotForGet},
		{"a view is one snapshot for Scan", viewIsOneSnapshotForScan},
		{"a scan under way does not see commits", scanUnderWayIsSnapshot},
		{"an update reads one snapshot", updateReadsOneSnapshot},
		{"a view that waits for an update does not hang", viewWaitsForUpdate},
		{"views nest", viewsNest},
		{"a view sees every update that has returned", viewSeesReturned},
		{"scans break off and nest", scansBreakAndNest},
	}
}

func viewIsOneSnapshotForGet(b *bed) error {
	if err := b.set("a", "1", "b", "1"); err != nil {
		return err
	}
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		if err := reads(tx, "a", "1"); err != nil {
			return err
		}
		if err := within(b.hang, "Update beside a View", func() error { return b.set("a", "2", "b", "2", "c", "2") }); err != nil {
			return err
		}
		return errors.Join(reads(tx, "a", "1"), reads(tx, "b", "1"), reads(tx, "c", ""))
	})
}

func viewIsOneSnapshotForScan(b *bed) error {
	if err := b.set("a", "1", "b", "1"); err != nil {
		return err
	}
	err := b.View(b.ctx, func(tx engine.ReadTx) error {
		if err := reads(tx, "a", "1"); err != nil {
			return err
		}
		err := within(b.hang, "Update beside a View", func() error {
			return b.Update(b.ctx, func(tx engine.WriteTx) error {
				return errors.Join(tx.Set([]byte("a"), []byte("2")), tx.Delete([]byte("b")), tx.Set([]byte("c"), nil))
			})
		})
		return errors.Join(err, scans(tx, nil, nil, "a=1", "b=1"))
	})
	return errors.Join(err, b.holds("a=2", "c="))
}

func scanUnderWayIsSnapshot(b *bed) error {
	if err := b.set("a", "1", "b", "1", "c", "1"); err != nil {
		return err
	}
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		var got []string
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			got = append(got, string(p.Key)+string(p.Value))
			if string(p.Key) != "a" {
				continue
			}
			if err := within(b.hang, "Update inside a Scan", func() error { return b.set("b", "2", "bb", "2", "d", "2") }); err != nil {
				return err
			}
		}
		return equal("Scan", got, []string{"a1", "b1", "c1"})
	})
}

// updateReadsOneSnapshot holds for runs that lose their race, too.
func updateReadsOneSnapshot(b *bed) error {
	if err := b.set("a", "1", "b", "1"); err != nil {
		return err
	}
	half := make(chan struct{}, 100)
	committed := b.rendezvous(2)
	return b.parallel(2, func(i int) error {
		if i == 0 {
			<-half
			defer committed.come()
			return b.set("a", "2", "b", "2")
		}
		return b.Update(b.ctx, func(tx engine.WriteTx) error {
			a, err := text(tx, "a")
			if err != nil {
				return err
			}
			half <- struct{}{}
			committed.wait()
			return errors.Join(reads(tx, "b", a), tx.Set([]byte("c"), nil))
		})
	})
}

// viewWaitsForUpdate makes the storage grow while it is being read.
func viewWaitsForUpdate(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	big := strings.Repeat("x", 1<<20-1)
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		if err := reads(tx, "a", "1"); err != nil {
			return err
		}
		for i := range 4 {
			grow := func() error { return b.set(fmt.Sprint("big", i), big) }
			if err := within(b.hang, "Update of 1 MB beside a View", grow); err != nil {
				return err
			}
		}
		return scans(tx, nil, nil, "a=1")
	})
}

func viewsNest(b *bed) error {
	if err := b.set("a", "1"); err != nil {
		return err
	}
	return b.View(b.ctx, func(outer engine.ReadTx) error {
		if err := reads(outer, "a", "1"); err != nil {
			return err
		}
		if err := within(b.hang, "Update", func() error { return b.set("a", "2") }); err != nil {
			return err
		}
		inner := func() error {
			return b.View(b.ctx, func(tx engine.ReadTx) error { return reads(tx, "a", "2") })
		}
		return errors.Join(within(b.hang, "View inside a View", inner), reads(outer, "a", "1"))
	})
}

func viewSeesReturned(b *bed) error {
	return b.parallel(4, func(i int) error {
		for round := range 10 {
			key, value := fmt.Sprint("k", i), fmt.Sprint(round)
			if err := b.set(key, value); err != nil {
				return err
			}
			got, err := b.get(key)
			if err != nil {
				return err
			}
			if err := equal("a value just written", got, value); err != nil {
				return err
			}
		}
		return nil
	})
}

func scansBreakAndNest(b *bed) error {
	if err := b.set("a", "1", "b", "2", "c", "3"); err != nil {
		return err
	}
	return b.Update(b.ctx, func(tx engine.WriteTx) error {
		if err := tx.Set([]byte("bb"), []byte("4")); err != nil {
			return err
		}
		var got []string
		for outer, err := range tx.Scan(nil, nil) {
			if err != nil || string(outer.Key) == "c" {
				break
			}
			for inner, err := range tx.Scan([]byte("b"), []byte("c")) {
				if err != nil {
					return err
				}
				got = append(got, string(outer.Key)+string(inner.Key))
			}
		}
		want := []string{"ab", "abb", "bb", "bbb", "bbb", "bbbb"}
		return errors.Join(equal("nested scans", got, want), scans(tx, nil, nil, "a=1", "b=2", "bb=4", "c=3"))
	})
}
