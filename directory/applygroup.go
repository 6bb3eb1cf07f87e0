package directory

import (
	"fmt"
	"slices"
	"strings"
)

// runGroup takes a change of a group through the same steps: find, decide,
// validate, write, resolve whom it concerns, commit.
func (a *application) runGroup() (Result, error) {
	c := a.s.change
	if c.Verb == VerbCreate {
		return a.createGroup()
	}
	g, err := a.groupByID(c.ID)
	if err != nil {
		return Result{}, err
	}
	if g == nil || !a.s.ownsGroup(g) {
		return Result{}, ErrNotFound
	}
	if !c.holds(g.Version()) {
		return Result{}, ErrVersion
	}
	if c.Verb == VerbDelete {
		return a.deleteGroup(g)
	}
	after, err := a.s.editGroup(*g)
	if err != nil {
		return Result{}, err
	}
	return a.commitGroup(g, &after)
}

// ownsGroup: a connection touches the groups it pushed, an administrator local
// ones.
func (s *situation) ownsGroup(g *Group) bool { return g.Source == s.groupSource() }

func (s *situation) groupSource() Source {
	if s.conn == nil {
		return Source{Channel: Local}
	}
	return Source{s.conn.ID, SCIM}
}

func (a *application) createGroup() (Result, error) {
	if a.s.change.IfMatch != nil {
		return Result{}, ErrVersion // nothing is there yet
	}
	g, err := a.s.editGroup(Group{ID: a.id, Org: a.org, Source: a.s.groupSource(), Created: a.now.At})
	if err != nil {
		return Result{}, err
	}
	return a.commitGroup(nil, &g)
}

// editGroup applies the attributes of the change to a group. PUT replaces:
// an omitted externalId is cleared, the display name is required.
func (s *situation) editGroup(g Group) (Group, error) {
	attributes := s.change.Attributes
	if s.change.Edit != nil {
		var err error
		if attributes, err = s.change.Edit(g.attributes()); err != nil {
			return g, err
		}
	}
	if v, ok := attributes.Get(DisplayName); ok || s.change.Verb == VerbReplace {
		g.DisplayName = strings.TrimSpace(v.String())
	}
	v, ok := attributes.Get(ExternalID)
	if ok || s.change.Verb == VerbReplace {
		g.ExternalID = v.String()
	}
	switch {
	case g.DisplayName == "":
		return g, refuse(AttributeMissing, "is required").on(DisplayName)
	case len(g.DisplayName) > maxName || len(g.ExternalID) > maxName:
		return g, invalid(DisplayName, "name or external id is longer than %d bytes", maxName)
	}
	return g, nil
}

func (g *Group) attributes() Attributes {
	a := Attributes{}
	a.Set(DisplayName, Text(g.DisplayName))
	if g.ExternalID != "" {
		a.Set(ExternalID, Text(g.ExternalID))
	}
	return a
}

// commitGroup writes the group, its members and everybody whose effective
// values change with it.
func (a *application) commitGroup(before, after *Group) (Result, error) {
	if err := a.guardRename(before, after); err != nil {
		return Result{}, err
	}
	added, removed, err := a.changeMembers(after)
	if err != nil {
		return Result{}, err
	}
	renamed := before != nil && before.DisplayName != after.DisplayName
	if renamed {
		after.Known = a.s.policy.knownNames(before)
	}
	if before != nil && !renamed && before.ExternalID == after.ExternalID && len(added)+len(removed) == 0 {
		return Result{Outcome: Unchanged, Group: after}, nil
	}
	if err := a.writeGroup(before, after, MemberChange{Add: added, Remove: removed}); err != nil {
		return Result{}, err
	}
	concerned := slices.Concat(added, removed)
	if renamed {
		concerned = []ID{after.ID}
	}
	if err := a.reresolve(concerned); err != nil {
		return Result{}, err
	}
	outcome := Updated
	if before == nil {
		outcome = Created
	}
	return Result{Outcome: outcome, Group: after, Event: a.wrote, Changes: a.told}, nil
}

// writeGroup commits the record of a group with its indexes and its event.
func (a *application) writeGroup(before, after *Group, members MemberChange) error {
	var old []indexEntry
	what := GroupUpdated
	if before == nil {
		what = GroupCreated
		if err := a.count(countGroups+after.Source.String(), 1); err != nil {
			return err
		}
	} else {
		old = groupIndex(before)
	}
	gone, came := indexChange(old, groupIndex(after))
	for _, e := range came {
		if err := a.claimGroup(e, after); err != nil {
			return err
		}
	}
	for _, e := range gone {
		if err := a.tx.Delete(e.key); err != nil {
			return err
		}
	}
	if before == nil || before.DisplayName != after.DisplayName || before.ExternalID != after.ExternalID {
		after.Modified = a.now.At
		if err := a.tx.Set(groupKey(a.org, after.ID), encodeGroup(after)); err != nil {
			return err
		}
	}
	a.told = groupChanges(before, after, members)
	return a.emit(Event{Type: what, Group: after.ID, Changes: a.told}, [16]byte{})
}

// claimGroup writes an index entry; an external id names one group of a connection.
func (a *application) claimGroup(e indexEntry, g *Group) error {
	if e.unique != "" {
		held, err := a.Get(e.key)
		if err != nil {
			return err
		}
		if len(held) == 16 && ID(held) != g.ID {
			return refuse(Uniqueness, "%q belongs to another group (id %s)", g.ExternalID, ID(held)).on(ExternalID)
		}
	}
	return a.tx.Set(e.key, e.value)
}

func groupChanges(before, after *Group, m MemberChange) []AttributeChange {
	var list []AttributeChange
	old, now := Attributes{}, Attributes{}
	if before != nil {
		old = before.attributes()
	}
	source := before
	if after != nil {
		now, source = after.attributes(), after
	}
	ch := source.Source.Channel
	for _, name := range []string{DisplayName, ExternalID} {
		was, _ := old.Get(name)
		is, _ := now.Get(name)
		if !was.Equal(is) {
			list = append(list, AttributeChange{Attribute: name, Layer: ch, Before: was, After: is})
		}
	}
	if len(m.Add)+len(m.Remove) > 0 {
		list = append(list, AttributeChange{Attribute: Members, Layer: ch, Before: idValue(m.Remove), After: idValue(m.Add)})
	}
	return list
}

func idValue(ids []ID) Value {
	v := make(Value, 0, len(ids))
	for _, id := range ids {
		v = append(v, Element{{"value", id.String()}})
	}
	return v
}

// deleteGroup removes a group, its memberships and its place in other groups.
func (a *application) deleteGroup(g *Group) (Result, error) {
	members, err := a.tails(orgKey(tableMember, a.org).id(g.ID), -1)
	if err != nil {
		return Result{}, err
	}
	if _, err := a.dropMembers(g, members); err != nil {
		return Result{}, err
	}
	parents, err := a.tails(orgKey(tableBelongs, a.org).id(g.ID), -1)
	if err != nil {
		return Result{}, err
	}
	for _, parent := range parents {
		if err := a.removeMember(parent, g.ID); err != nil {
			return Result{}, err
		}
	}
	for _, e := range groupIndex(g) {
		if err := a.tx.Delete(e.key); err != nil {
			return Result{}, err
		}
	}
	if err := a.count(countGroups+g.Source.String(), -1); err != nil {
		return Result{}, err
	}
	if err := a.tx.Delete(groupKey(a.org, g.ID)); err != nil {
		return Result{}, err
	}
	changes := groupChanges(g, nil, MemberChange{Remove: members})
	if len(parents) > 0 {
		changes = append(changes, AttributeChange{Attribute: Groups, Layer: g.Source.Channel, Before: idValue(parents)})
	}
	if err := a.emit(Event{Type: GroupDeleted, Group: g.ID, Changes: changes}, [16]byte{}); err != nil {
		return Result{}, err
	}
	wrote := a.wrote
	return Result{Outcome: Deleted, Event: wrote}, a.reresolve(members)
}

// Version changes with the group's name and external id, not with its members.
func (g *Group) Version() string {
	h := newDigest()
	h.text(g.ID.String())
	h.text(g.DisplayName)
	h.text(g.ExternalID)
	return h.String()
}

// rulePath names a rule in configuration.
func rulePath(i int) string { return fmt.Sprintf("rules[%d]", i) }

// ruleName is the rule's own name, or its place; n is 1 + index.
func (p *Policy) ruleName(n int) string {
	if name := p.rules[n-1].Name; name != "" {
		return "rule " + name
	}
	return rulePath(n - 1)
}
