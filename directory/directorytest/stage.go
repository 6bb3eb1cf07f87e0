package directorytest

import (
	"context"
	"errors"
	"time"

	"muster/directory"
)

// Stage is a fresh directory, and the way in.
type Stage struct {
	Directory *directory.Directory
	Door      Door
	// Now is the time of the directory and its doors, Wait lets it pass.
	Now  func() time.Time
	Wait func(time.Duration)
	// Configure brings the directory to an apply file; trust and tokens are the
	// stage's own business.
	Configure func(ctx context.Context, policy string) error
	// Preview says what Configure would change.
	Preview func(ctx context.Context, policy string) (directory.Preview, error)
	// Store, where it is set, tells the whole store apart from any other: what a
	// refusal must not change.
	Store func() string
}

// Door is one way to bring a step to the directory. Its methods may be called
// concurrently.
type Door interface {
	// Push is one SCIM request.
	Push(ctx context.Context, p Push) Answer
	// SignIn is one sign-in, from the first request to the session.
	SignIn(ctx context.Context, s SignIn) Answer
	// SignedIn says whether the newest session of a user is still one.
	SignedIn(ctx context.Context, user directory.ID) (bool, error)
}

// Push is a SCIM request.
type Push struct {
	Connection string
	Token      string // its name; "" for the connection's own
	Method     string // POST, PUT, PATCH, DELETE, GET
	Resource   string // Users or Groups
	ID         string // "" for the whole collection
	Filter     string // of GET
	Body       string // a resource, or for PATCH the list of operations
}

// SignIn is what an identity provider vouches for.
type SignIn struct {
	Connection string
	Subject    string // NameID
	Claims     []Claim
	Ago        time.Duration // how long ago the assertion was issued
	Again      bool          // the same message was taken before
}

// Claim is one attribute of an assertion, EMPTY without values.
type Claim struct {
	Name   string
	Values []string
}

// Answer is what a door saw. Zero fields are not compared.
type Answer struct {
	Status    int
	ScimType  string
	Outcome   directory.Outcome
	Code      directory.Code // "" when it went well
	Attribute string
	ID        directory.ID   // whom or what it is about
	Found     []directory.ID // the answer to a GET of the collection
	// Warnings, "code attribute" each; nil when the door does not show them.
	Warnings []string
	// Fault is an answer that no scenario expects.
	Fault error
}

// Unauthorized is the code of a push whose token is unknown, revoked or expired.
const Unauthorized directory.Code = "unauthorized"

// Secret is the secret of a token that a scenario made.
func Secret(connection, token string) string {
	return "a secret of the scenario for " + connection + " " + token
}

// NotFound is the code of an answer that the directory has no code for.
const NotFound directory.Code = "not_found"

// Answered turns a call of the directory into an answer.
func Answered(r directory.Result, err error) Answer {
	var a Answer
	refusal, refused := errors.AsType[*directory.Refusal](err)
	switch {
	case refused:
		return Answer{Code: refusal.Code, Attribute: refusal.Attribute}
	case errors.Is(err, directory.ErrNotFound):
		return Answer{Code: NotFound}
	case errors.Is(err, directory.ErrUnauthorized):
		return Answer{Code: Unauthorized}
	case err != nil:
		return Answer{Fault: err}
	case r.User != nil:
		a.ID = r.User.ID
	case r.Group != nil:
		a.ID = r.Group.ID
	}
	a.Outcome = r.Outcome
	a.Warnings = []string{}
	for _, w := range r.Warnings {
		a.Warnings = append(a.Warnings, string(w.Code)+" "+w.Attribute)
	}
	return a
}
