package directory

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/secure/precis"
)

// gate says whether the channel may come in now, whoever it is about.
func (s *situation) gate() error {
	if s.conn == nil {
		return nil
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
		if err := checkName(name); err != nil {
			return err
		}
		c.Attributes = c.Attributes.Clone()
		c.Attributes.Set(UserName, Text(name))
	}
	s.subject = c.Subject
	if s.conn != nil && c.Channel == SCIM && c.Subject == "" && s.conn.scimSubject() != "" {
		s.subject = c.Attributes.Text(s.conn.scimSubject())
	}
	s.address = addressOf(c.Attributes)
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
	if isPlain(name) && name != "" && len(name) <= maxName {
		return nil
	}
	if len(name) > maxName {
		return refuse(InvalidIdentifier, "is longer than %d bytes", maxName).on(UserName)
	}
	for part := range strings.SplitSeq(name, " ") {
		if _, err := precis.UsernameCaseMapped.String(part); err != nil {
			return refuse(InvalidIdentifier, "%q is no user name: %v (RFC 8265 §3.3)", name, err).on(UserName)
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
	if name != own.Text(UserName) {
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
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

// validate holds every attribute against its definition, its closed list and
// the domains. What a sign-in may leave out is left out with a warning.
func (s *situation) validate(a Attributes, o *outcome) (Attributes, error) {
	if s.muted() {
		return a, nil
	}
	kept := make(Attributes, 0, len(a))
	old := o.user.Layer(s.source())
	for _, x := range a {
		before, _ := old.Get(x.Name)
		v, err := x.Value, error(nil)
		if !v.Equal(before) {
			v, err = s.checked(x, o)
		}
		if err == nil {
			kept = append(kept, Attribute{x.Name, v})
			continue
		}
		if s.change.Channel != SSO || s.rejects(x.Name) {
			return nil, err
		}
		o.warn(err)
	}
	return kept, nil
}

// checked returns the value as it may be written.
func (s *situation) checked(x Attribute, o *outcome) (Value, error) {
	def, ok := s.policy.schema[x.Name]
	if !ok {
		return nil, invalid(x.Name, "is no attribute of organisation %s", s.policy.Org.ID)
	}
	if err := def.Check(x.Value); err != nil {
		return nil, err
	}
	if list := s.policy.Org.Attributes[x.Name].Values; len(list) > 0 {
		for _, e := range x.Value {
			if got := e.Field("value"); !slices.Contains(list, got) {
				return nil, invalid(x.Name, "%q is not one of the allowed values (%s)", got, strings.Join(list, ", "))
			}
		}
	}
	if x.Name == Emails || x.Name == UserName {
		for _, e := range x.Value {
			if err := s.foreignDomain(e.Field("value")); err != nil {
				return nil, err
			}
		}
	}
	return s.grantable(x, o)
}

// grantable refuses a push of protected role values and takes them out of an
// assertion.
func (s *situation) grantable(x Attribute, o *outcome) (Value, error) {
	if s.conn == nil || x.Name != Roles || len(s.policy.Org.Protected.Roles) == 0 {
		return x.Value, nil
	}
	free := standing{policy: s.policy}.admissible(Roles, s.change.Channel, x.Value)
	if len(free) == len(x.Value) {
		return x.Value, nil
	}
	r := refuse(Protected, "a protected role is granted by a pin, by the local layer or by a rule that names it").on(Roles)
	if s.change.Channel == SCIM {
		return nil, r
	}
	o.warn(r)
	return free, nil
}

func (o *outcome) warn(err error) {
	w := Warning{Detail: err.Error()}
	if r, ok := err.(*Refusal); ok {
		w = Warning{r.Code, r.Attribute, r.Detail}
	}
	o.warnings = append(o.warnings, w)
}

// rejects says whether a bad value of the attribute refuses the sign-in.
func (s *situation) rejects(name string) bool {
	if s.conn.mapping(name).Invalid == Reject {
		return true
	}
	return name == UserName || s.policy.Org.Attributes[name].Required == RequiredAlways
}

// setLock applies "active" to this source's lock. From home it locks the user,
// from elsewhere only that connection's own link.
func (s *situation) setLock(o *outcome, a Attributes) error {
	word := a.Text(Active)
	if word == "" || s.muted() {
		return nil
	}
	l := o.user.layer(s.source())
	locks := word == "false"
	if locks == !l.Locked.At.IsZero() {
		if !locks && s.conn == nil {
			s.liftAll(o.user)
		}
		return nil
	}
	if locks {
		if s.conn != nil && o.user.Home == s.conn.ID && s.policy.Org.protects(o.user) {
			return refuse(Protected, "no connection may lock a protected user").on(Active)
		}
		l.Locked = s.stamp()
		o.locked = true
	} else {
		l.Locked, l.Lifted = Stamp{}, Stamp{}
		o.user.Yielded = false
	}
	s.closeLink(o.user, locks)
	if s.conn == nil && !locks {
		s.liftAll(o.user)
	}
	return nil
}

// liftAll sets every lock aside: an administrator says that the user is active.
func (s *situation) liftAll(u *User) {
	for i := range u.Layers {
		if l := &u.Layers[i]; !l.Locked.At.IsZero() && l.Lifted.At.IsZero() {
			l.Lifted = s.stamp()
			u.Yielded = false
		}
	}
}

// closeLink marks the links of a connection that is not home.
func (s *situation) closeLink(u *User, lock bool) {
	if s.conn == nil || u.Home == s.conn.ID {
		return
	}
	for i := range u.Links {
		l := &u.Links[i]
		switch {
		case l.Connection != s.conn.ID:
		case lock && l.State == LinkLive:
			l.State = LinkLocked
		case !lock && l.State == LinkLocked:
			l.State = LinkLive
		}
	}
}

// remove is a delete: from home or an administrator it buries the user, from
// elsewhere it drops that connection's own word and link.
func (s *situation) remove(o *outcome) error {
	u := o.user
	o.locked = true
	if s.conn == nil || u.Home == s.conn.ID {
		if s.conn != nil && s.policy.Org.protects(u) {
			return refuse(Protected, "no connection may delete a protected user")
		}
		u.Deleted = &Tombstone{At: canonicalTime(s.now), Source: s.source()}
		return nil
	}
	u.dropLayer(Source{s.conn.ID, SCIM})
	u.dropLayer(Source{s.conn.ID, SSO})
	for i := range u.Links {
		if u.Links[i].Connection == s.conn.ID && u.Links[i].State != LinkMoved {
			u.Links[i].State = LinkDeleted
		}
	}
	return nil
}

// writeLayer puts the attributes into the own layer: SCIM replaces it, a
// sign-in and an administrator merge.
func (s *situation) writeLayer(d decision, o *outcome, a Attributes) error {
	l := o.user.layer(s.source())
	switch {
	case s.change.Channel == SSO:
		if s.stale(l, o) {
			return nil
		}
		s.mergeAssertion(d, o, a)
		l.AssertedAt = canonicalUntil(s.change.AssertedAt)
		return nil
	case s.change.Verb == VerbMerge || s.change.Channel == Pin:
		if err := s.owned(o.user, a); err != nil {
			return err
		}
		l.say(a, Keep, s.entry)
	default:
		if s.change.Channel == SCIM && a.Text(UserName) == "" && s.change.Verb != VerbEdit {
			return refuse(AttributeMissing, "is required").on(UserName)
		}
		l.say(a, Clear, s.entry)
	}
	if d.action == actCreate {
		s.seed(o.user, nil)
	}
	return nil
}

// stale: an assertion older than the newest one applied authenticates, but
// writes nothing.
func (s *situation) stale(l *Layer, o *outcome) bool {
	at := canonicalTime(s.change.AssertedAt)
	if s.change.AssertedAt.IsZero() {
		return false
	}
	if at.Before(l.AssertedAt) {
		o.warn(refuse(StaleAssertion, "made at %s, before the one already applied (%s)", instant(at), instant(l.AssertedAt)))
		return true
	}
	return false
}

// entry is one attribute as this change says it.
func (s *situation) entry(x Attribute) Entry {
	return Entry{Name: x.Name, Value: x.Value, Stamp: s.stamp(), Reason: s.change.Reason, Until: canonicalUntil(s.change.Until)}
}

// owned refuses an administrator's plain edit of what another source supplies.
func (s *situation) owned(u *User, a Attributes) error {
	if s.change.Channel != Local {
		return nil
	}
	st := standing{policy: s.policy, user: u}
	for _, x := range a {
		if x.Name == Active || s.policy.unites(x.Name) {
			continue
		}
		for _, ch := range s.policy.order(x.Name) {
			if ch == Local {
				break
			}
			if ch != ByRule && len(st.said(ch, x.Name, nil)) > 0 {
				return refuse(Owned, "is supplied by %s; override it with a pin", ownerName(ch, u)).on(x.Name)
			}
		}
	}
	return nil
}

func ownerName(ch Channel, u *User) string {
	if ch == Pin {
		return "a pin"
	}
	return Source{u.Home, ch}.String()
}

// mergeAssertion writes an assertion as the connection's mappings say: VALUE
// sets, EMPTY clears, ABSENT keeps or clears.
func (s *situation) mergeAssertion(d decision, o *outcome, a Attributes) {
	l := o.user.layer(s.source())
	var always, once Attributes
	for _, x := range a {
		m := s.conn.mapping(x.Name)
		if m.When == MapCreate {
			once = append(once, x)
			continue
		}
		if m.Multi == Add {
			before, _ := l.Get(x.Name)
			x.Value = join(slices.Clone(x.Value), before, s.policy.Attribute(x.Name).Key)
		}
		always = append(always, x)
	}
	for _, m := range s.conn.Map {
		if _, ok := a.Get(m.To); !ok && m.Absent == Clear {
			always.Set(m.To, nil)
		}
	}
	l.say(always, Keep, s.entry)
	if d.action == actCreate {
		s.seed(o.user, once)
	}
}

// seed gives the local layer of a new user what the assertion maps for
// creation only, and the organisation's defaults where creation gave no value.
// Defaults are never looked at again.
func (s *situation) seed(u *User, once Attributes) {
	source := Source{Channel: Local}
	give := func(name string, v Value) {
		if len(v) > 0 {
			u.layer(source).set(s.entry(Attribute{name, v}))
		}
	}
	for _, x := range once {
		give(x.Name, x.Value)
	}
	for _, def := range s.policy.Org.Defaults {
		if def.Door != "" && def.Door != s.change.Channel || u.says(def.Attribute) {
			continue
		}
		give(def.Attribute, def.Value)
	}
}

// says reports whether any layer speaks of the attribute.
func (u *User) says(name string) bool {
	return slices.ContainsFunc(u.Layers, func(l Layer) bool { _, ok := l.Get(name); return ok })
}

// missing returns a refusal for the first attribute that must have a value and
// has none.
func (s *situation) missing(d decision, u *User) error {
	if s.muted() && d.action != actCreate || s.change.Verb == VerbDelete {
		return nil
	}
	names := []string{UserName}
	if s.change.Channel == SSO {
		names = append(names, GivenName, FamilyName)
	}
	if d.action == actCreate {
		for _, name := range names {
			if p := s.policy.Org.Attributes[name]; p.Required != RequiredNo && !u.has(name) {
				return s.missed(name)
			}
		}
	}
	for _, name := range s.policy.named {
		p := s.policy.Org.Attributes[name]
		if (p.Required == RequiredAlways || p.Required == RequiredCreate && d.action == actCreate) && !u.has(name) {
			return s.missed(name)
		}
	}
	return s.missingHere(u)
}

// missingHere: required "always" also means that each sign-in carries it, where
// the connection maps it at all.
func (s *situation) missingHere(*User) error {
	if s.change.Channel != SSO || s.muted() {
		return nil
	}
	for _, m := range s.conn.Map {
		v, _ := s.change.Attributes.Get(m.To)
		if s.policy.Org.Attributes[m.To].Required == RequiredAlways && m.Const == "" && len(v) == 0 {
			return s.missed(m.To)
		}
	}
	return nil
}

// has says whether the attribute has an effective value.
func (u *User) has(name string) bool {
	v, _ := u.Effective.Get(name)
	return len(v) > 0
}

func (s *situation) missed(name string) error {
	r := refuse(AttributeMissing, "is required").on(name)
	if s.change.Channel == SSO {
		if m := s.conn.mapping(name); len(m.From) > 0 {
			r.Detail = fmt.Sprintf("is required and was under none of its source names (%s)", strings.Join(m.From, ", "))
		}
	}
	return r
}
