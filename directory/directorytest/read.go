package directorytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/directory"
)

// ReadAttributes reads a JSON object of attributes by their SCIM names: texts,
// booleans, numbers, lists, objects. null, "" and [] are EMPTY. Of SCIM it
// knows what scenarios use: name, extensions, paths with dots, and the licence
// among the entitlements. Names that the organisation does not have are left
// out.
func ReadAttributes(text string, p *directory.Policy) (directory.Attributes, error) {
	object, err := readObject(text)
	if err != nil {
		return nil, err
	}
	var a directory.Attributes
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if err := readAttribute(&a, name, object[name], p); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func readObject(text string) (map[string]any, error) {
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return object, nil
}

func readAttribute(a *directory.Attributes, name string, v any, p *directory.Policy) error {
	inner, nested := v.(map[string]any)
	if nested && (name == "name" || strings.HasPrefix(name, "urn:")) {
		for _, sub := range slices.Sorted(maps.Keys(inner)) {
			full := sub
			if name == "name" {
				full = "name." + sub
			}
			if err := readAttribute(a, full, inner[sub], p); err != nil {
				return err
			}
		}
		return nil
	}
	d, ok := p.Definition(directory.CanonicalName(strings.TrimPrefix(name, p.SchemaURN()+":")))
	if !ok {
		return nil
	}
	value, err := ReadValue(v)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	switch {
	case d.Name == "entitlements":
		value = takeLicense(a, value)
	case d.Type == directory.Boolean:
		value = directory.Text(strings.ToLower(value.String())) // Entra ID writes "False"
	}
	a.Set(d.Name, value)
	return nil
}

// takeLicense moves the licence out of the entitlements.
func takeLicense(a *directory.Attributes, v directory.Value) directory.Value {
	rest := directory.Value{}
	for _, e := range v {
		if e.Field("type") == "license" {
			a.Set(directory.License, directory.Text(e.Field("value")))
			continue
		}
		rest = append(rest, e)
	}
	return rest
}

// ReadValue reads one JSON value.
func ReadValue(v any) (directory.Value, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	value := directory.Value{}
	for _, x := range list {
		e, err := readElement(x)
		if err != nil {
			return nil, err
		}
		if len(e) > 0 {
			value = append(value, e)
		}
	}
	return value, nil
}

func readElement(v any) (directory.Element, error) {
	object, ok := v.(map[string]any)
	if !ok {
		text, err := scalar(v)
		return directory.NewElement(directory.Field{Name: "value", Text: text}), err
	}
	var fields []directory.Field
	for name, x := range object {
		text, err := scalar(x)
		if err != nil {
			return nil, err
		}
		fields = append(fields, directory.Field{Name: name, Text: text})
	}
	return directory.NewElement(fields...), nil
}

func scalar(v any) (string, error) {
	switch x := v.(type) {
	case nil:
		return "", nil
	case string:
		return x, nil
	case bool:
		return fmt.Sprint(x), nil
	case json.Number:
		return x.String(), nil
	}
	return "", fmt.Errorf("%v is no plain value", v)
}

// readClaims reads the claims of a sign-in, sorted by name. Values are texts.
func readClaims(text string) ([]Claim, error) {
	if text == "" {
		return nil, nil
	}
	object, err := readObject(text)
	if err != nil {
		return nil, err
	}
	var claims []Claim
	for _, name := range slices.Sorted(maps.Keys(object)) {
		list, ok := object[name].([]any)
		if !ok {
			list = []any{object[name]}
		}
		c := Claim{Name: name}
		for _, v := range list {
			s, err := scalar(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			c.Values = append(c.Values, s)
		}
		claims = append(claims, c)
	}
	return claims, nil
}

// ReadGroup reads a SCIM group into a change: its names, and as members whoever
// is listed.
func ReadGroup(text string, c *directory.Change) error {
	object, err := readObject(text)
	if err != nil {
		return err
	}
	for _, name := range []string{directory.DisplayName, directory.ExternalID} {
		if v, ok := object[name]; ok {
			value, err := ReadValue(v)
			if err != nil {
				return err
			}
			c.Attributes.Set(name, value)
		}
	}
	c.Members.Replace = c.Verb == directory.VerbReplace
	c.Members.Add, err = ReadMembers(object[directory.Members])
	return err
}

// ReadMembers reads a list of {"value": id}.
func ReadMembers(v any) ([]directory.ID, error) {
	if v == nil {
		return nil, nil
	}
	value, err := ReadValue(v)
	if err != nil {
		return nil, err
	}
	var ids []directory.ID
	for _, e := range value {
		id, ok := directory.ParseID(e.Field("value"))
		if !ok {
			return nil, &directory.Refusal{Code: directory.InvalidValue, Attribute: directory.Members, Detail: "no id"}
		}
		ids = append(ids, id)
	}
	return ids, nil
}
