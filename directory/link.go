package directory

import "time"

// Link ties (connection, issuer, channel, subject) to exactly one user. It is
// made once, by proof or policy; a locked user's link never moves.
type Link struct {
	Connection string
	Channel    Channel
	// Issuer is the SAML entity ID or OIDC issuer; "" for SCIM, and for an SSO
	// link made ahead of the first sign-in, which then binds it.
	Issuer string
	// Subject is the identity as sent, byte for byte; "" when SCIM sent none,
	// in which case the resource id alone identifies the user.
	Subject string
	State   LinkState
	// Ahead: made by the other channel's write; nobody came through it yet.
	Ahead bool
	At    time.Time
}

// LinkState says what a link is good for.
type LinkState uint8

// The link states.
const (
	LinkLive    LinkState = iota
	LinkLocked            // the connection, not being home, locked its own link
	LinkDeleted           // the connection, not being home, deleted its own link
	LinkMoved             // an earlier value of a mutable subject: reserved, never signs in
)

// link returns the user's link of a connection and channel that is not a moved
// one, nil when there is none.
func (u *User) link(connection string, ch Channel) *Link {
	for i := range u.Links {
		l := &u.Links[i]
		if l.Connection == connection && l.Channel == ch && l.State != LinkMoved {
			return l
		}
	}
	return nil
}

// Linked says whether the user came, or was pushed, through that channel of
// that connection and still is there.
func (u *User) Linked(connection string, ch Channel) bool {
	l := u.link(connection, ch)
	return l != nil && !l.Ahead && l.State != LinkDeleted
}
