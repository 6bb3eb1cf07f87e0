package memory

import (
	"bytes"
	"context"
	"hash/maphash"
	"iter"
	"sync/atomic"

	"muster/directory/engine"
)

// Options of New. The zero value has no limits.
type Options struct {
	// Limits to impose. Serial is ignored: transactions race here.
	Limits engine.Limits
}

// Engine keeps everything in memory.
type Engine struct {
	limits   engine.Limits
	seed     maphash.Seed
	gate     engine.Gate
	watchers engine.Watchers
	current  atomic.Pointer[snapshot]
	commits  turn // held while reads are compared and the root is replaced
	losers   turn // held by the one loser that may retry
}

// New returns an empty engine.
func New(options Options) *Engine {
	e := &Engine{
		limits:  options.Limits,
		seed:    maphash.MakeSeed(),
		commits: make(turn, 1),
		losers:  make(turn, 1),
	}
	e.limits.Serial = false
	e.current.Store(&snapshot{})
	return e
}

// View runs fn on the newest snapshot.
func (e *Engine) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := e.gate.Enter(); err != nil {
		return err
	}
	defer e.gate.Leave()
	return fn(e.current.Load())
}

// Watch reports changed keys.
func (e *Engine) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	return e.watchers.Watch(ctx, prefix)
}

// Limits are those of Options.
func (e *Engine) Limits() engine.Limits { return e.limits }

// Close waits for running transactions and forgets everything.
func (e *Engine) Close() error {
	if err := e.gate.Close(); err != nil {
		return err
	}
	e.watchers.Close()
	e.current.Store(&snapshot{})
	return nil
}

// apply makes the writes of tx the newest snapshot. The caller holds commits.
func (e *Engine) apply(tx *engine.Tx) {
	if tx.Len() == 0 {
		return
	}
	now := e.current.Load()
	next := &snapshot{root: now.root, commit: now.commit + 1}
	for w := range tx.Writes() {
		if w.Value == nil {
			next.root = next.root.without(w.Key)
			continue
		}
		key, value := keep(w)
		next.root = next.root.with(leaf(e.seed, key, value, next.commit))
	}
	e.current.Store(next)
	e.watchers.Publish(keys(tx))
}

// keep copies a write out of the block that its transaction's writes share,
// which would otherwise live as long as the smallest of them.
func keep(w engine.Write) (key, value []byte) {
	key = bytes.Clone(w.Key)
	if len(w.Value) == 0 {
		return key, []byte{}
	}
	return key, bytes.Clone(w.Value)
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
