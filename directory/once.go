package directory

import (
	"context"
	"encoding/binary"
	"time"
)

// Spend uses a one-time value up: the first call for (kind, key) returns nil,
// every later one until the moment given returns ErrSpent, on every node.
func (d *Directory) Spend(ctx context.Context, kind, key string, until time.Time) error {
	return d.SpendAll(ctx, Once{kind, key, until})
}

// Once is a one-time value and the moment until which it is remembered.
type Once struct {
	Kind, Key string
	Until     time.Time
}

// SpendAll uses several one-time values up, all or none. A *SpentError, which
// is ErrSpent, names the first that was used before.
func (d *Directory) SpendAll(ctx context.Context, values ...Once) error {
	return d.update(ctx, "", func(w writing) error {
		for _, v := range values {
			held, err := w.kept(v.Kind, v.Key)
			if err != nil {
				return err
			}
			if held != nil {
				return &SpentError{v}
			}
			if err := w.keepOnce(v.Kind, v.Key, nil, v.Until); err != nil {
				return err
			}
		}
		return nil
	})
}

// SpentError says which value was used before.
type SpentError struct{ Value Once }

func (e *SpentError) Error() string { return e.Value.Kind + ": " + ErrSpent.Error() }

// Unwrap makes it ErrSpent.
func (e *SpentError) Unwrap() error { return ErrSpent }

// Keep stores a small value for one later Take, until the moment given.
func (d *Directory) Keep(ctx context.Context, kind, key string, value []byte, until time.Time) error {
	return d.update(ctx, "", func(w writing) error { return w.keepOnce(kind, key, value, until) })
}

// Take returns what Keep stored and forgets it, in one transaction. ErrSpent
// when it was taken, has expired or never was.
func (d *Directory) Take(ctx context.Context, kind, key string) (value []byte, err error) {
	err = d.update(ctx, "", func(w writing) error {
		value, err = w.kept(kind, key)
		if err != nil {
			return err
		}
		if value == nil {
			return ErrSpent
		}
		return w.tx.Delete(plainKey(tableOnce, kind, key))
	})
	return value, err
}

// Peek returns what Keep stored without using it up.
func (d *Directory) Peek(ctx context.Context, kind, key string) (value []byte, err error) {
	err = d.view(ctx, "", func(r reading) error {
		if value, err = r.kept(kind, key); err == nil && value == nil {
			err = ErrSpent
		}
		return err
	})
	return value, err
}

// kept returns a copy of a one-time value that has not expired, nil when there is none.
func (r reading) kept(kind, name string) ([]byte, error) {
	record, err := r.Get(plainKey(tableOnce, kind, name))
	if err != nil || len(record) < 8 {
		return nil, err
	}
	if until := time.UnixMicro(int64(binary.BigEndian.Uint64(record))); !r.d.now().Before(until) {
		return nil, nil
	}
	return append([]byte{}, record[8:]...), nil
}

// keepOnce writes a one-time value and the entry by which it is swept.
func (w writing) keepOnce(kind, name string, value []byte, until time.Time) error {
	record := binary.BigEndian.AppendUint64(nil, uint64(until.UnixMicro()))
	if err := w.tx.Set(plainKey(tableOnce, kind, name), append(record, value...)); err != nil {
		return err
	}
	return w.tx.Set(key{tableExpiry}.time(until).text(kind).text(name), nil)
}
