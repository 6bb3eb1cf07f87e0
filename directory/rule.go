package directory

import (
	"slices"
	"strings"

	"muster/directory/filter"
)

// Rule grants values, or refuses sign-in, to the people its filter matches.
// Rules are ordered: for each attribute the first match decides. A deny rule
// applies only where no earlier rule matched, and never to administrators.
type Rule struct {
	Name string `json:"name,omitempty"`
	// When is a SCIM filter (RFC 7644 §3.4.2.2) over groups and over attributes
	// as they resolve without rules. Empty matches everyone. `groups eq "X"`
	// means a group X of the user's home connection or a local one;
	// `groups eq "connection-id:X"` means that other connection's group.
	When string     `json:"when,omitempty"`
	Set  Attributes `json:"set,omitempty"`
	Deny bool       `json:"deny,omitempty"`
}

// compiledRule is a Rule whose filter has been read.
type compiledRule struct {
	Rule
	match *filter.Matcher // nil matches everyone
	// groups are the names that the filter compares groups with, folded; any
	// says that it looks at groups otherwise.
	groups []string
	any    bool
}

// look notes which groups a rule's filter names.
func (c *compiledRule) look(tree filter.Expression) {
	for path, term := range filter.Comparisons(tree) {
		if !strings.EqualFold(path.AttributeName, Groups) {
			continue
		}
		name, ok := term.CompareValue.(string)
		if term.Operator != filter.EQ || !ok {
			c.any = true
			continue
		}
		c.groups = append(c.groups, filter.Fold(NormalGroup(name)))
	}
}

// rulesName says whether some rule's filter may tell a member of the group from
// others.
func (p *Policy) rulesName(g *Group) bool {
	names := p.ruleNames(GroupRef{Name: g.DisplayName, Source: g.Source}, g.Source.Connection)
	return slices.ContainsFunc(p.rules, func(r compiledRule) bool {
		return r.any || slices.ContainsFunc(names, func(n string) bool { return slices.Contains(r.groups, filter.Fold(NormalGroup(n))) })
	})
}
