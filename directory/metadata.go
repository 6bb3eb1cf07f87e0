package directory

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// MetadataState tells how the metadata of a connection that comes by URL is
// kept up to date.
type MetadataState struct {
	URL     string    `json:"url"`
	Checked time.Time `json:"checked"`        // the last try
	Fresh   time.Time `json:"fresh,omitzero"` // the last one that brought a good document
	Failure string    `json:"failure"`        // of the last try, "" when it was good
	Next    time.Time `json:"next"`           // when it is due again
}

// MetadataState of a connection; the zero state when nobody has tried yet.
func (d *Directory) MetadataState(ctx context.Context, connection string) (s MetadataState, err error) {
	err = d.view(ctx, "", func(r reading) error {
		if r.org, err = r.orgOf(connection); err != nil {
			return err
		}
		_, err = r.jsonAt(besideKey(r.org, connection, besideMetadata), &s)
		return err
	})
	return s, err
}

// ClaimMetadata says whether the metadata at a URL is due, and if so leaves it
// to the caller for the time of the lease: of several nodes one goes.
func (d *Directory) ClaimMetadata(ctx context.Context, connection, url string, lease time.Duration) (claimed bool, err error) {
	now := canonicalTime(d.now())
	waits := func(s MetadataState) bool { return s.URL == url && now.Before(s.Next) }
	if s, err := d.MetadataState(ctx, connection); err != nil || waits(s) {
		return false, err
	}
	err = d.setMetadataState(ctx, connection, func(s *MetadataState) bool {
		if claimed = !waits(*s); !claimed {
			return false
		}
		if s.URL != url {
			*s = MetadataState{URL: url}
		}
		s.Next = now.Add(lease)
		return true
	})
	return claimed, err
}

// MetadataFailed notes why a try brought nothing, and when to try again. The
// last good document stays.
func (d *Directory) MetadataFailed(ctx context.Context, connection, failure string, again time.Duration) error {
	now := canonicalTime(d.now())
	return d.setMetadataState(ctx, connection, func(s *MetadataState) bool {
		s.Checked, s.Failure, s.Next = now, failure, now.Add(again)
		return true
	})
}

func (d *Directory) setMetadataState(ctx context.Context, connection string, change func(*MetadataState) bool) error {
	return d.update(ctx, "", func(w writing) (err error) {
		if w.org, err = w.orgOf(connection); err != nil {
			return err
		}
		var s MetadataState
		at := besideKey(w.org, connection, besideMetadata)
		if _, err := w.jsonAt(at, &s); err != nil || !change(&s) {
			return err
		}
		return w.setJSON(at, s)
	})
}

// SetMetadata makes a fetched document the connection's metadata, when that
// still comes from this URL, and says whether it differs from the one before.
// The caller has judged it.
func (d *Directory) SetMetadata(ctx context.Context, connection, url string, document []byte, again time.Duration) (changed bool, err error) {
	org, err := d.orgOfConnection(ctx, connection)
	if err != nil {
		return false, err
	}
	err = d.administer(ctx, EventSource{Channel: Local, Actor: "muster"}, org, func(a *application) error {
		changed = false
		known := a.s.policy.Connection(connection)
		if known == nil || known.SAML == nil || known.SAML.MetadataURL != url {
			return nil
		}
		state := MetadataState{URL: url, Checked: a.now.At, Fresh: a.now.At, Next: a.now.At.Add(again)}
		if err := a.setJSON(besideKey(a.org, connection, besideMetadata), state); err != nil {
			return err
		}
		if bytes.Equal(known.SAML.Metadata, document) {
			return nil
		}
		changed = true
		next, trust := *known, *known.SAML
		trust.Metadata, next.SAML = document, &trust
		if err := a.setJSON(plainKey(tableConnection, connection), next); err != nil {
			return err
		}
		return a.reconfigured("connection "+connection+": new metadata from "+url, func(conns []*Connection) []*Connection {
			return append(slices.DeleteFunc(conns, func(x *Connection) bool { return x.ID == connection }), &next)
		})
	})
	return changed, err
}

// keepMetadata lets a connection whose document could not be fetched go on with
// the last good one of the same URL.
func keepMetadata(c, old *Connection) []Fault {
	if c.SAML == nil || c.SAML.MetadataURL == "" || len(c.SAML.Metadata) > 0 {
		return nil
	}
	if old == nil || old.SAML == nil || old.SAML.MetadataURL != c.SAML.MetadataURL || len(old.SAML.Metadata) == 0 ||
		c.SAML.EntityID != "" && c.SAML.EntityID != old.SAML.EntityID {
		return []Fault{{Path: "saml.metadata_url", Detail: fmt.Sprintf("%q could not be read, and no earlier copy is known", c.SAML.MetadataURL)}}
	}
	trust := *c.SAML
	trust.Metadata, trust.EntityID = old.SAML.Metadata, old.SAML.EntityID
	c.SAML = &trust
	return nil
}
