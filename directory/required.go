package directory

import (
	"fmt"
	"strings"
)

// missing returns a refusal for the first attribute that must have a value and
// has none.
func (s *situation) missing(d decision, u *User) error {
	if s.muted() && d.action != actCreate || s.change.Verb == VerbDelete || d.action != actCreate && !u.IsActive() {
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
	if !u.has(UserName) && hadBefore(d.user, UserName) {
		return s.missed(UserName)
	}
	for _, name := range s.policy.named {
		p := s.policy.Org.Attributes[name]
		takes := p.Required == RequiredAlways && (d.action == actCreate || hadBefore(d.user, name))
		if (takes || p.Required == RequiredCreate && d.action == actCreate) && !u.has(name) {
			return s.missed(name)
		}
	}
	return s.missingHere(u)
}

// hadBefore: what a user never had, no change can take away.
func hadBefore(u *User, name string) bool { return u != nil && u.has(name) }

// lacking are the attributes that creation by this sign-in would require and
// that this later one does not carry. What earlier ones said stays.
func (s *situation) lacking() (list []Warning) {
	if s.change.Channel != SSO || s.muted() {
		return nil
	}
	for _, m := range s.conn.Map {
		required := s.policy.Org.Attributes[m.To].Required
		if required == "" && (m.To == GivenName || m.To == FamilyName || m.To == UserName) {
			required = RequiredCreate
		}
		if v, _ := s.change.Attributes.Get(m.To); required == RequiredCreate && m.Const == "" && len(v) == 0 {
			r := s.missed(m.To).(*Refusal)
			list = append(list, Warning{r.Code, r.Attribute, r.Detail})
		}
	}
	return list
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
