package directory

import (
	"slices"
	"strings"
)

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
	if x.Name == Emails || x.Name == ExternalID || slices.Contains(s.policy.unique, x.Name) {
		for _, e := range x.Value {
			if len(e.Field("value")) > maxName {
				return nil, invalid(x.Name, "is longer than %d bytes", maxName)
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
