package bolt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"muster/directory/engine"
)

// Options of Open. The zero value is right for production.
type Options struct {
	// MapSize is the address space reserved for the file, and the size that
	// the file cannot grow beyond while it is open. At least four times the
	// size that the file has when it is opened. 64 GiB when zero, 1 GiB where
	// addresses are short or, as on Windows, reserving takes disk space.
	MapSize int
	// LockTimeout is how long to wait for another process to let go of the
	// file. One second when zero.
	LockTimeout time.Duration
	// TransactionBytes is the most that one transaction may write, half of it
	// the most for one value. 64 MiB when zero. It is held in memory.
	TransactionBytes int
}

// ErrInUse is what Open returns for a file that another process has open.
var ErrInUse = errors.New("in use by another process")

const (
	defaultLockTimeout      = time.Second
	defaultTransactionBytes = 64 << 20
)

var bucketName = []byte("muster")

// Engine is one open file.
type Engine struct {
	path     string
	limits   engine.Limits
	db       *bbolt.DB
	gate     engine.Gate
	watchers engine.Watchers
	idle     idle // read transactions
	queue    chan *call
	written  chan struct{} // closed when the writer has ended
	broken   error         // why no batch may begin any more; the writer's own
	settle   func(*bbolt.Tx) error
}

// Open opens the file at path and makes it when it is not there, readable and
// writable by its owner alone. A file that is not a sound bbolt file is
// refused with engine.ErrCorrupt and left alone.
func Open(path string, options Options) (*Engine, error) {
	size, err := inspect(path, *options.bolt(0))
	if err != nil {
		return nil, err
	}
	e, err := start(path, options.bolt(size), options.limits())
	if err != nil || size > 0 {
		return e, err
	}
	if err := syncDirectory(filepath.Dir(path)); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func start(path string, options *bbolt.Options, limits engine.Limits) (*Engine, error) {
	db, err := open(path, options)
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	e := &Engine{
		path:    path,
		limits:  limits,
		db:      db,
		queue:   make(chan *call),
		written: make(chan struct{}),
		settle:  (*bbolt.Tx).Commit,
	}
	go e.write()
	return e, nil
}

// syncDirectory makes the name of a new file durable, which bbolt leaves to
// the file system. Windows has no such call.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// open turns what bbolt says into what an operator understands. bbolt panics
// where it finds damage; the file is let go of then.
func open(path string, options *bbolt.Options) (db *bbolt.DB, err error) {
	var file *os.File
	openFile := options.OpenFile
	options.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		file, err = openFile(name, flag, mode)
		return file, err
	}
	defer func() {
		if damage := recover(); damage != nil {
			db, err = nil, errors.Join(fmt.Errorf("%w: %s: %v", engine.ErrCorrupt, path, damage), file.Close())
		}
	}()
	db, err = bbolt.Open(path, 0o600, options)
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is %w (waited %s)", path, ErrInUse, options.Timeout)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %s: no database, or its first pages are damaged: %w", engine.ErrCorrupt, path, err)
	case err != nil:
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return db, nil
}

// prepare makes the bucket that holds everything.
func prepare(db *bbolt.DB) (err error) {
	defer func() {
		if damage := recover(); damage != nil {
			err = fmt.Errorf("%w: %v", engine.ErrCorrupt, damage)
		}
	}()
	there := false
	err = db.View(func(tx *bbolt.Tx) error {
		there = tx.Bucket(bucketName) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	return db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket(bucketName)
		return err
	})
}

func (o Options) bolt(fileSize int64) *bbolt.Options {
	mapSize := o.mapSize(fileSize)
	timeout := o.LockTimeout
	if timeout == 0 {
		timeout = defaultLockTimeout
	}
	return &bbolt.Options{
		Timeout:         timeout,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize,
		MaxSize:         mapSize,
		NoStatistics:    true,
		OpenFile:        os.OpenFile,
	}
}

func (o Options) mapSize(fileSize int64) int {
	size := o.MapSize
	if size == 0 {
		size = 1 << 30
		if math.MaxInt > math.MaxInt32 && runtime.GOOS != "windows" {
			size *= 64
		}
	}
	if grown := min(4*fileSize, math.MaxInt); int64(size) < grown {
		size = int(grown)
	}
	return size
}

func (o Options) limits() engine.Limits {
	size := o.TransactionBytes
	if size == 0 {
		size = defaultTransactionBytes
	}
	return engine.Limits{Bytes: size, KeyBytes: bbolt.MaxKeySize, ValueBytes: size / 2, Serial: true}
}

// Watch reports changed keys.
func (e *Engine) Watch(ctx context.Context, prefix []byte) (<-chan engine.Notice, error) {
	return e.watchers.Watch(ctx, prefix)
}

// Limits of one transaction.
func (e *Engine) Limits() engine.Limits { return e.limits }

// Close waits for running and waiting transactions and closes the file.
func (e *Engine) Close() error {
	if err := e.gate.Close(); err != nil {
		return err
	}
	close(e.queue)
	<-e.written
	e.idle.begin()
	e.watchers.Close()
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", e.path, err)
	}
	return nil
}

// corrupt is what a panic in bbolt amounts to.
func (e *Engine) corrupt(damage any) error {
	return fmt.Errorf("%w: %s: %v", engine.ErrCorrupt, e.path, damage)
}
