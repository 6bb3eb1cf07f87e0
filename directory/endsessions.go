package directory

import (
	"context"
	"crypto/sha256"
	"slices"
)

// SignedOut says whose sessions an identity provider ends: those of a subject, the one that it calls SessionIndex, or,
// where both are given, the one that is both.
type SignedOut struct {
	Connection   string
	Issuer       string
	Subject      string
	SessionIndex string
}

// endStep is how many sessions one transaction ends.
const endStep = 20

// EndSessions ends the sessions of a connection that its identity provider names, and says how many there were. None is
// no error. Interrupted, it may have ended some; calling it again ends the others.
func (d *Directory) EndSessions(ctx context.Context, o SignedOut) (ended int, err error) {
	prefix, byIndex := (&Session{Connection: o.Connection, Issuer: o.Issuer, Subject: o.Subject, SessionIndex: o.SessionIndex}).names()
	if byIndex != nil {
		prefix = byIndex
	}
	for from := prefix; from != nil; {
		var did int
		if did, from, err = d.endSome(ctx, o, from, prefix.end()); err != nil {
			return ended, err
		}
		ended += did
	}
	return ended, nil
}

// endSome ends the next few of the sessions in a range of their names, and says where to go on, nil for nowhere.
func (d *Directory) endSome(ctx context.Context, o SignedOut, from, to key) (ended int, next key, err error) {
	err = d.update(ctx, "", func(w writing) error {
		ended, next = 0, nil
		names, err := w.someKeys(from, to, endStep)
		if err != nil {
			return err
		}
		for _, name := range names {
			did, err := w.endNamed(append(key{tableSession}, name[len(name)-sessionHash:]...), o)
			if err != nil {
				return err
			}
			ended += did
		}
		if len(names) == endStep {
			next = append(slices.Clone(names[endStep-1]), 0)
		}
		return nil
	})
	return ended, next, err
}

// someKeys returns copies of the first keys of a range.
func (r reading) someKeys(from, to key, limit int) (keys []key, err error) {
	for pair, err := range r.Scan(from, to) {
		if err != nil {
			return nil, err
		}
		if len(keys) == limit {
			break
		}
		keys = append(keys, slices.Clone(pair.Key))
	}
	return keys, nil
}

// endNamed ends one session if it is of the subject, where one is given.
func (w writing) endNamed(at key, o SignedOut) (ended int, err error) {
	record, err := w.Get(at)
	if record == nil || err != nil {
		return 0, err
	}
	s, err := decodeSession(record)
	if err != nil || o.Subject != "" && s.Subject != o.Subject {
		return 0, err
	}
	return 1, w.forgetSession(at)
}

// sessionHash is the length of what a session's key ends with.
const sessionHash = 32

// names are the beginnings of the keys under which the session is found by what its identity provider calls it: its
// subject, its index. They are digests: names are the provider's, of any length, and personal. Connections do not share
// them, whatever they share otherwise.
func (s *Session) names() (bySubject, byIndex key) {
	return s.called("subject", s.Subject), s.called("index", s.SessionIndex)
}

func (s *Session) called(kind, name string) key {
	if s.Connection == "" || name == "" {
		return nil
	}
	sum := sha256.Sum256(plainKey(0, kind, s.Issuer, name))
	return append(plainKey(tableNamedSess, s.Connection), sum[:]...)
}
