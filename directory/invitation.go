package directory

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// Invitation is a one-time link by which somebody comes in once, to set up how
// they sign in. It is kept by the hash of its secret.
type Invitation struct {
	// Administrator is whose it is; NoID makes whoever opens it the first
	// operator, as long as nobody is one.
	Administrator ID        `json:"administrator,omitzero"`
	Expires       time.Time `json:"expires"`
}

// IsFirst says whether the link is for the first operator.
func (i Invitation) IsFirst() bool { return i.Administrator == NoID }

const invitationKind = "administrator invitation"

// FirstInvitation returns the secret of a link for the first operator, "" when
// there is one who can sign in. Each call makes a new one; all of them end as
// soon as an operator can sign in.
func (d *Directory) FirstInvitation(ctx context.Context, lifetime time.Duration) (secret string, err error) {
	has, err := d.HasOperator(ctx)
	if has || err != nil {
		return "", err
	}
	return d.invite(ctx, Invitation{Expires: d.now().Add(lifetime)})
}

// Invite returns the secret of a link for an administrator, new or locked out.
func (d *Directory) Invite(ctx context.Context, by Acting, id ID, lifetime time.Duration) (secret string, err error) {
	a, _, err := d.Administrator(ctx, id)
	if err != nil {
		return "", err
	}
	if err := by.mayRename(id, a.Grants); err != nil {
		return "", err
	}
	if secret, err = d.invite(ctx, Invitation{Administrator: id, Expires: d.now().Add(lifetime)}); err != nil {
		return "", err
	}
	return secret, d.Audit(ctx, by, AdminInvited, AttributeChange{Attribute: "administrator", After: Text(a.Email)})
}

func (d *Directory) invite(ctx context.Context, i Invitation) (secret string, err error) {
	var raw [32]byte
	rand.Read(raw[:])
	secret = base64.RawURLEncoding.EncodeToString(raw[:])
	record, err := json.Marshal(i)
	if err != nil {
		return "", err
	}
	return secret, d.Keep(ctx, invitationKind, d.invitationKey(secret), record, i.Expires)
}

func (d *Directory) invitationKey(secret string) string {
	return string(d.hashSecret(tableAdminEmail, secret))
}

// Invitation looks at a link without using it up. ErrSpent.
func (d *Directory) Invitation(ctx context.Context, secret string) (i Invitation, a Administrator, err error) {
	err = d.view(ctx, "", func(r reading) error {
		var record *adminRecord
		if i, record, err = r.invitation(secret); record != nil {
			a = record.Administrator
		}
		return err
	})
	return i, a, err
}

// invitation finds a link that still counts, and whose it is.
func (r reading) invitation(secret string) (i Invitation, a *adminRecord, err error) {
	if len(secret) != adminSecretLength {
		return i, nil, ErrSpent
	}
	record, err := r.kept(invitationKind, r.d.invitationKey(secret))
	if err != nil {
		return i, nil, err
	}
	if record == nil {
		return i, nil, ErrSpent
	}
	if err := json.Unmarshal(record, &i); err != nil {
		return i, nil, fmt.Errorf("%w: invitation: %v", errRecord, err)
	}
	if i.IsFirst() {
		if has, err := r.otherOperator(NoID); has || err != nil {
			return i, nil, orSpent(err)
		}
		return i, nil, nil
	}
	a, err = r.adminByID(i.Administrator)
	if err == ErrNotFound {
		err = ErrSpent
	}
	return i, a, err
}

func orSpent(err error) error {
	if err == nil {
		return ErrSpent
	}
	return err
}

// Accept uses a link up and returns whose it is. With a link for the first
// operator, name and e-mail say who that is; one who was made that way before
// and never got to sign in is the same one.
func (d *Directory) Accept(ctx context.Context, request, secret string, first Administrator) (a Administrator, err error) {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return a, err
	}
	err = d.update(ctx, "", func(w writing) error {
		i, known, err := w.invitation(secret)
		if err != nil {
			return err
		}
		if err := w.tx.Delete(plainKey(tableOnce, invitationKind, d.invitationKey(secret))); err != nil {
			return err
		}
		if i.IsFirst() {
			if known, err = w.firstOperator(request, Administrator{ID: id, Name: first.Name, Email: first.Email, Created: now}); err != nil {
				return err
			}
		}
		a = known.Administrator
		return nil
	})
	return a, err
}

// firstOperator makes the first operator.
func (w writing) firstOperator(request string, a Administrator) (*adminRecord, error) {
	by := Itself("first sign-in")
	by.Request = request
	before, err := w.adminByEmail(a.Email)
	if err != nil && err != ErrNotFound {
		return nil, err
	}
	after := &adminRecord{Administrator: a}
	if before != nil {
		after = &adminRecord{before.Administrator, before.Credentials.clone()}
		after.Name = a.Name
	}
	after.Grants = append(Grants{{Role: Operator}}, after.Grants...)
	return after, w.putAdmin(by, before, after)
}
