package directory

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"time"
)

// Letter is a mail that waits to be sent. It is written in the transaction of
// what it tells of, and says whom it is for; what it says is the sender's.
type Letter struct {
	ID         ID         `json:"id"`
	Kind       LetterKind `json:"kind"`
	Org        string     `json:"org,omitempty"`
	Connection string     `json:"connection,omitempty"`
	User       ID         `json:"user,omitzero"`
	// Asked is the address that somebody gave on the sign-in page, or was invited
	// by; "" for a letter to the user's own.
	Asked   string    `json:"asked,omitempty"`
	Created time.Time `json:"created"`
	Tries   int       `json:"tries,omitempty"` // how often it was handed out

	// To and Name are the recipient, and OrgName the organisation, when it is handed out.
	To      string `json:"-"`
	Name    string `json:"-"`
	OrgName string `json:"-"`
	// Ways are the connections by which the recipient comes in.
	Ways []string `json:"-"`

	due time.Time
}

// LetterKind is what a letter is about.
type LetterKind string

// The kinds of letters.
const (
	LetterWelcome    LetterKind = "welcome"    // a connection with Welcome created the user
	LetterInvitation LetterKind = "invitation" // see InviteUser
	LetterWayIn      LetterKind = "way-in"     // somebody asked on the sign-in page; see AskForWayIn
)

const (
	// maxLetterAge is how long sending is tried. A welcome of last week helps nobody.
	maxLetterAge = 72 * time.Hour
	// firstBackoff doubles with each try, up to maxBackoff.
	firstBackoff = time.Minute
	maxBackoff   = 6 * time.Hour
	// letterStep is how many letters that need not be sent one call drops.
	letterStep = 50
)

func (l *Letter) at() key { return key{tableLetter}.time(l.due).id(l.ID) }

// putLetter queues a letter with the change under way.
func (w writing) putLetter(l Letter) error {
	l.Created = canonicalTime(w.d.now())
	var err error
	if l.ID, err = w.d.ids.next(l.Created); err != nil {
		return err
	}
	l.due = l.Created
	return w.setJSON(l.at(), l)
}

// ClaimLetter hands out the letter that has waited longest, for so long that
// nobody else gets it meanwhile; nil when none is due. A letter whose reason is
// gone is dropped: no user who was deleted, locked or erased gets one. What is
// claimed and neither LetterSent nor LetterFailed is handed out again.
func (d *Directory) ClaimLetter(ctx context.Context, lease time.Duration) (*Letter, error) {
	now := canonicalTime(d.now())
	if due, err := d.dueLetters(ctx, now, 1); err != nil || len(due) == 0 {
		return nil, err
	}
	var claimed *Letter
	err := d.update(ctx, "", func(w writing) error {
		claimed = nil
		due, err := w.lettersBefore(now, letterStep)
		if err != nil {
			return err
		}
		for _, l := range due {
			if err := w.tx.Delete(l.at()); err != nil {
				return err
			}
			wanted, err := w.address(l, now)
			if err != nil {
				return err
			}
			if !wanted {
				continue
			}
			l.Tries++
			l.due = now.Add(lease)
			claimed = l
			return w.setJSON(l.at(), l)
		}
		return nil
	})
	return claimed, err
}

// LetterSent forgets a letter.
func (d *Directory) LetterSent(ctx context.Context, l *Letter) error {
	return d.update(ctx, "", func(w writing) error { return w.tx.Delete(l.at()) })
}

// LetterFailed has a letter wait before it is handed out again, longer each
// time, and says until when; zero when it has been tried for long enough and is
// dropped.
func (d *Directory) LetterFailed(ctx context.Context, l *Letter) (again time.Time, err error) {
	now := canonicalTime(d.now())
	again = now.Add(min(firstBackoff<<min(l.Tries-1, 20), maxBackoff))
	if again.After(l.Created.Add(maxLetterAge)) {
		return time.Time{}, d.LetterSent(ctx, l)
	}
	return again, d.update(ctx, "", func(w writing) error {
		held, err := w.Get(l.at())
		if held == nil || err != nil {
			return err // somebody else has it by now
		}
		if err := w.tx.Delete(l.at()); err != nil {
			return err
		}
		next := *l
		next.due = again
		return w.setJSON(next.at(), next)
	})
}

// dropLetters forgets letters that nobody has sent for too long.
func (d *Directory) dropLetters(ctx context.Context) (more bool, err error) {
	before := canonicalTime(d.now()).Add(-maxLetterAge)
	old, err := d.dueLetters(ctx, before, sweepStep)
	if err != nil || len(old) == 0 {
		return false, err
	}
	return len(old) == sweepStep, d.update(ctx, "", func(w writing) error {
		for _, l := range old {
			if err := w.tx.Delete(l.at()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *Directory) dueLetters(ctx context.Context, now time.Time, limit int) (list []*Letter, err error) {
	err = d.view(ctx, "", func(r reading) error { list, err = r.lettersBefore(now, limit); return err })
	return list, err
}

// lettersBefore are the first letters that are due.
func (r reading) lettersBefore(now time.Time, limit int) (list []*Letter, err error) {
	for pair, err := range r.Scan(key{tableLetter}, key{tableLetter}.time(now.Add(time.Microsecond))) {
		if err != nil {
			return nil, err
		}
		if len(list) == limit {
			break
		}
		l := new(Letter)
		if err := json.Unmarshal(bytes.Clone(pair.Value), l); err != nil {
			return nil, errRecord
		}
		l.due = time.UnixMicro(int64(binary.BigEndian.Uint64(pair.Key[1:9]))).UTC()
		list = append(list, l)
	}
	return list, nil
}

// address finds whom a letter goes to now, and says whether it is still wanted.
func (r reading) address(l *Letter, now time.Time) (wanted bool, err error) {
	if now.After(l.Created.Add(maxLetterAge)) {
		return false, nil
	}
	if l.Kind == LetterWayIn {
		return r.waysIn(l)
	}
	r.org = l.Org
	p, err := r.policy()
	if err != nil {
		return false, err
	}
	u, err := r.userByID(l.User)
	if err != nil || !isLive(u) || u.Locked() {
		return false, err
	}
	c := p.Connection(l.Connection)
	if c == nil || c.state() == Retired || l.Kind == LetterWelcome && !c.Welcome {
		return false, nil
	}
	if l.Kind == LetterInvitation {
		held, err := r.userInvitation(l.Connection, l.Asked)
		if held == nil || err != nil || held.User != u.ID {
			return false, err
		}
	}
	l.To, l.Name, l.OrgName, l.Ways = l.Asked, u.Effective.Text(DisplayName), p.Org.called(), []string{c.ID}
	if v, _ := u.Effective.Get(Emails); l.To == "" && len(v) > 0 {
		l.To = v.Primary().Field("value")
	}
	return l.To != "", nil
}

// called is what people call the organisation.
func (o *Org) called() string {
	if o.Name == "" {
		return o.ID
	}
	return o.Name
}
