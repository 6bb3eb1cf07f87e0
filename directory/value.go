package directory

import (
	"slices"
	"strings"
)

// Value is what one source says about one attribute: its elements, in the
// order the source gave them. A singular attribute has one element. No element
// at all is EMPTY: the source says that the attribute has no value.
type Value []Element

// Element is one value of an attribute: its fields (SCIM sub-attributes),
// sorted by name, none of them empty. A simple attribute has the one field
// "value".
type Element []Field

// Field is one sub-attribute in canonical text: "true" and "false", decimal
// numbers, RFC 3339 times; the attribute's definition says how to read it.
type Field struct{ Name, Text string }

// Text is the Value of a singular simple attribute; "" is EMPTY.
func Text(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{Element{{"value", s}}}
}

// Texts is the Value of a multi-valued attribute whose elements have only a
// value. Empty strings are left out.
func Texts(list ...string) Value {
	v := make(Value, 0, len(list))
	for _, s := range list {
		v = append(v, Text(s)...)
	}
	return v
}

// NewElement sorts fields by name and drops empty ones; of fields with the
// same name the first stays.
func NewElement(fields ...Field) Element {
	e := slices.DeleteFunc(Element(fields), func(f Field) bool { return f.Text == "" })
	slices.SortStableFunc(e, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(e, func(a, b Field) bool { return a.Name == b.Name })
}

// Field returns the text of the named field, "" when there is none.
func (e Element) Field(name string) string {
	for _, f := range e {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// With returns a copy of e in which the named field is text; "" removes it.
func (e Element) With(name, text string) Element {
	fields := slices.DeleteFunc(slices.Clone(e), func(f Field) bool { return f.Name == name })
	return NewElement(append(fields, Field{name, text})...)
}

// holds says whether every element of o is one of v.
func (v Value) holds(o Value) bool {
	return !slices.ContainsFunc(o, func(e Element) bool {
		return !slices.ContainsFunc(v, func(x Element) bool { return slices.Equal(x, e) })
	})
}

// Primary says whether the element is marked as the primary one.
func (e Element) Primary() bool { return e.Field("primary") == "true" }

// Equal holds when both have the same fields.
func (e Element) Equal(o Element) bool { return slices.Equal(e, o) }

// String is the first element's "value" field: the text of a singular
// attribute, "" when empty.
func (v Value) String() string {
	if len(v) == 0 {
		return ""
	}
	return v[0].Field("value")
}

// Primary returns the primary element, else the first one, else nil.
func (v Value) Primary() Element {
	for _, e := range v {
		if e.Primary() {
			return e
		}
	}
	if len(v) == 0 {
		return nil
	}
	return v[0]
}

// Equal holds when both have the same elements in the same order.
func (v Value) Equal(o Value) bool { return slices.EqualFunc(v, o, Element.Equal) }

// Attribute is one named value.
type Attribute struct {
	Name  string
	Value Value
}

// Attributes are sorted by name, each name once. A missing name is ABSENT (the
// source says nothing), a present one with no element EMPTY.
type Attributes []Attribute

func (a Attributes) index(name string) (int, bool) {
	return slices.BinarySearchFunc(a, name, func(x Attribute, n string) int { return strings.Compare(x.Name, n) })
}

// Get returns the named value and whether the attribute is there at all.
func (a Attributes) Get(name string) (Value, bool) {
	if i, ok := a.index(name); ok {
		return a[i].Value, true
	}
	return nil, false
}

// Text is the text of a singular attribute, "" when absent or empty.
func (a Attributes) Text(name string) string {
	v, _ := a.Get(name)
	return v.String()
}

// Set puts a value, EMPTY included, under name.
func (a *Attributes) Set(name string, v Value) {
	i, ok := a.index(name)
	if ok {
		(*a)[i].Value = v
		return
	}
	*a = slices.Insert(*a, i, Attribute{name, v})
}

// Delete makes name ABSENT.
func (a *Attributes) Delete(name string) {
	if i, ok := a.index(name); ok {
		*a = slices.Delete(*a, i, i+1)
	}
}

// Clone copies the list; values are shared and must not be changed in place.
func (a Attributes) Clone() Attributes { return slices.Clone(a) }

// Equal holds when both have the same names with the same values.
func (a Attributes) Equal(o Attributes) bool {
	return slices.EqualFunc(a, o, func(x, y Attribute) bool { return x.Name == y.Name && x.Value.Equal(y.Value) })
}
