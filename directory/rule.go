package directory

import "muster/directory/filter"

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
}
