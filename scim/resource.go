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

// user appends a User.
func (v view) user(b []byte, p *directory.Profile) []byte {
	own := joinLicense(p.Attributes.Clone())
	b = append(b, `{"schemas":["`...)
	b = append(b, userURN...)
	for _, s := range v.x.order {
		if v.any(s, own) {
			b = append(append(b, `","`...), s.urn...)
		}
	}
	b = append(b, `"],"id":"`...)
	b = append(append(b, p.ID.String()...), '"')
	b = v.attributes(b, v.x.core, own)
	if v.any(v.x.name, own) {
		b = append(b, `,"name":`...)
		b = v.object(b, v.x.name, own)
	}
	for _, s := range v.x.order {
		if v.any(s, own) {
			b = append(append(b, ','), s.label...)
			b = v.object(b, s, own)
		}
	}
	b = v.groups(b, p.Groups)
	return append(v.meta(b, "User", p.ID, stamps{p.Created, p.Modified, p.Version}), '}')
}

// any says whether a space has anything to show.
func (v view) any(s *space, own directory.Attributes) bool {
	for _, a := range s.list {
		if value, ok := own.Get(a.Name); ok && len(value) > 0 && v.show.shows(a) {
			return true
		}
	}
	return false
}

func (v view) object(b []byte, s *space, own directory.Attributes) []byte {
	start := len(b)
	b = v.attributes(b, s, own)
	b[start] = '{' // in place of the first comma
	return append(b, '}')
}

// attributes appends the attributes of a space, each with a comma before it.
func (v view) attributes(b []byte, s *space, own directory.Attributes) []byte {
	for _, a := range s.list {
		value, ok := own.Get(a.Name)
		if !ok || len(value) == 0 || !v.show.shows(a) {
			continue
		}
		b = append(append(b, ','), a.label...)
		b = v.value(b, a, value)
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
	if len(list) == 0 || !v.show.shows(v.x.core.byName["groups"]) {
		return b
	}
	b = append(b, `,"groups":[`...)
	for i, g := range list {
		if i > 0 {
			b = append(b, ',')
		}
		id := g.ID.String()
		b = append(append(b, `{"value":"`...), id...)
		b = append(b, `","$ref":`...)
		b = appendString(b, v.base+"/Groups/"+id)
		b = append(b, `,"display":`...)
		b = appendString(b, g.Name)
		if g.Indirect {
			b = append(b, `,"type":"indirect"}`...)
			continue
		}
		b = append(b, `,"type":"direct"}`...)
	}
	return append(b, ']')
}

// meta appends the metadata of a resource.
func (v view) meta(b []byte, kind string, id directory.ID, at stamps) []byte {
	if !v.show.shows(v.x.core.byName["meta"]) {
		return b
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

// location is the absolute URL of a resource.
func (v view) location(kind string, id directory.ID) string {
	return v.base + "/" + kind + "s/" + id.String()
}

// list appends the head of a ListResponse up to the first resource.
func appendListHead(b []byte, total, start, items int) []byte {
	b = append(b, `{"schemas":["`+listURN+`"],"totalResults":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	b = append(b, `,"startIndex":`...)
	b = strconv.AppendInt(b, int64(start), 10)
	b = append(b, `,"itemsPerPage":`...)
	b = strconv.AppendInt(b, int64(items), 10)
	return append(b, `,"Resources":[`...)
}
