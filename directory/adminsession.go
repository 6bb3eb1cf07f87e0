package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// AdminSession is one browser in which somebody administers. It is kept by the
// hash of its secret. Each use looks up what its person may do now.
type AdminSession struct {
	// ID names the session for ending it; it opens nothing.
	ID ID `json:"id"`
	// Administrator is who it is, NoID for a person who came by a Delegation.
	Administrator ID `json:"administrator,omitzero"`
	// Via is that person's sign-in; access must still be theirs.
	Via *Session `json:"via,omitempty"`
	// Method is how they proved it: passkey, password, link or sso.
	Method string `json:"method"`
	Agent  string `json:"agent,omitempty"` // what the browser calls itself
	// Idle is how long it lives unused, at most until Expires.
	Idle    time.Duration `json:"idle"`
	Created time.Time     `json:"created"`
	Seen    time.Time     `json:"seen"` // the last use, to some minutes
	Expires time.Time     `json:"expires"`
}

const (
	adminSecretLength = 43
	maxAgent          = 200
	// seenEvery is how coarse the last use of a session or token is.
	seenEvery = 5 * time.Minute
)

// StartAdminSession keeps a session and returns its secret. It refuses when
// there is nobody to administer.
func (d *Directory) StartAdminSession(ctx context.Context, by Acting, s AdminSession) (secret string, err error) {
	var raw [32]byte
	rand.Read(raw[:])
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	at := d.hashSecret(tableAdminSession, secret)
	now := canonicalTime(d.now())
	if s.ID, err = d.ids.next(now); err != nil {
		return "", err
	}
	s.Created, s.Seen, s.Expires = now, now, canonicalTime(s.Expires)
	s.Agent = s.Agent[:min(len(s.Agent), maxAgent)]
	err = d.update(ctx, "", func(w writing) error {
		acting, err := w.actingIn(&s)
		if err != nil {
			return err
		}
		if err := w.setJSON(at, s); err != nil {
			return err
		}
		if err := w.tx.Set(s.listKey(), at); err != nil {
			return err
		}
		if err := w.tx.Set(append(key{tableExpiry}.time(s.Expires), at...), nil); err != nil {
			return err
		}
		acting.Request = by.Request
		return w.audit(acting, AdminSignedIn, "", AttributeChange{Attribute: "administrator", After: Text(acting.Name)},
			AttributeChange{Attribute: "method", After: Text(s.Method)})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// listKey is where the sessions of one person stand.
func (s *AdminSession) listKey() key {
	who := s.Administrator
	if s.Via != nil {
		who = s.Via.User
	}
	return key{tableAdminSessions}.id(who).id(s.ID)
}

// AdminSession returns a live session and who acts in it, with what they may
// do now. ErrUnauthorized when it is unknown, ended, expired or was idle too
// long; a Refusal when the person behind it lost access.
func (d *Directory) AdminSession(ctx context.Context, secret string) (s AdminSession, who Acting, err error) {
	if len(secret) != adminSecretLength {
		return s, who, ErrUnauthorized
	}
	at := d.hashSecret(tableAdminSession, secret)
	now := d.now()
	err = d.view(ctx, "", func(r reading) error {
		known, err := r.jsonAt(at, &s)
		if err != nil {
			return err
		}
		if !known || !now.Before(s.Expires) || !now.Before(s.Seen.Add(s.Idle)) {
			return ErrUnauthorized
		}
		who, err = r.actingIn(&s)
		return err
	})
	if err != nil {
		return AdminSession{}, Acting{}, err
	}
	if now.Sub(s.Seen) > min(seenEvery, s.Idle/4) {
		err = d.touchSession(ctx, at)
	}
	return s, who, err
}

// touchSession notes that a session was used.
func (d *Directory) touchSession(ctx context.Context, at key) error {
	now := canonicalTime(d.now())
	return d.update(ctx, "", func(w writing) error {
		var s AdminSession
		if known, err := w.jsonAt(at, &s); !known || err != nil {
			return err
		}
		s.Seen = now
		return w.setJSON(at, s)
	})
}

// actingIn says who a session is of, and what they may do now.
func (r reading) actingIn(s *AdminSession) (Acting, error) {
	if s.Via != nil {
		return r.actingVia(s.Via)
	}
	a, err := r.adminByID(s.Administrator)
	if err == ErrNotFound {
		return Acting{}, ErrUnauthorized
	}
	if err != nil {
		return Acting{}, err
	}
	return Acting{Administrator: a.ID, Name: a.Email, Grants: a.Grants}, nil
}

// EndAdminSession forgets the session of a secret; an unknown one is no error.
func (d *Directory) EndAdminSession(ctx context.Context, secret string) error {
	if len(secret) != adminSecretLength {
		return nil
	}
	at := d.hashSecret(tableAdminSession, secret)
	return d.update(ctx, "", func(w writing) error { return w.forgetAdminSession(at) })
}

// AdminSessions lists the sessions of an administrator, newest first, the
// expired ones aside.
func (d *Directory) AdminSessions(ctx context.Context, id ID) (list []AdminSession, err error) {
	now := d.now()
	err = d.view(ctx, "", func(r reading) error {
		list = nil
		ats, err := r.adminSessionKeys(id)
		if err != nil {
			return err
		}
		for _, at := range ats {
			var s AdminSession
			if known, err := r.jsonAt(at, &s); !known || err != nil {
				return err
			}
			if now.Before(s.Expires) && now.Before(s.Seen.Add(s.Idle)) {
				list = append(list, s)
			}
		}
		slices.Reverse(list)
		return nil
	})
	return list, err
}

// EndAdminSessions ends one session of an administrator, or with NoID all of
// them, at once.
func (d *Directory) EndAdminSessions(ctx context.Context, by Acting, administrator, session ID) error {
	return d.update(ctx, "", func(w writing) error {
		a, err := w.adminByID(administrator)
		if err != nil {
			return err
		}
		if err := by.mayRename(administrator, a.Grants); err != nil {
			return err
		}
		if session == NoID {
			if err := w.endAdminSessions(administrator); err != nil {
				return err
			}
		} else {
			at, err := w.Get(key{tableAdminSessions}.id(administrator).id(session))
			if err != nil {
				return err
			}
			if at == nil {
				return ErrNotFound
			}
			if err := w.forgetAdminSession(slices.Clone(at)); err != nil {
				return err
			}
		}
		return w.audit(by, AdminSignedOut, "", AttributeChange{Attribute: "administrator", After: Text(a.Email)})
	})
}

func (w writing) endAdminSessions(id ID) error {
	ats, err := w.adminSessionKeys(id)
	if err != nil {
		return err
	}
	for _, at := range ats {
		if err := w.forgetAdminSession(at); err != nil {
			return err
		}
	}
	return nil
}

// adminSessionKeys are where the sessions of a person lie, oldest first.
func (r reading) adminSessionKeys(id ID) (ats []key, err error) {
	prefix := key{tableAdminSessions}.id(id)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		ats = append(ats, slices.Clone(pair.Value))
	}
	return ats, nil
}

func (w writing) forgetAdminSession(at key) error {
	record, err := w.Get(at)
	if record == nil || err != nil {
		return err
	}
	var s AdminSession
	if err := json.Unmarshal(record, &s); err != nil {
		return fmt.Errorf("%w: session: %v", errRecord, err)
	}
	if err := w.tx.Delete(s.listKey()); err != nil {
		return err
	}
	if err := w.tx.Delete(append(key{tableExpiry}.time(s.Expires), at...)); err != nil {
		return err
	}
	return w.tx.Delete(at)
}
