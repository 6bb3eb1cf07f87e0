package scim

import (
	"strings"

	scimlib "github.com/elimity-com/scim"

	"muster/directory"
	"muster/directory/filter"
)

// groupEdit is what one body asks of a group: one Change, whatever the number
// of operations. Members are never read, only added and removed.
type groupEdit struct {
	x       *index
	ignored unknown
	texts   directory.Attributes // displayName and externalId; EMPTY unsets
	most    int                  // operations of a PATCH, 0 for any number
	replace bool                 // the members are exactly those that come
	members map[directory.ID]bool
	order   []directory.ID
}

// readGroup reads a whole Group: members that are not named are none.
func (g *groupEdit) readGroup(root node) error {
	g.replace = true
	for n := range root.children {
		if err := g.addKey(scimlib.PatchOperationReplace, n.key(), n); err != nil {
			return err
		}
	}
	return nil
}

func (g *groupEdit) readPatch(root node) error {
	return operations(root, g.most, func(op, path string, hasPath bool, value node) error {
		if hasPath {
			return g.addPath(op, path, value)
		}
		for key := range value.children {
			if err := g.addKey(op, key.key(), key); err != nil {
				return err
			}
		}
		return nil
	})
}

// addKey takes one member of an object; read-only ones come along (Okta sends
// the id with every change) and say nothing.
func (g *groupEdit) addKey(op, key string, value node) error {
	at, err := g.x.resolve(key)
	if err != nil || at.attr == nil && at.space == nil {
		g.ignored.add(key)
		return nil
	}
	if at.attr != nil && at.attr.role == readOnly {
		return nil
	}
	return g.addPath(op, key, value)
}

func (g *groupEdit) addPath(op, path string, value node) error {
	at, err := g.x.resolve(path)
	switch {
	case err != nil:
		return err
	case at.space != nil:
		return g.addAll(op, value)
	case at.attr == nil:
		g.ignored.add(path)
		return nil
	case at.attr.role == readOnly:
		return faultMutability(at.attr.path)
	case at.attr.Name == directory.Members:
		return g.addMembers(op, path, at.sub, value)
	}
	return g.addText(op, at.attr, value)
}

// addAll takes an object under the schema's own URN.
func (g *groupEdit) addAll(op string, value node) error {
	for n := range value.children {
		if err := g.addKey(op, n.key(), n); err != nil {
			return err
		}
	}
	return nil
}

func (g *groupEdit) addText(op string, a *attribute, value node) error {
	if op == scimlib.PatchOperationRemove {
		g.texts.Set(a.Name, directory.Value{})
		return nil
	}
	text, err := a.scalar("", value)
	if err != nil {
		return err
	}
	if text != "" || op == scimlib.PatchOperationReplace {
		g.texts.Set(a.Name, directory.Text(text))
	}
	return nil
}

// addMembers folds one operation on members into the difference so far.
func (g *groupEdit) addMembers(op, path, sub string, value node) error {
	selected, filtered, err := selectedMembers(path)
	switch {
	case err != nil:
		return err
	case sub != "" && !strings.EqualFold(sub, "value"):
		return faultMutability("members." + sub)
	case op == scimlib.PatchOperationRemove && filtered:
		return g.set(selected, false)
	case op == scimlib.PatchOperationRemove && value.blank():
		g.clear()
		return nil
	case filtered && op == scimlib.PatchOperationReplace:
		return noTarget("%s: members are added and removed, not changed", path)
	}
	ids, err := memberIDs(value)
	if err != nil {
		return err
	}
	if op == scimlib.PatchOperationReplace {
		g.clear()
	}
	return g.set(append(ids, selected...), op != scimlib.PatchOperationRemove)
}

// clear empties the group, whatever was said before.
func (g *groupEdit) clear() {
	g.replace, g.members, g.order = true, nil, nil
}

// set marks members to come or to go. Ids that name nobody cannot be removed,
// so removing them is done already; adding them is refused.
func (g *groupEdit) set(ids []string, present bool) error {
	for _, text := range ids {
		id, ok := directory.ParseID(text)
		if !ok && present {
			return invalidValue("members: %.60q names no user or group of this connection", text)
		}
		if !ok {
			continue
		}
		if g.members == nil {
			g.members = map[directory.ID]bool{}
		}
		if _, known := g.members[id]; !known {
			g.order = append(g.order, id)
		}
		g.members[id] = present
	}
	return nil
}

// into makes the edit part of a change.
func (g *groupEdit) into(c *directory.Change) {
	c.Members.Replace = g.replace && c.Verb != directory.VerbCreate
	for _, id := range g.order {
		if g.members[id] {
			c.Members.Add = append(c.Members.Add, id)
		} else {
			c.Members.Remove = append(c.Members.Remove, id)
		}
	}
	if c.Verb != directory.VerbEdit {
		if _, named := g.texts.Get(directory.DisplayName); !named {
			g.texts.Set(directory.DisplayName, directory.Value{})
		}
		c.Attributes = g.texts
		return
	}
	texts := g.texts
	c.Edit = func(own directory.Attributes) (directory.Attributes, error) {
		out := own.Clone()
		for _, a := range texts {
			out.Set(a.Name, a.Value) // EMPTY too: ABSENT would say nothing
		}
		return out, nil
	}
}

// selectedMembers reads members[value eq "a"] and such filters joined by or.
func selectedMembers(path string) (ids []string, filtered bool, err error) {
	if !strings.Contains(path, "[") {
		return nil, false, nil
	}
	parsed, err := filter.ParsePath(path)
	if err != nil {
		return nil, false, pathFault(path, err)
	}
	ids, ok := memberValues(parsed.ValueExpression)
	if !ok {
		return nil, true, invalidPath(`%s: members are selected by members[value eq "id"]`, path)
	}
	return ids, true, nil
}

func memberValues(e filter.Expression) ([]string, bool) {
	if l, ok := e.(*filter.LogicalExpression); ok && l.Operator == filter.OR {
		left, okLeft := memberValues(l.Left)
		right, okRight := memberValues(l.Right)
		return append(left, right...), okLeft && okRight
	}
	terms, ok := filter.Equalities(e)
	if !ok {
		return nil, false
	}
	var ids []string
	for _, t := range terms {
		if id, isText := t.CompareValue.(string); isText && strings.EqualFold(t.AttributePath.AttributeName, "value") {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) == 1
}

// memberIDs reads the members of a body: a list or a single one, each an
// object with value or $ref, or a bare id.
func memberIDs(n node) ([]string, error) {
	if n.kind() != isArray {
		return memberID(nil, n)
	}
	var ids []string
	for child := range n.children {
		var err error
		if ids, err = memberID(ids, child); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func memberID(ids []string, n node) ([]string, error) {
	if n.kind() == isNull {
		return ids, nil
	}
	text := n
	if n.kind() == isObject {
		var ok bool
		if text, ok = n.child("value"); !ok || text.blank() {
			text, ok = n.child("$ref")
		}
		if !ok || text.blank() {
			return nil, invalidValue("members: a member needs a value")
		}
	}
	if text.kind() != isString {
		return nil, invalidValue("members: an id is a string, not %s", text.kind())
	}
	id := text.text()
	return append(ids, id[strings.LastIndexByte(id, '/')+1:]), nil
}
