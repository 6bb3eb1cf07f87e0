package directory

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// UserInvitation lets one person come in through a connection: the user with the
// address, whom the first sign-in by it is linked to, whatever the connection's
// link policy says. It holds no secret. Whoever reads the letter gains nothing,
// for the identity provider has to vouch for the address.
type UserInvitation struct {
	Org        string    `json:"org"`
	Connection string    `json:"connection"`
	Address    string    `json:"address"`
	User       ID        `json:"user"` // set by InviteUser
	Actor      string    `json:"actor,omitempty"`
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"` // zero: 14 days from now

	// Attributes of the user who is made when nobody has the address: a name, what
	// the organisation requires. userName and e-mail are the address.
	Attributes Attributes `json:"-"`
	Request    string     `json:"-"`
}

// Bounds of an invitation's life.
const (
	defaultInvitation = 14 * 24 * time.Hour
	maxInvitation     = 90 * 24 * time.Hour
)

const userInvitationKind = "invitation"

// InviteUser invites a person: finds the user of the address or makes one, permits
// one link, and queues the letter, in one transaction. Inviting again renews it.
func (d *Directory) InviteUser(ctx context.Context, i UserInvitation) (Result, error) {
	if !strings.Contains(i.Address, "@") {
		return Result{}, invalid(Emails, "%q is no e-mail address", i.Address)
	}
	now := canonicalTime(d.now())
	if i.Expires.IsZero() {
		i.Expires = now.Add(defaultInvitation)
	}
	if !i.Expires.After(now) || i.Expires.After(now.Add(maxInvitation)) {
		return Result{}, invalid(Emails, "an invitation lasts for %d days at most, and ends in the future", maxInvitation/(24*time.Hour))
	}
	attributes := i.Attributes.Clone()
	if attributes.Text(UserName) == "" {
		attributes.Set(UserName, Text(i.Address))
	}
	attributes.Set(Emails, Value{NewElement(Field{Name: "value", Text: i.Address}, Field{Name: "primary", Text: "true"})})
	return d.Apply(ctx, Change{Org: i.Org, Channel: Local, Actor: i.Actor, Request: i.Request, Verb: VerbInvite, Attributes: attributes, Invitation: &i})
}

// UserInvitations are those of an organisation that are open, by connection and address.
func (d *Directory) UserInvitations(ctx context.Context, org string) (list []UserInvitation, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		prefix := plainKey(tableOnce, userInvitationKind).prefix(org + "\x00")
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			var i UserInvitation
			if err := json.Unmarshal(pair.Value[8:], &i); err != nil {
				return errRecord
			}
			if r.d.now().Before(i.Expires) {
				list = append(list, i)
			}
		}
		return nil
	})
	return list, err
}

// RevokeUserInvitation ends an invitation. The user who was made for it stays.
func (d *Directory) RevokeUserInvitation(ctx context.Context, org, connection, address string) error {
	return d.update(ctx, org, func(w writing) error {
		held, err := w.userInvitation(connection, address)
		if err != nil {
			return err
		}
		if held == nil {
			return ErrNotFound
		}
		return w.forgetUserInvitation(connection, address)
	})
}

// userInvitation returns an open invitation, nil when there is none.
func (r reading) userInvitation(connection, address string) (*UserInvitation, error) {
	record, err := r.kept(userInvitationKind, r.userInvitationName(connection, address))
	if record == nil || err != nil {
		return nil, err
	}
	i := new(UserInvitation)
	if err := json.Unmarshal(record, i); err != nil {
		return nil, errRecord
	}
	return i, nil
}

func (r reading) userInvitationName(connection, address string) string {
	return r.org + "\x00" + connection + "\x00" + NormalEmail(address)
}

func (w writing) forgetUserInvitation(connection, address string) error {
	return w.tx.Delete(plainKey(tableOnce, userInvitationKind, w.userInvitationName(connection, address)))
}

// putUserInvitation keeps the invitation of the change under way, and queues its letter.
func (a *application) putUserInvitation(u *User) error {
	i := *a.s.change.Invitation
	i.User, i.Actor, i.Created = u.ID, a.now.Actor, a.now.At
	record, err := json.Marshal(i)
	if err != nil {
		return err
	}
	if err := a.keepOnce(userInvitationKind, a.userInvitationName(i.Connection, i.Address), record, i.Expires); err != nil {
		return err
	}
	if err := a.emit(Event{Type: UserInvited, User: u.ID, Changes: []AttributeChange{{Attribute: "connection " + i.Connection, Layer: Local}}}, u.key); err != nil {
		return err
	}
	return a.putLetter(Letter{Kind: LetterInvitation, Org: a.org, Connection: i.Connection, User: u.ID, Asked: i.Address})
}

// decideInvite: the user of the address, or a new one. Who cannot come in that
// way is not invited.
func (s *situation) decideInvite() (decision, error) {
	i := s.change.Invitation
	c := s.policy.Connection(i.Connection)
	switch {
	case c == nil:
		return decision{}, ErrNotFound
	case c.state() == Retired || c.SAML == nil && c.OIDC == nil:
		return decision{}, refuse(ChannelOff, "nobody signs in through connection %s", c.ID)
	}
	if owner := s.policy.domains[emailDomain(i.Address)]; owner != "" && owner != c.ID {
		return decision{}, refuse(DomainNotAllowed, "the domain of %q belongs to connection %s", i.Address, owner).on(Emails)
	}
	users := s.voters()
	switch {
	case len(users) > 1:
		return decision{}, refuse(Ambiguous, "%d users have the address %q", len(users), i.Address).on(Emails)
	case len(users) == 0:
		s.change.Verb = VerbCreate
		return decision{action: actCreate, release: s.graves}, nil
	}
	u := users[0]
	switch {
	case u.Locked():
		return decision{}, refuse(Suspended, "the user is locked by %s", u.lockedBy().Source)
	case s.policy.Org.protects(u):
		return decision{}, refuse(Protected, "no connection reaches a protected user")
	case u.Linked(c.ID, SSO):
		return decision{}, refuse(Uniqueness, "user %s signs in through connection %s already", u.ID, c.ID).on(Emails)
	}
	s.change.Verb, s.change.Attributes = VerbMerge, nil
	return decision{action: actUpdate, user: u}, nil
}

// voters are the users whom the keys name, each once.
func (s *situation) voters() (users []*User) {
	for _, v := range s.votes {
		if !slices.Contains(users, v.user) {
			users = append(users, v.user)
		}
	}
	return users
}
