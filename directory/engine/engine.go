package engine

import (
	"context"
	"errors"
	"iter"
)

// Errors of every engine. Anything else an engine returns is a fault of its
// storage and means that nothing was committed.
var (
	// ErrTooLarge: the transaction is over Limits. Nothing happened.
	ErrTooLarge = errors.New("engine: transaction too large")
	// ErrUnknown: the commit may or may not have happened. The only error that
	// leaves this open, so a caller's write must be idempotent.
	ErrUnknown = errors.New("engine: outcome unknown")
	// ErrUnavailable: the storage cannot be reached now. Nothing was committed;
	// the same call may succeed later.
	ErrUnavailable = errors.New("engine: storage unavailable")
	// ErrClosed: the engine is closed, or the transaction has ended.
	ErrClosed = errors.New("engine: closed")
	// ErrKey: the empty key cannot be set.
	ErrKey = errors.New("engine: empty key")
	// ErrCorrupt: the storage holds bytes that this engine did not write.
	ErrCorrupt = errors.New("engine: corrupt storage")
)

// Engine is an ordered, transactional key-value store: the only thing that
// knows how bytes become durable. The contract is in the package comment.
type Engine interface {
	// View runs fn on one snapshot, taken at its first read at the latest. It
	// never conflicts and never blocks, nor is blocked by, an Update.
	View(ctx context.Context, fn func(ReadTx) error) error

	// Update runs fn in a strictly serializable transaction and commits what
	// it wrote when fn returns nil. fn may run several times; it must have no
	// effect outside the transaction, keep no slice it was given, make no
	// network call and never wait for another Update.
	Update(ctx context.Context, fn func(WriteTx) error) error

	// Watch reports the keys under prefix that commits changed, at least once
	// each, until ctx ends or the engine closes, when the channel is closed.
	// It invalidates caches; it is no event log.
	Watch(ctx context.Context, prefix []byte) (<-chan Notice, error)

	// Limits says what one transaction may hold.
	Limits() Limits

	// Close waits for running transactions, then releases the storage. Later
	// calls of any method that returns an error return ErrClosed, Close too.
	// A transaction that closes its own engine waits for itself, forever.
	Close() error
}

// ReadTx reads one snapshot. Slices and iterators are valid until the
// function that received the ReadTx returns, and must not be modified. Only
// the goroutine that runs the function may use it.
type ReadTx interface {
	// Get returns the value at key, or nil when there is none. A present
	// empty value is non-nil and empty.
	Get(key []byte) ([]byte, error)

	// Scan yields the pairs with from <= key < to in ascending byte order. A
	// nil to means no upper end; an empty one, like any to <= from, an empty
	// range. Both must stay unchanged while iterating. Scans may be nested,
	// broken off and repeated. A fault is yielded once, as the last element,
	// with a zero Pair. Writing to the transaction while iterating is allowed;
	// whether those writes are seen by the iteration under way is undefined.
	Scan(from, to []byte) iter.Seq2[Pair, error]
}

// WriteTx also writes. Its own writes are visible to its Get and Scan. After
// a refused write or a failed read it cannot commit, whatever its function
// returns.
type WriteTx interface {
	ReadTx
	// Set and Delete copy what they are given. A nil value is an empty one.
	// Deleting an absent key is no error.
	Set(key, value []byte) error
	Delete(key []byte) error
}

// Pair is one key with its value.
type Pair struct{ Key, Value []byte }

// Notice tells a watcher what changed.
type Notice struct {
	// Resync means that notices were lost: forget everything that was cached.
	Resync bool
	// Keys that were set or deleted. They belong to the receiver.
	Keys [][]byte
}

// Limits of one transaction. Zero means unlimited.
type Limits struct {
	Operations int // writes; and as many tracked reads
	Bytes      int // keys and values written, and keys of tracked reads
	KeyBytes   int // length of one key
	ValueBytes int // length of one value
	// Batch is how many operations a transaction may have before others wait for
	// it. Work that can be done in parts is done in parts of that size.
	Batch int
	// Serial: updates run one after another in one process, so a key that
	// every transaction touches costs nothing.
	Serial bool
}
