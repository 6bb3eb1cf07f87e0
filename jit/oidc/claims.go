package oidc

import (
	"encoding/json"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Claims are statements by name: what JSON holds, with numbers as json.Number. Names are case-sensitive.
type Claims map[string]any

// Strings returns the values of a claim as texts, and whether the claim is there. An empty list says that it is there
// and has no value: null, [] and {} do. A boolean is "true" or "false", a number is as it was sent, and what has no
// text (an object, a list in a list) is left out.
//
// A name is looked for as it stands, dots and all; then a dot leads into an object, or into each object of a list:
// "realm_access.roles", "groups.name".
func (c Claims) Strings(name string) ([]string, bool) {
	value, ok := find(c, name)
	if !ok {
		return nil, false
	}
	return texts(value), true
}

// Text returns the only value of a claim, or "".
func (c Claims) Text(name string) string {
	if values, _ := c.Strings(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// All yields every claim by the name that Strings knows it by, in order of names, with its values. The members of
// objects are claims of their own. Machinery is left out: _claim_names and _claim_sources.
func (c Claims) All() iter.Seq2[string, []string] {
	names := map[string]bool{}
	for name, value := range c {
		if name != claimNames && name != claimSources {
			collect(names, name, value)
		}
	}
	return func(yield func(string, []string) bool) {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if values, ok := c.Strings(name); ok && !yield(name, values) {
				return
			}
		}
	}
}

const (
	claimNames   = "_claim_names"
	claimSources = "_claim_sources"
	hasGroups    = "hasgroups"
	groups       = "groups"

	email         = "email"
	emailVerified = "email_verified"
)

// overage says that groups were left out because they are too many. Where they could be had instead is not looked at.
func (c Claims) overage() bool {
	return c.elsewhere(groups) || strings.EqualFold(c.Text(hasGroups), "true")
}

// elsewhere says that a claim is distributed or aggregated (Core 5.6.2): the person has it, but not here.
func (c Claims) elsewhere(name string) bool {
	names, _ := c[claimNames].(map[string]any)
	_, ok := names[name]
	return ok
}

// emailVerified reads a boolean that some providers write as a text or a number. What it cannot read is no yes.
func (c Claims) emailVerified() Verified {
	values, _ := c.Strings(emailVerified)
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return VerifiedUnsaid
	}
	if said := strings.ToLower(values[0]); len(values) == 1 && (said == "true" || said == "1") {
		return VerifiedYes
	}
	return VerifiedNo
}

// find follows a name, the longest first element first, so that a claim that has dots in its name wins.
func find(object map[string]any, name string) (any, bool) {
	if value, ok := object[name]; ok {
		return value, true
	}
	for dot := strings.LastIndexByte(name, '.'); dot > 0; dot = strings.LastIndexByte(name[:dot], '.') {
		if value, ok := object[name[:dot]]; ok {
			return inside(value, name[dot+1:])
		}
	}
	return nil, false
}

// inside looks into an object, or collects from each object of a list.
func inside(value any, name string) (any, bool) {
	switch value := value.(type) {
	case map[string]any:
		return find(value, name)
	case []any:
		var all []any
		found := false
		for _, element := range value {
			object, _ := element.(map[string]any)
			if one, ok := find(object, name); ok {
				found = true
				all = append(all, one)
			}
		}
		return all, found
	}
	return nil, false
}

func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	values := make([]string, 0, len(list))
	for _, element := range list {
		if text, ok := text(element); ok {
			values = append(values, text)
		}
	}
	return values
}

func text(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case json.Number:
		return value.String(), true
	case bool:
		return strconv.FormatBool(value), true
	}
	return "", false
}

// collect adds the names under which a value is found: the members' for objects and for lists of objects.
func collect(names map[string]bool, name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for member, inner := range value {
			collect(names, name+"."+member, inner)
		}
		if len(value) > 0 {
			return
		}
	case []any:
		objects := 0
		for _, element := range value {
			if object, ok := element.(map[string]any); ok {
				objects++
				collect(names, name, object)
			}
		}
		if objects > 0 && objects == len(value) {
			return
		}
	}
	names[name] = true
}
