package etcd_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/enginetest"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
)

// twin is two processes on one store: calls go to them in turn.
type twin struct {
	engines [2]engine.Engine
	calls   atomic.Int64
}

func (w *twin) next() engine.Engine { return w.engines[w.calls.Add(1)%2] }

func (w *twin) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	return w.next().View(ctx, fn)
}

func (w *twin) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	return w.next().Update(ctx, fn)
}

func (w *twin) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	return w.engines[0].Watch(ctx, prefix)
}

func (w *twin) Limits() engine.Limits { return w.engines[0].Limits() }

// Close lets neither be closed while the other still is in use.
func (w *twin) Close() error {
	failed := make(chan error, 1)
	go func() { failed <- w.engines[0].Close() }()
	err := w.engines[1].Close()
	return errors.Join(err, <-failed)
}

func TestTwoProcessesAreOneEngine(t *testing.T) {
	c, ok := etcdtest.Start(t, etcdtest.Options{Members: 3})
	if !ok {
		return
	}
	enginetest.Run(t, enginetest.Harness{Durable: true, Open: func(t testing.TB, dir string) engine.Engine {
		o := etcd.Options{Endpoints: c.Endpoints(), Prefix: prefixOf(dir)}
		return &twin{engines: [2]engine.Engine{open(t, o), open(t, o)}}
	}})
}
