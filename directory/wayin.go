package directory

import (
	"context"
	"errors"
	"slices"
	"time"
)

// maxWays bounds the connections that one letter names.
const maxWays = 10

// askAgain is how long one address gets no second letter.
const askAgain = 10 * time.Minute

// AskForWayIn queues a letter to an address that somebody gave on the sign-in
// page: with the ways in that the users of that address have, if there are any.
// It does the same for every address and looks at nobody, so that neither its
// answer nor its time tells a stranger who has an account.
func (d *Directory) AskForWayIn(ctx context.Context, address string) error {
	normal := NormalEmail(address)
	err := d.update(ctx, "", func(w writing) error {
		held, err := w.kept("way in", normal)
		if err != nil {
			return err
		}
		if held != nil {
			return ErrSpent
		}
		if err := w.keepOnce("way in", normal, nil, d.now().Add(askAgain)); err != nil {
			return err
		}
		return w.putLetter(Letter{Kind: LetterWayIn, Asked: address})
	})
	if errors.Is(err, ErrSpent) {
		return nil
	}
	return err
}

// waysIn finds the connections through which the users of an address come in. It
// asks every organisation, which a person who waits for an answer must not be
// made to feel: the letter is handed out in the background.
func (r reading) waysIn(l *Letter) (wanted bool, err error) {
	normal := NormalEmail(l.Asked)
	prefix := key{tableOrg}
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return false, err
		}
		r.org = string(pair.Key[1 : len(pair.Key)-2])
		if err := r.waysInto(l, normal); err != nil {
			return false, err
		}
	}
	l.To = l.Asked
	return len(l.Ways) > 0, nil
}

// waysInto adds the connections of one organisation.
func (r reading) waysInto(l *Letter, normal string) error {
	at := indexKey(r.org, indexEmail).text(normal)
	ids, err := r.tails(at, maxVotes)
	if err != nil || len(ids) == 0 {
		return err
	}
	p, err := r.policy()
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := r.userByID(id)
		if err != nil {
			return err
		}
		if !isLive(u) || u.Locked() {
			continue
		}
		for _, link := range u.Links {
			c := p.Connection(link.Connection)
			if c == nil || c.state() == Retired || link.Channel != SSO || link.State != LinkLive || len(l.Ways) == maxWays || slices.Contains(l.Ways, c.ID) {
				continue
			}
			l.Ways = append(l.Ways, c.ID)
		}
	}
	return nil
}
