package scim

import (
	"slices"
	"strings"

	"muster/directory"
)

// elements reads a multi-valued attribute: a list, or what some clients send
// instead of a list of one. Entries may be objects or bare values.
func (p *program) elements(a *attribute, n node) (directory.Value, error) {
	start := len(p.arena.elements)
	if n.kind() != isArray {
		err := p.element(a, n)
		return p.arena.since(start), err
	}
	for child := range n.children {
		if err := p.element(a, child); err != nil {
			return nil, err
		}
	}
	return p.arena.since(start), nil
}

// since is every element that was made after the first start ones.
func (m *arena) since(start int) directory.Value {
	return directory.Value(m.elements[start:len(m.elements):len(m.elements)])
}

// element reads one entry into the arena; one without substance (all null) is
// left out.
func (p *program) element(a *attribute, n node) error {
	if n.blank() {
		return nil
	}
	var fields []directory.Field
	var err error
	if n.kind() == isObject {
		fields, err = p.fieldsOf(a, n)
	} else {
		fields = make([]directory.Field, 1)
		fields[0].Name = a.main()
		fields[0].Text, err = a.scalar(fields[0].Name, n)
	}
	if err != nil || !hasSubstance(fields) {
		return err
	}
	p.arena.value(p.arena.element(fields...))
	return nil
}

// fieldsOf reads the sub-attributes of an object; unknown ones are counted.
func (p *program) fieldsOf(a *attribute, n node) ([]directory.Field, error) {
	var few [8]directory.Field
	fields := few[:0]
	for child := range n.children {
		name, ok := a.field(child.key())
		if !ok && a.Fields == nil && strings.EqualFold(child.key(), "value") {
			name, ok = "value", true
		}
		if !ok {
			p.ignore(a.path + "." + child.key())
			continue
		}
		text, err := a.scalar(name, child)
		if err != nil {
			return nil, err
		}
		if text != "" && !slices.ContainsFunc(fields, func(f directory.Field) bool { return f.Name == name }) {
			fields = append(fields, directory.Field{Name: name, Text: text})
		}
	}
	return fields, nil
}

// complex reads a singular complex attribute, which is manager: an object, a
// bare id, or a list of one of them. Blank parts count as unset: templates fill
// them in with a space.
func (p *program) complex(a *attribute, n node) (directory.Value, error) {
	if n.kind() == isArray {
		var first node
		for child := range n.children {
			if first.doc != nil {
				return nil, invalidValue("%s: one value is expected, not several", a.path)
			}
			first = child
		}
		if first.doc == nil {
			return nil, nil
		}
		n = first
	}
	switch n.kind() {
	case isNull:
		return nil, nil
	case isObject:
		fields, err := p.fieldsOf(a, n)
		fields = slices.DeleteFunc(fields, func(f directory.Field) bool { return strings.TrimSpace(f.Text) == "" })
		if err != nil || len(fields) == 0 {
			return nil, err
		}
		return p.arena.value(p.arena.element(fields...)), nil
	}
	text, err := a.scalar("value", n)
	if err != nil || text == "" {
		return nil, err
	}
	return p.arena.text(text), nil
}

// A licence is an attribute of its own in the directory; SCIM carries it as
// entitlements[type eq "license"].
const (
	entitlements = "entitlements"
	licenseType  = "license"
)

func isLicense(e directory.Element) bool { return strings.EqualFold(e.Field("type"), licenseType) }

// joinLicense puts the licence among the entitlements, as SCIM shows it. own
// must be the caller's.
func joinLicense(own directory.Attributes) directory.Attributes {
	text := own.Text(directory.License)
	if text == "" {
		return own
	}
	list, _ := own.Get(entitlements)
	list = append(slices.Clip(list), directory.NewElement(directory.Field{Name: "value", Text: text}, directory.Field{Name: "type", Text: licenseType}))
	own.Delete(directory.License)
	own.Set(entitlements, list)
	return own
}

// splitLicense takes the licence out of the entitlements again.
func splitLicense(own directory.Attributes) (directory.Attributes, error) {
	list, _ := own.Get(entitlements)
	at := slices.IndexFunc(list, isLicense)
	if at < 0 {
		return own, nil
	}
	rest := slices.DeleteFunc(slices.Clone(list), isLicense)
	if len(list)-len(rest) > 1 {
		return nil, invalidValue(`entitlements[type eq "license"]: a user has one licence, %d were given`, len(list)-len(rest))
	}
	own.Set(directory.License, directory.Text(list[at].Field("value")))
	own.Delete(entitlements)
	if len(rest) > 0 {
		own.Set(entitlements, rest)
	}
	return own, nil
}
