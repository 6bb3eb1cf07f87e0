package admin

import (
	"net/http"
	"time"

	"muster/directory"
)

// dashboardPage is an organisation at a glance. What it reads grows with connections and tokens, never with users or
// events.
type dashboardPage struct {
	Users, Cases int
	Connections  []connectionRow
	Tokens       []directory.TokenWarning
	Hours        []hourRow
	// Cut: there were more events than the page looks at.
	Cut bool
}

// connectionRow is a connection and how it is doing.
type connectionRow struct {
	ID, Preset, Door string
	Domains          []string
	Users            int
	LastPush         time.Time
	Stale            bool
	Held             int // operations that the guard holds back
}

// hourRow counts the events of one hour by the way they came in.
type hourRow struct {
	From            time.Time
	SCIM, SSO, Here int
}

const (
	hoursShown    = 24
	eventsCharted = 1000
)

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
	if p.Connections, err = s.connectionRows(v); err != nil {
		return err
	}
	if p.Tokens, err = s.directory.TokenWarnings(ctx, v.org()); err != nil {
		return err
	}
	if err := s.chart(v, &p); err != nil {
		return err
	}
	return v.render(http.StatusOK, "dashboard", p)
}

func (s *Server) connectionRows(v *visit) (rows []connectionRow, err error) {
	ctx := v.Request().Context()
	health, err := s.directory.Health(ctx, v.org())
	if err != nil {
		return nil, err
	}
	for _, h := range health {
		c := v.policy.Connection(h.Connection)
		if c == nil {
			continue // made since
		}
		guard, err := s.directory.Guard(ctx, v.org(), c.ID, 0)
		if err != nil {
			return nil, err
		}
		rows = append(rows, connectionRow{c.ID, c.Preset, doorLabel(c), c.Domains, guard.Users, h.LastPush, h.Stale, guard.Held})
	}
	return rows, nil
}

// chart counts the newest events by hour; so many at most.
func (s *Server) chart(v *visit, p *dashboardPage) error {
	ctx := v.Request().Context()
	last, err := s.directory.LastEvent(ctx, v.org())
	if err != nil {
		return err
	}
	list, err := s.directory.Events(ctx, v.org(), max(last, eventsCharted)-eventsCharted, eventsCharted)
	if err != nil {
		return err
	}
	p.Hours = hoursOf(list, s.now())
	p.Cut = len(list) == eventsCharted && list[0].Time.After(p.Hours[0].From)
	return nil
}

// hoursOf lays events out over the last hours, the one that is under way included.
func hoursOf(list []directory.Event, now time.Time) []hourRow {
	rows := make([]hourRow, hoursShown)
	first := now.Truncate(time.Hour).Add(-(hoursShown - 1) * time.Hour)
	for i := range rows {
		rows[i].From = first.Add(time.Duration(i) * time.Hour)
	}
	for _, e := range list {
		at := int(e.Time.Sub(first) / time.Hour)
		if e.Time.Before(first) || at >= hoursShown {
			continue
		}
		switch e.Source.Channel {
		case directory.SCIM:
			rows[at].SCIM++
		case directory.SSO:
			rows[at].SSO++
		default:
			rows[at].Here++
		}
	}
	return rows
}
