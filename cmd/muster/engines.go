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
	"muster/directory/engine/etcd"
	"muster/directory/engine/memory"
	"muster/directory/engine/postgres"
)

// opening says what becomes of a store that is not there.
type opening int

const (
	orMade      opening = iota // it comes into being
	ifItIsThere                // it is a mistake
)

// openEngine opens what a store URL names. An error shows the scheme only: the rest may hold a password.
func openEngine(ctx context.Context, store string, o opening) (engine.Engine, error) {
	scheme, rest, ok := strings.Cut(store, "://")
	switch {
	case !ok:
		return nil, errors.New("the store must be bolt://PATH, etcd://..., postgres://... or memory://, such as bolt://muster.db")
	case scheme == "memory" && rest == "":
		return memory.New(memory.Options{}), nil
	case scheme == "memory":
		return nil, errors.New("the store memory:// takes no path; it ends with the process")
	case scheme == "bolt":
		return openBolt(rest, o)
	case scheme == "etcd":
		return openEtcd(rest, o)
	case scheme == "postgres", scheme == "postgresql":
		e, err := postgres.Open(ctx, store, postgres.Options{Existing: o == ifItIsThere})
		if err != nil {
			return nil, fmt.Errorf("the store %s://: %w", scheme, err)
		}
		return e, nil
	}
	return nil, fmt.Errorf("the store %s:// is not supported; supported are bolt://PATH, etcd://HOSTS/PREFIX, postgres://USER@HOST/DATABASE and memory://", scheme)
}

func openEtcd(rest string, o opening) (engine.Engine, error) {
	options, err := etcdOptions(rest)
	if err != nil {
		return nil, fmt.Errorf("the store etcd://: %w", err)
	}
	options.Existing = o == ifItIsThere
	e, err := etcd.Open(options)
	if err != nil {
		return nil, fmt.Errorf("the store etcd://: %w", err)
	}
	return e, nil
}

func openBolt(path string, o opening) (engine.Engine, error) {
	if path == "" {
		return nil, errors.New("the store bolt:// needs a path, such as bolt://muster.db")
	}
	if _, err := os.Stat(path); o == ifItIsThere && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store at %s", path)
	}
	return bolt.Open(path, bolt.Options{})
}

// withEngine runs fn on the engine of a store, and closes it whatever happens.
func withEngine(ctx context.Context, store string, o opening, fn func(engine.Engine) error) (err error) {
	e, err := openEngine(ctx, store, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	return fn(e)
}

// withDirectory runs fn on the directory of a store.
func withDirectory(ctx context.Context, store string, log *slog.Logger, fn func(*directory.Directory) error) error {
	return withEngine(ctx, store, orMade, func(e engine.Engine) error { return onDirectory(ctx, e, log, fn) })
}

// withExisting is withDirectory for commands that look at what is there: a store that is not must not come into being.
func withExisting(ctx context.Context, store string, fn func(*directory.Directory) error) error {
	return withEngine(ctx, store, ifItIsThere, func(e engine.Engine) error {
		return onDirectory(ctx, e, slog.New(slog.DiscardHandler), fn)
	})
}

func onDirectory(ctx context.Context, e engine.Engine, log *slog.Logger, fn func(*directory.Directory) error) error {
	d, err := directory.Open(ctx, e, directory.Options{Log: log})
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	return fn(d)
}
