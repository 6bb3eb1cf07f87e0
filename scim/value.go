package scim

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/elimity-com/scim/schema"

	"muster/directory"
)

// scalar reads a leaf as canonical text; "" unsets. Booleans and numbers in
// strings are taken, as several identity providers send them.
func (a *attribute) scalar(sub string, n node) (string, error) {
	path, t := a.path, a.Type
	if a.Fields != nil {
		path, t = a.path+"."+sub, a.Fields[sub]
	}
	if n.blank() {
		return "", nil
	}
	if k := n.kind(); k == isArray || k == isObject {
		return "", invalidValue("%s: a value of type %s is expected, not %s", path, t, k)
	}
	switch t {
	case directory.Boolean:
		return boolean(path, n)
	case directory.Integer, directory.Decimal:
		return number(path, a.leafOf(sub), n)
	}
	if n.kind() != isString {
		return "", invalidValue("%s: a string is expected, not %s", path, n.kind())
	}
	switch t {
	case directory.DateTime:
		return instant(path, n.text())
	case directory.Binary:
		return binary(path, n.text())
	}
	return n.text(), nil
}

// boolean takes "True", "FALSE", "1" and "0" in strings too: Entra ID's default
// dialect and OneLogin's templates write them.
func boolean(path string, n node) (string, error) {
	if n.kind() == isBool {
		return n.text(), nil
	}
	switch text := strings.ToLower(n.text()); {
	case n.kind() != isString:
	case text == "true" || text == "1":
		return "true", nil
	case text == "false" || text == "0":
		return "false", nil
	}
	return "", invalidValue("%s: true or false is expected, not %.40q", path, n.text())
}

// leafOf describes the attribute, or its field, in the library's terms.
func (a *attribute) leafOf(sub string) schema.CoreAttribute {
	if leaf, ok := a.leaf.SubAttributes().ContainsAttribute(sub); ok {
		return leaf
	}
	return a.leaf
}

// number leaves the judgement to the schema.
func number(path string, leaf schema.CoreAttribute, n node) (string, error) {
	if _, fault := leaf.ValidateSingular(json.Number(n.text())); fault != nil || n.kind() == isBool || !json.Valid([]byte(n.text())) {
		return "", invalidValue("%s: %.40q is no %s", path, n.text(), leaf.AttributeType())
	}
	return n.text(), nil
}

// instant takes xsd:dateTime with or without a zone, and +0000 as one.
func instant(path, text string) (string, error) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.RFC3339Nano), nil
		}
	}
	return "", invalidValue("%s: %.40q is no date-time such as 2011-05-13T04:42:34Z", path, text)
}

// binary takes base64 in either alphabet, with or without padding, and keeps
// the standard form.
func binary(path, text string) (string, error) {
	plain := strings.NewReplacer("-", "+", "_", "/", "\n", "", "\r", "").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil {
		return "", invalidValue("%s: the value is no base64", path)
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// arena makes values with few allocations; what it gave out is never changed.
type arena struct {
	fields   []directory.Field
	elements []directory.Element
}

// element keeps fields as an Element: sorted, none empty.
func (m *arena) element(fields ...directory.Field) directory.Element {
	start := len(m.fields)
	for _, f := range fields {
		if f.Text != "" {
			m.fields = append(m.fields, f)
		}
	}
	e := m.fields[start:len(m.fields):len(m.fields)]
	slices.SortFunc(e, func(a, b directory.Field) int { return strings.Compare(a.Name, b.Name) })
	return directory.Element(e)
}

func (m *arena) value(e directory.Element) directory.Value {
	start := len(m.elements)
	m.elements = append(m.elements, e)
	return directory.Value(m.elements[start:len(m.elements):len(m.elements)])
}

func (m *arena) text(s string) directory.Value {
	return m.value(m.element(directory.Field{Name: "value", Text: s}))
}
