package directory

// rewrite resolves and writes a user whom an administrator changed. What would
// take somebody else's name is refused.
func (a *application) rewrite(before, after *User, what EventType) error {
	if err := a.settle(before, after); err != nil {
		return err
	}
	return a.write(before, after, what)
}

// liveUser reads a user who is not deleted.
func (r reading) liveUser(id ID) (*User, error) {
	u, err := r.userByID(id)
	if err == nil && !isLive(u) {
		err = ErrNotFound
	}
	return u, err
}
