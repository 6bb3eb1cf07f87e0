package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"muster/directory/engine"
	"muster/directory/engine/enginetest"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Harness{
		Durable: true,
		Open: func(t testing.TB, dir string) engine.Engine {
			return openChecked(t, filepath.Join(dir, "muster.db"), Options{TransactionBytes: 4 << 20})
		},
	})
}

// openChecked opens a file that is checked, page by page, when the test ends.
func openChecked(t testing.TB, path string, options Options) *Engine {
	t.Helper()
	e, err := Open(path, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil && !errors.Is(err, engine.ErrClosed) {
			t.Error(err)
		}
		checkFile(t, path)
	})
	return e
}

func checkFile(t testing.TB, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		var all error
		for err := range tx.Check() {
			all = errors.Join(all, err)
		}
		return all
	})
	if err != nil {
		t.Errorf("the file is inconsistent: %v", err)
	}
}

func open1(t testing.TB, options Options) (*Engine, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "muster.db")
	return openChecked(t, path, options), path
}

func set(ctx context.Context, e engine.Engine, key, value string) error {
	return e.Update(ctx, func(tx engine.WriteTx) error { return tx.Set([]byte(key), []byte(value)) })
}

func get(t testing.TB, e engine.Engine, key string) (value string) {
	t.Helper()
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		v, err := tx.Get([]byte(key))
		value = string(v)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestFileIsForItsOwnerAlone(t *testing.T) {
	_, path := open1(t, Options{})
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
	}
}

func TestSecondOpenIsRefusedNamingTheFile(t *testing.T) {
	e, path := open1(t, Options{})
	if err := set(t.Context(), e, "a", "1"); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, Options{LockTimeout: time.Millisecond})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path+" is in use by another process") {
		t.Errorf("Open of a file in use returned %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := openChecked(t, path, Options{LockTimeout: time.Millisecond})
	if got := get(t, again, "a"); got != "1" {
		t.Errorf("after reopening a is %q", got)
	}
}

// commits is how many transactions the file has seen.
func commits(t *testing.T, e *Engine) int {
	t.Helper()
	tx, err := e.db.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	return tx.ID()
}

// crowd keeps the writer busy while n updates come, then lets them go. The
// last error is that of the one which kept it busy.
func crowd(t *testing.T, e *Engine, n int, fn func(i int, tx engine.WriteTx) error) []error {
	t.Helper()
	busy, stop := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	errs := make([]error, n+1)
	all.Go(func() {
		errs[n] = e.Update(t.Context(), func(engine.WriteTx) error {
			close(busy)
			<-stop
			return nil
		})
	})
	<-busy
	for i := range n {
		all.Go(func() {
			errs[i] = e.Update(t.Context(), func(tx engine.WriteTx) error { return fn(i, tx) })
		})
	}
	time.Sleep(20 * time.Millisecond) // for all to reach the queue
	close(stop)
	all.Wait()
	return errs
}

func TestWaitingUpdatesShareCommits(t *testing.T) {
	e, _ := open1(t, Options{})
	before := commits(t, e)
	for _, err := range crowd(t, e, 100, func(i int, tx engine.WriteTx) error { return tx.Set(fmt.Append(nil, i), nil) }) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := commits(t, e) - before; n > 10 {
		t.Errorf("100 waiting updates made %d commits", n)
	}
}

func TestFunctionsOfOneBatchSeeEachOther(t *testing.T) {
	e, _ := open1(t, Options{})
	before := commits(t, e)
	for _, err := range crowd(t, e, 50, func(_ int, tx engine.WriteTx) error {
		v, err := tx.Get([]byte("n"))
		if err != nil {
			return err
		}
		return tx.Set([]byte("n"), append(append([]byte{}, v...), 'x'))
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := get(t, e, "n"); len(got) != 50 {
		t.Errorf("50 appends in %d commits left %d", commits(t, e)-before, len(got))
	}
}

func TestBatchesAreBounded(t *testing.T) {
	e, _ := open1(t, Options{})
	before := commits(t, e)
	value := make([]byte, 1<<20)
	for _, err := range crowd(t, e, 20, func(i int, tx engine.WriteTx) error { return tx.Set(fmt.Append(nil, i), value) }) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := commits(t, e) - before; n < 3 {
		t.Errorf("20 MB went into %d commits", n)
	}
}

func TestUpdatesThatWriteNothingCommitNothing(t *testing.T) {
	e, _ := open1(t, Options{})
	before := commits(t, e)
	why := errors.New("refused")
	for range 3 {
		err := e.Update(t.Context(), func(tx engine.WriteTx) error {
			_ = tx.Set([]byte("a"), nil)
			return why
		})
		if err != why {
			t.Fatal(err)
		}
		if err := e.Update(t.Context(), func(tx engine.WriteTx) error { _, err := tx.Get([]byte("a")); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if n := commits(t, e) - before; n != 0 {
		t.Errorf("three refusals and three reads made %d commits", n)
	}
}

func TestFileDoesNotOutgrowItsMapping(t *testing.T) {
	e, _ := open1(t, Options{MapSize: 40 << 20})
	big := strings.Repeat("x", 4<<20)
	var refused error
	kept := 0
	for i := 0; i < 20 && refused == nil; i++ {
		if refused = set(t.Context(), e, fmt.Sprint(i), big); refused == nil {
			kept++
		}
	}
	if refused == nil || errors.Is(refused, engine.ErrUnknown) {
		t.Fatalf("80 MB into a mapping of 40: %v", refused)
	}
	if got := get(t, e, fmt.Sprint(kept)); got != "" {
		t.Error("a refused update was written")
	}
	if err := set(t.Context(), e, "small", "1"); err != nil {
		t.Errorf("a small update after a refused one: %v", err)
	}
	if got := get(t, e, "0"); got != big || get(t, e, "small") != "1" {
		t.Error("what was there before is gone")
	}
}

func TestSmallMappingGrowsWithTheFileOnOpen(t *testing.T) {
	e, path := open1(t, Options{})
	if err := set(t.Context(), e, "a", strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := openChecked(t, path, Options{MapSize: 1 << 15})
	if err := set(t.Context(), again, "b", "1"); err != nil {
		t.Error(err)
	}
}

// failing opens an engine and the file behind its back.
func failing(t *testing.T) (*Engine, *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "muster.db")
	var file *os.File
	options := Options{MapSize: 64 << 20}.bolt(0)
	options.OpenFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		file, err = os.OpenFile(name, flag, mode)
		return file, err
	}
	e, err := start(path, options, Options{}.limits())
	if err != nil {
		t.Fatal(err)
	}
	return e, file
}

func TestFailedCommitIsToldToEverybodyInIt(t *testing.T) {
	e, file := failing(t)
	if err := set(t.Context(), e, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for i, err := range crowd(t, e, 10, func(i int, tx engine.WriteTx) error {
		if i == 0 {
			return errors.New("its own error, decided on what was never committed")
		}
		return tx.Set([]byte("a"), []byte("2"))
	}) {
		if !errors.Is(err, os.ErrClosed) || errors.Is(err, engine.ErrUnknown) {
			t.Errorf("update %d returned %v", i, err)
		}
	}
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("after a failed commit a is %q", got)
	}
	_ = e.Close()
}

func TestTransactionThatOutlivesItsFunctionIsClosed(t *testing.T) {
	e, _ := open1(t, Options{})
	var read engine.ReadTx
	var write engine.WriteTx
	if err := e.View(t.Context(), func(tx engine.ReadTx) error { read = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := e.Update(t.Context(), func(tx engine.WriteTx) error { write = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, tx := range []engine.ReadTx{read, write} {
		if _, err := tx.Get([]byte("a")); err != engine.ErrClosed {
			t.Errorf("Get returned %v", err)
		}
		for _, err := range tx.Scan(nil, nil) {
			if err != engine.ErrClosed {
				t.Errorf("Scan yielded %v", err)
			}
		}
	}
	if err := write.Set([]byte("a"), nil); err != engine.ErrClosed {
		t.Errorf("Set returned %v", err)
	}
}

// settling opens an engine whose commits end as settle says.
func settling(t *testing.T, settle func(*bbolt.Tx) error) *Engine {
	t.Helper()
	e, _ := open1(t, Options{})
	if err := set(t.Context(), e, "a", "1"); err != nil {
		t.Fatal(err)
	}
	// The writer reads settle after it has taken the next call from the queue.
	e.settle = settle
	return e
}

func TestCommitThatMayHaveHappenedIsUnknownAndTheLast(t *testing.T) {
	fault := errors.New("the disk did not say")
	e := settling(t, func(tx *bbolt.Tx) error { return errors.Join(tx.Commit(), fault) })
	err := set(t.Context(), e, "a", "2")
	if !errors.Is(err, engine.ErrUnknown) || !errors.Is(err, fault) {
		t.Errorf("the update returned %v", err)
	}
	ran := false
	err = e.Update(t.Context(), func(engine.WriteTx) error { ran = true; return nil })
	if err == nil || errors.Is(err, engine.ErrUnknown) || ran {
		t.Errorf("the next update ran: %v, and returned %v", ran, err)
	}
	if got := get(t, e, "a"); got != "2" {
		t.Errorf("a view reads %q", got)
	}
}

func TestPanicWhileCommittingIsCorruptAndTheLast(t *testing.T) {
	e := settling(t, func(*bbolt.Tx) error { panic("page 7 already freed") })
	for range 2 {
		err := set(t.Context(), e, "a", "2")
		if err == nil || errors.Is(err, engine.ErrUnknown) || !strings.Contains(err.Error(), "page 7") {
			t.Errorf("the update returned %v", err)
		}
	}
	if got := get(t, e, "a"); got != "1" {
		t.Errorf("a view reads %q", got)
	}
}

func TestCloseLetsWaitingUpdatesCommit(t *testing.T) {
	e, path := open1(t, Options{})
	closed := make(chan error, 1)
	errs := crowd(t, e, 20, func(i int, tx engine.WriteTx) error {
		if i == 7 {
			go func() { closed <- e.Close() }()
		}
		return tx.Set(fmt.Append(nil, "k", i), []byte("1"))
	})
	if err := errors.Join(append(errs, <-closed)...); err != nil {
		t.Fatal(err)
	}
	again := openChecked(t, path, Options{})
	for i := range 20 {
		if got := get(t, again, fmt.Sprint("k", i)); got != "1" {
			t.Errorf("k%d is %q", i, got)
		}
	}
}
