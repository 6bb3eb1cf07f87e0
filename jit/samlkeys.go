package jit

import (
	"bytes"
	"context"
	"slices"
	"time"

	"muster/directory"
	"muster/jit/saml"
)

// samlUse is the use of a connection's own keys for SAML: they sign requests and open what is encrypted for us. What is
// published of one is its certificate.
const samlUse = "saml"

// DefaultOverlap is how long a new key is published before it signs, and the old one after that: identity providers
// read metadata once a day, or wait for somebody to do it.
const DefaultOverlap = 7 * 24 * time.Hour

// RollKey gives a connection a new key by which the identity provider knows this side. Both are published while the
// overlap lasts, twice: before the new key signs, and after.
func RollKey(ctx context.Context, d *directory.Directory, by directory.EventSource, c *directory.Connection, overlap time.Duration) error {
	key, err := NewClientKey(c.ID, time.Now())
	if err != nil {
		return err
	}
	_, err = d.RollOwnKey(ctx, by, c.ID, keyUse(c), key, overlap)
	return err
}

// Keys are the keys of a connection that are published now, the one that signs first.
func Keys(ctx context.Context, d *directory.Directory, c *directory.Connection) ([]directory.OwnKey, error) {
	return d.OwnKeys(ctx, c.ID, keyUse(c))
}

// keyUse is what a connection proves by its keys.
func keyUse(c *directory.Connection) string {
	if c.OIDC != nil {
		return clientKeyUse
	}
	return samlUse
}

// keyNeed says whether a connection without a key gets one.
type keyNeed int

const (
	keyIfAny keyNeed = iota
	keyNeeded
)

// keysOf are a connection's published keys, the one that signs first. The first one is made when it is needed; one at
// a time, because that takes a processor's while and strangers can ask for it.
func (s *Server) keysOf(ctx context.Context, connection string, need keyNeed) ([]*saml.KeyPair, error) {
	stored, err := s.directory.OwnKeys(ctx, connection, samlUse)
	if err == nil && len(stored) == 0 && need == keyNeeded {
		stored, err = s.firstKey(ctx, connection)
	}
	if err != nil {
		return nil, err
	}
	if known, ok := s.pairs.Load(connection); ok && known.(readKeys).of(stored) {
		return known.(readKeys).pairs, nil
	}
	read := readKeys{stored: stored}
	for _, key := range stored {
		pair, err := saml.ParseKeyPair(key.Private, key.Public)
		if err != nil {
			return nil, err
		}
		read.pairs = append(read.pairs, pair)
	}
	s.pairs.Store(connection, read)
	return read.pairs, nil
}

func (s *Server) firstKey(ctx context.Context, connection string) ([]directory.OwnKey, error) {
	s.making.Lock()
	defer s.making.Unlock()
	stored, err := s.directory.OwnKeys(ctx, connection, samlUse)
	if err != nil || len(stored) > 0 {
		return stored, err
	}
	key, err := NewClientKey(connection, s.now())
	if err != nil {
		return nil, err
	}
	return s.directory.FirstOwnKey(ctx, connection, samlUse, key)
}

// readKeys are keys as they were last read from the directory.
type readKeys struct {
	stored []directory.OwnKey
	pairs  []*saml.KeyPair
}

func (r readKeys) of(stored []directory.OwnKey) bool {
	return slices.EqualFunc(r.stored, stored, func(a, b directory.OwnKey) bool { return bytes.Equal(a.Private, b.Private) })
}
