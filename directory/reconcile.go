package directory

import (
	"strings"

	"golang.org/x/text/secure/precis"
)

// gate says whether the channel may come in now, whoever it is about.
func (s *situation) gate() error {
	if s.conn == nil {
		return s.administered()
	}
	switch {
	case s.conn.state() == Retired:
		return refuse(ChannelOff, "connection %s is retired", s.conn.ID)
	case s.change.Channel == SSO:
		return nil
	case s.conn.state() == Paused:
		return refuse(ConnectionPaused, "connection %s is paused", s.conn.ID)
	case !s.conn.mode(SCIM).writes():
		return refuse(ChannelOff, "connection %s does not write by SCIM (write.scim: off)", s.conn.ID)
	}
	return nil
}

// administered: an administrator sets single attributes and never replaces a
// layer, so that nothing is cleared that nobody looked at.
func (s *situation) administered() error {
	if s.change.Resource == UserResource && (s.change.Verb == VerbReplace || s.change.Verb == VerbEdit) {
		return refuse(InvalidValue, "an administrator merges attributes (verb %s)", VerbMerge)
	}
	return nil
}

// muted: the person may sign in, nothing the assertion says is written.
func (s *situation) muted() bool {
	return s.conn != nil && s.change.Channel == SSO && (s.conn.state() == Paused || !s.conn.mode(SSO).writes())
}

// normalise brings the change's own identifiers into order and finds the
// address it speaks of. The form as given is kept for display.
func (s *situation) normalise() error {
	c := s.change
	if v, ok := c.Attributes.Get(UserName); ok && len(v) > 0 {
		name := strings.TrimSpace(v.String())
		c.Attributes = c.Attributes.Clone()
		c.Attributes.Set(UserName, Text(name))
		switch err := checkName(name); {
		case err != nil && s.muted():
			c.Attributes.Delete(UserName)
		case err != nil:
			return err
		}
	}
	s.subject = c.Subject
	if s.conn != nil && c.Channel == SCIM && c.Subject == "" && s.conn.scimSubject() != "" {
		s.subject = c.Attributes.Text(s.conn.scimSubject())
	}
	s.address = addressOf(c.Attributes)
	if c.Channel == SSO && s.subject == "" {
		return refuse(InvalidIdentifier, "the sign-in names no subject")
	}
	return nil
}

// addressOf is the primary e-mail address, else a userName that is one, else "".
func addressOf(a Attributes) string {
	if v, _ := a.Get(Emails); len(v) > 0 {
		return v.Primary().Field("value")
	}
	if name := a.Text(UserName); strings.Contains(name, "@") {
		return name
	}
	return ""
}

// checkName holds a userName against PRECIS UsernameCaseMapped (RFC 8265
// §3.3), each part of it where single blanks separate parts (§3.4).
func checkName(name string) error {
	if isASCII(name) && !strings.Contains(name, " ") && name != "" && len(name) <= maxName {
		return nil
	}
	if len(name) > maxName {
		return refuse(InvalidIdentifier, "is longer than %d bytes", maxName).on(UserName)
	}
	for part := range strings.SplitSeq(name, " ") {
		if _, err := precis.UsernameCaseMapped.String(part); err != nil {
			return refuse(InvalidIdentifier, "%.100q has characters that a user name may not have (RFC 8265 §3.3)", name).on(UserName)
		}
	}
	return nil
}

const maxName = 1024

// outcome is a user after its change, not yet resolved.
type outcome struct {
	user     *User
	warnings []Warning
	// cases are conflicts that wait for an administrator although the change
	// went through.
	cases  []*Refusal
	locked bool // the change takes access away
}

// writeSource writes what the change says into the layer of its source, and
// the links and lock that go with it. It works on a copy of the user.
func (s *situation) writeSource(d decision, u *User) (outcome, error) {
	o := outcome{user: u}
	if s.change.Verb == VerbDelete {
		return o, s.remove(&o)
	}
	if d.action == actCreate || d.action == actAdopt || d.action == actRestore {
		s.settle(d, u)
	}
	attributes, err := s.wanted(u)
	if err != nil {
		return o, err
	}
	if attributes, err = s.validate(attributes, &o); err != nil {
		return o, err
	}
	if err := s.relink(&o, attributes); err != nil {
		return o, err
	}
	if err := s.setLock(&o, attributes); err != nil {
		return o, err
	}
	if s.muted() {
		return o, nil
	}
	return o, s.writeLayer(d, &o, attributes)
}

// settle gives a user home, and lifts the tombstone of one that comes back.
func (s *situation) settle(d decision, u *User) {
	if u.Home == "" && s.conn != nil {
		u.Home = s.conn.ID
	}
	if d.action == actRestore {
		u.Deleted = nil
		u.Yielded = false
		if l := u.Layer(s.source()); l != nil && s.change.Attributes.Text(Active) != "false" {
			l.Locked, l.Lifted = Stamp{}, Stamp{}
		}
	}
}

// source is whose layer the change writes.
func (s *situation) source() Source {
	if s.conn == nil {
		return Source{Channel: s.change.Channel}
	}
	return Source{s.conn.ID, s.change.Channel}
}

func (s *situation) stamp() Stamp {
	return Stamp{At: canonicalTime(s.now), Actor: s.change.Actor, Request: s.change.Request}
}

// wanted is what the own layer shall say. For an edit that is the edit of what
// it says now.
func (s *situation) wanted(u *User) (Attributes, error) {
	if s.change.Verb != VerbEdit || s.change.Edit == nil {
		return s.change.Attributes, nil
	}
	own := ownAttributes(u.Layer(s.source()))
	had := own.Text(UserName) != ""
	edited, err := s.change.Edit(own.Clone())
	if err != nil {
		return nil, err
	}
	name := edited.Text(UserName)
	if had && name == "" {
		return nil, refuse(AttributeMissing, "is required and cannot be removed").on(UserName)
	}
	if trimmed := strings.TrimSpace(name); trimmed != own.Text(UserName) {
		if err := checkName(trimmed); err != nil {
			return nil, err
		}
		edited.Set(UserName, Text(trimmed))
	}
	s.change.Attributes = edited
	return edited, nil
}

// ownAttributes are a layer as its source sees it, "active" included.
func ownAttributes(l *Layer) Attributes {
	a := l.attributes()
	active := "true"
	if l != nil && !l.Locked.At.IsZero() {
		active = "false"
	}
	a.Set(Active, Text(active))
	return a
}
