package directory

import (
	"context"
	"crypto/rand"
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
	engine engine.Engine
	now    func() time.Time
	random io.Reader
	log    *slog.Logger
	ids    idSource
	pepper []byte // keys token and session hashes
	shards byte   // mask of counter shards

	policies sync.Map // org id -> *Policy
}

// Open prepares a directory on an engine, which the caller closes. A new
// store is initialised; one written by a later release is refused.
func Open(ctx context.Context, e engine.Engine, o Options) (*Directory, error) {
	d := &Directory{engine: e, now: o.Now, random: o.Random, log: o.Log, shards: 15}
	if d.now == nil {
		d.now = time.Now
	}
	if d.random == nil {
		d.random = rand.Reader
	}
	if d.log == nil {
		d.log = slog.Default()
	}
	if e.Limits().Serial {
		d.shards = 0
	}
	d.ids.random = d.random
	return d, d.initialise(ctx)
}

// Apply is the one door: every write of users and groups goes through it. It
// returns a *Refusal when a rule says no, ErrNotFound when the path names
// nothing, ErrVersion when IfMatch fails. Nothing is half-written.
func (d *Directory) Apply(ctx context.Context, c Change) (Result, error) { return d.apply(ctx, c) }
