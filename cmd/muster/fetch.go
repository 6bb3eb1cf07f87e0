package main

import (
	"context"

	"muster/jit/fetch"
)

// fetcher gets documents from the web for an operator, guarded as package fetch says. private lets addresses of this
// network in.
func fetcher(private bool) func(ctx context.Context, address string) ([]byte, error) {
	client := fetch.Client(fetch.Options{AllowPrivate: private})
	return func(ctx context.Context, address string) ([]byte, error) {
		return fetch.Get(ctx, client, address)
	}
}
