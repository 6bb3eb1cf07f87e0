package directory

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"
)

// Session is one signed-in browser. It is kept by the hash of its secret, and
// every use of it checks current access.
type Session struct {
	Org        string
	User       ID
	Connection string
	Issuer     string
	Subject    string
	// SessionIndex is the identity provider's name for it, for single logout.
	SessionIndex string
	// Agent and Address are the browser's, as it signed in, for the list that a
	// person or administrator looks at.
	Agent, Address string
	Created        time.Time
	// Expires is at most the organisation's lifetime after Created; StartSession
	// fills it.
	Expires time.Time
	// Used is when it was last used, some minutes coarse.
	Used time.Time
}

// StartSession keeps a session and returns its secret, 43 characters. It
// refuses when the user may not sign in right now. It lasts as long as the
// organisation says, or until Expires where that is earlier.
func (d *Directory) StartSession(ctx context.Context, s Session) (secret string, err error) {
	var raw [32]byte
	rand.Read(raw[:])
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	at := d.hashSecret(tableSession, secret)
	s.Created = canonicalTime(d.now())
	s.Used = s.Created
	s.Agent, s.Address = cut(s.Agent, maxAgent), cut(s.Address, maxAgent)
	err = d.update(ctx, s.Org, func(w writing) error {
		if _, err := w.access(&s); err != nil {
			return err
		}
		p, err := w.policy()
		if err != nil {
			return err
		}
		if end := s.Created.Add(p.Org.SessionLifetime()); s.Expires.IsZero() || s.Expires.After(end) {
			s.Expires = end
		}
		if err := w.tx.Set(at, encodeSession(&s)); err != nil {
			return err
		}
		for _, k := range s.indexes(at) {
			if err := w.tx.Set(k, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Session returns the live session of a secret with the effective view of its
// user. ErrUnauthorized when it is unknown, ended or expired, and a Refusal
// when the user's access ended in the meantime.
func (d *Directory) Session(ctx context.Context, secret string) (s Session, p *Profile, err error) {
	if len(secret) != 43 {
		return Session{}, nil, ErrUnauthorized
	}
	at := d.hashSecret(tableSession, secret)
	err = d.view(ctx, "", func(r reading) error {
		record, err := r.Get(at)
		if err != nil {
			return err
		}
		if record == nil {
			return ErrUnauthorized
		}
		if s, err = decodeSession(record); err != nil {
			return err
		}
		r.org = s.Org
		if over, err := r.sessionOver(&s); over || err != nil {
			return cmp.Or(err, ErrUnauthorized)
		}
		if p, err = r.access(&s); err != nil {
			return err
		}
		if revoked, err := r.sessionRevoked(&s); revoked || err != nil {
			return cmp.Or(err, ErrUnauthorized)
		}
		return nil
	})
	if err != nil {
		return Session{}, nil, err
	}
	d.sessionUsed(ctx, at, &s)
	return s, p, nil
}

// EndSession forgets a session; an unknown one is no error.
func (d *Directory) EndSession(ctx context.Context, secret string) error {
	if len(secret) != 43 {
		return nil
	}
	at := d.hashSecret(tableSession, secret)
	return d.update(ctx, "", func(w writing) error { return w.forgetSession(at) })
}

func (w writing) forgetSession(at key) error {
	record, err := w.Get(at)
	if record == nil || err != nil {
		return err
	}
	s, err := decodeSession(record)
	if err != nil {
		return err
	}
	for _, k := range s.indexes(at) {
		if err := w.tx.Delete(k); err != nil {
			return err
		}
	}
	return w.tx.Delete(at)
}

// indexes are the entries by which the session kept at a key is found again: of
// its user, by its end, and by the identity provider's names for it.
func (s *Session) indexes(at key) []key {
	hash := at[1:]
	list := []key{
		append(orgKey(tableUserSess, s.Org).id(s.User), hash...),
		append(key{tableExpiry}.time(s.Expires), at...),
	}
	bySubject, byIndex := s.names()
	for _, name := range []key{bySubject, byIndex} {
		if name != nil {
			list = append(list, append(name, hash...))
		}
	}
	return list
}

// access says whether the session's user may be here now, and who that is.
func (r reading) access(s *Session) (*Profile, error) {
	p, err := r.policy()
	if err != nil {
		return nil, err
	}
	u, err := r.userByID(s.User)
	if err != nil {
		return nil, err
	}
	if u == nil || u.Deleted != nil {
		return nil, refuse(Deprovisioned, "the user was deleted")
	}
	if u.Locked() {
		return nil, refuse(Suspended, "the user is locked by %s", u.lockedBy().Source)
	}
	if err := connectionOpen(p, u, s.Connection); err != nil {
		return nil, err
	}
	groups, err := r.groupsOf(u.ID)
	if err != nil {
		return nil, err
	}
	counting := groupsThatCount(p, u, groups)
	if r.stale(p, u) {
		u = current(p, u, counting)
	}
	if u.Denied > 0 {
		return nil, refuse(RuleDenied, "%s applies", p.ruleName(u.Denied))
	}
	return r.profileOf(p, u, Viewer{r.org, ""}, groups), nil
}

// connectionOpen: the connection a session came through still lets people in.
func connectionOpen(p *Policy, u *User, id string) error {
	if id == "" {
		return nil
	}
	c := p.Connection(id)
	if c == nil || c.state() == Retired {
		return refuse(ChannelOff, "connection %s is retired", id)
	}
	switch l := u.link(id, SSO); {
	case l == nil || l.State == LinkDeleted:
		return refuse(Deprovisioned, "connection %s has no link to the user any more", id)
	case l.State == LinkLocked:
		return refuse(Suspended, "connection %s locked its link to the user", id)
	}
	return nil
}
