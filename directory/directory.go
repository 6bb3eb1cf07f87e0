package directory

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"muster/directory/engine"
)

// Options of a Directory. The zero value is what production uses.
type Options struct {
	Now    func() time.Time // time.Now
	Random io.Reader        // crypto/rand
	Log    *slog.Logger     // slog.Default
}

// Directory is users, groups and everything decided about them, on one engine.
// All its methods may be called concurrently.
type Directory struct {
	engine  engine.Engine
	now     func() time.Time
	random  io.Reader
	log     *slog.Logger
	ids     idSource
	pepper  []byte    // keys token and session hashes
	macs    sync.Pool // of hash.Hash, keyed with pepper
	serial  bool      // transactions run one after another
	process ID        // this one, among all that have the store open
	shards  shards    // of counters

	policies sync.Map   // org id -> *keptPolicy
	homes    sync.Map   // connection id -> org id, as long as it is there
	recent   recent     // what viewers saw of users
	noting   sync.Mutex // the use of a token
	leases   sync.Map   // name -> sighting
}

// Open prepares a directory on an engine, which the caller closes. A new
// store is initialised; one written by a later release is refused.
func Open(ctx context.Context, e engine.Engine, o Options) (*Directory, error) {
	d := &Directory{engine: e, now: o.Now, random: o.Random, log: o.Log, serial: e.Limits().Serial}
	if d.now == nil {
		d.now = time.Now
	}
	if d.random == nil {
		d.random = rand.Reader
	}
	if d.log == nil {
		d.log = slog.Default()
	}
	d.ids.random = d.random
	var err error
	if d.process, err = d.ids.next(d.now()); err != nil {
		return nil, err
	}
	if !d.serial {
		d.shards.spread()
	}
	d.macs.New = func() any { return hmac.New(sha256.New, d.pepper) }
	if err := d.initialise(ctx); err != nil || !d.serial {
		return d, err
	}
	return d, d.sequenceAll(ctx) // what a store of an engine whose transactions race left waiting before it came here
}

// Retries is how often the store ran a transaction again because it had lost a
// race; 0 for a store where none race.
func (d *Directory) Retries() uint64 {
	if e, ok := d.engine.(interface{ Retries() uint64 }); ok {
		return e.Retries()
	}
	return 0
}

// storeRecord is the first record of every store.
type storeRecord struct {
	Version int    `json:"version"`
	Pepper  []byte `json:"pepper"`
	// Unfinished: a Copy or Restore has not ended yet, or never will.
	Unfinished bool `json:"unfinished,omitempty"`
}

// formatVersion is the newest layout of keys and records this release writes.
const formatVersion = 1

// initialise reads the store's first record, or writes it into a new store.
func (d *Directory) initialise(ctx context.Context) error {
	pepper := make([]byte, 32)
	if _, err := io.ReadFull(d.random, pepper); err != nil {
		return err
	}
	return d.update(ctx, "", func(w writing) error {
		s := storeRecord{Version: formatVersion, Pepper: pepper}
		known, err := w.jsonAt(key{tableFormat}, &s)
		if err != nil {
			return err
		}
		if s.Version > formatVersion {
			return fmt.Errorf("%w: the store has format %d, this release reads up to %d", errRecord, s.Version, formatVersion)
		}
		if s.Unfinished {
			return errors.New("the store is an unfinished copy or restore: repeat that, or start with an empty one")
		}
		d.pepper = s.Pepper
		if known {
			return nil
		}
		return w.setJSON(key{tableFormat}, s)
	})
}
