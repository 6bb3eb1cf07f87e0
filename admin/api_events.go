package admin

import (
	"context"
	"net/http"

	"muster/directory"
)

type eventsInput struct {
	Org   string `path:"org"`
	After uint64 `query:"after" doc:"the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type instanceEventsInput struct {
	After uint64 `query:"after" doc:"the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type eventsOutput struct {
	Body struct {
		Items []directory.Event `json:"items"`
		Next  uint64            `json:"next" doc:"number of the last event here"`
	}
}

func (s *Server) eventOperations() {
	add(s, operation{http.MethodGet, "/orgs/{org}/events", directory.Auditor, "list-events", "What was committed, in order", 0},
		func(ctx context.Context, c *call, in *eventsInput) (*eventsOutput, error) {
			return s.listEvents(ctx, c.org(), in.After, in.Limit)
		})
	add(s, operation{http.MethodGet, "/events", directory.Operator, "list-instance-events", "What happened to the instance: administrators, sign-ins, tokens", 0},
		func(ctx context.Context, _ *call, in *instanceEventsInput) (*eventsOutput, error) {
			return s.listEvents(ctx, "", in.After, in.Limit)
		})
}

func (s *Server) listEvents(ctx context.Context, org string, after uint64, limit int) (*eventsOutput, error) {
	list, err := s.directory.Events(ctx, org, after, limit)
	out := &eventsOutput{}
	out.Body.Items, out.Body.Next = append([]directory.Event{}, list...), after
	if len(list) > 0 {
		out.Body.Next = list[len(list)-1].Seq
	}
	return out, err
}
