package directory

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// In JSON a value is a text where it is nothing but one, a list of its elements
// where it has several, and null where it is EMPTY. An element is a text, or an
// object of its fields; attributes are an object by name. Booleans and numbers
// are read as their text.

// MarshalJSON writes the value in its short form.
func (v Value) MarshalJSON() ([]byte, error) {
	switch len(v) {
	case 0:
		return []byte("null"), nil
	case 1:
		return json.Marshal(v[0])
	}
	return json.Marshal([]Element(v))
}

// UnmarshalJSON reads what MarshalJSON writes, and a list of any length.
func (v *Value) UnmarshalJSON(text []byte) error {
	text = bytes.TrimSpace(text)
	*v = nil
	if bytes.Equal(text, []byte("null")) {
		return nil
	}
	if len(text) > 0 && text[0] == '[' {
		list := []Element{}
		err := json.Unmarshal(text, &list)
		*v = list
		return err
	}
	var e Element
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	if *v = (Value{}); len(e) > 0 {
		*v = Value{e}
	}
	return nil
}

// MarshalJSON writes the element in its short form.
func (e Element) MarshalJSON() ([]byte, error) {
	if len(e) == 1 && e[0].Name == "value" {
		return json.Marshal(e[0].Text)
	}
	fields := make(map[string]string, len(e))
	for _, f := range e {
		fields[f.Name] = f.Text
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Element) UnmarshalJSON(text []byte) error {
	var typed any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&typed); err != nil {
		return err
	}
	fields, ok := typed.(map[string]any)
	if !ok {
		fields = map[string]any{"value": typed}
	}
	list := make([]Field, 0, len(fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch fields[name].(type) {
		case string, bool, json.Number:
			list = append(list, Field{name, fmt.Sprint(fields[name])})
		default:
			return fmt.Errorf("%q is neither a text nor a number nor a boolean", name)
		}
	}
	*e = NewElement(list...)
	return nil
}

// MarshalJSON writes attributes as an object.
func (a Attributes) MarshalJSON() ([]byte, error) {
	object := make(map[string]Value, len(a))
	for _, x := range a {
		object[x.Name] = x.Value
	}
	return json.Marshal(object)
}

// UnmarshalJSON reads attributes from an object; null is EMPTY.
func (a *Attributes) UnmarshalJSON(text []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	*a = nil
	for _, name := range slices.Sorted(maps.Keys(object)) {
		var v Value
		if err := v.UnmarshalJSON(object[name]); err != nil {
			return err
		}
		a.Set(name, v)
	}
	return nil
}
