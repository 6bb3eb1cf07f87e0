package directory

import (
	"iter"
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
	// Max is how many users the rule serves at most, 0 for any number; such a
	// rule has a name. Full says what happens to others whom it matches.
	Max  int  `json:"max,omitempty"`
	Full Full `json:"full,omitempty"`
}

// compiledRule is a Rule whose filter has been read.
type compiledRule struct {
	Rule
	match *filter.Matcher // nil matches everyone
	// groups are the names that the filter compares groups with, folded; parts
	// says that it also looks at parts of names, or otherwise.
	groups []string
	parts  bool
}

// look notes which groups a rule's filter names.
func (c *compiledRule) look(tree filter.Expression) {
	for path, term := range filter.Comparisons(tree) {
		if !strings.EqualFold(path.AttributeName, Groups) {
			continue
		}
		name, ok := term.CompareValue.(string)
		if term.Operator != filter.EQ || !ok {
			c.parts = true
			continue
		}
		c.groups = append(c.groups, filter.Fold(NormalGroup(name)))
	}
}

// rulesName says whether some rule compares groups with the name of a group.
func (p *Policy) rulesName(name, owner string) bool {
	return slices.ContainsFunc(p.ruleNames(name, owner, owner), func(n string) bool {
		folded := filter.Fold(NormalGroup(n))
		return slices.ContainsFunc(p.rules, func(r compiledRule) bool { return slices.Contains(r.groups, folded) })
	})
}

// maxKnown bounds the earlier names of a group.
const maxKnown = 8

// knownNames are the names by which rules know a group that is being renamed:
// once known, it is meant by its id, whatever it is called. What no rule names
// any more is forgotten.
func (p *Policy) knownNames(g *Group) string {
	var list []string
	for name := range (GroupRef{Name: g.DisplayName, Known: g.Known}).names() {
		if p.rulesName(name, g.Source.Connection) && len(list) < maxKnown && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return strings.Join(list, "\n")
}

// names yields the name of a group and those by which rules know it besides.
func (g GroupRef) names() iter.Seq[string] {
	return func(yield func(string) bool) {
		if !yield(g.Name) || g.Known == "" {
			return
		}
		for name := range strings.SplitSeq(g.Known, "\n") {
			if !yield(name) {
				return
			}
		}
	}
}
