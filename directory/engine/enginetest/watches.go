package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"muster/directory/engine"
)

func watchChecks() []check {
	return []check{
		{"a watcher hears of every change under its prefix", watchHearsAll},
		{"a watcher hears of a change after its commit", watchAfterCommit},
		{"a watcher that does not listen holds nobody up", watchHoldsNobodyUp},
		{"what a watcher gets belongs to it", watchKeysBelong},
		{"a watch ends with its context", watchEnds},
	}
}

// hears receives until every key was told, or a Resync came.
func (b *bed) hears(notices <-chan engine.Notice, keys ...string) error {
	missing := map[string]bool{}
	for _, key := range keys {
		missing[key] = true
	}
	late := time.After(b.hang)
	for len(missing) > 0 {
		select {
		case notice, open := <-notices:
			if !open {
				return fmt.Errorf("the watch ended, not told: %v", missing)
			}
			if notice.Resync {
				return nil
			}
			for _, key := range notice.Keys {
				delete(missing, string(key))
			}
		case <-late:
			return fmt.Errorf("a watcher was not told: %v", missing)
		}
	}
	return nil
}

// ends receives until the channel is closed.
func (b *bed) ends(notices <-chan engine.Notice) error {
	return within(b.hang, "the end of a watch", func() error {
		for range notices {
		}
		return nil
	})
}

func watchHearsAll(b *bed) error {
	if err := b.set("w0", "1"); err != nil {
		return err
	}
	notices, err := b.Watch(b.ctx, []byte("w"))
	if err != nil {
		return err
	}
	remove := func(tx engine.WriteTx) error { return tx.Delete([]byte("w0")) }
	err = errors.Join(b.set("v", "1", "w1", "1", "w2", "1", "x", "1"), b.Update(b.ctx, remove), b.set("w", "1"))
	return errors.Join(err, b.hears(notices, "w0", "w1", "w2", "w"), b.hearsOnly(notices))
}

// hearsOnly changes keys outside the prefix w, then one inside.
func (b *bed) hearsOnly(notices <-chan engine.Notice) error {
	if err := errors.Join(b.set("v", "2", "x", "2"), b.set("last", "1", "wlast", "1")); err != nil {
		return err
	}
	late := time.After(b.hang)
	for {
		select {
		case notice := <-notices:
			for _, key := range notice.Keys {
				if !strings.HasPrefix(string(key), "w") {
					return fmt.Errorf("a watcher of w was told of %q", key)
				}
				if string(key) == "wlast" {
					return nil
				}
			}
			if notice.Resync {
				return nil
			}
		case <-late:
			return errors.New("a watcher was not told of its last key")
		}
	}
}

// watchAfterCommit: whoever reads when he is told reads the new value.
func watchAfterCommit(b *bed) error {
	notices, err := b.Watch(b.ctx, []byte("w"))
	if err != nil {
		return err
	}
	for round := range 10 {
		value := fmt.Sprint(round)
		go func() { _ = b.set("w", value) }()
		if err := b.hears(notices, "w"); err != nil {
			return err
		}
		got, err := b.get("w")
		if err := errors.Join(err, equal("what a watcher reads", got, value)); err != nil {
			return err
		}
	}
	return nil
}

func watchHoldsNobodyUp(b *bed) error {
	notices, err := b.Watch(b.ctx, nil)
	if err != nil {
		return err
	}
	var keys []string
	write := func() error {
		for i := range 300 {
			keys = append(keys, fmt.Sprint("w", i))
			if err := b.set(keys[i], ""); err != nil {
				return err
			}
		}
		return nil
	}
	if err := within(b.hang, "Update beside a watcher that does not listen", write); err != nil {
		return err
	}
	return b.hears(notices, keys...)
}

func watchKeysBelong(b *bed) error {
	one, err := b.Watch(b.ctx, nil)
	other, err2 := b.Watch(b.ctx, nil)
	if err := errors.Join(err, err2, b.set("abc", "1")); err != nil {
		return err
	}
	select {
	case notice := <-one:
		for _, key := range notice.Keys {
			copy(key, "xyz")
		}
	case <-time.After(b.hang):
		return errors.New("a watcher was not told")
	}
	return errors.Join(b.hears(other, "abc"), b.holds("abc=1"))
}

func watchEnds(b *bed) error {
	ctx, cancel := context.WithCancel(b.ctx)
	notices, err := b.Watch(ctx, nil)
	other, err2 := b.Watch(b.ctx, nil)
	if err := errors.Join(err, err2, b.set("a", "1")); err != nil {
		cancel()
		return err
	}
	cancel()
	return errors.Join(b.ends(notices), b.set("b", "1"), b.hears(other, "a", "b"))
}
