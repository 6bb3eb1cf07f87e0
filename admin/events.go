package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"muster/directory"
)

// eventsPage is what happened in the organisation, the newest first.
type eventsPage struct {
	Type, Connection, Channel string
	Types                     []directory.EventType
	Connections               []*directory.Connection
	Told                      []directory.Telling
	Next, Export              string
	// Live: the page shows the end, and renews itself where scripts run.
	Live bool
}

// channels are the doors and hands that write.
func channels() []directory.Channel {
	return []directory.Channel{directory.SCIM, directory.SSO, directory.Local, directory.Pin, directory.ByRule}
}

func eventQuery(v *visit) directory.EventQuery {
	return directory.EventQuery{
		Type: directory.EventType(v.QueryParam("type")), Connection: v.QueryParam("connection"),
		Channel: directory.Channel(v.QueryParam("channel")), Before: numberOf(v.QueryParam("before")),
	}
}

func (s *Server) events(v *visit) error {
	q := eventQuery(v)
	found, err := s.directory.EventLog(v.Request().Context(), v.org(), q)
	if err != nil {
		return err
	}
	asked := url.Values{"type": {string(q.Type)}, "connection": {q.Connection}, "channel": {string(q.Channel)}}
	p := eventsPage{
		Type: string(q.Type), Connection: q.Connection, Channel: string(q.Channel), Types: directory.EventTypes(),
		Connections: v.policy.Connections(), Told: found.Told, Live: q.Before == 0, Export: v.at("/events/export?" + asked.Encode()),
	}
	if found.Next > 0 {
		asked.Set("before", strconv.FormatUint(found.Next, 10))
		p.Next = "?" + asked.Encode()
	}
	return v.render(http.StatusOK, "events", p)
}

// Channels are those a filter offers.
func (eventsPage) Channels() []directory.Channel { return channels() }

// exportEvents streams the events as JSON, one a line. When it breaks off, the connection is cut, so that nobody takes
// a part for the whole.
func (s *Server) exportEvents(v *visit) error {
	h := v.Response().Header()
	h.Set("Content-Type", "application/x-ndjson")
	h.Set("Content-Disposition", `attachment; filename="events-`+v.org()+`.ndjson"`)
	out := json.NewEncoder(v.Response())
	sent := false
	for e, err := range s.directory.AllEvents(v.Request().Context(), v.org(), eventQuery(v)) {
		if err != nil && !sent {
			return err
		}
		if err == nil {
			err = out.Encode(e)
		}
		if err != nil {
			s.log.Error("the export of events was cut off", "org", v.org(), "request", v.request(), "error", err)
			panic(http.ErrAbortHandler)
		}
		sent = true
	}
	return nil
}
