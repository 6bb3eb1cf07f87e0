package admin

import (
	"net/http"
	"strconv"
	"time"

	"muster/directory"
)

// guardPage is what each connection's guard counts and holds back, and the long work under way.
type guardPage struct {
	Guards []directory.GuardStatus
	Tasks  []directory.Task
}

// waitingShown is how many operations held back a page lists for a connection.
const waitingShown = 20

func (s *Server) guard(v *visit) error {
	ctx := v.Request().Context()
	var p guardPage
	for _, c := range v.policy.Connections() {
		status, err := s.directory.Guard(ctx, v.org(), c.ID, waitingShown)
		if err != nil {
			return err
		}
		p.Guards = append(p.Guards, status)
	}
	var err error
	if p.Tasks, err = s.directory.Tasks(ctx, v.org()); err != nil {
		return err
	}
	return v.render(http.StatusOK, "guard", p)
}

// guardAction is the form that lets operations through or undoes what a run did.
type guardAction struct {
	Status directory.GuardStatus
	Form   form
	Verb   string // let or undo
}

func (s *Server) readGuard(v *visit, verb string, f form) (guardAction, error) {
	c := v.policy.Connection(v.Param("connection"))
	if c == nil {
		return guardAction{}, directory.ErrNotFound
	}
	status, err := s.directory.Guard(v.Request().Context(), v.org(), c.ID, waitingShown)
	return guardAction{status, f, verb}, err
}

func (s *Server) guardForm(verb string) func(*visit) error {
	return func(v *visit) error {
		p, err := s.readGuard(v, verb, form{})
		if err != nil {
			return err
		}
		return v.render(http.StatusOK, "guard-act", p)
	}
}

// mostHours bounds how long a guard stays open, and how far back a run is undone.
const mostHours = 168

// hours reads a number of hours between 1 and mostHours.
func (f *form) hours(field string) (time.Duration, bool) {
	n, err := strconv.Atoi(f.Value(field))
	if err != nil || n < 1 || n > mostHours {
		f.fail(field, "guard-act.hours-wrong")
		return 0, false
	}
	return time.Duration(n) * time.Hour, true
}

// letThrough opens the guard of a connection for some time, or for a number of operations in it.
func (s *Server) letThrough(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readGuard(v, "let", f)
	if err != nil {
		return err
	}
	span, ok := p.Form.hours("hours")
	operations := 0
	if typed := f.Value("operations"); typed != "" {
		if operations, err = strconv.Atoi(typed); err != nil || operations < 1 {
			p.Form.fail("operations", "guard-act.operations-wrong")
			ok = false
		}
	}
	if !ok {
		return v.render(http.StatusUnprocessableEntity, "guard-act", p)
	}
	err = s.directory.LetThrough(v.Request().Context(), v.acting.Source(), v.org(), p.Status.Connection,
		directory.Allowance{Operations: operations, Until: s.now().Add(span)})
	if err != nil {
		return err
	}
	return v.done(v.at("/guard"), "let-through")
}

// undoRun takes back what the connection locked, deleted and emptied of late.
func (s *Server) undoRun(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readGuard(v, "undo", f)
	if err != nil {
		return err
	}
	span, ok := p.Form.hours("hours")
	if f.Value("object") != p.Status.Connection {
		p.Form.fail("object", "end.object-wrong")
		ok = false
	}
	if !ok {
		return v.render(http.StatusUnprocessableEntity, "guard-act", p)
	}
	_, err = s.directory.UndoRun(v.Request().Context(), v.acting.Source(), v.org(), p.Status.Connection, s.now().Add(-span))
	if err != nil {
		return err
	}
	return v.done(v.at("/guard"), "undone")
}
