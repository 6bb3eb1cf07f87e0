package admin

import (
	"context"
	"net/http"
	"time"

	"muster/directory"
)

type connectionInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection"`
}

type connectionOutput struct {
	ETag string `header:"ETag"`
	Body connectionBody
}

type stateInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection"`
	Body       struct {
		State directory.State `json:"state" required:"true" enum:"active,paused,retired"`
	}
}

type guardOutput struct{ Body directory.GuardStatus }

type letInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection"`
	Body       struct {
		Operations int      `json:"operations,omitempty" minimum:"0" doc:"how many; 0 is any number"`
		For        duration `json:"for" required:"true" doc:"for how long, such as 1h; 0s shuts it again"`
	}
}

type undoInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection"`
	Body       struct {
		Since time.Time `json:"since" required:"true"`
	}
}

type leaveInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection"`
	Body       struct {
		Users  directory.LeaveChoice `json:"users" required:"true" enum:"finalise,delete" doc:"what becomes of its users"`
		Remove bool                  `json:"remove,omitempty" doc:"delete the connection afterwards; otherwise it stays, retired"`
		Count  int                   `json:"count" required:"true" doc:"how many users it is home of, as the plan says"`
	}
}

type leavePlanOutput struct{ Body directory.LeavePlan }

type transferInput struct {
	Org        string `path:"org"`
	Connection string `path:"connection" doc:"the one that users leave"`
	DryRun     bool   `query:"dryRun" doc:"say what would happen, and do nothing"`
	Body       struct {
		To   string                  `json:"to" required:"true"`
		Rows []directory.TransferRow `json:"rows" required:"true" maxItems:"100000" doc:"which old subject is which new one"`
	}
}

type transferOutput struct {
	Body struct {
		Task string                  `json:"task,omitempty"`
		Plan *directory.TransferPlan `json:"plan,omitempty"`
	}
}

// taskStarted is the answer to what goes on after the answer.
type taskStarted struct {
	Body struct {
		Task string `json:"task" doc:"follow it under /orgs/{org}/tasks/{id}"`
	}
}

type tasksOutput struct {
	Body struct {
		Items []directory.Task `json:"items"`
	}
}

type taskOutput struct{ Body directory.Task }

func (s *Server) connectionOperations() {
	const one = "/orgs/{org}/connections/{connection}"
	add(s, operation{http.MethodGet, one, directory.Auditor, "get-connection", "One connection, without secrets", 0},
		func(_ context.Context, c *call, in *connectionInput) (*connectionOutput, error) {
			known := c.policy.Connection(in.Connection)
			if known == nil {
				return nil, directory.ErrNotFound
			}
			return &connectionOutput{etag(c.policy.Revision), connectionBodyOf(known)}, nil
		})
	add(s, operation{http.MethodPost, one + "/state", directory.OrgAdmin, "set-connection-state", "Pause, retire or activate a connection", http.StatusNoContent},
		func(ctx context.Context, c *call, in *stateInput) (*struct{}, error) {
			return nil, s.directory.SetState(ctx, c.acting.Source(), c.org(), in.Connection, in.Body.State)
		})
	add(s, operation{http.MethodGet, one + "/guard", directory.Auditor, "get-guard", "What the guard counted and holds back", 0},
		func(ctx context.Context, c *call, in *connectionInput) (*guardOutput, error) {
			g, err := s.directory.Guard(ctx, c.org(), in.Connection, maxWaiting)
			return &guardOutput{g}, err
		})
	add(s, operation{http.MethodPost, one + "/guard/let-through", directory.OrgAdmin, "let-through", "Let through what the guard holds back", http.StatusNoContent}, s.callLetThrough)
	add(s, operation{http.MethodPost, one + "/guard/undo", directory.OrgAdmin, "undo-run", "Take back what its pushes took away since a moment", http.StatusAccepted},
		func(ctx context.Context, c *call, in *undoInput) (*taskStarted, error) {
			return started(s.directory.UndoRun(ctx, c.acting.Source(), c.org(), in.Connection, in.Body.Since))
		})
	add(s, operation{http.MethodGet, one + "/leave", directory.Auditor, "plan-leave", "What the leaving of a connection would do", 0},
		func(ctx context.Context, c *call, in *connectionInput) (*leavePlanOutput, error) {
			plan, err := s.directory.PlanLeave(ctx, c.org(), in.Connection)
			return &leavePlanOutput{plan}, err
		})
	add(s, operation{http.MethodPost, one + "/leave", directory.OrgAdmin, "leave", "Let a connection leave, and decide on its users", http.StatusAccepted},
		func(ctx context.Context, c *call, in *leaveInput) (*taskStarted, error) {
			return started(s.directory.Leave(ctx, c.acting.Source(), directory.Leaving{Org: c.org(), Connection: in.Connection,
				Users: in.Body.Users, Remove: in.Body.Remove, Count: in.Body.Count}))
		})
	add(s, operation{http.MethodPost, one + "/transfer", directory.OrgAdmin, "transfer", "Give users to another connection by a table", http.StatusAccepted}, s.transfer)
	add(s, operation{http.MethodGet, "/orgs/{org}/tasks", directory.Auditor, "list-tasks", "What goes on, and what was done", 0},
		func(ctx context.Context, c *call, _ *orgInput) (*tasksOutput, error) {
			list, err := s.directory.Tasks(ctx, c.org())
			out := &tasksOutput{}
			out.Body.Items = append([]directory.Task{}, list...)
			return out, err
		})
	add(s, operation{http.MethodGet, "/orgs/{org}/tasks/{id}", directory.Auditor, "get-task", "How far a task is", 0},
		func(ctx context.Context, c *call, in *caseInput) (*taskOutput, error) {
			id, ok := directory.ParseID(in.ID)
			if !ok {
				return nil, directory.ErrNotFound
			}
			t, err := s.directory.Task(ctx, c.org(), id)
			return &taskOutput{t}, err
		})
}

// maxWaiting is how many held operations one answer lists.
const maxWaiting = 200

func started(id directory.ID, err error) (*taskStarted, error) {
	out := &taskStarted{}
	out.Body.Task = id.String()
	return out, err
}

func (s *Server) callLetThrough(ctx context.Context, c *call, in *letInput) (*struct{}, error) {
	let := directory.Allowance{Operations: in.Body.Operations}
	if in.Body.For > 0 {
		let.Until = s.now().Add(time.Duration(in.Body.For))
	}
	return nil, s.directory.LetThrough(ctx, c.acting.Source(), c.org(), in.Connection, let)
}

func (s *Server) transfer(ctx context.Context, c *call, in *transferInput) (*transferOutput, error) {
	t := directory.Transfer{Org: c.org(), From: in.Connection, To: in.Body.To, Rows: in.Body.Rows}
	out := &transferOutput{}
	if in.DryRun {
		plan, err := s.directory.PlanTransfer(ctx, t)
		out.Body.Plan = &plan
		return out, err
	}
	id, err := s.directory.Transfer(ctx, c.acting.Source(), t)
	out.Body.Task = id.String()
	return out, err
}
