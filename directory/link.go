package directory

import (
	"slices"
	"time"
)

// Link ties (connection, issuer, channel, subject) to exactly one user. It is
// made once, by proof or policy; a locked user's link never moves.
type Link struct {
	Connection string  `json:"connection"`
	Channel    Channel `json:"channel"`
	// Issuer is the SAML entity ID or OIDC issuer; "" for SCIM, and for an SSO
	// link made ahead of the first sign-in, which then binds it.
	Issuer string `json:"issuer,omitempty"`
	// Subject is the identity as sent, byte for byte; "" when SCIM sent none,
	// in which case the resource id alone identifies the user.
	Subject string    `json:"subject,omitempty"`
	State   LinkState `json:"state,omitempty"`
	// Ahead: made by the other channel's write; nobody came through it yet.
	Ahead bool      `json:"ahead,omitempty"`
	At    time.Time `json:"at,omitzero"`
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

// relink writes the links that a change makes: its own channel's and, where
// both channels carry one value, the other's ahead of its first use.
func (s *situation) relink(o *outcome, a Attributes) error {
	switch {
	case s.conn == nil:
		return nil
	case s.change.Channel == SSO:
		if s.conn.state() != Paused {
			s.linkSignIn(o.user)
		}
		return nil
	}
	return s.linkPush(o, a)
}

func (s *situation) newLink(ch Channel, issuer, subject string, ahead bool) Link {
	return Link{Connection: s.conn.ID, Channel: ch, Issuer: issuer, Subject: subject, Ahead: ahead, At: canonicalTime(s.now)}
}

// linkSignIn binds the sign-in's subject, also one that SCIM linked ahead.
func (s *situation) linkSignIn(u *User) {
	switch l := u.link(s.conn.ID, SSO); {
	case s.moves:
		s.moveSignIn(u, s.subject)
		l = u.link(s.conn.ID, SSO)
		l.Issuer, l.Ahead = s.change.Issuer, false
	case l == nil:
		u.Links = append(u.Links, s.newLink(SSO, s.change.Issuer, s.subject, false))
	case l.Ahead:
		l.Issuer, l.Subject, l.Ahead = s.change.Issuer, s.subject, false
	}
	if s.conn.Subject.Same && u.link(s.conn.ID, SCIM) == nil {
		u.Links = append(u.Links, s.newLink(SCIM, "", s.subject, true))
	}
}

// linkPush makes or moves the SCIM link. A locked user's link never moves, nor
// does one that this very change locks: a leaver's tombstone name is no subject.
func (s *situation) linkPush(o *outcome, a Attributes) error {
	u, subject := o.user, a.Text(s.conn.scimSubject())
	l := u.link(s.conn.ID, SCIM)
	if l == nil {
		u.Links = append(u.Links, s.newLink(SCIM, "", subject, false))
		l = &u.Links[len(u.Links)-1]
	}
	before := l.Subject
	if before != subject && before != "" && !l.Ahead {
		switch word := a.Text(Active); {
		case u.Locked() && (word != "true" || !s.conn.subjectIsName()):
			return s.linkRequired(u, "the user is locked, and a locked user's link never moves")
		case word == "false" && s.conn.subjectIsName():
			return nil
		}
	}
	u.forgetMoved(s.conn.ID, SCIM, subject)
	l = u.link(s.conn.ID, SCIM)
	l.Subject, l.Ahead = subject, false
	if l.State == LinkDeleted {
		l.State = LinkLive
	}
	if s.conn.Subject.Same {
		s.followPush(o, before, subject)
	} else if s.conn.Subject.Mutable {
		s.followName(u, a)
	}
	return nil
}

// forgetMoved lets an earlier name be the name again.
func (u *User) forgetMoved(connection string, ch Channel, subject string) {
	u.Links = slices.DeleteFunc(u.Links, func(l Link) bool {
		return l.State == LinkMoved && l.Connection == connection && l.Channel == ch && l.Subject == subject
	})
}

// followName moves a sign-in's subject that is the user's name or address when
// SCIM renames the user.
func (s *situation) followName(u *User, a Attributes) {
	sso := u.link(s.conn.ID, SSO)
	old := u.Layer(Source{s.conn.ID, SCIM})
	if sso == nil || sso.Ahead || old == nil {
		return
	}
	for _, name := range []string{UserName, Emails} {
		was, _ := old.Get(name)
		is, _ := a.Get(name)
		if len(was) == 0 || len(is) == 0 || was.Primary().Field("value") != sso.Subject {
			continue
		}
		if now := is.Primary().Field("value"); now != sso.Subject {
			s.moveSignIn(u, now)
		}
		return
	}
}

// moveSignIn gives the sign-in a new subject; the old one stays, reserved.
func (s *situation) moveSignIn(u *User, subject string) {
	u.forgetMoved(s.conn.ID, SSO, subject)
	l := u.link(s.conn.ID, SSO)
	issuer := l.Issuer
	l.State = LinkMoved
	u.Links = append(u.Links, s.newLink(SSO, issuer, subject, true))
}

// followPush keeps the sign-in's link in step with what SCIM says: freely while
// nobody signed in through it, and by moving a name that may change.
func (s *situation) followPush(o *outcome, before, subject string) {
	u := o.user
	l := u.link(s.conn.ID, SSO)
	switch {
	case l == nil && subject != "":
		u.forgetMoved(s.conn.ID, SSO, subject)
		u.Links = append(u.Links, s.newLink(SSO, "", subject, true))
	case l == nil || l.Subject == subject:
		if l != nil && l.State == LinkDeleted {
			l.State = LinkLive
		}
	case l.Ahead && subject == "":
		gone := *l
		u.Links = slices.DeleteFunc(u.Links, func(x Link) bool { return x == gone })
	case l.Ahead:
		u.forgetMoved(s.conn.ID, SSO, subject)
		u.link(s.conn.ID, SSO).Subject = subject
	case before != l.Subject:
		// The person signs in under a subject that SCIM never carried.
	case s.conn.Subject.Mutable && subject != "":
		s.moveSignIn(u, subject)
	case subject != "":
		r := s.withCase(CaseSubject, refuse(LinkRequired,
			"subject changed: SCIM now says %q, the person signed in as %q; the sign-in link stays", subject, l.Subject), u)
		r.Evidence.Channel, r.Evidence.Issuer = SSO, l.Issuer
		r.Evidence.Subject, r.Evidence.Known = subject, l.Subject
		o.cases = append(o.cases, r)
	}
}
