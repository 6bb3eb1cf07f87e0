package directory

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"
)

// RefusedSignIn is what an administrator finds by the correlation id that a
// refused person was shown.
type RefusedSignIn struct {
	Time        time.Time `json:"time"`
	Correlation string    `json:"correlation"`
	Connection  string    `json:"connection"`
	Code        Code      `json:"code"`
	Attribute   string    `json:"attribute,omitempty"`
	// Cause may name the customer's configuration and the person.
	Cause string `json:"cause"`
	// Trace tells line by line how the assertion was read; empty when it was not
	// believed.
	Trace []string `json:"trace,omitempty"`
	Case  ID       `json:"case,omitzero"`
	// Believed: the identity provider vouched for this person, so no stranger can
	// make such refusals.
	Believed bool   `json:"believed,omitempty"`
	Address  string `json:"address,omitempty"`
}

// The newest refusals of a connection are kept for a while: those that
// strangers can cause apart from the others, which they cannot push out. They
// are sealed, because they name people.
const (
	maxRefusals      = 100
	refusalRetention = 14 * 24 * time.Hour
	refusalPurpose   = "refused sign-ins of "
)

func refusalKind(connection string, believed bool) string {
	if believed {
		return "refused believed " + connection
	}
	return "refused " + connection
}

// KeepRefusals stores refused sign-ins of one connection.
func (d *Directory) KeepRefusals(ctx context.Context, connection string, list []RefusedSignIn) error {
	return d.update(ctx, "", func(w writing) error {
		for _, r := range list {
			record, err := json.Marshal(r)
			if err != nil {
				return err
			}
			sealed, err := w.d.SealFor(refusalPurpose+connection, record)
			if err != nil {
				return err
			}
			at := canonicalTime(r.Time)
			name := string(key(nil).time(at)) + r.Correlation
			if err := w.keepOnce(refusalKind(connection, r.Believed), name, sealed, at.Add(refusalRetention)); err != nil {
				return err
			}
		}
		for _, believed := range []bool{true, false} {
			if err := w.trimRefusals(refusalKind(connection, believed)); err != nil {
				return err
			}
		}
		return nil
	})
}

// trimRefusals forgets the oldest beyond what is kept, with their entries for
// the sweep.
func (w writing) trimRefusals(kind string) error {
	prefix := plainKey(tableOnce, kind)
	var keys, ends []key
	for pair, err := range w.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		until := time.UnixMicro(int64(binary.BigEndian.Uint64(pair.Value)))
		keys = append(keys, slices.Clone(pair.Key))
		ends = append(ends, append(key{tableExpiry}.time(until), pair.Key[1:]...))
	}
	for i := range max(0, len(keys)-maxRefusals) {
		if err := w.tx.Delete(keys[i]); err != nil {
			return err
		}
		if err := w.tx.Delete(ends[i]); err != nil {
			return err
		}
	}
	return nil
}

// Refusals lists the refused sign-ins of a connection, the latest first.
func (d *Directory) Refusals(ctx context.Context, connection string) (list []RefusedSignIn, err error) {
	err = d.view(ctx, "", func(r reading) error {
		list = nil
		for _, believed := range []bool{true, false} {
			prefix := plainKey(tableOnce, refusalKind(connection, believed))
			for pair, err := range r.Scan(prefix, prefix.end()) {
				if err != nil {
					return err
				}
				plain, err := d.UnsealFor(refusalPurpose+connection, pair.Value[8:])
				if err != nil {
					return errRecord
				}
				var one RefusedSignIn
				if err := json.Unmarshal(plain, &one); err != nil {
					return errRecord
				}
				if d.now().Before(one.Time.Add(refusalRetention)) {
					list = append(list, one)
				}
			}
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b RefusedSignIn) int { return b.Time.Compare(a.Time) })
	return list, err
}

// Refusal finds a refused sign-in of an organisation by its correlation id.
// ErrNotFound when there is none, or none any more.
func (d *Directory) Refusal(ctx context.Context, org, correlation string) (RefusedSignIn, error) {
	p, err := d.Policy(ctx, org)
	if err != nil {
		return RefusedSignIn{}, err
	}
	for _, c := range p.Connections() {
		list, err := d.Refusals(ctx, c.ID)
		if err != nil {
			return RefusedSignIn{}, err
		}
		if i := slices.IndexFunc(list, func(r RefusedSignIn) bool { return r.Correlation == correlation }); i >= 0 {
			return list[i], nil
		}
	}
	return RefusedSignIn{}, ErrNotFound
}
