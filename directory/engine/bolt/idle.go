package bolt

import (
	"sync"

	"go.etcd.io/bbolt"
)

// transaction is one of bbolt, with the one bucket that holds everything.
type transaction struct {
	*bbolt.Tx
	bucket *bbolt.Bucket
	cursor *bbolt.Cursor // the last one that was used, nil while a Scan has it
	round  uint64        // of the idle list when a read transaction began
}

// take is the cursor that is at hand, which remembers nothing but its memory,
// or else a new one. Who takes it puts it back.
func (t *transaction) take() *bbolt.Cursor {
	cursor := t.cursor
	if t.cursor = nil; cursor == nil {
		cursor = t.bucket.Cursor()
	}
	return cursor
}

// maxIdle bounds the read transactions that wait for the next View.
const maxIdle = 64

// idle keeps read transactions from one View to the next, as long as nothing
// is written in between: to begin one costs more than most Views read. While
// the writer is at work nothing is kept, so a View never sees less than an
// earlier one saw, and no pages are kept from being used again.
type idle struct {
	mu      sync.Mutex
	list    []*transaction
	round   uint64 // counts the times that the writer began and ended
	writing bool
}

// next is a transaction that shows the last commit, or nil, and the round in
// which a new one begins.
func (i *idle) next() (t *transaction, round uint64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if last := len(i.list) - 1; last >= 0 {
		t, i.list = i.list[last], i.list[:last]
	}
	return t, i.round
}

// keep takes a transaction back, if it still shows the last commit and there
// is room.
func (i *idle) keep(t *transaction) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.writing || t.round != i.round || len(i.list) == maxIdle {
		return false
	}
	i.list = append(i.list, t)
	return true
}

// begin ends all transactions that wait; none is kept until end.
func (i *idle) begin() {
	i.mu.Lock()
	list := i.list
	i.list, i.writing = nil, true
	i.round++
	i.mu.Unlock()
	for _, t := range list {
		_ = t.Rollback()
	}
}

// end lets transactions that begin from now on be kept.
func (i *idle) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.writing = false
	i.round++
}
