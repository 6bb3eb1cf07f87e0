package jit

import (
	"fmt"
	"slices"
	"strings"

	"muster/directory"
)

// Schema looks an attribute up by the directory's name. Policy.Definition is one.
type Schema func(name string) (directory.Definition, bool)

// Interpret reads an assertion by the names the connection gives: the Change that a sign-in asks for, and how each of
// its parts was found. It is pure. A *directory.Refusal says that the assertion names no usable subject; the trace is
// complete then, too.
func Interpret(a Assertion, c *directory.Connection, schema Schema) (directory.Change, Trace, error) {
	r := newReader(a.Claims)
	change := directory.Change{
		Org:           c.Org,
		Connection:    c.ID,
		Channel:       directory.SSO,
		Verb:          directory.VerbSignIn,
		Issuer:        a.Issuer,
		EmailVerified: a.EmailVerified,
		AssertedAt:    a.IssuedAt,
	}
	var trace Trace
	change.Attributes, trace.Targets = r.attributes(c.Map, schema)
	change.Groups, trace.Groups = r.groups(c.Groups, a.GroupsOverage)
	subject, err := r.subject(a.Subject, c.Subject.SSO)
	change.Subject, change.SubjectName, trace.Subject = subject.value, subject.name, subject.target
	if len(c.Subject.Former) > 0 {
		former, _ := r.subject(a.Subject, c.Subject.Former) // without one, nobody moves
		change.Former = former.value
	}
	trace.Unused = r.unused()
	return change, trace, err
}

// reader finds claims and remembers which were used.
type reader struct {
	claims  []Claim
	byName  map[string]int
	byAlias map[string]int
	used    []bool
}

func newReader(claims []Claim) *reader {
	r := &reader{claims, make(map[string]int, len(claims)), map[string]int{}, make([]bool, len(claims))}
	for i, c := range claims {
		if _, taken := r.byName[c.Name]; !taken {
			r.byName[c.Name] = i
		}
		if _, taken := r.byAlias[c.Alias]; !taken && c.Alias != "" {
			r.byAlias[c.Alias] = i
		}
	}
	return r
}

// find returns the claim of the first name that is present: by Name, else by FriendlyName.
func (r *reader) find(names []string) (claim Claim, name string, ok bool) {
	for _, name := range names {
		i, ok := r.byName[name]
		if !ok {
			i, ok = r.byAlias[name]
		}
		if ok {
			r.used[i] = true
			return r.claims[i], name, true
		}
	}
	return Claim{}, "", false
}

// maxSubject bounds what identifies a person, in bytes. SAML's persistent identifiers have at most 256 characters.
const maxSubject = 1024

// foundSubject is the identity an assertion names.
type foundSubject struct {
	value, name string
	target      Target
}

// subject picks the identity by the first of names that is present.
func (r *reader) subject(own Subject, names []string) (foundSubject, error) {
	if len(names) == 0 {
		names = []string{NameID, Sub}
	}
	f := foundSubject{target: Target{To: "subject", Tried: names}}
	for _, name := range names {
		values, present := r.subjectValues(own, name)
		if !present {
			continue
		}
		if own.Transient && name == own.Name {
			f.target.Note = "the " + name + " is transient: it changes at each sign-in and identifies nobody"
			continue
		}
		f.target.From = name
		if len(values) != 1 {
			f.target.State = Empty
			return f, noSubject("%s names the subject and has %d values; it must have exactly one", name, len(values))
		}
		if len(values[0]) > maxSubject {
			return f, noSubject("%s names the subject and has %d bytes; at most %d identify a person", name, len(values[0]), maxSubject)
		}
		f.value, f.name, f.target.State = values[0], name, Value
		f.target.Near = r.near(names[:slices.Index(names, name)])
		return f, nil
	}
	f.target.Near = r.near(names)
	return f, noSubject("the assertion names no lasting subject. %s", f.target)
}

// subjectValues are the texts of one possible subject that are not blank; false when the assertion has no such claim.
// NameID and sub are always the protocol's own and never an attribute that happens to be called so.
func (r *reader) subjectValues(own Subject, name string) ([]string, bool) {
	if name == NameID || name == Sub {
		return subjectTexts([]string{own.Value}), name == own.Name && own.Value != ""
	}
	claim, _, ok := r.find([]string{name})
	return subjectTexts(claim.Values), ok
}

func subjectTexts(values []string) []string {
	var texts []string
	for _, v := range values {
		if v = strings.Trim(v, " \t\r\n"); v != "" && !slices.Contains(texts, v) {
			texts = append(texts, v)
		}
	}
	return texts
}

func noSubject(format string, args ...any) *directory.Refusal {
	return &directory.Refusal{Code: directory.InvalidIdentifier, Attribute: "subject", Detail: fmt.Sprintf(format, args...)}
}

// groups reads the groups claim. An overage marker makes whatever is there PARTIAL: the person is in more groups than
// could be sent, so none may be taken away.
func (r *reader) groups(p directory.GroupPolicy, overage bool) (directory.GroupClaim, Target) {
	target := Target{To: directory.Groups, Tried: p.From}
	claim, name, ok := r.find(p.From)
	var names []string
	if ok {
		target.From = name
		names = texts(claim.Values, p.Split)
		target.State = stateOf(names)
	} else {
		target.Near = r.near(p.From)
	}
	switch {
	case overage:
		target.Note = "the identity provider left groups out because there are too many: groups are only added"
		return directory.GroupClaim{State: directory.GroupsPartial, Names: names}, target
	case !ok:
		return directory.GroupClaim{}, target
	}
	return directory.GroupClaim{State: directory.GroupsSet, Names: names}, target
}

// texts are values cut at the separator, trimmed, without empty ones and duplicates, in order.
func texts(values []string, split string) []string { return distinct(trimmed(values, split)) }

// trimmed are values cut at the separator; blanks stay, so that two lists keep their alignment.
func trimmed(values []string, split string) []string {
	list := make([]string, 0, len(values))
	for _, v := range values {
		if split == "" {
			list = append(list, strings.TrimSpace(v))
			continue
		}
		for piece := range strings.SplitSeq(v, split) {
			list = append(list, strings.TrimSpace(piece))
		}
	}
	return list
}

// distinct drops empty texts and duplicates.
func distinct(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(text string) bool {
		again := text == "" || seen[text]
		seen[text] = true
		return again
	})
}
