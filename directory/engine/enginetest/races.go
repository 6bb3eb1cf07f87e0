package enginetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"muster/directory/engine"
)

func raceChecks() []check {
	return []check{
		{"no update is lost", noLostUpdate},
		{"no write skew over points", noWriteSkew},
		{"an absent point is guarded", absentPointGuarded},
		{"a range is guarded against inserts", rangeGuardedInsert},
		{"a range is guarded against deletes", rangeGuardedDelete},
		{"a range is guarded against new values", rangeGuardedValue},
		{"a range stays guarded where all keys in it go", rangeGuardedSkew},
		{"own writes do not hide others", ownWritesHideNothing},
		{"a scan that is broken off is guarded as far as it went", brokenScanGuarded},
		{"blind writes go through", blindWrites},
	}
}

type transaction = func(tx engine.WriteTx, allRead func()) error

func repeat(n int, t func(i int) transaction) []transaction {
	all := make([]transaction, n)
	for i := range all {
		all[i] = t(i)
	}
	return all
}

// noLostUpdate: everybody adds one to what everybody read.
func noLostUpdate(b *bed) error {
	if err := b.set("n", "0"); err != nil {
		return err
	}
	add := func(int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			old, err := text(tx, "n")
			if err != nil {
				return err
			}
			allRead()
			n, _ := strconv.Atoi(old)
			return tx.Set([]byte("n"), fmt.Append(nil, n+1))
		}
	}
	return errors.Join(b.race(repeat(8, add)...), b.holds("n=8"))
}

// noWriteSkew: of two that are on call, one may leave.
func noWriteSkew(b *bed) error {
	if err := b.set("ann", "on", "bob", "on"); err != nil {
		return err
	}
	leave := func(me, other string) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			mine, err := text(tx, me)
			theirs, err2 := text(tx, other)
			allRead()
			if err := errors.Join(err, err2); err != nil || mine != "on" || theirs != "on" {
				return err
			}
			return tx.Set([]byte(me), []byte("off"))
		}
	}
	if err := b.race(leave("ann", "bob"), leave("bob", "ann")); err != nil {
		return err
	}
	ann, err := b.get("ann")
	bob, err2 := b.get("bob")
	if ann == bob {
		return fmt.Errorf("ann is %s and bob is %s", ann, bob)
	}
	return errors.Join(err, err2)
}

// absentPointGuarded: one name, taken once.
func absentPointGuarded(b *bed) error {
	const n = 4
	var took [n]atomic.Bool
	take := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			old, err := tx.Get([]byte("name"))
			allRead()
			took[i].Store(err == nil && old == nil)
			if err != nil || old != nil {
				return err
			}
			return tx.Set([]byte("name"), fmt.Append(nil, i))
		}
	}
	if err := b.race(repeat(n, take)...); err != nil {
		return err
	}
	return equal("who took the name", count(took[:]), 1)
}

func count(flags []atomic.Bool) (n int) {
	for i := range flags {
		if flags[i].Load() {
			n++
		}
	}
	return n
}

// rangeGuardedInsert: a room that takes one, entered under different keys.
func rangeGuardedInsert(b *bed) error {
	enter := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			there, err := under(tx, 'r')
			allRead()
			if err != nil || len(there) > 0 {
				return err
			}
			return tx.Set(fmt.Append(nil, "r", i), nil)
		}
	}
	if err := b.race(repeat(3, enter)...); err != nil {
		return err
	}
	return b.View(b.ctx, func(tx engine.ReadTx) error {
		there, err := under(tx, 'r')
		return errors.Join(err, equal("how many entered", len(there), 1))
	})
}

// comeLast lets the others commit first, where the order matters: a race is
// lost only by who comes second.
func comeLast() { time.Sleep(3 * time.Millisecond) }

// rangeGuardedDelete: either the key is counted or it goes, never both.
func rangeGuardedDelete(b *bed) error {
	if err := b.set("r1", ""); err != nil {
		return err
	}
	countAll := func(tx engine.WriteTx, allRead func()) error {
		there, err := under(tx, 'r')
		allRead()
		comeLast()
		if err != nil {
			return err
		}
		return tx.Set([]byte("count"), fmt.Append(nil, len(there)))
	}
	remove := func(tx engine.WriteTx, allRead func()) error {
		counted, err := text(tx, "count")
		allRead()
		if err != nil || counted != "" {
			return err
		}
		return tx.Delete([]byte("r1"))
	}
	return errors.Join(b.race(countAll, remove), b.holdsOneOf(
		[]string{"count=1", "r1="}, []string{"count=0"}))
}

// rangeGuardedValue: either the old value is summed or it changes.
func rangeGuardedValue(b *bed) error {
	if err := b.set("r1", "1"); err != nil {
		return err
	}
	record := func(tx engine.WriteTx, allRead func()) error {
		there, err := under(tx, 'r')
		allRead()
		comeLast()
		if err != nil {
			return err
		}
		return tx.Set([]byte("copy"), fmt.Append(nil, there))
	}
	change := func(tx engine.WriteTx, allRead func()) error {
		recorded, err := text(tx, "copy")
		allRead()
		if err != nil || recorded != "" {
			return err
		}
		return tx.Set([]byte("r1"), []byte("2"))
	}
	return errors.Join(b.race(record, change), b.holdsOneOf(
		[]string{"copy=[r1=1]", "r1=1"}, []string{"copy=[r1=2]", "r1=2"}))
}

func (b *bed) holdsOneOf(states ...[]string) error {
	var all error
	for _, want := range states {
		err := b.holds(want...)
		if err == nil {
			return nil
		}
		all = errors.Join(all, err)
	}
	return all
}

// rangeGuardedSkew: each leaves unless it would be the last.
func rangeGuardedSkew(b *bed) error {
	if err := b.set("r0", "", "r1", "", "r2", ""); err != nil {
		return err
	}
	leave := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			there, err := under(tx, 'r')
			allRead()
			if err != nil || len(there) < 2 {
				return err
			}
			return tx.Delete(fmt.Append(nil, "r", i))
		}
	}
	if err := b.race(repeat(3, leave)...); err != nil {
		return err
	}
	return b.holdsOneOf([]string{"r0="}, []string{"r1="}, []string{"r2="})
}

// ownWritesHideNothing: each enters first, then looks whether it is alone.
func ownWritesHideNothing(b *bed) error {
	enter := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			me := fmt.Append(nil, "r", i)
			if err := tx.Set(me, nil); err != nil {
				return err
			}
			there, err := under(tx, 'r')
			allRead()
			if err != nil || len(there) == 1 {
				return err
			}
			return tx.Delete(me)
		}
	}
	return errors.Join(b.race(repeat(2, enter)...), b.holdsOneOf([]string{"r0="}, []string{"r1="}))
}

// brokenScanGuarded: everybody takes the first of a queue.
func brokenScanGuarded(b *bed) error {
	if err := b.set("q0", "", "q1", "", "q2", "", "q3", ""); err != nil {
		return err
	}
	take := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			for p, err := range tx.Scan([]byte("q"), []byte("r")) {
				if err != nil {
					return err
				}
				allRead()
				return errors.Join(tx.Delete(p.Key), tx.Set(append([]byte("taken-"), p.Key...), nil))
			}
			return errors.New("the queue is empty")
		}
	}
	return errors.Join(b.race(repeat(4, take)...), b.holds("taken-q0=", "taken-q1=", "taken-q2=", "taken-q3="))
}

// blindWrites: who read nothing cannot have read what is outdated.
func blindWrites(b *bed) error {
	write := func(i int) transaction {
		return func(tx engine.WriteTx, allRead func()) error {
			allRead()
			return tx.Set(fmt.Append(nil, i), []byte("1"))
		}
	}
	err := b.race(repeat(3, write)...)
	return errors.Join(err, b.holds("0=1", "1=1", "2=1"))
}
