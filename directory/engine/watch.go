package engine

import (
	"bytes"
	"context"
	"iter"
	"sync"
)

// Bounds of what waits for a slow watcher. Beyond them it gets one Resync.
const (
	pendingNotices = 64
	noticeKeys     = 4096
)

// Watchers fans the keys of commits out to whoever watches their prefix. The
// zero Watchers is ready.
type Watchers struct {
	mu     sync.Mutex
	set    map[*watcher]struct{}
	closed bool
}

type watcher struct {
	prefix  []byte
	notices chan Notice
	stop    func() bool // releases the context
}

// Watch registers a watcher until ctx ends or Close.
func (w *Watchers) Watch(ctx context.Context, prefix []byte) (<-chan Notice, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, ErrClosed
	}
	one := &watcher{prefix: bytes.Clone(prefix), notices: make(chan Notice, pendingNotices)}
	if w.set == nil {
		w.set = make(map[*watcher]struct{})
	}
	w.set[one] = struct{}{}
	one.stop = context.AfterFunc(ctx, func() { w.remove(one) })
	return one.notices, nil
}

// Publish tells every watcher which keys a commit changed. It never waits: a
// watcher that is behind loses its notices and gets a Resync in their place.
// It is called after the commit and before its Update returns.
func (w *Watchers) Publish(keys iter.Seq[[]byte]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.set {
		one.tell(keys)
	}
}

// Resync tells every watcher that changes were lost.
func (w *Watchers) Resync() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.set {
		one.resync()
	}
}

// Close closes every channel. Later calls of Watch return ErrClosed.
func (w *Watchers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for one := range w.set {
		one.stop()
		close(one.notices)
	}
	w.set = nil
}

func (w *Watchers) remove(one *watcher) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, here := w.set[one]; here {
		delete(w.set, one)
		close(one.notices)
	}
}

func (one *watcher) tell(keys iter.Seq[[]byte]) {
	var notice Notice
	for key := range keys {
		if !bytes.HasPrefix(key, one.prefix) {
			continue
		}
		if len(notice.Keys) == noticeKeys {
			one.resync()
			return
		}
		notice.Keys = append(notice.Keys, bytes.Clone(key))
	}
	if len(notice.Keys) == 0 {
		return
	}
	select {
	case one.notices <- notice:
	default:
		one.resync()
	}
}

// resync throws away what waits, to make room. Only the holder of the lock
// sends, so there is room afterwards.
func (one *watcher) resync() {
	for {
		select {
		case <-one.notices:
			continue
		default:
		}
		one.notices <- Notice{Resync: true}
		return
	}
}
