package etcd

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"sort"
	"strconv"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
)

// What a journal's pieces hold, and what of them is applied at once.
const (
	journalPiece   = 512 << 10
	journalPage    = 8
	applyBatch     = 120
	applyBytes     = 1 << 20
	journalLasts   = 24 * time.Hour
	journalStamped = 16 // hexadecimal digits of the time in a journal's name
)

// newOperation names a large transaction, by its time first.
func (e *Engine) newOperation() string {
	return fmt.Sprintf("%016x%s%06x", e.now().Unix(), e.process, e.named.Add(1))
}

func (e *Engine) journal(operation string) string { return e.prefix + "j" + operation }

// writeJournal stores what a transaction writes, piece by piece. Nobody looks
// at it before the transaction is committed.
func (e *Engine) writeJournal(ctx context.Context, operation string, tx *engine.Tx) error {
	var piece []byte
	n := 0
	put := func() error {
		key := fmt.Sprintf("%s%06x", e.journal(operation), n)
		text := string(piece)
		n, piece = n+1, piece[:0]
		return e.patiently(ctx, func(ctx context.Context) error {
			_, err := e.client.Put(ctx, key, text)
			return err
		})
	}
	for w := range tx.Writes() {
		if len(piece) > 0 && len(piece)+len(w.Key)+len(w.Value) > journalPiece {
			if err := put(); err != nil {
				return err
			}
		}
		piece = appendWrite(piece, w)
	}
	return put()
}

func appendWrite(b []byte, w engine.Write) []byte {
	b = append(binary.AppendUvarint(b, uint64(len(w.Key))), w.Key...)
	if w.Value == nil {
		return append(b, 0)
	}
	b = append(b, live)
	return append(binary.AppendUvarint(b, uint64(len(w.Value))), w.Value...)
}

// readWrites is the other way.
func readWrites(b []byte) (all []engine.Write, err error) {
	text := func() []byte {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			err = fmt.Errorf("%w: etcd: a journal is damaged", engine.ErrCorrupt)
			return nil
		}
		part := b[size : size+int(n) : size+int(n)]
		b = b[size+int(n):]
		return part
	}
	for len(b) > 0 && err == nil {
		w := engine.Write{Key: text()}
		if err != nil || len(b) == 0 {
			break
		}
		there := b[0] == live
		if b = b[1:]; there {
			w.Value = text()
		}
		all = append(all, w)
	}
	return all, err
}

// committedWrites is the journal of a large transaction that is committed, in order.
type committedWrites struct {
	operation string
	writes    []engine.Write
}

// readJournal reads it at a revision at which it is being applied. The last one
// is kept: all who begin meanwhile need it.
func (e *Engine) readJournal(ctx context.Context, operation string, revision int64) ([]engine.Write, error) {
	if kept := e.applied.Load(); kept != nil && kept.operation == operation {
		return kept.writes, nil
	}
	all := &committedWrites{operation: operation}
	at, end := e.journal(operation), clientv3.GetPrefixRangeEnd(e.journal(operation))
	for {
		answer, err := e.get(ctx, at, clientv3.WithRange(end), clientv3.WithRev(revision), clientv3.WithLimit(journalPage))
		if err != nil {
			return nil, unavailable(err) // compacted, if not silent
		}
		for _, kv := range answer.Kvs {
			part, err := readWrites(kv.Value)
			if err != nil {
				return nil, err
			}
			all.writes = append(all.writes, part...)
			at = string(kv.Key) + "\x00"
		}
		if !answer.More {
			break
		}
	}
	e.applied.Store(all)
	return all.writes, nil
}

// find is what the journal says of a key.
func find(all []engine.Write, key []byte) (w engine.Write, ok bool) {
	i := sort.Search(len(all), func(i int) bool { return bytes.Compare(all[i].Key, key) >= 0 })
	if i == len(all) || !bytes.Equal(all[i].Key, key) {
		return engine.Write{}, false
	}
	return all[i], true
}

// over lays what a journal says over stored pairs.
func over(stored iter.Seq2[engine.Pair, error], all []engine.Write, r engine.Range) iter.Seq2[engine.Pair, error] {
	from := sort.Search(len(all), func(i int) bool { return bytes.Compare(all[i].Key, r.From) >= 0 })
	return func(yield func(engine.Pair, error) bool) {
		own := all[from:]
		below := func(end []byte) bool {
			for len(own) > 0 && (end == nil || bytes.Compare(own[0].Key, end) < 0) {
				w := own[0]
				own = own[1:]
				if w.Value != nil && !yield(engine.Pair(w), nil) {
					return false
				}
			}
			return true
		}
		for pair, err := range stored {
			if err != nil {
				yield(pair, err)
				return
			}
			if !below(pair.Key) {
				return
			}
			if len(own) > 0 && bytes.Equal(own[0].Key, pair.Key) {
				continue // the journal's turn comes before the next pair
			}
			if !yield(pair, nil) {
				return
			}
		}
		below(r.To)
	}
}

// apply writes what a journal says, and opens the bar. Several may do it at
// once: each batch is written on condition that it is still being applied.
func (e *Engine) apply(ctx context.Context, seen bar, all []engine.Write) (err error) {
	if all == nil {
		answer, err := e.get(ctx, e.horizon())
		if err != nil || barOf(answer.Kvs) != seen {
			return err
		}
		if all, err = e.readJournal(ctx, seen.operation, answer.Header.Revision); err != nil {
			return err
		}
	}
	for batch := 0; len(all) > 0; batch++ {
		n, size := 0, 0
		for n < min(len(all), applyBatch) && (n == 0 || size+len(all[n].Key)+len(all[n].Value) < applyBytes) {
			size += len(all[n].Key) + len(all[n].Value)
			n++
		}
		mine, err := e.applyPart(ctx, seen, all[:n], fmt.Sprintf("%s%06x", seen.operation, batch))
		if !mine || err != nil {
			return err
		}
		all = all[n:]
	}
	_, err = e.move(ctx, seen, bar{}, clientv3.OpDelete(e.journal(seen.operation), clientv3.WithPrefix()))
	return err
}

// applyPart writes one batch, and says whether it was still to be applied.
func (e *Engine) applyPart(ctx context.Context, seen bar, part []engine.Write, name string) (mine bool, err error) {
	changes := e.puts(nil, name, func(yield func(engine.Write) bool) {
		for _, w := range part {
			if !yield(w) {
				return
			}
		}
	})
	err = e.patiently(ctx, func(ctx context.Context) error {
		answer, err := e.client.Txn(ctx).If(e.is(seen)).Then(changes...).Commit()
		if err == nil {
			mine = answer.Succeeded
		}
		return err
	})
	return mine, err
}

// collectJournals removes what was written for transactions that never were
// committed.
func (e *Engine) collectJournals(ctx context.Context) error {
	answer, err := e.get(ctx, e.prefix+"j", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil || len(answer.Kvs) == 0 {
		return err
	}
	for _, kv := range answer.Kvs {
		if err := e.collectJournal(ctx, kv); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) collectJournal(ctx context.Context, kv *mvccpb.KeyValue) error {
	name := string(kv.Key[len(e.prefix)+1:])
	if len(name) < journalStamped {
		return nil
	}
	began, err := strconv.ParseInt(name[:journalStamped], 16, 64)
	if err != nil || e.now().Sub(time.Unix(began, 0)) < journalLasts {
		return nil
	}
	_, err = e.client.Txn(ctx).If(e.isOpen()).Then(clientv3.OpDelete(string(kv.Key))).Commit()
	return err
}
