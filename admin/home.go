package admin

import (
	"net/http"

	"muster/directory"
)

// homePage is where an administrator arrives: the organisations they see.
type homePage struct{ Orgs []orgRow }

type orgRow struct {
	ID, Name    string
	Users       int
	Connections int
}

// home goes on to the only organisation, or lists them.
func (s *Server) home(v *visit) error {
	orgs, err := s.orgsOf(v.Request().Context(), v.acting)
	if err != nil {
		return err
	}
	if len(orgs) == 1 && !v.acting.Grants.IsOperator() {
		return v.Redirect(http.StatusSeeOther, "/admin/o/"+orgs[0].Org.ID)
	}
	p := homePage{}
	for _, policy := range orgs {
		total, err := s.directory.Users(v.Request().Context(), directory.Viewer{Org: policy.Org.ID}, directory.Query{})
		if err != nil {
			return err
		}
		p.Orgs = append(p.Orgs, orgRow{policy.Org.ID, policy.Org.Name, total.Total, len(policy.Connections())})
	}
	return v.render(http.StatusOK, "home", p)
}
