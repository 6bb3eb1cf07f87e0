package admin

import (
	"net/http"

	"muster/directory"
)

// dashboardPage is an organisation at a glance.
type dashboardPage struct {
	Users, Cases int
	Connections  []connectionRow
}

type connectionRow struct {
	ID, Preset, Door string
	Domains          []string
	Users            int
}

func (s *Server) dashboard(v *visit) error {
	ctx := v.Request().Context()
	all, err := s.directory.Users(ctx, directory.Viewer{Org: v.org()}, directory.Query{})
	if err != nil {
		return err
	}
	cases, err := s.directory.OpenCases(ctx, v.org())
	if err != nil {
		return err
	}
	p := dashboardPage{Users: all.Total}
	for _, open := range cases {
		p.Cases += open
	}
	for _, c := range v.policy.Connections() {
		pushed, err := s.directory.Users(ctx, directory.Viewer{Org: v.org(), Connection: c.ID}, directory.Query{})
		if err != nil {
			return err
		}
		p.Connections = append(p.Connections, connectionRow{c.ID, c.Preset, doorLabel(c), c.Domains, pushed.Total})
	}
	return v.render(http.StatusOK, "dashboard", p)
}
