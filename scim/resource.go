package scim

import (
	"io"
	"strconv"
	"strings"

	scimlib "github.com/elimity-com/scim"

	"muster/directory"
)

// This file and the next are the only place where users and groups become SCIM
// JSON; program (patch.go) is the only place where SCIM JSON becomes attributes.

// readUser reads a whole User, as POST and PUT carry it.
func (p *program) readUser(root node) error {
	for n := range root.children {
		if err := p.addKey(scimlib.PatchOperationReplace, n.key(), n); err != nil {
			return err
		}
	}
	return nil
}

// WriteUser writes a user as the effective view below base shows it: for
// answers outside this door that are SCIM resources all the same.
func WriteUser(w io.Writer, base string, user *directory.Profile, policy *directory.Policy) error {
	_, err := w.Write(view{x: newUserIndex(policy), base: strings.TrimSuffix(base, "/")}.user(nil, user))
	return err
}

// view is how one answer shows resources.
type view struct {
	x    *index
	base string // absolute URL of the door
	show *projection
}

// shown are the values of one user by the slots of their attributes.
type shown struct {
	slots []directory.Value
	has   [spaceCount]bool // whether a space has any
}

// few is how many slots fit on the stack: the standard ones and some custom.
const few = 64

// sort puts what the client may see into slots.
func (v view) sort(own directory.Attributes, s *shown) {
	for _, entry := range own {
		a := v.x.byName[entry.Name]
		if a != nil && len(entry.Value) > 0 && v.show.shows(a) {
			s.slots[a.slot] = entry.Value
			s.has[a.space] = true
		}
	}
}

// user appends a User.
func (v view) user(b []byte, p *directory.Profile) []byte {
	var space [few]directory.Value
	s := shown{slots: space[:]}
	if v.x.slots > few {
		s.slots = make([]directory.Value, v.x.slots)
	}
	own := p.Attributes
	if own.Text(directory.License) != "" {
		own = joinLicense(own.Clone())
	}
	v.sort(own, &s)
	b = append(b, `{"schemas":["`...)
	b = append(b, userURN...)
	for _, ext := range v.x.order {
		if s.has[ext.number] {
			b = append(append(b, `","`...), ext.urn...)
		}
	}
	b = append(b, `"],"id":"`...)
	b = append(append(b, p.ID.String()...), '"')
	b = v.attributes(b, v.x.core, &s)
	b = v.object(b, `"name":`, v.x.name, &s)
	for _, ext := range v.x.order {
		b = v.object(b, ext.label, ext, &s)
	}
	b = v.groups(b, p.Groups)
	return append(v.meta(b, "User", p.ID, stamps{p.Created, p.Modified, p.Version}), '}')
}

// object appends a space that has anything to show, with a comma before it.
func (v view) object(b []byte, label string, of *space, s *shown) []byte {
	if !s.has[of.number] {
		return b
	}
	b = append(append(b, ','), label...)
	start := len(b)
	b = v.attributes(b, of, s)
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

// attributes appends the attributes of a space, each with a comma before it.
func (v view) attributes(b []byte, of *space, s *shown) []byte {
	if !s.has[of.number] {
		return b
	}
	for _, a := range of.list {
		if value := s.slots[a.slot]; value != nil {
			b = append(append(b, ','), a.label...)
			b = v.value(b, a, value)
		}
	}
	return b
}

func (v view) value(b []byte, a *attribute, value directory.Value) []byte {
	if !a.Multi {
		return v.element(b, a, value[0])
	}
	b = append(b, '[')
	for i, e := range value {
		if i > 0 {
			b = append(b, ',')
		}
		b = v.element(b, a, e)
	}
	return append(b, ']')
}

func (v view) element(b []byte, a *attribute, e directory.Element) []byte {
	if a.Fields == nil {
		return appendTyped(b, a.Type, e.Field("value"))
	}
	b = append(b, '{')
	first := true
	for _, f := range e {
		if !v.show.field(a, f.Name) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, f.Name), ':')
		b = appendTyped(b, a.Fields[f.Name], f.Text)
	}
	return append(b, '}')
}

// groups appends the read-only groups of a user.
func (v view) groups(b []byte, list []directory.GroupRef) []byte {
	a := v.x.core.byName["groups"]
	if len(list) == 0 || !v.show.shows(a) {
		return b
	}
	b = append(b, `,"groups":[`...)
	for i, g := range list {
		if i > 0 {
			b = append(b, ',')
		}
		kind := "direct"
		if g.Indirect {
			kind = "indirect"
		}
		b = v.record(b, a, directory.Field{Name: "value", Text: g.ID.String()}, directory.Field{Name: "$ref", Text: v.location("Group", g.ID)},
			directory.Field{Name: "display", Text: g.Name}, directory.Field{Name: "type", Text: kind})
	}
	return append(b, ']')
}

// record appends an object of the texts that there are and that are shown.
func (v view) record(b []byte, a *attribute, fields ...directory.Field) []byte {
	b = append(b, '{')
	start := len(b)
	for _, f := range fields {
		if f.Text == "" || !v.show.field(a, f.Name) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), f.Name...), '"', ':')
		b = appendString(b, f.Text)
	}
	return append(b, '}')
}

// meta appends the metadata of a resource.
func (v view) meta(b []byte, kind string, id directory.ID, at stamps) []byte {
	a := v.x.core.byName["meta"]
	if !v.show.shows(a) {
		return b
	}
	if v.show != nil {
		return v.record(append(b, `,"meta":`...), a, at.fields(kind, v.location(kind, id))...)
	}
	b = append(append(b, `,"meta":{"resourceType":"`...), kind...)
	b = append(b, '"')
	if !at.created.IsZero() {
		b = appendTime(append(b, `,"created":`...), at.created)
		b = appendTime(append(b, `,"lastModified":`...), at.modified)
	}
	b = append(b, `,"location":`...)
	b = appendString(b, v.location(kind, id))
	if at.version != "" {
		b = append(b, `,"version":`...)
		b = appendString(b, etag(at.version))
	}
	return append(b, '}')
}

// fields is the same metadata for an answer that may show a part of it.
func (at stamps) fields(kind, location string) []directory.Field {
	list := []directory.Field{{Name: "resourceType", Text: kind}, {Name: "location", Text: location}}
	if !at.created.IsZero() {
		list = append(list, directory.Field{Name: "created", Text: at.created.UTC().Format(timeLayout)},
			directory.Field{Name: "lastModified", Text: at.modified.UTC().Format(timeLayout)})
	}
	if at.version != "" {
		list = append(list, directory.Field{Name: "version", Text: etag(at.version)})
	}
	return list
}

// location is the absolute URL of a resource.
func (v view) location(kind string, id directory.ID) string {
	return v.base + "/" + kind + "s/" + id.String()
}

// appendListHead appends the head of a ListResponse up to the first resource.
func appendListHead(b []byte, p parameters, page directory.Page[directory.Found]) []byte {
	b = append(b, `{"schemas":["`+listURN+`"]`...)
	if page.Total >= 0 {
		b = strconv.AppendInt(append(b, `,"totalResults":`...), int64(page.Total), 10)
	}
	if !p.byCursor {
		b = strconv.AppendInt(append(b, `,"startIndex":`...), int64(p.start), 10)
	}
	b = strconv.AppendInt(append(b, `,"itemsPerPage":`...), int64(len(page.Items)), 10)
	if page.Next != "" {
		b = appendString(append(b, `,"nextCursor":`...), page.Next)
	}
	return append(b, `,"Resources":[`...)
}
