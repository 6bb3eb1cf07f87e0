package directory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"
)

// OwnKey is a private key by which this side of a connection proves itself to
// the identity provider, with what is published of it.
type OwnKey struct {
	// Private is PKCS #8. It is kept sealed.
	Private []byte `json:"private"`
	// Public is what the provider is shown, in the caller's form.
	Public  []byte    `json:"public"`
	Created time.Time `json:"created"`
	// From is when the key begins to sign: a while after it was published, so
	// that the provider knows it by then.
	From time.Time `json:"from"`
	// Until is when a key that another one replaced is published no more; zero
	// while none replaces it.
	Until time.Time `json:"until,omitzero"`
}

// OwnKeys are the keys of a connection for one use that are published now, the
// one that signs first. None is no error.
func (d *Directory) OwnKeys(ctx context.Context, connection, use string) (keys []OwnKey, err error) {
	err = d.view(ctx, "", func(r reading) error { keys, err = r.ownKeys(connection, use); return err })
	if err != nil {
		return nil, err
	}
	return d.published(keys)
}

// FirstOwnKey adds a key where there is none, which signs at once, and returns
// what OwnKeys does. Of several callers at once one wins.
func (d *Directory) FirstOwnKey(ctx context.Context, connection, use string, k OwnKey) ([]OwnKey, error) {
	by := EventSource{Connection: connection, Channel: Local, Actor: "muster"}
	return d.setOwnKeys(ctx, by, connection, use, func(keys []OwnKey) []OwnKey {
		if len(keys) > 0 {
			return nil
		}
		return []OwnKey{k}
	})
}

// RollOwnKey publishes a key that replaces the others: it begins to sign after
// the overlap, and they are published for as long again. Without overlap they
// are gone at once, as after a theft.
func (d *Directory) RollOwnKey(ctx context.Context, by EventSource, connection, use string, k OwnKey, overlap time.Duration) ([]OwnKey, error) {
	now := canonicalTime(d.now())
	k.From = now.Add(overlap)
	return d.setOwnKeys(ctx, by, connection, use, func(keys []OwnKey) []OwnKey {
		if overlap <= 0 {
			return []OwnKey{k}
		}
		kept := slices.DeleteFunc(slices.Clone(keys), func(old OwnKey) bool { return old.gone(now) || old.From.After(now) })
		for i := range kept {
			if kept[i].Until.IsZero() || kept[i].Until.After(k.From.Add(overlap)) {
				kept[i].Until = k.From.Add(overlap)
			}
		}
		return append([]OwnKey{k}, kept...)
	})
}

// setOwnKeys replaces the keys by what change makes of them; nil leaves them.
// It may run several times.
func (d *Directory) setOwnKeys(ctx context.Context, by EventSource, connection, use string, change func([]OwnKey) []OwnKey) (keys []OwnKey, err error) {
	now := canonicalTime(d.now())
	err = d.update(ctx, "", func(w writing) error {
		if w.org, err = w.orgOf(connection); err != nil {
			return err
		}
		if keys, err = w.ownKeys(connection, use); err != nil {
			return err
		}
		next := change(keys)
		if next == nil {
			return nil
		}
		for i := range next {
			if err := next[i].seal(d, now); err != nil {
				return err
			}
		}
		keys = next
		if err := w.setJSON(plainKey(tableOwnKey, connection, use), next); err != nil {
			return err
		}
		a := &application{writing: w, now: Stamp{At: now, Actor: by.Actor, Request: by.Request}}
		a.s.change = &Change{Org: w.org, Channel: by.Channel, Actor: by.Actor, Request: by.Request}
		line := "connection " + connection + " " + use + " key made"
		return a.emit(Event{Type: ConfigSet, Changes: []AttributeChange{{Attribute: line, Layer: by.Channel}}}, [16]byte{})
	})
	if err != nil {
		return nil, err
	}
	return d.published(keys)
}

func (r reading) ownKeys(connection, use string) (keys []OwnKey, err error) {
	_, err = r.jsonAt(plainKey(tableOwnKey, connection, use), &keys)
	return keys, err
}

// seal prepares a new key for the store; one that comes from there is left.
func (k *OwnKey) seal(d *Directory, now time.Time) error {
	if bytes.HasPrefix(k.Private, sealMark) {
		return nil
	}
	k.Created = now
	if k.From.IsZero() {
		k.From = now
	}
	sealed, err := seal(bytes.Clone(sealMark), d.sealKey(forSecrets), NoID, k.Private)
	k.Private = sealed
	return err
}

// published opens the keys that are, the one that signs first: the youngest
// that has begun to.
func (d *Directory) published(keys []OwnKey) ([]OwnKey, error) {
	now := d.now()
	open := slices.DeleteFunc(slices.Clone(keys), func(k OwnKey) bool { return k.gone(now) })
	for i := range open {
		private, err := d.Unseal(open[i].Private)
		if err != nil {
			return nil, err
		}
		open[i].Private = private
	}
	slices.SortStableFunc(open, func(a, b OwnKey) int {
		if c := cmp.Compare(a.waits(now), b.waits(now)); c != 0 {
			return c
		}
		return b.From.Compare(a.From)
	})
	return open, nil
}

func (k *OwnKey) gone(now time.Time) bool { return !k.Until.IsZero() && !now.Before(k.Until) }

// waits is 1 for a key that does not sign yet.
func (k *OwnKey) waits(now time.Time) int {
	if k.From.After(now) {
		return 1
	}
	return 0
}
