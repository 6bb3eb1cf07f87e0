package postgres

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"muster/directory/engine"
)

// Options of Open. The zero value is right for production.
type Options struct {
	// Patience is how long a call waits for a connection, and for the outcome
	// of a commit whose connection broke. Ten seconds when zero.
	Patience time.Duration
	// Existing refuses a database that holds no directory, instead of making
	// one.
	Existing bool
}

const defaultPatience = 10 * time.Second

// limits of a transaction. A key must fit on an index page three times; what
// was read is tracked by the server.
var limits = engine.Limits{Bytes: 64 << 20, KeyBytes: 2600, ValueBytes: 32 << 20}

// Engine is one schema of a database, seen from one node.
type Engine struct {
	pool     *pgxpool.Pool
	sql      statements
	patience time.Duration
	node     int64         // tells this process's changes from others'
	serial   atomic.Int64  // numbers the commits of this process
	retries  atomic.Uint64 // lost races

	gate     engine.Gate
	watchers engine.Watchers
	writers  turn // leaves connections to views
	losers   turn // held by the one loser that may retry

	committed chan struct{} // wakes the one that notifies other nodes
	stop      context.CancelFunc
	behind    sync.WaitGroup // what listens and notifies
}

// Open connects to a database, postgres://user@host/db, and makes or migrates
// the tables. The URL takes what pgx takes, sslmode and sslrootcert among it,
// and schema.
func Open(ctx context.Context, url string, options Options) (*Engine, error) {
	config, schema, err := parse(url)
	if err != nil {
		return nil, err
	}
	patience := cmp.Or(options.Patience, defaultPatience)
	if err := prepare(ctx, config.ConnConfig, schema, options); err != nil {
		return nil, err
	}
	listener := config.ConnConfig.Copy()
	patient(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	e := &Engine{
		pool:      pool,
		sql:       newStatements(schema),
		patience:  patience,
		node:      rand.Int64(),
		writers:   make(turn, max(1, config.MaxConns-config.MaxConns/4)),
		losers:    make(turn, 1),
		committed: make(chan struct{}, 1),
		stop:      stop,
	}
	if err := e.listen(background, listener); err != nil {
		stop()
		pool.Close()
		return nil, err
	}
	e.behind.Go(func() { e.notify(background) })
	return e, nil
}

// listen starts what tells the watchers of other nodes' commits.
func (e *Engine) listen(ctx context.Context, config *pgx.ConnConfig) error {
	f := &feed{engine: e, config: config}
	if err := f.connect(ctx); err != nil {
		return err
	}
	e.behind.Go(func() { f.run(ctx) })
	e.behind.Go(func() { f.guard(ctx) })
	return nil
}

// Watch reports changed keys, of every node.
func (e *Engine) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	return e.watchers.Watch(ctx, prefix)
}

// Limits of one transaction.
func (e *Engine) Limits() engine.Limits { return limits }

// Retries is how often a function ran again because it had lost a race.
func (e *Engine) Retries() uint64 { return e.retries.Load() }

// Close waits for running transactions and lets the connections go.
func (e *Engine) Close() error {
	if err := e.gate.Close(); err != nil {
		return err
	}
	e.stop()
	e.behind.Wait()
	e.watchers.Close()
	e.pool.Close()
	return nil
}

// turn is a lock for a few that waits in order of arrival and no longer than a
// context.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }
