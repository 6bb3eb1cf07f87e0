package directory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
)

// runTombstone lifts or empties a tombstone; only an administrator may.
func (a *application) runTombstone() (Result, error) {
	u := a.s.path
	switch {
	case a.s.conn != nil:
		return Result{}, refuse(Protected, "only an administrator restores or erases by id")
	case u == nil || u.Deleted == nil || u.Deleted.Erased:
		return Result{}, ErrNotFound
	case a.s.change.Verb == VerbErase:
		return a.erase(u)
	case u.Deleted.Into != NoID:
		return Result{}, refuse(Reserved, "the user was merged into %s; undo the merge", u.Deleted.Into)
	}
	after := u.clone()
	after.Deleted, after.Yielded = nil, false
	if err := a.rejoin(u, after); err != nil {
		return Result{}, err
	}
	if err := a.settle(u, after); err != nil {
		return Result{}, err
	}
	return a.commitUser(decision{action: actRestore}, u, after)
}

// erase removes everything personal from a tombstone. Its id stays taken, and
// keyed hashes of its subjects keep sign-ins from making it anew.
func (a *application) erase(u *User) (Result, error) {
	for _, l := range u.Links {
		if l.Subject == "" {
			continue
		}
		if err := a.tx.Set(a.erasedKey(l), u.ID[:]); err != nil {
			return Result{}, err
		}
	}
	if err := a.eraseTraces(u); err != nil {
		return Result{}, err
	}
	grave := *u.Deleted
	grave.Erased, grave.Groups = true, nil
	after := &User{ID: u.ID, Org: u.Org, Created: u.Created, Deleted: &grave, Generation: u.Generation}
	if err := a.writeErased(u, after); err != nil {
		return Result{}, err
	}
	return Result{Outcome: Deleted, Event: a.wrote}, nil
}

// eraseTraces removes what other records keep of the user: sessions, the
// evidence of cases, and index entries that an earlier policy called for.
func (a *application) eraseTraces(u *User) error {
	if err := a.endSessions(u.ID, nil); err != nil {
		return err
	}
	if err := a.tx.Delete(orgKey(tableUserSess, a.org).id(u.ID)); err != nil {
		return err
	}
	for _, x := range u.Effective {
		for _, e := range x.Value {
			value := a.s.policy.fold(x.Name, e.Field("value"))
			unique := indexKey(a.org, indexUnique).text(x.Name).text(value)
			if held, err := a.Get(unique); err != nil {
				return err
			} else if string(held) == string(u.ID[:]) {
				if err := a.tx.Delete(unique); err != nil {
					return err
				}
			}
			if err := a.tx.Delete(indexKey(a.org, indexGrave).text(x.Name).text(value).id(u.ID)); err != nil {
				return err
			}
		}
	}
	if err := a.forgetMerges(u); err != nil {
		return err
	}
	return a.eraseEvidence(u.ID)
}

// eraseEvidence empties the cases that tell of the user. An open one has lost
// its cause.
func (a *application) eraseEvidence(id ID) error {
	prefix := orgKey(tableCase, a.org)
	for pair, err := range a.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		k := new(Case)
		if err := json.Unmarshal(pair.Value, k); err != nil {
			return fmt.Errorf("%w: case: %v", errRecord, err)
		}
		if !slices.Contains(k.Evidence.Users, id) {
			continue
		}
		if err := a.forgetEvidence(k); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) forgetEvidence(k *Case) error {
	marks, err := a.casesAbout(k.about()[0])
	if err != nil {
		return err
	}
	if err := a.indexCase(k, nil, 0); err != nil {
		return err
	}
	k.Detail, k.Note, k.Evidence = "the user's data were erased", "", Evidence{Users: k.Evidence.Users, Channel: k.Evidence.Channel}
	open := k.Closed.IsZero()
	for _, m := range marks {
		switch {
		case m.id != k.ID:
		case open:
			k.Closed = a.now.At
			return a.ended(k, m.digest, CaseClosed)
		default: // what was decided is decided about nobody any more
			if err := a.forgetDigest(k, m.digest); err != nil {
				return err
			}
		}
	}
	k.Resolutions = nil
	return a.setJSON(caseKey(a.org, k.ID), k)
}

// writeErased writes the empty tombstone; its event says nothing but that it
// happened.
func (a *application) writeErased(before, after *User) error {
	if err := a.writeLinks(before, after); err != nil {
		return err
	}
	if err := a.writeIndex(before, after); err != nil {
		return err
	}
	after.Modified = a.moment(before)
	if err := a.tx.Set(userKey(a.org, after.ID), encodeUser(after)); err != nil {
		return err
	}
	return a.emit(Event{Type: UserErased, User: after.ID, Time: after.Modified}, before.key)
}

// erasedKey is where the hash of an erased user's subject stands; the issuer
// does not count, so that a renamed identity provider cannot revive anybody.
func (r reading) erasedKey(l Link) key {
	mac := hmac.New(sha256.New, r.d.pepper)
	mac.Write([]byte(l.Subject))
	return mac.Sum(orgKey(tableErased, r.org).word(l.Connection).word(string(l.Channel)))
}

// wasErased says whether the subject of a sign-in belonged to an erased user.
func (r reading) wasErased(s *situation) (bool, error) {
	channels := []Channel{SSO}
	if s.conn.Subject.Same {
		channels = append(channels, SCIM)
	}
	for _, ch := range channels {
		v, err := r.Get(r.erasedKey(Link{Connection: s.conn.ID, Channel: ch, Subject: s.subject}))
		if v != nil || err != nil {
			return v != nil, err
		}
	}
	return false, nil
}
