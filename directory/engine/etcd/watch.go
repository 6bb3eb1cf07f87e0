package etcd

import (
	"bytes"
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"muster/directory/engine"
)

// hearEvery is how often a member must be heard of. When it was not, changes
// may be under way that nobody tells of.
const hearEvery = 300 * time.Millisecond

// observer follows the cluster for all watchers of this process, from the
// first one on.
type observer struct {
	mu      sync.Mutex
	started bool
	running sync.WaitGroup
}

func (o *observer) wait() { o.running.Wait() }

// Watch reports changed keys, of other processes too. While the cluster cannot
// be heard, watchers are told to forget everything, again and again.
func (e *Engine) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := e.gate.Enter(); err != nil {
		return nil, err
	}
	defer e.gate.Leave()
	if err := e.observe(ctx); err != nil {
		return nil, err
	}
	return e.watchers.Watch(ctx, prefix)
}

// observe begins to follow the cluster from its present revision.
func (e *Engine) observe(ctx context.Context) error {
	e.observer.mu.Lock()
	defer e.observer.mu.Unlock()
	if e.observer.started {
		return nil
	}
	answer, err := e.get(ctx, e.horizon())
	if err != nil {
		return err
	}
	e.observer.started = true
	e.observer.running.Go(func() {
		next := answer.Header.Revision + 1
		for e.alive.Err() == nil {
			next = e.follow(next)
			e.watchers.Resync()
		}
	})
	return nil
}

// follow tells the watchers what changes from a revision on, until the stream
// breaks off, and says where to go on.
func (e *Engine) follow(next int64) int64 {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(e.alive))
	defer cancel()
	events := e.client.Watch(ctx, e.prefix, clientv3.WithPrefix(), clientv3.WithRev(next))
	tick := time.NewTicker(hearEvery)
	defer tick.Stop()
	heard, streams := true, e.streams.Load()
	for {
		select {
		case answer, open := <-events:
			if !open || answer.Err() != nil {
				again(e.alive, 3, time.Now().Add(time.Second))
				return max(next, answer.CompactRevision)
			}
			heard, next = true, answer.Header.Revision+1
			e.watchers.Publish(e.changed(answer.Events))
			if e.decided(answer.Events) {
				e.watchers.Resync()
			}
		case <-tick.C:
			// A stream that was opened anew goes on where the old one seemed to
			// be: members before 3.4.25 may have been ahead of their events.
			if now := e.streams.Load(); !heard || now != streams {
				e.watchers.Resync()
				streams = now
			}
			heard = false
			e.askProgress(ctx)
		}
	}
}

// askProgress makes the member that is watched send a sign of life.
func (e *Engine) askProgress(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, hearEvery/3)
	defer cancel()
	_ = e.client.RequestProgress(ctx)
}

// decided says that a large transaction was committed: what it changes is seen
// from now on, and told only as it is applied.
func (e *Engine) decided(events []*clientv3.Event) bool {
	for _, event := range events {
		if string(event.Kv.Key) == e.horizon() && barOf([]*mvccpb.KeyValue{event.Kv}).state == applying {
			return true
		}
	}
	return false
}

// changed are the keys of the pairs that others changed: what this process
// commits it tells itself, at once. Its commits are known by their receipts.
func (e *Engine) changed(events []*clientv3.Event) iter.Seq[[]byte] {
	own := map[int64]bool{}
	for _, event := range events {
		if _, mine := e.mine.Load(string(event.Kv.Key)); mine {
			own[event.Kv.ModRevision] = true
		}
	}
	return func(yield func([]byte) bool) {
		for _, event := range events {
			// A removal is the collection of a deletion that was told long ago.
			key, data := bytes.CutPrefix(event.Kv.Key, []byte(e.prefix+"d"))
			if data && event.Type == mvccpb.Event_PUT && !own[event.Kv.ModRevision] && !yield(key) {
				return
			}
		}
	}
}

// countStreams counts the streams that watch.
func (e *Engine) countStreams(ctx context.Context, d *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	if strings.HasSuffix(method, "/Watch") {
		e.streams.Add(1)
	}
	return open(ctx, d, conn, method, options...)
}
