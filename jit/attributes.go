package jit

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// part is what one mapping found for one field of one attribute.
type part struct {
	field  string
	state  State
	texts  []string
	frozen bool // a constant: it completes what was said and says nothing by itself, unless alone
}

// gathered are the parts of one attribute.
type gathered struct {
	definition directory.Definition
	parts      []part
}

// attributes reads every mapping, in their order, and joins those of the same attribute.
func (r *reader) attributes(mappings []directory.Mapping, schema Schema) (directory.Attributes, []Target) {
	var order []string
	byName := map[string]*gathered{}
	targets := make([]Target, 0, len(mappings)+1)
	for _, m := range mappings {
		definition, field, ok := resolveTarget(m.To, schema)
		if !ok {
			targets = append(targets, Target{To: m.To, Note: "the directory has no such attribute"})
			continue
		}
		p, target := r.part(m, field)
		targets = append(targets, target)
		g := byName[definition.Name]
		if g == nil {
			g = &gathered{definition: definition}
			byName[definition.Name] = g
			order = append(order, definition.Name)
		}
		g.parts = append(g.parts, p)
	}
	var out directory.Attributes
	for _, name := range order {
		if value, ok := byName[name].value(); ok {
			out.Set(name, value)
		}
	}
	return userNameFromEmail(out, byName, targets)
}

// resolveTarget splits "roles.type" into the attribute and its field; a plain name means the attribute's main field.
func resolveTarget(to string, schema Schema) (directory.Definition, string, bool) {
	if d, ok := schema(to); ok {
		return d, mainField(d), true
	}
	base, field, dotted := cutLast(to)
	d, ok := schema(base)
	if !dotted || !ok {
		return d, "", false
	}
	_, ok = d.Fields[field]
	return d, field, ok
}

func cutLast(path string) (before, after string, ok bool) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

// mainField is where a bare text goes: the value, but an address has none.
func mainField(d directory.Definition) string {
	if _, ok := d.Fields["value"]; !ok && d.Fields != nil {
		return "formatted"
	}
	return "value"
}

// part reads one mapping.
func (r *reader) part(m directory.Mapping, field string) (part, Target) {
	target := Target{To: m.To, Tried: m.From}
	if len(m.From) == 0 {
		p := part{field: field, texts: texts([]string{m.Const}, ""), frozen: true}
		if len(p.texts) == 0 {
			target.Note = "switched off"
			return p, target
		}
		p.state, target.State, target.From, target.Note = Value, Value, "const", "a constant of the connection"
		return p, target
	}
	claim, name, ok := r.find(m.From)
	if !ok {
		target.Near = r.near(m.From)
		return part{field: field}, target
	}
	p := part{field: field, texts: trimmed(claim.Values, m.Split)}
	p.state = stateOf(distinct(slices.Clone(p.texts)))
	target.From, target.State = name, p.state
	return p, target
}

// value joins the parts into elements; false is ABSENT.
func (g *gathered) value() (directory.Value, bool) {
	if len(g.parts) == 1 {
		g.parts[0].texts = distinct(g.parts[0].texts)
	}
	state, n := g.state()
	if state == Absent {
		return nil, false
	}
	if state == Empty {
		return directory.Value{}, true
	}
	if !g.definition.Multi {
		n = 1
	}
	main := mainField(g.definition)
	value := make(directory.Value, 0, n)
	for i := range n {
		if e := g.element(i); e.Field(main) != "" || main != "value" {
			value = append(value, e)
		}
	}
	return value, true
}

// state of the attribute is that of its main field where one is mapped, else the strongest of its fields. Constants
// beside other parts only complete those. n is the number of elements.
func (g *gathered) state() (state State, n int) {
	main, onlyConstants := mainField(g.definition), true
	for _, p := range g.parts {
		onlyConstants = onlyConstants && p.frozen
	}
	for _, p := range g.parts {
		if p.frozen && !onlyConstants {
			continue
		}
		if p.field == main && main == "value" {
			return p.state, len(p.texts)
		}
		state, n = max(state, p.state), max(n, len(p.texts))
	}
	return state, n
}

func (g *gathered) element(i int) directory.Element {
	var fields []directory.Field
	for _, p := range g.parts {
		switch {
		case len(p.texts) == 1:
			fields = append(fields, directory.Field{Name: p.field, Text: g.canonical(p.field, p.texts[0])})
		case i < len(p.texts):
			fields = append(fields, directory.Field{Name: p.field, Text: g.canonical(p.field, p.texts[i])})
		}
	}
	return directory.NewElement(append(fields, g.usual(i)...)...)
}

// usual are the fields of addresses and numbers that a sign-in tells nobody: they are the ones at work, the first is
// the primary one. NewElement prefers what was mapped.
func (g *gathered) usual(i int) []directory.Field {
	switch g.definition.Name {
	case directory.Emails, "phoneNumbers", "addresses":
	default:
		return nil
	}
	fields := []directory.Field{{Name: "type", Text: "work"}}
	if i == 0 {
		fields = append(fields, directory.Field{Name: "primary", Text: "true"})
	}
	return fields
}

// canonical is the directory's text of a value. What cannot be read stays as it is, for the directory to judge.
func (g *gathered) canonical(field, text string) string {
	kind := g.definition.Type
	if g.definition.Fields != nil {
		kind = g.definition.Fields[field]
	}
	switch kind {
	case directory.Boolean:
		if b, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return strconv.FormatBool(b)
		}
	case directory.Integer:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case directory.DateTime:
		return canonicalTime(text)
	}
	return text
}

// canonicalTime reads the forms of xs:dateTime and xs:date; without a zone they are UTC.
func canonicalTime(text string) string {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Format(time.RFC3339Nano)
		}
	}
	return text
}

// userNameFromEmail fills a userName that was not sent. A constant address is no assertion, so it names nobody.
func userNameFromEmail(a directory.Attributes, from map[string]*gathered, targets []Target) (directory.Attributes, []Target) {
	emails := from[directory.Emails]
	if a.Text(directory.UserName) != "" || from[directory.UserName].off() || emails == nil || emails.constant() {
		return a, targets
	}
	v, _ := a.Get(directory.Emails)
	address := v.Primary().Field("value")
	if address == "" {
		return a, targets
	}
	a.Set(directory.UserName, directory.Text(address))
	return a, append(targets, Target{To: directory.UserName, State: Value, From: directory.Emails, Note: "no userName was sent: the e-mail address stands for it"})
}

// off says whether the mapping was switched off: there is one, and it has no source.
func (g *gathered) off() bool {
	return g != nil && g.constant() && len(g.parts[0].texts) == 0
}

// constant says whether the main field is a constant of the connection.
func (g *gathered) constant() bool {
	for _, p := range g.parts {
		if p.field == mainField(g.definition) && !p.frozen {
			return false
		}
	}
	return true
}
