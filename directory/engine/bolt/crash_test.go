package bolt

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"muster/directory/engine"
)

// writeUntilKilled, when set, turns the test binary into a process that
// writes to the file of that name and says what was committed.
const writeUntilKilled = "MUSTER_TEST_WRITE_UNTIL_KILLED"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeUntilKilled); path != "" {
		fmt.Fprintln(os.Stderr, keepWriting(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// keepWriting writes pairs of keys with many goroutines at once.
func keepWriting(path string) error {
	e, err := Open(path, Options{})
	if err != nil {
		return err
	}
	var next atomic.Int64
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				n := next.Add(1)
				if err := e.Update(context.Background(), both(n)); err != nil {
					failed <- err
					return
				}
				fmt.Println(n)
			}
		}()
	}
	return <-failed
}

func both(n int64) func(engine.WriteTx) error {
	return func(tx engine.WriteTx) error {
		if err := tx.Set(fmt.Append(nil, "a", n), make([]byte, 300)); err != nil {
			return err
		}
		return tx.Set(fmt.Append(nil, "z", n), nil)
	}
}

func TestWhatUpdateReturnedNilForSurvivesBeingKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	told := killAfter(t, path, 200)
	e := openChecked(t, path, Options{})
	for _, n := range told {
		missing(t, e, n)
	}
	inPairs(t, e)
}

// killAfter runs a writing process, kills it when it has told n commits, and
// returns all that it told.
func killAfter(t *testing.T, path string, n int) (told []string) {
	t.Helper()
	writer := exec.Command(os.Args[0])
	writer.Env = append(os.Environ(), writeUntilKilled+"="+path)
	writer.Stderr = os.Stderr
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		told = append(told, lines.Text())
		if len(told) == n {
			if err := writer.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writer.Wait(); err == nil || len(told) < n {
		t.Fatalf("the writer ended by itself after %d commits: %v", len(told), err)
	}
	return told
}

func missing(t *testing.T, e *Engine, n string) {
	t.Helper()
	if got := get(t, e, "a"+n); len(got) != 300 {
		t.Errorf("commit %s was told and is lost", n)
	}
}

// inPairs asserts that no transaction is there by half.
func inPairs(t *testing.T, e *Engine) {
	t.Helper()
	halves := map[string]int{}
	err := e.View(t.Context(), func(tx engine.ReadTx) error {
		for p, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			halves[string(p.Key[1:])]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, present := range halves {
		if present != 2 {
			t.Errorf("transaction %s is there by half", n)
		}
	}
}
