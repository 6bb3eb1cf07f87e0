package etcd

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// When deletions are collected: each collection makes the transactions under
// way begin anew.
const (
	collectEvery    = time.Minute
	collectLook     = 5 * time.Second
	collectDeletion = 2000
	collectBatch    = 60
	notesAtOnce     = 256
	receiptLasts    = 24 * time.Hour
)

// collectAll collects until the engine is closed: now and then, and when this
// process has deleted much. Where several processes collect at once each does
// the same work; that harms nobody.
func (e *Engine) collectAll() {
	defer close(e.ending)
	tick := time.NewTicker(collectLook)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-e.alive.Done():
			return
		case <-tick.C:
		}
		if time.Since(last) < collectEvery && e.deleted.Load() < collectDeletion {
			continue
		}
		last = time.Now()
		e.deleted.Store(0)
		// What fails now is tried again: the notes are still there.
		if e.collect(e.alive) == nil {
			_ = errors.Join(e.collectReceipts(e.alive), e.collectJournals(e.alive))
		}
	}
}

// collect removes what stands for deletions. It raises the horizon first, so
// that transactions that began before cannot commit any more.
func (e *Engine) collect(ctx context.Context) error {
	notes := e.prefix + "g"
	answer, err := e.get(ctx, notes, clientv3.WithPrefix(), clientv3.WithLimit(notesAtOnce))
	if err != nil || len(answer.Kvs) == 0 {
		return err
	}
	raised, err := e.client.Txn(ctx).If(e.isOpen()).Then(clientv3.OpPut(e.horizon(), "")).Commit()
	if err != nil || !raised.Succeeded {
		return err
	}
	var gone []string
	for _, note := range answer.Kvs {
		gone = append(gone, e.noted(note.Value)...)
	}
	for len(gone) > 0 {
		n := min(len(gone), collectBatch)
		if err := e.removeDeletions(ctx, gone[:n], raised.Header.Revision); err != nil {
			return err
		}
		gone = gone[n:]
	}
	for _, note := range answer.Kvs {
		if _, err := e.client.Delete(ctx, string(note.Key)); err != nil {
			return err
		}
	}
	if answer.More {
		e.deleted.Add(collectDeletion)
	}
	return nil
}

// noted are the keys that a note tells of.
func (e *Engine) noted(note []byte) (keys []string) {
	for len(note) > 0 {
		n, size := binary.Uvarint(note)
		if size <= 0 || n > uint64(len(note)-size) {
			return keys
		}
		keys = append(keys, e.dataKey(note[size:size+int(n)]))
		note = note[size+int(n):]
	}
	return keys
}

// removeDeletions removes those of the keys that still stand for a deletion
// from below the horizon.
func (e *Engine) removeDeletions(ctx context.Context, keys []string, horizon int64) error {
	done := map[string]bool{}
	var all []clientv3.Op
	for _, key := range keys {
		if done[key] {
			continue
		}
		done[key] = true
		all = append(all, clientv3.OpTxn([]clientv3.Cmp{
			clientv3.Compare(clientv3.Value(key), "=", ""),
			clientv3.Compare(clientv3.ModRevision(key), "<", horizon),
		}, []clientv3.Op{clientv3.OpDelete(key)}, nil))
	}
	_, err := e.client.Txn(ctx).Then(all...).Commit()
	return err
}

// collectReceipts removes what processes that died have left.
func (e *Engine) collectReceipts(ctx context.Context) error {
	answer, err := e.get(ctx, e.prefix+"r", clientv3.WithPrefix())
	if err != nil {
		return err
	}
	for _, kv := range answer.Kvs {
		if at, ok := lastUse(kv.Value); !ok || e.now().Sub(at) < receiptLasts {
			continue
		}
		if err := e.removeReceipt(ctx, kv); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) removeReceipt(ctx context.Context, kv *mvccpb.KeyValue) error {
	key := string(kv.Key)
	_, err := e.client.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", kv.ModRevision)).
		Then(clientv3.OpDelete(key)).Commit()
	return err
}
