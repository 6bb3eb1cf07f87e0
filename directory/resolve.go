package directory

import (
	"slices"
	"strings"

	"muster/directory/filter"
)

// standing is what resolve looks at: one user, the groups it is in, and what
// is decided about the organisation.
type standing struct {
	policy *Policy
	user   *User
	groups []GroupRef // only those that count (groupsThatCount)
}

// resolution is what a standing resolves to.
type resolution struct {
	attributes Attributes
	ruled      []ruled // what the rules set, by attribute
	denied     int     // 1 + index of the deny rule that applies
	// seats are the rules with a maximum that serve the user, wants those that
	// match and would, had the user a seat.
	seats, wants []string
}

// ruled is one attribute a rule set.
type ruled struct {
	Attribute
	rule int // 1 + index
}

// resolve turns layers into the effective attributes. It is pure: the same
// standing gives the same resolution, whoever wrote what first.
func resolve(s standing) resolution {
	r := resolution{attributes: s.layered()}
	if len(s.policy.rules) > 0 {
		s.applyRules(&r)
		for _, x := range r.ruled { // only these can differ
			if v := s.value(x.Name, r.ruled); len(v) > 0 {
				r.attributes.Set(x.Name, v)
			}
		}
	}
	s.freeze(&r.attributes)
	return r
}

// layered resolves every attribute that some layer speaks of, rules apart.
func (s standing) layered() Attributes {
	names := s.names(nil)
	out := make(Attributes, 0, len(names)+2)
	for _, name := range names {
		if v := s.value(name, nil); len(v) > 0 {
			out = append(out, Attribute{name, v})
		}
	}
	return out
}

// names lists the attributes spoken of, sorted. externalId is a connection's
// own and has no effective value.
func (s standing) names(rules []ruled) []string {
	size := len(rules)
	for i := range s.user.Layers {
		size += len(s.user.Layers[i].Entries)
	}
	names := make([]string, 0, size)
	for i := range s.user.Layers {
		for j := range s.user.Layers[i].Entries {
			if n := s.user.Layers[i].Entries[j].Name; n != ExternalID {
				names = append(names, n)
			}
		}
	}
	for _, r := range rules {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// value resolves one attribute.
func (s standing) value(name string, rules []ruled) Value {
	if s.policy.unites(name) {
		return s.union(name, rules)
	}
	for _, ch := range s.policy.order(name) {
		if v := s.said(ch, name, rules); len(v) > 0 {
			return v
		}
	}
	return nil
}

// said is the value of a channel that counts under "first": of scim and sso
// only the home connection's, so that a second connection rewrites nobody.
func (s standing) said(ch Channel, name string, rules []ruled) Value {
	switch ch {
	case ByRule:
		return ruledValue(rules, name)
	case SCIM, SSO:
		if s.user.Home == "" {
			return nil
		}
		v, _ := s.user.Layer(Source{s.user.Home, ch}).Get(name)
		return s.admissible(name, ch, v)
	}
	v, _ := s.user.Layer(Source{Channel: ch}).Get(name)
	return v
}

func ruledValue(rules []ruled, name string) Value {
	for _, r := range rules {
		if r.Name == name {
			return r.Value
		}
	}
	return nil
}

// admissible drops the role values that no connection may grant.
func (s standing) admissible(name string, ch Channel, v Value) Value {
	roles := s.policy.Org.Protected.Roles
	if name != Roles || ch != SCIM && ch != SSO || len(roles) == 0 || len(v) == 0 {
		return v
	}
	same := func(s string) string { return filter.Fold(strings.TrimSpace(s)) }
	return slices.DeleteFunc(slices.Clone(v), func(e Element) bool {
		return slices.ContainsFunc(roles, func(role string) bool { return same(role) == same(e.Field("value")) })
	})
}

// union joins all layers in the order of the sources; with a key the highest
// layer's element of each key stays, without one equal elements are one.
func (s standing) union(name string, rules []ruled) Value {
	var out Value
	key := s.policy.Attribute(name).Key
	for _, ch := range s.policy.order(name) {
		if ch == ByRule {
			out = join(out, ruledValue(rules, name), key)
			continue
		}
		for i := range s.user.Layers {
			l := &s.user.Layers[i]
			if l.Source.Channel == ch && s.user.open(l.Source) {
				v, _ := l.Get(name)
				out = join(out, s.admissible(name, ch, v), key)
			}
		}
	}
	return out
}

// open says whether a connection's word still counts: not when it closed its own link.
func (u *User) open(src Source) bool {
	if src.Connection == "" || src.Connection == u.Home {
		return true
	}
	l := u.link(src.Connection, src.Channel)
	return l == nil || l.State == LinkLive
}

// join adds the elements of v that out does not have yet; only one is primary.
func join(out, v Value, key string) Value {
	for _, e := range v {
		if slices.ContainsFunc(out, func(x Element) bool { return sameElement(x, e, key) }) {
			continue
		}
		if e.Primary() && out.Primary() != nil && out.Primary().Primary() {
			e = e.With("primary", "")
		}
		out = append(out, e)
	}
	return out
}

func sameElement(a, b Element, key string) bool {
	if key != "" {
		return a.Field(key) == b.Field(key)
	}
	return a.Field("value") == b.Field("value") && a.Field("type") == b.Field("type")
}

// freeze keeps what must stay as it was: values held back because by policy
// they belong to somebody else, and the identifiers of a locked user, which an
// identity provider may rename to a tombstone name while it locks it.
func (s standing) freeze(a *Attributes) {
	prior := s.user.prior
	if prior == nil {
		prior = s.user.Effective
	}
	keep := func(name string) {
		if v, ok := prior.Get(name); ok {
			a.Set(name, v)
		} else {
			a.Delete(name)
		}
	}
	for _, name := range s.user.Held {
		keep(name)
	}
	if s.user.Deleted != nil || len(prior) == 0 || !s.user.Locked() {
		return
	}
	for _, name := range s.policy.frozenNames(s.user.Home) {
		if name != UserName || !s.user.Yielded {
			keep(name)
		}
	}
}

// frozenNames are userName, the e-mail addresses and the home connection's
// match keys.
func (p *Policy) frozenNames(home string) []string {
	names := []string{UserName, Emails}
	if c := p.connections[home]; c != nil {
		for _, k := range c.matchKeys() {
			if !slices.Contains(names, k) {
				names = append(names, k)
			}
		}
	}
	return names
}

// order is the precedence of an attribute's sources.
func (p *Policy) order(name string) []Channel {
	if o, ok := p.sources[name]; ok {
		return o
	}
	return defaultOrder
}

var defaultOrder = DefaultSources()

// unites says whether the layers of an attribute are joined.
func (p *Policy) unites(name string) bool {
	switch p.Org.Attributes[name].Resolve {
	case Union:
		return true
	case First:
		return false
	}
	return name == Roles || name == "entitlements" || p.Org.Attributes[name].Key != ""
}

// applyRules finds, for each attribute, the first rule that matches and sets
// it, and the first deny rule that no earlier match precedes. A rule with a
// maximum serves only who holds a seat of it.
func (s standing) applyRules(r *resolution) {
	look := &ruleView{base: r.attributes, groups: s.ruleGroups()}
	matched := false
	for i := range s.policy.rules {
		rule := &s.policy.rules[i]
		if rule.Deny && (matched || r.denied > 0) {
			continue
		}
		if rule.match != nil && !rule.match.Match(look) {
			continue
		}
		if rule.Deny {
			r.denied = i + 1
			continue
		}
		if rule.Max > 0 && !s.seated(rule, i, r) {
			continue
		}
		matched = true
		for _, a := range rule.Set {
			if ruledValue(r.ruled, a.Name) == nil {
				r.ruled = append(r.ruled, ruled{a, i + 1})
			}
		}
	}
}

// seated says whether the user holds a seat of a rule that matches. One that
// would set nothing new takes none.
func (s standing) seated(rule *compiledRule, i int, r *resolution) bool {
	if !slices.ContainsFunc(rule.Set, func(a Attribute) bool { return ruledValue(r.ruled, a.Name) == nil }) {
		return true
	}
	if slices.Contains(s.user.Seats, rule.Name) {
		r.seats = append(r.seats, rule.Name)
		return true
	}
	r.wants = append(r.wants, rule.Name)
	if rule.Full == FullDeny && r.denied == 0 {
		r.denied = i + 1
	}
	return false
}

// ruleView is what a rule's filter sees.
type ruleView struct {
	base   Attributes
	groups Value
}

// Elements implements filter.Resource.
func (v *ruleView) Elements(_, name string) filter.Elements {
	if name == Groups {
		return valueElements{v.groups}
	}
	value, ok := v.base.Get(name)
	if !ok {
		return nil
	}
	return valueElements{value}
}

// ruleGroups are the names by which rules know the user's groups.
func (s standing) ruleGroups() Value {
	v := make(Value, 0, len(s.groups))
	for _, g := range s.groups {
		for name := range g.names() {
			for _, known := range s.policy.ruleNames(name, g.Source.Connection, s.user.Home) {
				v = append(v, Element{{"display", NormalGroup(known)}})
			}
		}
	}
	return v
}

// ruleNames: a home or local group goes by its name, and every connection's
// group by connection-id:name. A name that looks like another connection's is
// never bare, so that no identity provider can mint what a rule trusts.
func (p *Policy) ruleNames(name, owner, home string) []string {
	if owner == "" {
		if p.looksQualified(name) {
			return nil
		}
		return []string{name}
	}
	qualified := owner + ":" + name
	if owner != home || p.looksQualified(name) {
		return []string{qualified}
	}
	return []string{name, qualified}
}

func (p *Policy) looksQualified(name string) bool {
	prefix, _, ok := strings.Cut(strings.TrimSpace(name), ":")
	return ok && p.connections[prefix] != nil
}

// groupsThatCount keeps the groups whose connection and channel count (its
// policy takes groups from that channel, and its link to the user is open) and
// which the user is in through such groups alone. all is what groupsOf made.
func groupsThatCount(p *Policy, u *User, all []groupPath) []GroupRef {
	counts := make([]bool, len(all))
	for changed := true; changed; {
		changed = false
		for i, g := range all {
			if !counts[i] && p.groupCounts(u, g.GroupRef) && slices.ContainsFunc(g.through, func(below int) bool { return below < 0 || counts[below] }) {
				counts[i], changed = true, true
			}
		}
	}
	list := make([]GroupRef, 0, len(all))
	for i, g := range all {
		if counts[i] {
			list = append(list, g.GroupRef)
		}
	}
	return list
}

func (p *Policy) groupCounts(u *User, g GroupRef) bool {
	if g.Source.Connection == "" {
		return true
	}
	c := p.connections[g.Source.Connection]
	return c != nil && c.groupsCount(g.Source.Channel) && u.open(g.Source)
}
