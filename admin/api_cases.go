package admin

import (
	"context"
	"net/http"

	"muster/directory"
)

type casesInput struct {
	Org        string              `path:"org"`
	State      directory.CaseState `query:"state" enum:"closed,all" doc:"left out: those that wait"`
	Kind       string              `query:"kind"`
	Code       string              `query:"code"`
	Connection string              `query:"connection"`
	User       string              `query:"user"`
	After      string              `query:"after" doc:"the next of the page before"`
	Limit      int                 `query:"limit" minimum:"1" maximum:"1000" default:"50"`
}

type casesOutput struct{ Body directory.CasePage }

type caseInput struct {
	Org string `path:"org"`
	ID  string `path:"id"`
}

type caseOutput struct{ Body directory.Case }

type resolveInput struct {
	Org  string `path:"org"`
	ID   string `path:"id"`
	Body struct {
		Resolution directory.Resolution `json:"resolution" required:"true" doc:"one of the case's resolutions"`
		User       string               `json:"user,omitempty" doc:"whom it is about: who is linked or restored, who survives a merge"`
		Note       string               `json:"note,omitempty" maxLength:"1000"`
	}
}

func (s *Server) caseOperations() {
	const cases = "/orgs/{org}/cases"
	add(s, operation{http.MethodGet, cases, directory.Auditor, "list-cases", "Conflicts that wait for an administrator", 0}, s.listCases)
	add(s, operation{http.MethodGet, cases + "/{id}", directory.Auditor, "get-case", "One case with its evidence and what it permits", 0},
		func(ctx context.Context, c *call, in *caseInput) (*caseOutput, error) {
			id, ok := directory.ParseID(in.ID)
			if !ok {
				return nil, directory.ErrNotFound
			}
			k, err := s.directory.Case(ctx, c.org(), id)
			return &caseOutput{k}, err
		})
	add(s, operation{http.MethodPost, cases + "/{id}/resolve", directory.OrgAdmin, "resolve-case", "Resolve a case", 0}, s.callResolveCase)
}

func (s *Server) listCases(ctx context.Context, c *call, in *casesInput) (*casesOutput, error) {
	q := directory.CaseQuery{State: in.State, Kind: directory.CaseKind(in.Kind), Code: directory.Code(in.Code), Connection: in.Connection, Limit: in.Limit}
	var err error
	if q.User, err = optionalID("user", in.User); err != nil {
		return nil, err
	}
	if q.After, err = optionalID("after", in.After); err != nil {
		return nil, err
	}
	page, err := s.directory.Cases(ctx, c.org(), q)
	return &casesOutput{page}, err
}

// optionalID reads an id that may be left out.
func optionalID(field, text string) (directory.ID, error) {
	id, ok := directory.ParseID(text)
	if text != "" && !ok {
		return id, refuse(http.StatusUnprocessableEntity, "invalid", "This is no id.", fieldError{Field: field, Detail: "is no id"})
	}
	return id, nil
}

func (s *Server) callResolveCase(ctx context.Context, c *call, in *resolveInput) (*caseOutput, error) {
	id, ok := directory.ParseID(in.ID)
	if !ok {
		return nil, directory.ErrNotFound
	}
	user, err := optionalID("user", in.Body.User)
	if err != nil {
		return nil, err
	}
	k, err := s.directory.ResolveCase(ctx, c.acting.Source(), c.org(), id, directory.Remedy{Resolution: in.Body.Resolution, User: user, Note: in.Body.Note})
	return &caseOutput{k}, err
}
