package directory

import (
	"context"
	"time"
)

// Spend uses a one-time value up: the first call for (kind, key) returns nil,
// every later one until the moment given returns ErrSpent, on every node.
func (d *Directory) Spend(ctx context.Context, kind, key string, until time.Time) error {
	return d.spend(ctx, kind, key, until)
}

// Keep stores a small value for one later Take, until the moment given.
func (d *Directory) Keep(ctx context.Context, kind, key string, value []byte, until time.Time) error {
	return d.keep(ctx, kind, key, value, until)
}

// Take returns what Keep stored and forgets it, in one transaction. ErrSpent
// when it was taken, has expired or never was.
func (d *Directory) Take(ctx context.Context, kind, key string) ([]byte, error) {
	return d.take(ctx, kind, key)
}

// Peek returns what Keep stored without using it up.
func (d *Directory) Peek(ctx context.Context, kind, key string) ([]byte, error) {
	return d.peek(ctx, kind, key)
}
