package etcd

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

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
	gone     bool // the cluster has forgotten the revision
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
	if err != nil || len(answer.Kvs) == 0 {
		return nil, err
	}
	return value(answer.Kvs[0])
}

// Scan reads a range page by page.
func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
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
	if s.revision > 0 {
		options = append(options, clientv3.WithRev(s.revision))
	}
	answer, err := s.nearby(key, options)
	switch {
	case errors.Is(err, rpctypes.ErrCompacted):
		s.gone = true
		return nil, fmt.Errorf("%w: etcd has compacted revision %d while it was read", engine.ErrUnavailable, s.revision)
	case err != nil:
		return nil, err
	case s.revision == 0:
		s.revision = answer.Header.Revision
	}
	return answer, nil
}

// nearby spares the leader where it can.
func (s *snapshot) nearby(key string, options []clientv3.OpOption) (*clientv3.GetResponse, error) {
	if s.revision > 0 {
		answer, err := s.engine.once(s.ctx, key, append(options, clientv3.WithSerializable()))
		if err == nil || errors.Is(err, rpctypes.ErrCompacted) {
			return answer, err
		}
	}
	return s.engine.get(s.ctx, key, options...)
}

// get reads, linearizably unless told otherwise, and asks again while nobody
// answers.
func (e *Engine) get(ctx context.Context, key string, options ...clientv3.OpOption) (*clientv3.GetResponse, error) {
	until := time.Now().Add(e.patience)
	for attempt := 0; ; attempt++ {
		answer, err := e.once(ctx, key, options)
		switch {
		case err == nil || errors.Is(err, rpctypes.ErrCompacted):
			return answer, err
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case refused(err):
			return nil, faulty(err)
		case !again(ctx, attempt, until):
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, unavailable(err)
		}
	}
}

// once asks one member, which must know a leader.
func (e *Engine) once(ctx context.Context, key string, options []clientv3.OpOption) (*clientv3.GetResponse, error) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), readAttempt)
	defer cancel()
	return e.client.Get(ctx, key, options...)
}
