package directory

import "context"

// audit keeps an event about the administration itself: of an organisation in
// that organisation's events, of the instance in the events of the
// organisation without a name, which Events reads like any other.
func (w writing) audit(by Acting, what EventType, org string, changes ...AttributeChange) error {
	in := w
	in.org = org
	a := &application{writing: in, now: Stamp{canonicalTime(w.d.now()), by.Name, by.Request}}
	a.s.change = &Change{Org: org, Channel: Local, Actor: by.Name, Request: by.Request}
	return a.emit(Event{Type: what, Changes: changes}, [16]byte{})
}

// Audit keeps an event about the instance that is no change of a record, such
// as a sign-in that was refused.
func (d *Directory) Audit(ctx context.Context, by Acting, what EventType, changes ...AttributeChange) error {
	return d.update(ctx, "", func(w writing) error { return w.audit(by, what, "", changes...) })
}

// auditAdmin tells what changed of an administrator; organisations hear who
// was given or lost a role in them. Of credentials only the kind is told.
func (w writing) auditAdmin(by Acting, before, after *adminRecord) error {
	what := AdminUpdated
	old := &adminRecord{}
	if before == nil {
		what = AdminAdded
	} else {
		old = before
	}
	who := AttributeChange{Attribute: "administrator", Before: Text(old.Email), After: Text(after.Email)}
	changes := []AttributeChange{who}
	if old.Name != after.Name {
		changes = append(changes, AttributeChange{Attribute: "name", Before: Text(old.Name), After: Text(after.Name)})
	}
	if old.Credentials.Password != after.Credentials.Password {
		changes = append(changes, AttributeChange{Attribute: "password", Before: set(old.Credentials.Password), After: set(after.Credentials.Password)})
	}
	if !old.Credentials.samePasskeys(&after.Credentials) {
		changes = append(changes, AttributeChange{Attribute: "passkeys", Before: passkeyNames(old), After: passkeyNames(after)})
	}
	changed := append(without(old.Grants, after.Grants), without(after.Grants, old.Grants)...)
	if len(changed) > 0 {
		changes = append(changes, AttributeChange{Attribute: "grants", Before: old.Grants.value(), After: after.Grants.value()})
	}
	if err := w.audit(by, what, "", changes...); err != nil {
		return err
	}
	told := map[string]bool{"": true}
	for _, g := range changed {
		if told[g.Org] {
			continue
		}
		told[g.Org] = true
		if err := w.audit(by, AdminUpdated, g.Org, who, AttributeChange{Attribute: "grants",
			Before: old.Grants.in(g.Org).value(), After: after.Grants.in(g.Org).value()}); err != nil {
			return err
		}
	}
	return nil
}

// set says of a secret only that there is one.
func set(secret string) Value {
	if secret == "" {
		return nil
	}
	return Text("set")
}

func (c *Credentials) samePasskeys(o *Credentials) bool {
	if len(c.Passkeys) != len(o.Passkeys) {
		return false
	}
	for i := range c.Passkeys {
		if string(c.Passkeys[i].ID) != string(o.Passkeys[i].ID) {
			return false
		}
	}
	return true
}

func passkeyNames(a *adminRecord) (v Value) {
	for _, p := range a.Credentials.Passkeys {
		v = append(v, Element{{"value", p.Name}})
	}
	return v
}

// in are the grants about one organisation.
func (g Grants) in(org string) (list Grants) {
	for _, x := range g {
		if x.Org == org {
			list = append(list, x)
		}
	}
	return list
}

// value is grants as an event shows them: "admin of acme".
func (g Grants) value() (v Value) {
	for _, x := range g {
		v = append(v, Element{{"value", string(x.Role) + " of " + orInstance(x.Org)}})
	}
	return v
}
