package directory

// setLock applies "active" to this source's lock. From home it locks the user,
// from elsewhere only that connection's own link.
func (s *situation) setLock(o *outcome, a Attributes) error {
	word := a.Text(Active)
	if word == "" || s.muted() {
		return nil
	}
	l := o.user.layer(s.source())
	locks := word == "false"
	if locks == !l.Locked.At.IsZero() {
		if !locks && s.conn == nil {
			s.liftAll(o.user)
		}
		return nil
	}
	if locks {
		if s.conn != nil && o.user.Home == s.conn.ID && s.policy.Org.protects(o.user) {
			return refuse(Protected, "no connection may lock a protected user").on(Active)
		}
		l.Locked = s.stamp()
		o.locked = true
	} else {
		l.Locked, l.Lifted = Stamp{}, Stamp{}
		o.user.Yielded = false
	}
	s.closeLink(o.user, locks)
	if s.conn == nil && !locks {
		s.liftAll(o.user)
	}
	return nil
}

// liftAll sets every lock aside and opens the links they closed: an
// administrator says that the user is active.
func (s *situation) liftAll(u *User) {
	for i := range u.Layers {
		if l := &u.Layers[i]; !l.Locked.At.IsZero() && l.Lifted.At.IsZero() {
			l.Lifted = s.stamp()
			u.Yielded = false
			u.reopen(l.Source.Connection)
		}
	}
}

// closeLink marks the links of a connection that is not home.
func (s *situation) closeLink(u *User, lock bool) {
	if s.conn == nil || u.Home == s.conn.ID {
		return
	}
	for i := range u.Links {
		l := &u.Links[i]
		switch {
		case l.Connection != s.conn.ID:
		case lock && l.State == LinkLive:
			l.State = LinkLocked
		case !lock && l.State == LinkLocked:
			l.State = LinkLive
		}
	}
}

// remove is a delete: from home or an administrator it buries the user, from
// elsewhere it drops that connection's own word and link.
func (s *situation) remove(o *outcome) error {
	u := o.user
	o.locked = true
	if s.conn == nil || u.Home == s.conn.ID {
		if s.conn != nil && s.policy.Org.protects(u) {
			return refuse(Protected, "no connection may delete a protected user")
		}
		u.Deleted = &Tombstone{At: canonicalTime(s.now), Source: s.source()}
		return nil
	}
	u.dropLayer(Source{s.conn.ID, SCIM})
	u.dropLayer(Source{s.conn.ID, SSO})
	for i := range u.Links {
		if u.Links[i].Connection == s.conn.ID && u.Links[i].State != LinkMoved {
			u.Links[i].State = LinkDeleted
		}
	}
	return nil
}
