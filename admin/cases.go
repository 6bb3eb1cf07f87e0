package admin

import (
	"net/http"
	"net/url"
	"strings"

	"muster/directory"
)

// casesPage lists refused conflicts, the newest first.
type casesPage struct {
	State, Kind, Connection string
	Kinds                   []directory.CaseKind
	Connections             []*directory.Connection
	Cases                   []directory.Case
	Next                    string
}

func caseKinds() []directory.CaseKind {
	return []directory.CaseKind{
		directory.CaseUnlinked, directory.CaseSubject, directory.CaseAmbiguous, directory.CaseName, directory.CaseGrave,
		directory.CaseRehire, directory.CaseMoved, directory.CasePin, directory.CaseGuard, directory.CaseOverflow,
	}
}

func (s *Server) cases(v *visit) error {
	p := casesPage{
		State: v.QueryParam("state"), Kind: v.QueryParam("kind"), Connection: v.QueryParam("connection"),
		Kinds: caseKinds(), Connections: v.policy.Connections(),
	}
	after, _ := directory.ParseID(v.QueryParam("after"))
	found, err := s.directory.Cases(v.Request().Context(), v.org(), directory.CaseQuery{
		State: directory.CaseState(p.State), Kind: directory.CaseKind(p.Kind), Connection: p.Connection, After: after, Limit: pageSize,
	})
	if err != nil {
		return err
	}
	p.Cases = found.Cases
	if found.Next != directory.NoID {
		p.Next = "?" + url.Values{"state": {p.State}, "kind": {p.Kind}, "connection": {p.Connection}, "after": {found.Next.String()}}.Encode()
	}
	return v.render(http.StatusOK, "cases", p)
}

// casePage is one conflict with its evidence and the ways out of it.
type casePage struct {
	Case  directory.Case
	Users []person
	Form  form
}

// person is somebody whom a page names.
type person struct {
	ID    directory.ID
	Name  string
	There bool // there is a profile to look at
}

func (s *Server) readCase(v *visit, f form) (p casePage, err error) {
	id, err := v.id("case")
	if err != nil {
		return p, err
	}
	p.Form = f
	if p.Case, err = s.directory.Case(v.Request().Context(), v.org(), id); err != nil {
		return p, err
	}
	for _, id := range p.Case.Evidence.Users {
		who, err := s.named(v, id)
		if err != nil {
			return p, err
		}
		p.Users = append(p.Users, who)
	}
	return p, nil
}

func (s *Server) showCase(v *visit) error {
	p, err := s.readCase(v, form{})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "case", p)
}

// resolveCase does what the administrator chose. The directory says whether it is still permitted.
func (s *Server) resolveCase(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readCase(v, f)
	if err != nil {
		return err
	}
	remedy := directory.Remedy{Resolution: directory.Resolution(f.Value("resolution")), Note: strings.TrimSpace(f.Value("note"))}
	remedy.User, _ = directory.ParseID(f.Value("user"))
	_, err = s.directory.ResolveCase(v.Request().Context(), v.acting.Source(), v.org(), p.Case.ID, remedy)
	if err == nil {
		return v.done(v.at("/cases"), "resolved")
	}
	if p.Form.failed(err) {
		p.Form.gather()
		return v.render(http.StatusUnprocessableEntity, "case", p)
	}
	return err
}
