package directory

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"muster/directory/engine"
)

// Events are numbered without gaps in two ways. Where transactions run one
// after another (engine.Limits.Serial), the transaction of the change takes the
// next number itself. Elsewhere that number would be a key that all of an
// organisation's changes race for; so a change writes its event under a key of
// its own, among those that wait, and a sequencer numbers them afterwards, in
// batches. One process does that at a time, by lease; but what keeps it right
// is its transactions, so that the holder may die at any moment, two may do it
// at once, and whoever reads events numbers what still waits.
//
// Waiting events are sorted by a moment. Those of one user are in the order of
// their commits, because each is later than the user's last one, whatever the
// clock says.

// What one batch of the sequencer takes: an event is moved, and found from the
// two or three whom it is about.
const (
	sequenceBatch      = 500
	sequenceOperations = 4
	sequenceBytes      = 512 << 10
	sequenceLease      = 5 * time.Second
)

// following is now, or just after the last change of a record where a clock on
// another node was ahead.
func following(now, last time.Time) time.Time {
	if now.After(last) {
		return now
	}
	return last.Add(time.Microsecond)
}

// keepEvent stores an event: under its number where that costs nothing, else
// among those that wait for one.
func (a *application) keepEvent(e *Event, record []byte) error {
	if !a.d.serial {
		return a.tx.Set(orgKey(tableWaiting, a.org).time(e.Time).id(e.ID), record)
	}
	last, err := a.lastSeq()
	if err != nil {
		return err
	}
	if err := a.place(last+1, e, record); err != nil {
		return err
	}
	return a.setLastSeq(last + 1)
}

// place stores an event under its number, and where those whom it is about
// find it.
func (w writing) place(seq uint64, e *Event, record []byte) error {
	if err := w.tx.Set(orgKey(tableEvent, w.org).number(seq), record); err != nil {
		return err
	}
	for _, about := range []ID{e.User, e.Group, e.Other} {
		if about == NoID {
			continue
		}
		if err := w.tx.Set(historyKey(w.org, about, seq), nil); err != nil {
			return err
		}
	}
	return nil
}

// lastSeq is the last number that was given.
func (r reading) lastSeq() (uint64, error) {
	v, err := r.Get(orgKey(tableSequence, r.org))
	if len(v) != 8 || err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(v), nil
}

func (w writing) setLastSeq(seq uint64) error {
	return w.tx.Set(orgKey(tableSequence, w.org), binary.BigEndian.AppendUint64(nil, seq))
}

// sequence numbers the events that wait, so that whoever reads afterwards sees
// everything that was committed before.
func (d *Directory) sequence(ctx context.Context, org string) error {
	if d.serial {
		return nil
	}
	return d.numberWaiting(ctx, org)
}

func (d *Directory) numberWaiting(ctx context.Context, org string) error {
	for {
		batch, err := d.waiting(ctx, org)
		if len(batch) == 0 || err != nil {
			return err
		}
		if err := d.number(ctx, org, batch); err != nil {
			return err
		}
	}
}

// waiting lists the next batch from a snapshot: what is committed meanwhile
// comes later for each user, and is no conflict.
func (d *Directory) waiting(ctx context.Context, org string) (batch []key, err error) {
	most := d.cheap(sequenceBatch, sequenceOperations)
	err = d.view(ctx, org, func(r reading) error {
		batch = nil
		size := 0
		prefix := orgKey(tableWaiting, org)
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			if size += len(pair.Value); len(batch) == most || len(batch) > 0 && size > sequenceBytes {
				return nil
			}
			batch = append(batch, slices.Clone(pair.Key))
		}
		return nil
	})
	return batch, err
}

// number gives the events of a batch their numbers, except those that another
// sequencer has numbered meanwhile.
func (d *Directory) number(ctx context.Context, org string, batch []key) error {
	return d.update(ctx, org, func(w writing) error {
		seq, err := w.lastSeq()
		if err != nil {
			return err
		}
		for _, at := range batch {
			record, err := w.Get(at)
			if err != nil {
				return err
			}
			if record == nil {
				continue
			}
			e, _, err := decodeHead(record)
			if err != nil {
				return err
			}
			seq++
			if err := w.place(seq, &e, record); err != nil {
				return err
			}
			if err := w.tx.Delete(at); err != nil {
				return err
			}
		}
		return w.setLastSeq(seq)
	})
}

// cheap is how many items of so many operations each one transaction takes
// without holding others up.
func (d *Directory) cheap(most, each int) int {
	if operations := d.engine.Limits().Batch; operations > 0 {
		return max(1, min(most, (operations-each)/each))
	}
	return most
}

// sequencing numbers the events of all organisations as they come, until ctx
// ends, while this process holds the lease.
func (d *Directory) sequencing(ctx context.Context) {
	for ctx.Err() == nil {
		if err := d.sequenceOnNotice(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "numbering events", "error", err)
		}
		sleep(ctx, time.Second)
	}
}

func (d *Directory) sequenceOnNotice(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	notices, err := d.engine.Watch(ctx, key{tableWaiting})
	if err != nil {
		return err
	}
	for {
		held, err := d.lease(ctx, "sequence", sequenceLease)
		if err != nil {
			return err
		}
		if held {
			err = d.sequenceAll(ctx)
		}
		if err != nil {
			return err
		}
		if !awaitNotice(ctx, notices, held) {
			return nil
		}
	}
}

// awaitNotice waits for something to do; a process without the lease asks again
// after a second, whatever happens meanwhile.
func awaitNotice(ctx context.Context, notices <-chan engine.Notice, held bool) (more bool) {
	late := time.After(time.Second)
	for {
		select {
		case _, open := <-notices:
			if held || !open {
				return open
			}
		case <-late:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// sequenceAll numbers what waits in every organisation.
func (d *Directory) sequenceAll(ctx context.Context) error {
	for from := (key{tableWaiting}); from != nil; {
		org, found := "", false
		err := d.view(ctx, "", func(r reading) error {
			org, found = "", false
			for pair, err := range r.Scan(from, key{tableWaiting}.end()) {
				if found = err == nil; found {
					org = string(pair.Key[1 : 1+slices.Index(pair.Key[1:], 0)])
				}
				return err
			}
			return nil
		})
		if !found || err != nil {
			return err
		}
		if err := d.numberWaiting(ctx, org); err != nil {
			return err
		}
		from = orgKey(tableWaiting, org).end()
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
