package directory

// reresolve resolves the users at or below the given users and groups: at once
// when they are few, by a durable job otherwise. Where no rule looks at groups
// nobody's values can change.
func (a *application) reresolve(ids []ID) error {
	if len(ids) == 0 || len(a.s.policy.rules) == 0 {
		return nil
	}
	users, more, err := a.affected(ids)
	if err != nil {
		return err
	}
	if more {
		return a.startJob(ids)
	}
	for _, id := range users {
		if err := a.refresh(id); err != nil {
			return err
		}
	}
	return nil
}

// refresh resolves one user again; what would break an invariant stays as it
// is, with a case.
func (a *application) refresh(id ID) error {
	before, err := a.userByID(id)
	if err != nil || before == nil || before.Deleted != nil {
		return err
	}
	after := before.clone()
	a.cases = nil
	if err := a.settle(before, after); err != nil {
		return err
	}
	for _, r := range a.cases {
		if err := a.putCase(a.s.policy, a.s.change, r); err != nil {
			return err
		}
	}
	a.cases = nil
	wrote, told := a.wrote, a.told
	err = a.write(before, after, UserUpdated)
	if a.wrote != wrote {
		a.others++
	}
	a.told = told
	return err
}
