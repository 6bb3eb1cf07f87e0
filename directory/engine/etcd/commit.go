package etcd

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
)

// slots is how many commits of one process may be under way at once.
const slots = 32

// receipt is a key that every commit through its slot rewrites, on condition
// that it still is as the slot's last commit left it. So a commit happens once
// at most, and whether it has can be found out.
type receipt struct {
	key      string
	revision int64 // of the key, 0 while it is not there
	number   uint64
}

func (e *Engine) newReceipt() *receipt {
	r := &receipt{key: fmt.Sprintf("%sr%s%06x", e.prefix, e.process, e.named.Add(1))}
	e.mine.Store(r.key, true)
	return r
}

// What a receipt says about the commit whose number it holds.
const (
	committed byte = 'c'
	prevented byte = 'p'
)

func (r *receipt) says(what byte, now time.Time) string {
	b := binary.BigEndian.AppendUint64([]byte{what}, r.number)
	return string(binary.BigEndian.AppendUint64(b, uint64(now.Unix())))
}

// lastUse is when a receipt was written.
func lastUse(value []byte) (time.Time, bool) {
	if len(value) != 17 {
		return time.Time{}, false
	}
	return time.Unix(int64(binary.BigEndian.Uint64(value[9:])), 0), true
}

// unchanged is the condition that nobody has rewritten the receipt.
func (r *receipt) unchanged() clientv3.Cmp {
	return clientv3.Compare(clientv3.ModRevision(r.key), "=", r.revision)
}

// read takes over what the cluster holds under the receipt's key and says
// whether that is the present commit.
func (r *receipt) read(held []*mvccpb.KeyValue) (happened bool) {
	if len(held) == 0 {
		r.revision = 0
		return false
	}
	kv := held[0]
	r.revision = kv.ModRevision
	return len(kv.Value) == 17 && kv.Value[0] == committed && binary.BigEndian.Uint64(kv.Value[1:9]) == r.number
}

// commit writes what was written if what was read still holds. Once it has
// begun the context does not end it.
func (e *Engine) commit(ctx context.Context, a attempted, r *receipt) (lost bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	ctx = context.WithoutCancel(ctx)
	r.number++
	happened, err := e.settle(ctx, r, e.conditions(a, r), e.changes(a.tx, r))
	if happened {
		e.told(a.tx)
	}
	return !happened && err == nil, err
}

// told tells what was committed.
func (e *Engine) told(tx *engine.Tx) {
	e.deleted.Add(int64(deletions(tx)))
	e.watchers.Publish(keys(tx))
}

// settle sends a transaction that rewrites the receipt and finds out what
// became of it.
func (e *Engine) settle(ctx context.Context, r *receipt, conditions []clientv3.Cmp, changes []clientv3.Op) (happened bool, err error) {
	found, err := e.ask(ctx, r, conditions, changes)
	switch {
	case err == nil:
		return found != nothing, nil
	case refused(err):
		return false, faulty(err)
	case noSpace(err):
		return e.despiteQuota(ctx, r, err)
	}
	return e.resolve(ctx, r, err)
}

// finding is what an answer tells about a receipt.
type finding int

const (
	nothing finding = iota // somebody else wrote it, or something that was read
	written                // this request has rewritten it
	before                 // the commit had rewritten it before
)

// ask sends a transaction that rewrites the receipt.
func (e *Engine) ask(ctx context.Context, r *receipt, conditions []clientv3.Cmp, changes []clientv3.Op) (finding, error) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), commitAttempt)
	defer cancel()
	answer, err := e.client.Txn(ctx).If(conditions...).Then(changes...).Else(clientv3.OpGet(r.key)).Commit()
	switch {
	case err != nil:
		return nothing, err
	case answer.Succeeded:
		r.revision = answer.Header.Revision
		return written, nil
	case r.read(answer.Responses[0].GetResponseRange().Kvs):
		return before, nil
	}
	return nothing, nil
}

// conditions are that nothing that was read is newer than the snapshot.
func (e *Engine) conditions(a attempted, r *receipt) []clientv3.Cmp {
	if a.revision == 0 {
		return []clientv3.Cmp{r.unchanged(), e.isOpen()}
	}
	return append([]clientv3.Cmp{r.unchanged(), notSince(e.horizon(), a.revision)}, e.reads(a)...)
}

// notSince is the condition that a key was not written after a revision.
func notSince(key string, revision int64) clientv3.Cmp {
	return clientv3.Compare(clientv3.ModRevision(key), "<", revision+1)
}

// reads are the conditions that what was read still holds.
func (e *Engine) reads(a attempted) (all []clientv3.Cmp) {
	if a.revision == 0 {
		return nil
	}
	for key := range a.tx.Points() {
		all = append(all, notSince(e.dataKey(key), a.revision))
	}
	for span := range a.tx.Ranges() {
		if from, to, empty := e.dataRange(span); !empty {
			all = append(all, notSince(from, a.revision).WithRange(to))
		}
	}
	return all
}

// changes are the receipt and the writes.
func (e *Engine) changes(tx *engine.Tx, r *receipt) []clientv3.Op {
	all := []clientv3.Op{clientv3.OpPut(r.key, r.says(committed, e.now()))}
	return e.puts(all, fmt.Sprintf("%s%016x", r.key[len(e.prefix)+1:], r.number), tx.Writes())
}

// puts adds writes, with a note under a name when there are deletions.
func (e *Engine) puts(all []clientv3.Op, note string, writes iter.Seq[engine.Write]) []clientv3.Op {
	var gone []byte
	for w := range writes {
		stored := ""
		if w.Value == nil {
			gone = append(binary.AppendUvarint(gone, uint64(len(w.Key))), w.Key...)
		} else {
			stored = string(append(append(make([]byte, 0, 1+len(w.Value)), live), w.Value...))
		}
		all = append(all, clientv3.OpPut(e.dataKey(w.Key), stored))
	}
	if gone != nil {
		all = append(all, clientv3.OpPut(e.prefix+"g"+note, string(gone)))
	}
	return all
}

func deletions(tx *engine.Tx) (n int) {
	for w := range tx.Writes() {
		if w.Value == nil {
			n++
		}
	}
	return n
}

func keys(tx *engine.Tx) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for w := range tx.Writes() {
			if !yield(w.Key) {
				return
			}
		}
	}
}

// resolve finds out what became of a commit whose answer was lost. If it has
// not happened, it prevents it: the receipt is rewritten.
func (e *Engine) resolve(ctx context.Context, r *receipt, cause error) (happened bool, err error) {
	until := time.Now().Add(e.patience)
	for attempt := 0; again(ctx, attempt, until); attempt++ {
		prevent := clientv3.OpPut(r.key, r.says(prevented, e.now()))
		found, err := e.ask(ctx, r, []clientv3.Cmp{r.unchanged()}, []clientv3.Op{prevent})
		switch {
		case err == nil:
			return found == before, nil
		case noSpace(err):
			return e.despiteQuota(ctx, r, err)
		}
		cause = err
	}
	return e.unknown(r, cause)
}

// despiteQuota finds out what became of a request that a full cluster has
// answered: it carries the one that fills it out, and says that it did not.
func (e *Engine) despiteQuota(ctx context.Context, r *receipt, cause error) (happened bool, err error) {
	answer, err := e.get(ctx, r.key)
	if err != nil {
		return e.unknown(r, err)
	}
	if r.read(answer.Kvs) {
		return true, nil
	}
	return false, unavailable(cause)
}

// unknown gives up. The commit may still happen, so its receipt is left behind,
// and what it changes is told like anybody else's.
func (e *Engine) unknown(r *receipt, cause error) (bool, error) {
	e.mine.Delete(r.key)
	e.watchers.Resync()
	*r = *e.newReceipt()
	return false, fmt.Errorf("%w: etcd: %w", engine.ErrUnknown, plain(cause))
}
