package directory

import (
	"context"
	"crypto/sha256"
	"hash"
	"time"
)

// Token is the record of a bearer token. The secret itself is never stored:
// the record is kept under its keyed hash.
type Token struct {
	Org        string    `json:"org"`
	Connection string    `json:"connection,omitempty"` // set for a SCIM token, "" for an application's
	Name       string    `json:"name"`
	Kind       TokenKind `json:"kind"`
	// Role is what an administration token may do: in Org, or, for an operator,
	// everywhere.
	Role    AdminRole `json:"role,omitempty"`
	By      string    `json:"by,omitempty"` // who made it
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	// Used is the last use, to the hour; to some minutes for administrators'.
	Used time.Time `json:"used,omitzero"`
}

// Acting is who acts with an administration token.
func (t Token) Acting() Acting {
	return Acting{Name: "token " + t.Name, Grants: Grants{{t.Role, t.Org}}}
}

// TokenKind says what a token opens.
type TokenKind string

// The kinds of token.
const (
	SCIMToken  TokenKind = "scim"  // writes for one connection
	AppToken   TokenKind = "app"   // reads the effective view of one organisation
	AdminToken TokenKind = "admin" // the administration API
)

// maxSecret bounds what is hashed for a bearer token or session.
const maxSecret = 4096

// hashSecret is the keyed hash under which a secret is found: who reads the
// store alone can neither use nor guess what he finds there.
func (d *Directory) hashSecret(kind byte, secret string) key {
	mac := d.macs.Get().(hash.Hash)
	defer d.macs.Put(mac)
	mac.Reset()
	text := append(make([]byte, 0, 128), kind)
	mac.Write(append(text, secret...))
	return mac.Sum(append(make(key, 0, 1+sha256.Size), kind))
}

// Authenticate returns the record of a bearer token, or ErrUnauthorized.
func (d *Directory) Authenticate(ctx context.Context, secret string) (t Token, err error) {
	_, err = d.authenticated(ctx, secret, func(r reading, found Token) error { t = found; return nil })
	return t, err
}

// Admit authenticates a bearer token and returns with it what is decided about
// its organisation, as of the same moment: nil for a token of the instance,
// ErrNotFound when there is no such organisation.
func (d *Directory) Admit(ctx context.Context, secret string) (t Token, p *Policy, err error) {
	at, err := d.authenticated(ctx, secret, func(r reading, found Token) (err error) {
		t = found
		if r.org = t.Org; r.org != "" {
			p, err = r.policy()
		}
		return err
	})
	if err == nil {
		d.admitted(ctx, t, at)
	}
	return t, p, err
}

// authenticated runs fn on the snapshot in which the secret is a valid token,
// and says where that is kept.
func (d *Directory) authenticated(ctx context.Context, secret string, fn func(reading, Token) error) (at key, err error) {
	if secret == "" || len(secret) > maxSecret {
		return nil, ErrUnauthorized
	}
	at = d.hashSecret(tableToken, secret)
	return at, d.view(ctx, "", func(r reading) error {
		record, err := r.Get(at)
		if err != nil {
			return err
		}
		if record == nil {
			return ErrUnauthorized
		}
		t, err := decodeToken(record)
		if err != nil {
			return err
		}
		if !t.Expires.IsZero() && !d.now().Before(t.Expires) {
			return ErrUnauthorized
		}
		return fn(r, t)
	})
}

// SetToken makes secret a valid token with this record. Setting the same
// secret and record again changes nothing; it reports whether it changed. A
// token of the same name is replaced. At most two SCIM tokens of one
// connection are valid at once.
func (d *Directory) SetToken(ctx context.Context, t Token, secret string) (changed bool, err error) {
	if secret == "" || len(secret) > maxSecret {
		return false, invalid("secret", "is empty or longer than %d bytes", maxSecret)
	}
	if faults := grantFaults(Grants{{t.Role, t.Org}}); t.Kind == AdminToken && len(faults) > 0 {
		return false, &ConfigError{faults}
	}
	at := d.hashSecret(tableToken, secret)
	t.Created = canonicalTime(d.now())
	err = d.update(ctx, t.Org, func(w writing) error {
		changed = false
		if t.Connection != "" {
			if org, err := w.orgOf(t.Connection); err != nil || org != t.Org {
				return refuse(InvalidValue, "connection %s is none of organisation %s", t.Connection, t.Org)
			}
		}
		old, err := w.Get(at)
		if err != nil {
			return err
		}
		if old != nil {
			known, err := decodeToken(old)
			if err != nil {
				return err
			}
			if known.Org != t.Org || known.Connection != t.Connection || known.Name != t.Name || known.Kind != t.Kind {
				return refuse(Uniqueness, "this secret is already the token %q", known.Name)
			}
			if known.Expires.Equal(t.Expires) && known.Role == t.Role {
				return nil
			}
		}
		changed = true
		return w.putToken(at, t)
	})
	return changed, err
}

func (w writing) putToken(at key, t Token) error {
	name := t.nameKey()
	previous, err := w.Get(name)
	if err != nil {
		return err
	}
	if previous != nil {
		if err := w.dropToken(name, previous); err != nil {
			return err
		}
	} else if t.Kind == SCIMToken {
		if err := w.roomForToken(t); err != nil {
			return err
		}
	}
	if err := w.tx.Set(at, encodeToken(&t)); err != nil {
		return err
	}
	if err := w.tx.Set(name, at); err != nil {
		return err
	}
	return w.audit(Acting{Name: t.By}, TokenSet, t.Org, AttributeChange{Attribute: t.label(), After: Text(t.Name)})
}

// label says in events what kind of token it is, and whose.
func (t Token) label() string {
	switch t.Kind {
	case SCIMToken:
		return "scim token of " + t.Connection
	case AdminToken:
		return "administration token, " + string(t.Role)
	}
	return "application token"
}

// maxSCIMTokens lets a token be rotated: the old and the new one are valid together.
const maxSCIMTokens = 2

func (w writing) roomForToken(t Token) error {
	prefix := orgKey(tableTokenName, t.Org).text(t.Connection)
	n := 0
	for pair, err := range w.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		record, err := w.Get(pair.Value)
		if err != nil {
			return err
		}
		known, err := decodeToken(record)
		if err != nil {
			return err
		}
		if known.Expires.IsZero() || w.d.now().Before(known.Expires) {
			n++
		}
	}
	if n >= maxSCIMTokens {
		return refuse(Uniqueness, "connection %s already has %d SCIM tokens; revoke one first", t.Connection, n)
	}
	return nil
}

func (t Token) nameKey() key {
	return orgKey(tableTokenName, t.Org).text(t.Connection).text(string(t.Kind)).text(t.Name)
}

// Tokens lists the records of an organisation's tokens ("" for the instance's).
func (d *Directory) Tokens(ctx context.Context, org string) (list []Token, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		prefix := orgKey(tableTokenName, org)
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			record, err := r.Get(pair.Value)
			if err != nil {
				return err
			}
			t, err := decodeToken(record)
			if err != nil {
				return err
			}
			list = append(list, t)
		}
		return nil
	})
	return list, err
}

// RevokeToken ends the token with that organisation, connection, kind and
// name, at once; By is who revokes it. ErrNotFound when there is none.
func (d *Directory) RevokeToken(ctx context.Context, t Token) error {
	return d.update(ctx, t.Org, func(w writing) error {
		at, err := w.Get(t.nameKey())
		if err != nil {
			return err
		}
		if at == nil {
			return ErrNotFound
		}
		if err := w.dropToken(t.nameKey(), at); err != nil {
			return err
		}
		return w.audit(Acting{Name: t.By}, TokenRevoked, t.Org, AttributeChange{Attribute: t.label(), Before: Text(t.Name)})
	})
}

// dropToken forgets a token by its name and its hash.
func (w writing) dropToken(name, at key) error {
	if err := w.tx.Delete(at); err != nil {
		return err
	}
	return w.tx.Delete(name)
}

func encodeToken(t *Token) []byte {
	e := newEncoder(128)
	for _, s := range []string{t.Org, t.Connection, t.Name, string(t.Kind), string(t.Role), t.By} {
		e.text(s)
	}
	e.time(t.Created)
	e.time(t.Expires)
	e.time(t.Used)
	return e.b
}

func decodeToken(record []byte) (Token, error) {
	d := newDecoder(record)
	t := Token{Org: d.text(), Connection: d.text(), Name: d.text(), Kind: TokenKind(d.text()), Role: AdminRole(d.text()),
		By: d.text(), Created: d.time(), Expires: d.time(), Used: d.time()}
	return t, d.done()
}
