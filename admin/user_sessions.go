package admin

import "muster/directory"

// endUserSession ends one of the person's sessions, or all of them.
func (s *Server) endUserSession(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	user, err := v.id("user")
	if err != nil {
		return err
	}
	ctx, by := v.Request().Context(), v.acting.Source()
	if f.Value("session") == "all" {
		err = s.directory.RevokeSessions(ctx, by, v.org(), user)
	} else if id, ok := directory.ParseID(f.Value("session")); ok {
		err = s.directory.RevokeSession(ctx, by, v.org(), user, id)
	} else {
		err = directory.ErrNotFound
	}
	if err != nil {
		return err
	}
	return v.done(v.at("/users/"+user.String()), "session-ended")
}
