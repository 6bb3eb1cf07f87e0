package directory

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Rehearsal is what a change would do, with why.
type Rehearsal struct {
	Result
	// Before is the user as they are now, effectively; nil when the change would
	// create one, or finds nobody.
	Before *Profile
	// Matched tells, in words, by what the user was found.
	Matched []string
	// Refusal is why nothing would happen, nil when something would.
	Refusal *Refusal
}

// Rehearse takes a sign-in through every step of Apply as if its connection
// wrote as mode says, and writes nothing, not even a case: an administrator
// looks before people do.
func (d *Directory) Rehearse(ctx context.Context, c Change, mode Mode) (Rehearsal, error) {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return Rehearsal{}, err
	}
	var rehearsal Rehearsal
	err = d.update(ctx, c.Org, func(w writing) error {
		change := c
		a := &application{writing: w, id: id, now: Stamp{now, c.Actor, c.Request}, mode: mode}
		a.s = situation{change: &change, now: now}
		result, err := a.run()
		rehearsal = Rehearsal{Result: result, Matched: a.s.matched()}
		switch refusal, refused := errors.AsType[*Refusal](err); {
		case refused:
			rehearsal.Refusal = refusal
		case err != nil:
			return err
		case a.verdict != nil:
			rehearsal.Refusal = a.verdict
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		return Rehearsal{}, err
	}
	return rehearsal, d.addBefore(ctx, c.Org, &rehearsal)
}

// addBefore reads the user whom the rehearsal would change.
func (d *Directory) addBefore(ctx context.Context, org string, r *Rehearsal) error {
	if r.User == nil || r.Outcome == Created {
		return nil
	}
	before, err := d.User(ctx, Viewer{Org: org}, r.User.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	r.Before = before
	return err
}

// matched tells by what the change found a user.
func (s *situation) matched() []string {
	var words []string
	if s.link != nil && s.via != nil {
		words = append(words, fmt.Sprintf("user %s has the link %s of connection %s to the subject %q", s.link.ID, s.via.Channel, s.via.Connection, s.via.Subject))
	}
	for _, v := range s.votes {
		words = append(words, fmt.Sprintf("user %s has the %s %q", v.user.ID, v.key, v.value))
	}
	for _, g := range s.graves {
		words = append(words, fmt.Sprintf("user %s had the same name or address and was deleted", g.ID))
	}
	return words
}

// TestPassed tells of the last sign-in through a connection that an
// administrator tried out and that would have worked.
type TestPassed struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	// Digest is of what was tried: who is trusted, and how assertions are read.
	Digest string `json:"digest"`
}

// PassTest notes that a test sign-in through a connection would have worked.
func (d *Directory) PassTest(ctx context.Context, by EventSource, connection string) error {
	org, err := d.orgOfConnection(ctx, connection)
	if err != nil {
		return err
	}
	return d.administer(ctx, by, org, func(a *application) error {
		c := a.s.policy.Connection(connection)
		if c == nil {
			return ErrNotFound
		}
		passed := TestPassed{At: a.now.At, By: by.Actor, Digest: c.tested()}
		if err := a.setJSON(besideKey(a.org, connection, besideTest), passed); err != nil {
			return err
		}
		return a.emitConfig([]string{"connection " + connection + ": a test sign-in passed"})
	})
}

// tested is a digest of what a test sign-in tries: whom the connection trusts
// and how it reads assertions. What a provider publishes may change.
func (c *Connection) tested() string {
	tried := struct {
		SAML    SAMLTrust
		OIDC    OIDCTrust
		Subject Subjects
		Map     []Mapping
	}{Subject: c.Subject, Map: c.Map}
	if c.SAML != nil {
		tried.SAML = *c.SAML
		tried.SAML.Metadata = nil
	}
	if c.OIDC != nil {
		tried.OIDC = *c.OIDC
		tried.OIDC.Secret = nil
	}
	text, err := json.Marshal(tried)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// TestRule says whether a connection must have been tried out before its
// sign-ins begin to write.
type TestRule string

// The rules. The operator's own file is not asked: who writes it can write
// anything. What administrators save must be TestsRequired.
const (
	TestsNotAsked TestRule = ""
	TestsRequired TestRule = "required"
)

// enabling holds a connection whose sign-ins are to write from now on against
// the rule: a test sign-in of this very configuration has passed, or there is a
// reason to do without. The line tells which.
func (a *application) enabling(s *Setup, c, old *Connection) (line string, faults []Fault, err error) {
	if !c.mode(SSO).writes() || old != nil && old.mode(SSO).writes() {
		return "", nil, nil
	}
	what := fmt.Sprintf("connection %s: write.sso raised to %s ", c.ID, c.mode(SSO))
	if reason := s.Override[c.ID]; reason != "" {
		return what + "without a test sign-in: " + reason, nil, nil
	}
	if s.Tests != TestsRequired {
		return "", nil, nil
	}
	var passed TestPassed
	known, err := a.jsonAt(besideKey(a.org, c.ID, besideTest), &passed)
	if err != nil {
		return "", nil, err
	}
	switch {
	case !known:
		return "", []Fault{{Path: "write.sso", Detail: "a test sign-in must pass before sign-ins write, or a reason be given to do without"}}, nil
	case passed.Digest != c.tested():
		return "", []Fault{{Path: "write.sso", Detail: fmt.Sprintf("the test sign-in of %s was of another configuration; repeat it, or give a reason to do without", instant(passed.At))}}, nil
	}
	return what + fmt.Sprintf("after the test sign-in of %s by %s", instant(passed.At), passed.By), nil, nil
}
