package directory

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Proof is a subject that waits for its person: who signs in to the existing
// account, by a way that leads there already, has it linked (link: confirm).
type Proof struct {
	Org        string    `json:"org"`
	Connection string    `json:"connection"`
	Issuer     string    `json:"issuer,omitempty"`
	Subject    string    `json:"subject"`
	User       ID        `json:"user"`
	Offered    time.Time `json:"offered"`
	Expires    time.Time `json:"expires"`
}

const (
	proofKind     = "proof"
	proofLifetime = 10 * time.Minute
)

// OfferProof keeps what a refused sign-in would link, and returns the secret by
// which the same browser goes on. r is a Refusal that lists ways to Confirm.
func (d *Directory) OfferProof(ctx context.Context, org, connection string, r *Refusal) (p Proof, secret string, err error) {
	if len(r.Confirm) == 0 || len(r.Evidence.Users) != 1 || r.Evidence.Subject == "" {
		return p, "", fmt.Errorf("a proof of a refusal that nobody can confirm: %w", r)
	}
	now := canonicalTime(d.now())
	p = Proof{Org: org, Connection: connection, Issuer: r.Evidence.Issuer, Subject: r.Evidence.Subject, User: r.Evidence.Users[0],
		Offered: now, Expires: now.Add(proofLifetime)}
	record, err := json.Marshal(p)
	if err != nil {
		return p, "", err
	}
	secret = rand.Text()
	return p, secret, d.Keep(ctx, proofKind, proofKey(secret), record, p.Expires)
}

func proofKey(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Proof returns what a secret stands for. ErrSpent when it was used, has
// expired or never was.
func (d *Directory) Proof(ctx context.Context, secret string) (p Proof, err error) {
	record, err := d.Peek(ctx, proofKind, proofKey(secret))
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(record, &p)
}

// CompleteProof links the subject of a proof to the user of a session, and uses
// the proof up. The session must be the proof's user's, begun after the refusal,
// and through another connection: who merely is signed in somewhere has not
// shown now that the account is theirs.
func (d *Directory) CompleteProof(ctx context.Context, secret, session, request string) error {
	p, err := d.Proof(ctx, secret)
	if err != nil {
		return err
	}
	s, _, err := d.Session(ctx, session)
	if err != nil {
		return err
	}
	now := canonicalTime(d.now())
	return d.update(ctx, p.Org, func(w writing) error {
		policy, err := w.policy()
		if err != nil {
			return err
		}
		a := &application{writing: w, now: Stamp{now, s.Connection, request}}
		a.s = situation{policy: policy, now: now, change: &Change{Org: p.Org, Connection: p.Connection, Channel: SSO, Actor: s.Connection, Request: request}}
		if err := a.prove(p, &s, secret); err != nil {
			return err
		}
		return a.conclude()
	})
}

// prove holds a session against a proof, once more within the transaction.
func (a *application) prove(p Proof, s *Session, secret string) error {
	if held, err := a.kept(proofKind, proofKey(secret)); held == nil || err != nil {
		return errors.Join(err, ErrSpent)
	}
	if _, err := a.access(s); err != nil {
		return err
	}
	c := a.s.policy.Connection(p.Connection)
	switch {
	case s.Org != p.Org || s.User != p.User:
		return refuse(LinkRequired, "the person signed in to another account (id %s) than the one to be linked (id %s)", s.User, p.User)
	case s.Connection == p.Connection || s.Created.Before(p.Offered):
		return refuse(LinkRequired, "the account is proved by signing in to it now, through another connection")
	case c == nil || c.state() != ConnectionActive || c.linkPolicy() != LinkConfirm:
		return refuse(LinkRequired, "connection %s links nobody by proof (link: confirm)", p.Connection)
	}
	u, err := a.liveUser(p.User)
	if err != nil {
		return err
	}
	if a.s.policy.Org.protects(u) {
		return refuse(Protected, "the user is protected; an administrator links it")
	}
	if err := a.tx.Delete(plainKey(tableOnce, proofKind, proofKey(secret))); err != nil {
		return err
	}
	return a.linkTo(u, Link{Connection: p.Connection, Channel: SSO, Issuer: p.Issuer, Subject: p.Subject})
}
