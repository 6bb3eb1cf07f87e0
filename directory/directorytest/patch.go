package directorytest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"muster/directory"
)

// operation is one operation of a PATCH.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// ReadPatch reads the plain forms of PATCH into a change: whole attributes by
// path or in an object, one field of the elements of a type, and for groups
// members and names.
func ReadPatch(text string, c *directory.Change, p *directory.Policy) error {
	var list []operation
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&list); err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	var edits []edit
	for _, op := range list {
		e, err := op.edits(c, p)
		if err != nil {
			return err
		}
		edits = append(edits, e...)
	}
	c.Edit = func(own directory.Attributes) (directory.Attributes, error) {
		for _, e := range edits {
			e(&own)
		}
		return own, nil
	}
	return nil
}

// edit is one operation on one attribute.
type edit func(own *directory.Attributes)

// edits takes one operation apart by attribute; members go into the change.
func (o operation) edits(c *directory.Change, p *directory.Policy) ([]edit, error) {
	name, typed, field := splitPath(o.Path)
	switch {
	case c.Resource == directory.GroupResource && name == directory.Members:
		return nil, o.members(c)
	case o.Path == "":
		return o.object(c, p)
	case typed != "":
		text, err := scalar(o.Value)
		return []edit{setField(name, typed, field, text)}, err
	}
	return o.whole(name, o.Value, p)
}

// splitPath takes emails[type eq "work"].value apart.
func splitPath(path string) (name, typed, field string) {
	found := regexp.MustCompile(`^([A-Za-z]+)\[type eq "([^"]+)"\]\.?([A-Za-z]*)$`).FindStringSubmatch(path)
	if found == nil {
		return path, "", ""
	}
	return found[1], found[2], found[3]
}

func (o operation) object(c *directory.Change, p *directory.Policy) ([]edit, error) {
	object, ok := o.Value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%v: without a path an object is needed", o.Value)
	}
	var list []edit
	for name, v := range object {
		if c.Resource == directory.GroupResource && name == directory.Members {
			inner := operation{o.Op, name, v}
			if err := inner.members(c); err != nil {
				return nil, err
			}
			continue
		}
		edits, err := o.whole(name, v, p)
		if err != nil {
			return nil, err
		}
		list = append(list, edits...)
	}
	return list, nil
}

// whole sets or removes whole attributes.
func (o operation) whole(name string, v any, p *directory.Policy) ([]edit, error) {
	if strings.EqualFold(o.Op, "remove") {
		return []edit{func(own *directory.Attributes) { own.Delete(directory.CanonicalName(name)) }}, nil
	}
	var read directory.Attributes
	if err := readAttribute(&read, name, v, p); err != nil {
		return nil, err
	}
	var list []edit
	for _, a := range read {
		list = append(list, setWhole(strings.ToLower(o.Op), a))
	}
	return list, nil
}

// setWhole replaces, or adds elements to an attribute of several.
func setWhole(op string, a directory.Attribute) edit {
	return func(own *directory.Attributes) {
		v := a.Value
		if old, ok := own.Get(a.Name); ok && op == "add" && slices.Contains([]string{directory.Roles, directory.Emails, "entitlements"}, a.Name) {
			v = append(slices.Clone(old), v...)
		}
		if len(v) == 0 {
			own.Delete(a.Name)
			return
		}
		own.Set(a.Name, v)
	}
}

// setField sets one field of the elements of a type; of none it makes one.
func setField(name, typed, field, text string) edit {
	return func(own *directory.Attributes) {
		old, _ := own.Get(name)
		now := slices.Clone(old)
		hit := false
		for i, e := range now {
			if e.Field("type") == typed {
				now[i], hit = e.With(field, text), true
			}
		}
		if !hit {
			now = append(now, directory.NewElement(directory.Field{Name: "type", Text: typed}, directory.Field{Name: field, Text: text}))
		}
		own.Set(name, now)
	}
}

// members reads an operation on the members of a group.
func (o operation) members(c *directory.Change) error {
	ids, err := ReadMembers(o.Value)
	if err != nil {
		return err
	}
	switch strings.ToLower(o.Op) {
	case "add":
		c.Members.Add = append(c.Members.Add, ids...)
	case "remove":
		c.Members.Remove = append(c.Members.Remove, ids...)
		c.Members.Replace = o.Value == nil
	default:
		c.Members.Replace, c.Members.Add = true, ids
	}
	return nil
}
