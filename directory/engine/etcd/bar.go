package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// barPatience is how long others wait for one who has shut them out and does
// not come to a decision.
const barPatience = 10 * time.Second

// bar is what the horizon says, beside its revision: whether commits may
// happen.
//
//	nothing          they may
//	'c' operation    a large transaction is being decided: nobody else may commit
//	'a' operation    it is committed, and being applied from its journal
type bar struct {
	revision  int64
	state     byte
	operation string
}

const (
	closing  byte = 'c'
	applying byte = 'a'
)

func barOf(held []*mvccpb.KeyValue) bar {
	if len(held) == 0 {
		return bar{}
	}
	b := bar{revision: held[0].ModRevision}
	if v := held[0].Value; len(v) > 0 {
		b.state, b.operation = v[0], string(v[1:])
	}
	return b
}

// open says that commits may happen.
func (b bar) open() bool { return b.state == 0 }

func (b bar) value() string {
	if b.open() {
		return ""
	}
	return string(b.state) + b.operation
}

func (e *Engine) horizon() string { return e.prefix + "h" }

// is is the condition that the horizon is as it was seen.
func (e *Engine) is(b bar) clientv3.Cmp {
	return clientv3.Compare(clientv3.ModRevision(e.horizon()), "=", b.revision)
}

// isOpen is the condition that commits may happen.
func (e *Engine) isOpen() clientv3.Cmp {
	return clientv3.Compare(clientv3.Value(e.horizon()), "=", "")
}

// prepare writes the horizon of a new store, unless it must exist.
func (e *Engine) prepare(ctx context.Context, existing bool) error {
	answer, err := e.get(ctx, e.horizon())
	if err != nil || len(answer.Kvs) > 0 {
		return err
	}
	if existing {
		return fmt.Errorf("there is no store at %s", e.prefix)
	}
	return e.patiently(ctx, func(ctx context.Context) error {
		_, err := e.client.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(e.horizon()), "=", 0)).
			Then(clientv3.OpPut(e.horizon(), "")).Commit()
		return err
	})
}

// opened waits until commits may happen again. A large transaction that is
// committed it helps to apply; one that is not decided for long it breaks off.
func (e *Engine) opened(ctx context.Context, seen bar) error {
	since := time.Now()
	for !seen.open() {
		if seen.state == applying {
			if err := e.apply(ctx, seen, nil); err != nil {
				return err
			}
		} else if time.Since(since) > barPatience {
			if _, err := e.move(ctx, seen, bar{}); err != nil {
				return err
			}
		} else if !again(ctx, 1, time.Now().Add(time.Second)) {
			return ctx.Err()
		}
		answer, err := e.get(ctx, e.horizon())
		if err != nil {
			return err
		}
		if now := barOf(answer.Kvs); now.revision != seen.revision {
			seen, since = now, time.Now()
		}
	}
	return nil
}

// move changes the bar on condition that it is as it was seen, with more
// changes, and returns the new one; its revision is 0 when it was not. It may
// be asked again: what it sets is named by the operation.
func (e *Engine) move(ctx context.Context, seen, to bar, more ...clientv3.Op) (bar, error) {
	return e.moveIf(ctx, []clientv3.Cmp{e.is(seen)}, to, more...)
}

func (e *Engine) moveIf(ctx context.Context, conditions []clientv3.Cmp, to bar, more ...clientv3.Op) (bar, error) {
	changes := append([]clientv3.Op{clientv3.OpPut(e.horizon(), to.value())}, more...)
	moved := bar{}
	err := e.patiently(ctx, func(ctx context.Context) error {
		answer, err := e.client.Txn(ctx).If(conditions...).Then(changes...).Else(clientv3.OpGet(e.horizon())).Commit()
		if err != nil {
			return err
		}
		moved = bar{}
		if answer.Succeeded {
			moved = bar{answer.Header.Revision, to.state, to.operation}
		} else if now := barOf(answer.Responses[0].GetResponseRange().Kvs); !to.open() && now.value() == to.value() {
			moved = now // an earlier attempt has done it
		}
		return nil
	})
	return moved, err
}

// patiently sends what may be carried out twice until somebody answers.
func (e *Engine) patiently(ctx context.Context, ask func(context.Context) error) error {
	return e.asking(ctx, commitAttempt, ask)
}

// asking asks again while nobody answers in time, members that know a leader
// alone.
func (e *Engine) asking(ctx context.Context, each time.Duration, ask func(context.Context) error) error {
	until := time.Now().Add(e.patience)
	for attempt := 0; ; attempt++ {
		one, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), each)
		err := ask(one)
		cancel()
		switch {
		case err == nil || errors.Is(err, rpctypes.ErrCompacted):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case refused(err):
			return faulty(err)
		case !again(ctx, attempt, until):
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return unavailable(err)
		}
	}
}

// errBarred ends a function that began while nobody may commit.
var errBarred = errors.New("etcd: a large transaction is being committed")
