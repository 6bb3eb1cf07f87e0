package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"muster/directory"
	"muster/directory/projection"
)

// project keeps the tables for analysts where url says, nothing for "". The function that it returns ends that and
// waits for it.
func project(ctx context.Context, d *directory.Directory, url string, log *slog.Logger) (stop func(), err error) {
	if url == "" {
		return func() {}, nil
	}
	p, err := projection.Open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("the tables for analysts: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx, d, log) })
	return func() {
		cancel()
		running.Wait()
		p.Close()
	}, nil
}
