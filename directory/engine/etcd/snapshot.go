package etcd

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
)

// live is what the stored value of a pair that is there begins with.
const live = 1

// Pages of a scan: most end early, so the first one is small.
const (
	firstPage = 32
	lastPage  = 512
)

// View runs fn at one revision.
func (e *Engine) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	s := e.snapshot(ctx)
	defer s.end()
	return fn(s)
}

// snapshot is what the store held at one revision, which the first read
// finds: the newest at that time.
type snapshot struct {
	engine   *Engine
	ctx      context.Context
	revision int64
	gone     bool           // the cluster has forgotten the revision
	writes   bool           // for an Update
	bar      bar            // as an Update found it
	journal  []engine.Write // committed, and not yet all applied
	ended    bool
}

func (e *Engine) snapshot(ctx context.Context) *snapshot { return &snapshot{engine: e, ctx: ctx} }

func (s *snapshot) end() { s.ended = true }

// Get reads a pair.
func (s *snapshot) Get(key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, nil
	}
	answer, err := s.read(s.engine.dataKey(key))
	if err != nil {
		return nil, err
	}
	if w, ok := find(s.journal, key); ok {
		return w.Value, nil
	}
	if len(answer.Kvs) == 0 {
		return nil, nil
	}
	return value(answer.Kvs[0])
}

// Scan reads a range.
func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		if s.revision == 0 {
			if _, err := s.read(s.engine.horizon(), clientv3.WithCountOnly()); err != nil {
				yield(engine.Pair{}, err)
				return
			}
		}
		pairs := s.pages(from, to)
		if len(s.journal) > 0 {
			pairs = over(pairs, s.journal, engine.Range{From: from, To: to})
		}
		pairs(yield)
	}
}

// pages reads a range page by page.
func (s *snapshot) pages(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		at, end, empty := s.engine.dataRange(engine.Range{From: from, To: to})
		for page := int64(firstPage); !empty; page = min(4*page, lastPage) {
			answer, err := s.read(at, clientv3.WithRange(end), clientv3.WithLimit(page))
			if err != nil {
				yield(engine.Pair{}, err)
				return
			}
			if !s.hand(answer.Kvs, yield) || !answer.More {
				return
			}
			at = string(answer.Kvs[len(answer.Kvs)-1].Key) + "\x00"
		}
	}
}

// hand yields one page, and says whether more is wanted.
func (s *snapshot) hand(page []*mvccpb.KeyValue, yield func(engine.Pair, error) bool) bool {
	for _, kv := range page {
		v, err := value(kv)
		if err != nil {
			yield(engine.Pair{}, err)
			return false
		}
		if v != nil && !yield(engine.Pair{Key: kv.Key[len(s.engine.prefix)+1:], Value: v}, nil) {
			return false
		}
	}
	return true
}

// value is what a stored value stands for, nil when it stands for a deletion.
func value(kv *mvccpb.KeyValue) ([]byte, error) {
	switch {
	case len(kv.Value) == 0:
		return nil, nil
	case kv.Value[0] != live:
		return nil, fmt.Errorf("%w: etcd key %q was not written by muster", engine.ErrCorrupt, kv.Key)
	}
	return kv.Value[1:], nil
}

// read asks at the snapshot's revision. The first read goes through the leader
// and finds it; for the others any member will do that has come as far.
func (s *snapshot) read(key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	if s.ended {
		return nil, engine.ErrClosed
	}
	if s.revision == 0 {
		return s.begin(key, options)
	}
	answer, err := s.nearby(key, append(options, clientv3.WithRev(s.revision)))
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		s.gone = true
		return nil, fmt.Errorf("%w: etcd has compacted revision %d while it was read", engine.ErrUnavailable, s.revision)
	}
	return answer, err
}

// begin reads the first time, and finds the revision and the bar with it.
func (s *snapshot) begin(key string, options []clientv3.OpOption) (answer *clientv3.GetResponse, err error) {
	var held []*mvccpb.KeyValue
	err = s.engine.asking(s.ctx, readAttempt, func(ctx context.Context) error {
		both, err := s.engine.client.Txn(ctx).Then(clientv3.OpGet(s.engine.horizon()), clientv3.OpGet(key, options...)).Commit()
		if err != nil {
			return err
		}
		s.revision, held = both.Header.Revision, both.Responses[0].GetResponseRange().Kvs
		answer = (*clientv3.GetResponse)(both.Responses[1].GetResponseRange())
		return nil
	})
	if err != nil {
		return nil, err
	}
	found := barOf(held)
	if s.writes && !found.open() {
		s.bar = found
		return nil, errBarred
	}
	if found.state == applying {
		s.journal, err = s.engine.readJournal(s.ctx, found.operation, s.revision)
	}
	return answer, err
}

// nearby spares the leader where it can.
func (s *snapshot) nearby(key string, options []clientv3.OpOption) (*clientv3.GetResponse, error) {
	answer, err := s.engine.once(s.ctx, key, append(options, clientv3.WithSerializable()))
	if err == nil || errors.Is(err, rpctypes.ErrCompacted) {
		return answer, err
	}
	return s.engine.get(s.ctx, key, options...)
}

// get reads, linearizably unless told otherwise, and asks again while nobody
// answers.
func (e *Engine) get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	var answer *clientv3.GetResponse
	err := e.asking(ctx, readAttempt, func(ctx context.Context) (err error) {
		answer, err = e.client.Get(ctx, key, options...)
		return err
	})
	return answer, err
}

// once asks one member, which must know a leader.
func (e *Engine) once(ctx context.Context, key string, options []clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), readAttempt)
	defer cancel()
	return e.client.Get(ctx, key, options...)
}
