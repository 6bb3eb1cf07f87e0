package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
)

// onceKeys counts what the store keeps of one-time values: the value and the entry by which it is swept.
func onceKeys(t *testing.T, store string) (count int) {
	t.Helper()
	e, err := openEngine(t.Context(), store, ifItIsThere)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	err = e.View(t.Context(), func(tx engine.ReadTx) error {
		count = 0
		for pair, err := range tx.Scan([]byte{0}, []byte{0xff}) {
			if err != nil {
				return err
			}
			if strings.Contains(string(pair.Key), "spent-kind") {
				count++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestTheServerForgetsOneTimeValuesThatHaveExpired(t *testing.T) {
	store := "bolt://" + filepath.Join(t.TempDir(), "muster.db")
	err := withDirectory(t.Context(), store, slog.New(slog.DiscardHandler), func(d *directory.Directory) error {
		if err := d.Keep(t.Context(), "spent-kind", "old", nil, time.Now().Add(-time.Hour)); err != nil {
			return err
		}
		return d.Keep(t.Context(), "spent-kind", "young", nil, time.Now().Add(time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	if before := onceKeys(t, store); before != 4 {
		t.Fatalf("%d keys of two one-time values, expected 4", before)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var out, log lockedBuffer
	args := []string{"serve", "--listen", "127.0.0.1:0", "--store", store}
	if err := run(ctx, args, func(string) string { return "" }, strings.NewReader(""), &out, &log); err != nil {
		t.Fatal(err)
	}
	if after := onceKeys(t, store); after != 2 {
		t.Errorf("%d keys after the server ran, expected the 2 of the value that is still good", after)
	}
}
