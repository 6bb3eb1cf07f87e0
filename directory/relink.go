package directory

import (
	"context"
	"slices"
)

// SetLink ties a subject to a user by the word of an administrator: the
// explicit mapping, without a case. The user gets a home if it has none. Who
// already came through that door under another subject keeps it; with Repoint
// the link moves, and the old subject is reserved. A *Refusal with LinkRequired
// or Uniqueness says what stands in the way.
func (d *Directory) SetLink(ctx context.Context, by EventSource, org string, user ID, set LinkSetting) error {
	return d.administer(ctx, by, org, func(a *application) error {
		u, err := a.liveUser(user)
		if err != nil {
			return err
		}
		if a.s.policy.Connection(set.Connection) == nil {
			return ErrNotFound
		}
		l := Link{Connection: set.Connection, Channel: set.Channel, Subject: set.Subject}
		if set.Repoint {
			return a.repoint(u, l)
		}
		return a.linkTo(u, l)
	})
}

// LinkSetting is a link that an administrator wants.
type LinkSetting struct {
	Connection string
	Channel    Channel // SCIM or SSO
	Subject    string
	Repoint    bool
}

// linkTo makes a link that waits for its first use. Adoption then is no
// question any more. A first home ends the sessions that were never proved.
func (a *application) linkTo(u *User, l Link) error {
	if l.Channel != SCIM && l.Channel != SSO || l.Subject == "" && l.Channel == SSO {
		return refuse(InvalidIdentifier, "a link needs a channel (scim or sso) and a subject")
	}
	after := u.clone()
	if old := after.link(l.Connection, l.Channel); old != nil && !old.Ahead {
		return refuse(LinkRequired, "connection %s knows the user as %q; move that link instead", l.Connection, old.Subject)
	}
	after.setAhead(l, a.now)
	if c := a.s.policy.Connection(l.Connection); c.Subject.Same {
		other := l
		if other.Channel = otherDoor(l.Channel); after.link(l.Connection, other.Channel) == nil {
			after.setAhead(other, a.now)
		}
	}
	if u.Home == "" {
		after.Home = l.Connection
		if err := a.endSessions(u.ID, nil); err != nil {
			return err
		}
	}
	return a.rewrite(u, after, UserUpdated)
}

// setAhead makes the user's link of a door one that waits for its first use.
func (u *User) setAhead(l Link, now Stamp) {
	u.forgetMoved(l.Connection, l.Channel, l.Subject)
	u.Links = slices.DeleteFunc(u.Links, func(x Link) bool {
		return x.Connection == l.Connection && x.Channel == l.Channel && x.State != LinkMoved
	})
	if l.Channel == SCIM {
		l.Issuer = ""
	}
	l.Ahead, l.At = true, now.At
	u.Links = append(u.Links, l)
}

// repoint moves a user's link to another subject.
func (a *application) repoint(u *User, to Link) error {
	if u.Locked() {
		return refuse(LinkRequired, "the user is locked, and a locked user's link never moves")
	}
	after := u.clone()
	after.repoint(to, a.now)
	if after.Home == "" {
		after.Home = to.Connection
		if err := a.endSessions(u.ID, nil); err != nil {
			return err
		}
	}
	return a.rewrite(u, after, UserUpdated)
}

// repoint moves a link to another subject. The old one stays reserved, so that
// it signs nobody in and makes nobody new. A push must come once more under the
// new subject before the connection is linked again.
func (u *User) repoint(to Link, now Stamp) {
	u.forgetMoved(to.Connection, to.Channel, to.Subject)
	old := u.link(to.Connection, to.Channel)
	switch {
	case old == nil:
	case old.Subject == to.Subject:
		return
	case old.Ahead:
		gone := *old
		u.Links = slices.DeleteFunc(u.Links, func(x Link) bool { return x == gone })
	default:
		old.State = LinkMoved
	}
	to.State, to.At, to.Ahead = LinkLive, now.At, to.Channel == SCIM
	u.Links = append(u.Links, to)
}
