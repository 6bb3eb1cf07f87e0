package directory

import (
	"slices"
	"strings"
)

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
		if at := canonicalUntil(s.change.AssertedAt); at.Before(s.now) {
			l.AssertedAt = at
		} else {
			l.AssertedAt = canonicalTime(s.now)
		}
		return o.user.layer(s.source()).bounded()
	case s.change.Verb == VerbMerge || s.change.Channel == Pin:
		if err := s.owned(o.user, a); err != nil {
			return err
		}
		if err := s.reasoned(a); err != nil {
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
	return l.bounded()
}

// maxLayer bounds the text that one source keeps about one user.
const maxLayer = 1 << 20

// bounded refuses a layer that has grown beyond maxLayer.
func (l *Layer) bounded() error {
	size := 0
	for i := range l.Entries {
		for _, e := range l.Entries[i].Value {
			for _, f := range e {
				size += len(f.Name) + len(f.Text)
			}
		}
		if size > maxLayer {
			return invalid(l.Entries[i].Name, "with it %s would say more than %d bytes about the user", l.Source, maxLayer)
		}
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

// maxReason bounds why somebody pinned a value.
const maxReason = 1000

// reasoned: a pin says why, and does not lapse before it begins.
func (s *situation) reasoned(a Attributes) error {
	pins := slices.ContainsFunc(a, func(x Attribute) bool { return x.Name != Active && len(x.Value) > 0 })
	switch reason := strings.TrimSpace(s.change.Reason); {
	case s.change.Channel != Pin || !pins:
		return nil
	case reason == "" || len(reason) > maxReason:
		return invalid("reason", "a pin says why, in at most %d bytes", maxReason)
	case !s.change.Until.IsZero() && !s.change.Until.After(s.now):
		return invalid("until", "is over already")
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
			joined := join(slices.Clone(x.Value), before, s.policy.Attribute(x.Name).Key)
			if before.holds(joined) {
				joined = before // in the order in which they came
			}
			if len(joined) > maxElements {
				o.warn(invalid(x.Name, "would have %d values; at most %d are kept", len(joined), maxElements))
				continue
			}
			x.Value = joined
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
