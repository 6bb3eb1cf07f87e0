package postgres

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// notifyEvery bounds how often a node wakes the others.
	notifyEvery = 20 * time.Millisecond
	// pollEvery is how old what the watchers know may be when no notification
	// comes.
	pollEvery = 250 * time.Millisecond
	// stale is how old it may be at all: beyond, they forget everything, again
	// and again.
	stale = 600 * time.Millisecond
	// keepChanges is how long rows of changes stay at least; a node that has
	// not read them for half as long starts anew.
	keepChanges = time.Minute
	pruneEvery  = 20 * time.Second
	queryWithin = 5 * time.Second
)

// notify wakes the other nodes after commits of this one. A notification that
// is lost costs them pollEvery.
func (e *Engine) notify(ctx context.Context) {
	for {
		select {
		case <-e.committed:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, queryWithin)
		_, _ = e.pool.Exec(within, "select pg_notify($1, '')", e.sql.channel)
		cancel()
		if !pause(ctx, notifyEvery) {
			return
		}
	}
}

// pause is false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// feed tells the watchers what other nodes committed, on a connection of its
// own. seen is the snapshot up to which they know everything.
type feed struct {
	engine *Engine
	config *pgx.ConnConfig
	conn   *pgx.Conn
	seen   string
	read   time.Time                 // when seen was taken
	fresh  atomic.Pointer[time.Time] // read, for who watches the feed itself
	pruned time.Time
	past   []moment // earlier snapshots, oldest first
}

// moment is a snapshot with its time.
type moment struct {
	at       time.Time
	snapshot string
}

// connect starts anew: what is committed from now on will be told.
func (f *feed) connect(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	conn, err := pgx.ConnectConfig(within, f.config)
	if err != nil {
		return err
	}
	f.conn = conn
	if _, err := conn.Exec(within, "listen "+f.engine.sql.channel); err != nil {
		f.disconnect()
		return err
	}
	if err := conn.QueryRow(within, snapshot).Scan(&f.seen); err != nil {
		f.disconnect()
		return err
	}
	f.past = nil
	f.know(time.Now())
	return nil
}

// know says that the watchers know everything that was committed before a
// moment.
func (f *feed) know(at time.Time) {
	f.read = at
	f.fresh.Store(&at)
}

// guard lets the watchers forget everything while the feed hangs.
func (f *feed) guard(ctx context.Context) {
	for pause(ctx, pollEvery) {
		if time.Since(*f.fresh.Load()) > stale {
			f.engine.watchers.Resync()
		}
	}
}

func (f *feed) disconnect() {
	within, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = f.conn.Close(within)
	f.conn = nil
}

// run polls until ctx ends. After any fault the watchers forget everything.
func (f *feed) run(ctx context.Context) {
	for ctx.Err() == nil {
		if f.conn == nil {
			if f.connect(ctx) != nil {
				pause(ctx, pollEvery)
				continue
			}
			f.engine.watchers.Resync()
		}
		if f.turn(ctx) != nil && ctx.Err() == nil {
			f.disconnect()
			f.engine.watchers.Resync()
		}
	}
	if f.conn != nil {
		f.disconnect()
	}
}

// turn waits for a notification, not long, and reads.
func (f *feed) turn(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, pollEvery)
	_, err := f.conn.WaitForNotification(waiting)
	cancel()
	if f.conn.IsClosed() || ctx.Err() != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	if err := f.poll(within); err != nil {
		return err
	}
	return f.prune(within)
}

// poll reads what was committed since the snapshot seen. The new one is taken
// first, so what comes between is read twice and not missed.
func (f *feed) poll(ctx context.Context) error {
	began := time.Now()
	var next string
	if err := f.conn.QueryRow(ctx, snapshot).Scan(&next); err != nil {
		return err
	}
	rows, err := f.conn.Query(ctx, f.engine.sql.changed, f.seen, f.engine.node)
	if err != nil {
		return err
	}
	changes, err := pgx.CollectRows(rows, pgx.RowTo[[][]byte])
	if err != nil {
		return err
	}
	if began.Sub(f.read) > keepChanges/2 {
		f.engine.watchers.Resync()
	}
	f.tell(changes)
	f.seen = next
	f.know(began)
	return nil
}

func (f *feed) tell(changes [][][]byte) {
	for _, keys := range changes {
		if keys == nil {
			f.engine.watchers.Resync()
			continue
		}
		f.engine.watchers.Publish(slices.Values(keys))
	}
}

// prune deletes the rows that every snapshot of the last minute showed.
func (f *feed) prune(ctx context.Context) error {
	now := time.Now()
	if now.Sub(f.pruned) < pruneEvery {
		return nil
	}
	f.pruned = now
	f.past = append(f.past, moment{now, f.seen})
	old := slices.IndexFunc(f.past, func(m moment) bool { return now.Sub(m.at) < keepChanges })
	if old < 1 {
		return nil
	}
	_, err := f.conn.Exec(ctx, f.engine.sql.prune, f.past[old-1].snapshot)
	f.past = f.past[old-1:]
	return err
}
