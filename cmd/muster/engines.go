package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
	"muster/directory/engine/memory"
)

// openEngine opens what a store URL names. An error shows the scheme only: the rest may hold a password.
func openEngine(store string) (engine.Engine, error) {
	scheme, rest, ok := strings.Cut(store, "://")
	switch {
	case !ok:
		return nil, errors.New("the store must be bolt://PATH or memory://, such as bolt://muster.db")
	case scheme == "memory" && rest == "":
		return memory.New(memory.Options{}), nil
	case scheme == "memory":
		return nil, errors.New("the store memory:// takes no path; it ends with the process")
	case scheme == "bolt" && rest == "":
		return nil, errors.New("the store bolt:// needs a path, such as bolt://muster.db")
	case scheme == "bolt":
		return bolt.Open(rest, bolt.Options{})
	}
	return nil, fmt.Errorf("the store %s:// is not supported; supported are bolt://PATH and memory://", scheme)
}

// withDirectory runs fn on the directory of a store, and closes the store whatever happens.
func withDirectory(ctx context.Context, store string, log *slog.Logger, fn func(*directory.Directory) error) (err error) {
	e, err := openEngine(store)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	d, err := directory.Open(ctx, e, directory.Options{Log: log})
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	return fn(d)
}

// withExisting is withDirectory for commands that look at what is there: a store that is not is a mistake, and must
// not come into being.
func withExisting(ctx context.Context, store string, fn func(*directory.Directory) error) error {
	if path, ok := strings.CutPrefix(store, "bolt://"); ok && path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no store at %s", path)
		}
	}
	return withDirectory(ctx, store, slog.New(slog.DiscardHandler), fn)
}
