package admin

import (
	"context"
	"net/http"

	"muster/directory"
)

// orgSummary is an organisation in a list.
type orgSummary struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Revision uint64 `json:"revision" doc:"of its configuration, connections included"`
}

type orgsOutput struct {
	Body struct {
		Items []orgSummary `json:"items"`
	}
}

func (s *Server) orgOperations() {
	add(s, operation{http.MethodGet, "/orgs", somebody, "list-orgs", "The organisations that you see", 0},
		func(ctx context.Context, c *call, _ *struct{}) (*orgsOutput, error) {
			list, err := s.orgsOf(ctx, c.acting)
			out := &orgsOutput{}
			out.Body.Items = []orgSummary{}
			for _, p := range list {
				out.Body.Items = append(out.Body.Items, summaryOf(p))
			}
			return out, err
		})
}

func summaryOf(p *directory.Policy) orgSummary { return orgSummary{p.Org.ID, p.Org.Name, p.Revision} }
