package admin

import (
	"context"
	"net/http"

	"muster/directory"
)

// me is who asks.
type me struct {
	ID     string            `json:"id,omitempty" doc:"of an administrator; a token and a person by single sign-on have none"`
	Name   string            `json:"name"`
	Grants []directory.Grant `json:"grants"`
}

type meOutput struct{ Body me }

func (s *Server) meOperations() {
	add(s, operation{http.MethodGet, "/me", somebody, "get-me", "Who you are and what you may do", 0},
		func(_ context.Context, c *call, _ *struct{}) (*meOutput, error) {
			out := me{Name: c.acting.Name, Grants: c.acting.Grants}
			if c.acting.Administrator != directory.NoID {
				out.ID = c.acting.Administrator.String()
			}
			return &meOutput{out}, nil
		})
}
