package directory

import (
	"context"
	"slices"
	"time"
)

// useGrain is how coarse the last use of a token is, so that requests do not
// write. Administrators' uses are told to some minutes.
const useGrain = time.Hour

func (k TokenKind) grain() time.Duration {
	if k == AdminToken {
		return seenEvery
	}
	return useGrain
}

// NoteUse keeps when a token that just authenticated was used. Admit does so by
// itself.
func (d *Directory) NoteUse(ctx context.Context, t Token, secret string) error {
	return d.noteUse(ctx, t, d.hashSecret(tableToken, secret))
}

// admitted notes a use unless another request is doing so. That it cannot be
// noted stops nobody.
func (d *Directory) admitted(ctx context.Context, t Token, at key) {
	if d.now().Sub(t.Used) < t.Kind.grain() || !d.noting.TryLock() {
		return
	}
	defer d.noting.Unlock()
	if err := d.noteUse(ctx, t, at); err != nil {
		d.log.WarnContext(ctx, "the use of a token is not noted", "org", t.Org, "conn", t.Connection, "error", err)
	}
}

func (d *Directory) noteUse(ctx context.Context, t Token, at key) error {
	now := canonicalTime(d.now())
	if now.Sub(t.Used) < t.Kind.grain() {
		return nil
	}
	return d.update(ctx, t.Org, func(w writing) error {
		record, err := w.Get(at)
		if record == nil || err != nil {
			return err // revoked in the meantime
		}
		known, err := decodeToken(record)
		if err != nil || now.Sub(known.Used) < t.Kind.grain() {
			return err
		}
		known.Used = now
		return w.tx.Set(at, encodeToken(&known))
	})
}

// TokenWarning is a token that somebody has to look after.
type TokenWarning struct {
	Token Token
	// Days is the mark that was passed: 90, 30 or 7 days before the token expires,
	// 0 when it has or never does.
	Days int
	// Old: it never expires and is older than a year.
	Old bool
}

// warnedAhead are the marks of TokenWarning, the nearest first.
var warnedAhead = []int{0, 7, 30, 90}

const (
	day      = 24 * time.Hour
	oldToken = 365 * day
)

// TokenWarnings lists the tokens of an organisation that have expired or soon
// will, and those that are old; the most urgent first.
func (d *Directory) TokenWarnings(ctx context.Context, org string) ([]TokenWarning, error) {
	tokens, err := d.Tokens(ctx, org)
	if err != nil {
		return nil, err
	}
	now := d.now()
	var list []TokenWarning
	for _, t := range tokens {
		if t.Expires.IsZero() {
			if now.Sub(t.Created) > oldToken {
				list = append(list, TokenWarning{Token: t, Old: true})
			}
			continue
		}
		left := t.Expires.Sub(now)
		i := slices.IndexFunc(warnedAhead, func(days int) bool { return left <= time.Duration(days)*day })
		if i >= 0 {
			list = append(list, TokenWarning{Token: t, Days: warnedAhead[i]})
		}
	}
	slices.SortStableFunc(list, func(a, b TokenWarning) int { return a.urgency() - b.urgency() })
	return list, nil
}

// urgency is smaller for what cannot wait.
func (w *TokenWarning) urgency() int {
	if w.Old {
		return 365
	}
	return w.Days
}

// Health is how a connection's push is doing.
type Health struct {
	Connection string
	State      State
	// LastPush is when its tokens were last used, to the hour; zero for never.
	LastPush time.Time
	// Stale: it should push and has been silent for longer than its StaleAfter.
	Stale bool
}

// staleDefault is StaleAfter of a connection without one.
const staleDefault = 24 * time.Hour

// Health says of every connection of an organisation when SCIM last came, by
// the use of its tokens, and whether that is too long ago.
func (d *Directory) Health(ctx context.Context, org string) (list []Health, err error) {
	tokens, err := d.Tokens(ctx, org)
	if err != nil {
		return nil, err
	}
	p, err := d.Policy(ctx, org)
	if err != nil {
		return nil, err
	}
	for _, c := range p.Connections() {
		h := Health{Connection: c.ID, State: c.state()}
		since := time.Time{} // the last sign of life: a push, or that it was set up
		for _, t := range tokens {
			if t.Connection != c.ID || t.Kind != SCIMToken {
				continue
			}
			h.LastPush = later(h.LastPush, t.Used)
			since = later(since, later(t.Created, t.Used))
		}
		after := c.StaleAfter
		if after == 0 {
			after = staleDefault
		}
		h.Stale = c.state() == ConnectionActive && c.mode(SCIM).writes() && !since.IsZero() && d.now().Sub(since) > after
		list = append(list, h)
	}
	return list, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
