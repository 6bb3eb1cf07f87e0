package directory

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// SessionPolicy says how long sessions of an organisation last. A session ends
// when nobody has used it for Idle, and Lifetime after the sign-in in any case.
type SessionPolicy struct {
	Idle     time.Duration `json:"idle,omitempty"`     // zero means 2 hours
	Lifetime time.Duration `json:"lifetime,omitempty"` // zero means 12 hours
}

// Sessions last a working day, and not over lunch on a machine that was left.
// Signing in again is one redirect, so short is cheap. The longest that can be
// asked for is what NIST SP 800-63B allows at its lowest level.
const (
	defaultIdle     = 2 * time.Hour
	defaultLifetime = 12 * time.Hour
	maxLifetime     = 30 * 24 * time.Hour
)

// SessionLifetime and SessionIdle are the policy with its defaults.
func (o *Org) SessionLifetime() time.Duration {
	if o.Sessions.Lifetime == 0 {
		return defaultLifetime
	}
	return o.Sessions.Lifetime
}

// SessionIdle is after how long without use a session ends.
func (o *Org) SessionIdle() time.Duration {
	idle := o.Sessions.Idle
	if idle == 0 {
		idle = defaultIdle
	}
	return min(idle, o.SessionLifetime())
}

// over says whether a session has come to its end by itself. A policy that was
// made shorter counts for sessions that there are.
func (o *Org) over(s *Session, now time.Time) bool {
	return !now.Before(s.Expires) || !now.Before(s.Created.Add(o.SessionLifetime())) || !now.Before(s.Used.Add(o.SessionIdle()))
}

// touchEvery is how coarse the time of the last use is: as much as may be
// missing of the idle time.
func (o *Org) touchEvery() time.Duration { return min(o.SessionIdle()/10, 5*time.Minute) }

// sessionOver says whether a session has ended by itself, or with the
// connection it came through.
func (r reading) sessionOver(s *Session) (bool, error) {
	p, err := r.policy()
	if err != nil {
		return false, err
	}
	return p.Org.over(s, r.d.now()), nil
}

// sessionRevoked says whether a session that would have access was ended before
// its time: the user had lost access since it began, or its connection was
// retired. It is asked after access, whose refusal says more.
func (r reading) sessionRevoked(s *Session) (bool, error) {
	p, err := r.policy()
	if err != nil {
		return false, err
	}
	if c := p.Connection(s.Connection); c != nil && s.Created.Before(c.SessionsFrom) {
		return true, nil
	}
	mark, err := r.Get(orgKey(tableUserSess, s.Org).id(s.User))
	if err != nil || len(mark) != 8 {
		return false, err
	}
	return s.Created.Before(time.UnixMicro(int64(binary.BigEndian.Uint64(mark)))), nil
}

// sessionUsed notes that a session is in use. It is a convenience: where it
// cannot be written, the session only ends earlier.
func (d *Directory) sessionUsed(ctx context.Context, at key, s *Session) {
	now := canonicalTime(d.now())
	p, err := d.Policy(ctx, s.Org)
	if err != nil || now.Before(s.Used.Add(p.Org.touchEvery())) {
		return
	}
	err = d.update(ctx, s.Org, func(w writing) error {
		record, err := w.Get(at)
		if record == nil || err != nil {
			return err
		}
		known, err := decodeSession(record)
		if err != nil || !known.Used.Before(now) {
			return err
		}
		known.Used = now
		return w.tx.Set(at, encodeSession(&known))
	})
	if err != nil {
		d.log.WarnContext(ctx, "the use of a session was not noted", "org", s.Org, "user", s.User, "error", err)
	}
}

// cut shortens a text to at most n bytes.
func cut(text string, n int) string { return strings.ToValidUTF8(text[:min(len(text), n)], "") }

// OpenSession is a session with a name to end it by. The name is no secret.
type OpenSession struct {
	ID ID
	Session
}

// maxSessionsListed bounds a list of sessions.
const maxSessionsListed = 500

// Sessions lists a user's sessions that have not ended, the latest first.
func (d *Directory) Sessions(ctx context.Context, org string, user ID) (list []OpenSession, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		return r.eachSession(user, func(at key, s *Session) (bool, error) {
			over, err := r.sessionOver(s)
			if !over && err == nil {
				over, err = r.sessionRevoked(s)
			}
			if !over && err == nil {
				list = append(list, OpenSession{sessionID(at), *s})
			}
			return len(list) < maxSessionsListed, err
		})
	})
	slices.SortFunc(list, func(a, b OpenSession) int { return b.Created.Compare(a.Created) })
	return list, err
}

// sessionID is the beginning of the hash under which a session is kept.
func sessionID(at key) ID { return ID(at[1:17]) }

// eachSession calls fn with the sessions of a user until it says no.
func (r reading) eachSession(user ID, fn func(at key, s *Session) (more bool, err error)) error {
	prefix := orgKey(tableUserSess, r.org).id(user)
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		if len(pair.Key) == len(prefix) {
			continue // the mark of endSessions
		}
		at := append(key{tableSession}, pair.Key[len(prefix):]...)
		record, err := r.Get(at)
		if err != nil {
			return err
		}
		s, err := decodeSession(record)
		if err != nil {
			return err
		}
		if more, err := fn(at, &s); !more || err != nil {
			return err
		}
	}
	return nil
}

// RevokeSession ends one session of a user, by the ID that Sessions gives it.
// ErrNotFound when it has ended before.
func (d *Directory) RevokeSession(ctx context.Context, by EventSource, org string, user, id ID) error {
	return d.administer(ctx, by, org, func(a *application) error {
		var found key
		err := a.eachSession(user, func(at key, _ *Session) (bool, error) {
			if sessionID(at) == id {
				found = at
			}
			return found == nil, nil
		})
		if err != nil {
			return err
		}
		if found == nil {
			return ErrNotFound
		}
		if err := a.forgetSession(found); err != nil {
			return err
		}
		return a.noteSessionsEnded(user)
	})
}

// RevokeSessions ends all sessions of a user at once.
func (d *Directory) RevokeSessions(ctx context.Context, by EventSource, org string, user ID) error {
	return d.administer(ctx, by, org, func(a *application) error {
		if err := a.endSessions(user, nil); err != nil {
			return err
		}
		return a.noteSessionsEnded(user)
	})
}

func (a *application) noteSessionsEnded(user ID) error {
	u, err := a.userByID(user)
	if err != nil {
		return err
	}
	if u == nil {
		return ErrNotFound
	}
	return a.emit(Event{Type: SessionsEnded, User: user}, u.key)
}

// endStepInChange is how many sessions the transaction of a change takes away
// itself; who has more loses all of them by a mark.
const endStepInChange = 8

// endSessions ends a user's sessions: those that came through connections that
// closed names, nil for all.
func (w writing) endSessions(user ID, closed func(connection string) bool) error {
	var found []key
	err := w.eachSession(user, func(at key, s *Session) (bool, error) {
		if closed == nil || closed(s.Connection) {
			found = append(found, at)
		}
		return len(found) <= endStepInChange, nil
	})
	if err != nil {
		return err
	}
	if len(found) > endStepInChange {
		return w.markSessions(user)
	}
	for _, at := range found {
		if err := w.forgetSession(at); err != nil {
			return err
		}
	}
	return nil
}

// markSessions ends every session that began before now. Those records stay
// until they expire, so that their use is answered with the reason while there
// is one.
func (w writing) markSessions(user ID) error {
	now := canonicalTime(w.d.now()).Add(time.Microsecond)
	return w.tx.Set(orgKey(tableUserSess, w.org).id(user), binary.BigEndian.AppendUint64(nil, uint64(now.UnixMicro())))
}

// endLost ends the sessions that a change of a user takes access from: all when
// the user may not come in any more, those of a connection whose link was
// closed. They stay ended when access comes back.
func (w writing) endLost(before, after *User) error {
	if before == nil || !before.welcome() {
		return nil
	}
	if !after.welcome() {
		some := false
		err := w.eachSession(after.ID, func(key, *Session) (bool, error) { some = true; return false, nil })
		if !some || err != nil {
			return err
		}
		return w.markSessions(after.ID)
	}
	shut := map[string]bool{}
	for _, l := range before.Links {
		if now := after.link(l.Connection, SSO); l.Channel == SSO && l.open() && (now == nil || !now.open()) {
			shut[l.Connection] = true
		}
	}
	if len(shut) == 0 {
		return nil
	}
	return w.endSessions(after.ID, func(connection string) bool { return shut[connection] })
}

// welcome: neither deleted nor locked nor denied by a rule.
func (u *User) welcome() bool { return u.Deleted == nil && !u.Locked() && u.Denied == 0 }

// open: the link lets its subject in.
func (l *Link) open() bool { return l.State != LinkDeleted && l.State != LinkLocked }
