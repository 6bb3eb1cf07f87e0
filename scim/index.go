package scim

import (
	"strings"
	"sync"

	"github.com/elimity-com/scim/schema"

	"muster/directory"
	"muster/directory/filter"
)

// index finds the attributes of one resource type by their SCIM names. It is
// compiled once for each policy, shared, and never changed.
type index struct {
	policy  *directory.Policy
	schemas []schema.Schema // core first
	core    *space
	name    *space                // the parts of the User's name; nil for a Group
	spaces  map[string]*space     // by lower-case URN, SCIM 1.1 spellings included
	order   []*space              // the extensions, as they are shown
	byName  map[string]*attribute // by the directory's names
	slots   int
}

// The spaces of a User by their numbers.
const (
	coreSpace = iota
	nameSpace
	enterpriseSpace
	customSpace
	spaceCount
)

// space is one object of a resource: the resource itself, its name, or an
// extension.
type space struct {
	number int
	urn    string
	label  string // its JSON name with quotes and colon
	list   []*attribute
	byName map[string]*attribute // as spelled in the schema, and in lower case
}

// role says what writing an attribute does.
type role uint8

const (
	ordinary role = iota
	readOnly      // ignored in a resource, refused as the path of a PATCH
	dropped       // taken and forgotten: password
)

// attribute is one attribute as SCIM names it.
type attribute struct {
	directory.Definition // Name is the directory's
	role                 role
	slot, space          int    // where an answer keeps its value
	path                 string // for messages: name.givenName
	label                string // its JSON name with quotes and colon
	leaf                 schema.CoreAttribute
	fields               map[string]string // lower-case name -> name
}

// newUserIndex compiles what a policy says about users.
func newUserIndex(p *directory.Policy) *index {
	x := &index{policy: p, core: newSpace(coreSpace, userURN), name: newSpace(nameSpace, "name"), byName: map[string]*attribute{}}
	x.schemas = append(x.schemas, standardSchemas()...)
	x.core.fixed(readOnly, "id", "schemas", "meta", "groups")
	x.core.parts("meta", "resourceType", "created", "lastModified", "location", "version")
	x.core.parts("groups", "value", "$ref", "display", "type")
	x.core.fixed(dropped, "password")
	x.core.put("externalId", attribute{Definition: definition(p, directory.ExternalID)})
	for _, a := range x.schemas[0].Attributes {
		if a.Name() == "name" {
			x.name.fill(p, a.SubAttributes(), "name.")
		}
	}
	x.core.fill(p, x.schemas[0].Attributes, "")
	enterprise := newSpace(enterpriseSpace, enterpriseURN)
	enterprise.fill(p, x.schemas[1].Attributes, "")
	x.order = []*space{enterprise}
	x.spaces = map[string]*space{
		strings.ToLower(userURN): x.core, "urn:scim:schemas:core:1.0": x.core, "urn:scim:schemas:core:2.0": x.core,
		strings.ToLower(enterpriseURN): enterprise, "urn:scim:schemas:extension:enterprise:1.0": enterprise,
		"urn:scim:schemas:extension:enterprise:2.0": enterprise,
	}
	if s, ok := customSchema(p); ok {
		custom := newSpace(customSpace, s.ID)
		custom.fill(p, s.Attributes, "")
		x.schemas = append(x.schemas, s)
		x.order = append(x.order, custom)
		x.spaces[strings.ToLower(s.ID)] = custom
	}
	for _, s := range append([]*space{x.core, x.name}, x.order...) {
		for _, a := range s.list {
			a.slot, a.space = x.slots, s.number
			x.byName[a.Name] = a
			x.slots++
		}
	}
	return x
}

// definition is the zero one for an attribute that the directory does not have.
func definition(p *directory.Policy, name string) directory.Definition {
	d, _ := p.Definition(name)
	return d
}

// fill adds the attributes of a schema that the directory has.
func (s *space) fill(p *directory.Policy, list schema.Attributes, prefix string) {
	for _, a := range list {
		s.put(a.Name(), attribute{Definition: definition(p, prefix+a.Name()), leaf: a})
	}
}

// newGroupIndex is the same for every policy.
func newGroupIndex() *index {
	core := newSpace(coreSpace, groupURN)
	core.fixed(readOnly, "id", "schemas", "meta")
	core.parts("meta", "resourceType", "created", "lastModified", "location", "version")
	core.put("externalId", attribute{Definition: directory.Definition{Name: directory.ExternalID, Type: directory.String, Exact: true}})
	core.put("displayName", attribute{Definition: directory.Definition{Name: directory.DisplayName, Type: directory.String}})
	core.put("members", attribute{Definition: directory.Definition{Name: directory.Members, Type: directory.Complex, Multi: true,
		Fields: map[string]directory.Type{"value": directory.String, "$ref": directory.Reference, "type": directory.String, "display": directory.String}}})
	return &index{core: core, schemas: []schema.Schema{schema.CoreGroupSchema()}, spaces: map[string]*space{
		strings.ToLower(groupURN): core, "urn:scim:schemas:core:1.0": core, "urn:scim:schemas:core:2.0": core}}
}

func newSpace(number int, urn string) *space {
	return &space{number: number, urn: urn, label: string(appendString(nil, urn)) + ":", byName: map[string]*attribute{}}
}

// put adds an attribute; one that the directory does not have is left out.
func (s *space) put(name string, a attribute) {
	if a.Name == "" {
		return
	}
	a.path, a.label = name, string(appendString(nil, name))+":"
	if s.urn == "name" {
		a.path = "name." + name
	}
	a.fields = make(map[string]string, 2*len(a.Fields))
	for field := range a.Fields {
		a.fields[field], a.fields[strings.ToLower(field)] = field, field
	}
	s.list = append(s.list, &a)
	s.byName[name], s.byName[strings.ToLower(name)] = &a, &a
}

func (s *space) fixed(r role, names ...string) {
	for _, name := range names {
		a := &attribute{role: r, path: name}
		s.byName[name], s.byName[strings.ToLower(name)] = a, a
	}
}

// parts tells a fixed attribute its sub-attributes: they can be shown or not.
func (s *space) parts(name string, parts ...string) {
	a := s.byName[name]
	a.fields = make(map[string]string, len(parts))
	for _, part := range parts {
		a.fields[strings.ToLower(part)] = part
	}
}

func (s *space) find(name string) *attribute {
	if a, ok := s.byName[name]; ok {
		return a
	}
	return s.byName[strings.ToLower(name)]
}

// field returns the spelling of a sub-attribute; false when there is none.
func (a *attribute) field(name string) (string, bool) {
	if f, ok := a.fields[name]; ok {
		return f, true
	}
	f, ok := a.fields[strings.ToLower(name)]
	if !ok && a.Name == "manager" && strings.EqualFold(name, "managerId") {
		return "value", true // SCIM 1.1, and templates that still have it
	}
	return f, ok
}

// main is the field of a bare value: "value", or for addresses "formatted".
func (a *attribute) main() string {
	if _, ok := a.Fields["value"]; ok || a.Fields == nil {
		return "value"
	}
	return "formatted"
}

// place is what a path names: an attribute or one of its fields, a whole
// space, or neither, when nobody knows it.
type place struct {
	attr  *attribute
	sub   string
	space *space
}

// find resolves the parts of a path in any case. An unprefixed name is looked
// for in the core schema first, then in the extensions: no name is in two.
func (x *index) find(uri, name, sub string) place {
	if uri != "" {
		if s := x.spaces[strings.ToLower(uri+":"+name)]; s != nil && sub == "" {
			return place{space: s}
		}
		s := x.spaces[strings.ToLower(uri)]
		if s == nil {
			return place{}
		}
		return x.in(s, name, sub)
	}
	p := x.in(x.core, name, sub)
	for _, s := range x.order {
		if p == (place{}) {
			p = x.in(s, name, sub)
		}
	}
	return p
}

func (x *index) in(s *space, name, sub string) place {
	if s == x.core && x.name != nil && strings.EqualFold(name, "name") {
		if sub == "" {
			return place{space: x.name}
		}
		return place{attr: x.name.find(sub)}
	}
	a := s.find(name)
	if a == nil || sub == "" || a.role == dropped {
		return place{attr: a}
	}
	if a.role == readOnly {
		part, ok := a.fields[strings.ToLower(sub)]
		if !ok {
			part = sub
		}
		return place{attr: a, sub: part}
	}
	if field, ok := a.field(sub); ok {
		return place{attr: a, sub: field}
	}
	if a.Multi && strings.EqualFold(sub, "value") {
		return place{attr: a, sub: "value"}
	}
	return place{}
}

// Attribute serves the value filters of PATCH paths.
func (x *index) Attribute(uri, name, sub string) (filter.Attribute, bool) {
	p := x.find(uri, name, sub)
	if p.attr == nil || p.attr.role != ordinary {
		return filter.Attribute{}, false
	}
	t := p.attr.Type
	if p.sub != "" && p.attr.Fields != nil {
		t = p.attr.Fields[p.sub]
	}
	return filter.Attribute{Name: p.attr.Name, Sub: p.sub, Kind: kindOf(t), CaseExact: p.attr.Exact}, true
}

func kindOf(t directory.Type) filter.Kind {
	switch t {
	case directory.Boolean:
		return filter.KindBoolean
	case directory.Integer:
		return filter.KindInteger
	case directory.Decimal:
		return filter.KindDecimal
	case directory.DateTime:
		return filter.KindDateTime
	case directory.Reference:
		return filter.KindReference
	case directory.Binary:
		return filter.KindBinary
	case directory.Complex:
		return filter.KindComplex
	}
	return filter.KindString
}

// indexes keeps the newest index of each organisation.
type indexes struct{ byOrg sync.Map }

func (c *indexes) of(p *directory.Policy) *index {
	if v, ok := c.byOrg.Load(p.Org.ID); ok && v.(*index).policy == p {
		return v.(*index)
	}
	x := newUserIndex(p)
	c.byOrg.Store(p.Org.ID, x)
	return x
}
