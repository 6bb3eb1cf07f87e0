package directory

import (
	"slices"
)

// settle resolves the user and makes its unique values unique: a push that
// takes somebody's name fails, a sign-in goes on without that attribute.
func (a *application) settle(before, after *User) error {
	after.Held = nil
	for range 8 {
		if err := a.resolveUser(after); err != nil {
			return err
		}
		conflict, err := a.conflict(before, after)
		if conflict == nil || err != nil {
			return err
		}
		yielded, err := a.yields(conflict, after)
		if err != nil {
			return err
		}
		if yielded {
			continue
		}
		if err := a.dropConflict(conflict, before, after); err != nil {
			return err
		}
	}
	return refuse(Uniqueness, "more values belong to other users than one sign-in may leave out")
}

// resolveUser computes what the world sees of the user now.
func (a *application) resolveUser(u *User) error {
	if u.Deleted != nil {
		return nil
	}
	groups, err := a.groupsOf(u.ID)
	if err != nil {
		return err
	}
	r, err := a.seat(u, standing{a.s.policy, u, groupsThatCount(a.s.policy, u, groups)})
	if err != nil {
		return err
	}
	u.Effective, u.Denied, u.Generation = r.attributes, r.denied, a.s.policy.Generation
	u.ruled = r.ruled
	return nil
}

// conflict is one unique value that somebody else holds.
type conflict struct {
	entry  indexEntry
	holder *User
}

// conflict finds the first unique value of the user that another user holds.
// An entry that its holder's record does not bear out is no conflict.
func (a *application) conflict(before, after *User) (*conflict, error) {
	for _, e := range uniqueIndex(a.s.policy, after) {
		value, err := a.Get(e.key)
		if err != nil {
			return nil, err
		}
		if len(value) != 16 || ID(value) == after.ID {
			continue
		}
		holder, err := a.userByID(ID(value))
		if err != nil {
			return nil, err
		}
		if holder != nil && slices.ContainsFunc(uniqueIndex(a.s.policy, holder), func(x indexEntry) bool { return string(x.key) == string(e.key) }) {
			return &conflict{e, holder}, nil
		}
	}
	return nil, nil
}

// yields lets a locked user's frozen name go to the next claimant of the same
// connection, when its own home pushes another name for it by now.
func (a *application) yields(c *conflict, after *User) (bool, error) {
	h := c.holder
	if a.s.conn == nil || a.s.change.Channel != SCIM || c.entry.unique != UserName || h.Yielded ||
		!a.s.gaveUp(vote{UserName, NormalName(after.Effective.Text(UserName)), h}) {
		return false, nil
	}
	next := h.clone()
	next.Yielded = true
	if err := a.resolveUser(next); err != nil {
		return false, err
	}
	other, err := a.conflict(h, next)
	if err != nil {
		return false, err
	}
	if other != nil { // what its home calls it by now is somebody else's, too
		next.prior = h.Effective.Clone()
		next.prior.Delete(UserName)
		next.Held = append(next.Held, UserName)
		if err := a.resolveUser(next); err != nil {
			return false, err
		}
	}
	return true, a.write(h, next, UserUpdated)
}

// dropConflict refuses a push, takes the attribute out of an assertion, and
// holds back what changed without this change saying so.
func (a *application) dropConflict(c *conflict, before, after *User) error {
	name := c.entry.unique
	value := after.Effective.Text(name)
	if v, ok := a.s.change.Attributes.Get(name); ok && len(v) > 0 {
		value = v.String()
	}
	r := refuse(Uniqueness, "%q belongs to another user (id %s)", value, c.holder.ID).on(name)
	signIn := a.s.change.Channel == SSO
	if a.s.conn != nil && (before != nil || signIn) {
		users := []*User{c.holder}
		if before != nil || name != UserName {
			users = append(users, after)
		}
		r = a.s.withCase(CaseName, r, users...)
		r.Evidence.Values[name] = value
	}
	own, _ := after.Layer(a.s.source()).Get(name)
	var old Value
	if before != nil {
		old, _ = before.Layer(a.s.source()).Get(name)
	}
	switch {
	case before != nil && own.Equal(old) && !a.s.unlocks(before, after):
		after.Held = append(after.Held, name)
		a.cases = append(a.cases, r)
		return nil
	case !signIn, before == nil && name == UserName, own.Equal(old):
		return r
	}
	after.layer(a.s.source()).set(a.s.entry(Attribute{name, old}))
	a.warnings = append(a.warnings, Warning{r.Code, r.Attribute, r.Detail})
	a.cases = append(a.cases, r)
	return nil
}

// unlocks says whether the change lets frozen identifiers move again: what
// they move to is then this change's doing.
func (s *situation) unlocks(before, after *User) bool {
	return s.change.Channel != SSO && (before.Deleted != nil || before.Locked() && !after.Locked())
}
