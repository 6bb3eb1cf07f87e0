package directory

import (
	"context"
	"iter"
	"time"
)

func (d *Directory) initialise(ctx context.Context) error                 { panic("unbuilt") }
func (d *Directory) apply(ctx context.Context, c Change) (Result, error)  { panic("unbuilt") }
func (d *Directory) dryRun(ctx context.Context, c Change) (Result, error) { panic("unbuilt") }
func (d *Directory) events(ctx context.Context, org string, after uint64, limit int) ([]Event, error) {
	panic("unbuilt")
}
func (d *Directory) history(ctx context.Context, org string, id ID, limit int) ([]Event, error) {
	panic("unbuilt")
}
func (d *Directory) cases(ctx context.Context, org string) ([]Case, error)     { panic("unbuilt") }
func (d *Directory) check(ctx context.Context, t time.Time) ([]Problem, error) { panic("unbuilt") }
func (d *Directory) explain(ctx context.Context, org string, id ID) (*Explanation, error) {
	panic("unbuilt")
}
func (d *Directory) configure(ctx context.Context, by EventSource, setups []Setup) (changed []string, err error) {
	panic("unbuilt")
}
func (d *Directory) policyOf(ctx context.Context, org string) (*Policy, error) { panic("unbuilt") }
func (d *Directory) connection(ctx context.Context, id string) (*Connection, *Policy, error) {
	panic("unbuilt")
}
func (d *Directory) orgs(ctx context.Context) ([]string, error)                  { panic("unbuilt") }
func (d *Directory) user(ctx context.Context, v Viewer, id ID) (*Profile, error) { panic("unbuilt") }
func (d *Directory) users(ctx context.Context, v Viewer, q Query) (Page[*Profile], error) {
	panic("unbuilt")
}
func (d *Directory) group(ctx context.Context, v Viewer, id ID) (*Group, error) { panic("unbuilt") }
func (d *Directory) groups(ctx context.Context, v Viewer, q Query) (Page[*Group], error) {
	panic("unbuilt")
}
func (d *Directory) members(ctx context.Context, v Viewer, group ID) iter.Seq2[Member, error] {
	panic("unbuilt")
}
func (d *Directory) startSession(ctx context.Context, s Session) (string, error) { panic("unbuilt") }
func (d *Directory) session(ctx context.Context, secret string) (Session, *Profile, error) {
	panic("unbuilt")
}
func (d *Directory) endSession(ctx context.Context, secret string) error            { panic("unbuilt") }
func (d *Directory) authenticate(ctx context.Context, secret string) (Token, error) { panic("unbuilt") }
func (d *Directory) setToken(ctx context.Context, t Token, secret string) (bool, error) {
	panic("unbuilt")
}
func (d *Directory) tokens(ctx context.Context, org string) ([]Token, error) { panic("unbuilt") }
func (d *Directory) revokeToken(ctx context.Context, t Token) error          { panic("unbuilt") }
func (d *Directory) spend(ctx context.Context, kind, key string, until time.Time) error {
	panic("unbuilt")
}
func (d *Directory) keep(ctx context.Context, kind, key string, value []byte, until time.Time) error {
	panic("unbuilt")
}
func (d *Directory) take(ctx context.Context, kind, key string) ([]byte, error) { panic("unbuilt") }
func (d *Directory) peek(ctx context.Context, kind, key string) ([]byte, error) { panic("unbuilt") }
