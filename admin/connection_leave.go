package admin

import (
	"net/http"
	"strconv"
	"strings"

	"muster/directory"
)

// leavePage asks what becomes of a connection's users when it goes, and tells what that would change.
type leavePage struct {
	Connection, Back string
	Plan             directory.LeavePlan
	Form             form
}

// retireOnly: the connection is retired, its users stay linked to it.
const retireOnly = "keep"

// Ways are what may become of the users.
func (leavePage) Ways() []string {
	return []string{retireOnly, string(directory.LeaveLocal), string(directory.LeaveDelete)}
}

func (s *Server) readLeave(v *visit, f form) (p leavePage, err error) {
	c, err := v.knownConnection()
	if err != nil {
		return p, err
	}
	p = leavePage{Connection: c.ID, Back: v.at("/connections/" + c.ID), Form: f}
	p.Plan, err = s.directory.PlanLeave(v.Request().Context(), v.org(), c.ID)
	return p, err
}

func (s *Server) leaveForm(v *visit) error {
	p, err := s.readLeave(v, form{})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "connection-leave", p)
}

// leave retires a connection, and gives its users up as the administrator chose. What was counted is what happens, or
// nothing.
func (s *Server) leave(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readLeave(v, f)
	if err != nil {
		return err
	}
	users, count := f.Value("users"), f.Value("count")
	remove := f.Value("remove") != ""
	switch {
	case users == "":
		p.Form.fail("users", "connection-leave.users-missing")
	case users == retireOnly && remove:
		p.Form.fail("users", "connection-leave.keep-removed")
	}
	if strings.TrimSpace(f.Value("object")) != p.Connection {
		p.Form.fail("object", "end.object-wrong")
	}
	counted, err := strconv.Atoi(count)
	if err != nil {
		p.Form.fail("", "connection-leave.count-missing")
	}
	if len(p.Form.Faults) > 0 {
		return v.render(http.StatusUnprocessableEntity, "connection-leave", p)
	}
	if users == retireOnly {
		if err := s.directory.SetState(v.Request().Context(), v.acting.Source(), v.org(), p.Connection, directory.Retired); err != nil {
			return err
		}
		return v.done(p.Back, "connection-retired")
	}
	_, err = s.directory.Leave(v.Request().Context(), v.acting.Source(), directory.Leaving{
		Org: v.org(), Connection: p.Connection, Users: directory.LeaveChoice(users), Remove: remove, Count: counted,
	})
	if p.Form.failed(err) {
		p.Form.gather()
		return v.render(http.StatusUnprocessableEntity, "connection-leave", p)
	}
	if err != nil {
		return err
	}
	return v.done(v.at("/guard"), "connection-leaves")
}
