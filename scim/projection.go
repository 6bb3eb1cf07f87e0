package scim

import (
	"slices"
	"strings"
)

// projection is what the parameters attributes and excludedAttributes leave of
// a resource (RFC 7644 §3.9). Nil shows everything. id and schemas are always
// shown.
type projection struct{ only, without []place }

// project reads both parameters; names that nobody knows select nothing.
func (x *index) project(attributes, excluded string) *projection {
	if attributes == "" && excluded == "" {
		return nil
	}
	return &projection{only: x.places(attributes), without: x.places(excluded)}
}

func (x *index) places(list string) []place {
	if list == "" {
		return nil
	}
	const most = 200
	places := []place{}
	for name := range strings.SplitSeq(list, ",") {
		t, err := x.resolve(strings.TrimSpace(name))
		if err != nil || len(places) == most {
			continue
		}
		places = append(places, t.place)
	}
	return places
}

// shows says whether anything of the attribute is shown.
func (p *projection) shows(a *attribute) bool {
	if p == nil {
		return true
	}
	if p.only != nil && !slices.ContainsFunc(p.only, func(at place) bool { return at.holds(a) }) {
		return false
	}
	return !slices.ContainsFunc(p.without, func(at place) bool { return at.holds(a) && at.sub == "" })
}

// field says whether one sub-attribute of a shown attribute is shown.
func (p *projection) field(a *attribute, sub string) bool {
	if p == nil {
		return true
	}
	covers := func(at place) bool { return at.holds(a) && (at.sub == "" || at.sub == sub) }
	if p.only != nil && !slices.ContainsFunc(p.only, covers) {
		return false
	}
	return !slices.ContainsFunc(p.without, covers)
}

// holds says whether the place is the attribute, a field of it, or a space that has it.
func (at place) holds(a *attribute) bool {
	return at.attr == a || at.space != nil && (at.space.number == a.space || at.space.number == coreSpace && a.space == nameSpace)
}
