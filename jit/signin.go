package jit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// arrival is a sign-in whose protocol is done: what was vouched for, to whom, and how it began.
type arrival struct {
	connection *directory.Connection
	policy     *directory.Policy
	assertion  Assertion
	started    pending // zero when the provider started it
}

// home is where people land who wanted nothing in particular.
const home = "/me"

// signIn is where every protocol ends. The person is signed in only after the directory has committed what the
// assertion says.
func (s *Server) signIn(c echo.Context, a arrival) error {
	ctx := c.Request().Context()
	if err := s.spend(ctx, a); err != nil {
		return err
	}
	if a.started.Test != "" {
		return s.tryOut(c, a)
	}
	result, err := s.provision(ctx, a, correlation(c))
	if err != nil {
		return s.offered(c, a, err)
	}
	session, secret, err := s.start(c, a, result)
	if err != nil {
		return err
	}
	if old := s.secret(c); old != "" {
		if err := s.directory.EndSession(ctx, old); err != nil {
			s.log.WarnContext(ctx, "the browser's earlier session was not ended", "request", correlation(c), "error", err)
		}
	}
	s.setSession(c, secret, session.Expires)
	// Once more: what was allowed when the sign-in began may not be now.
	return c.Redirect(http.StatusSeeOther, cmp.Or(destination(a.started.Return, a.policy.Org), home))
}

// spend uses up the assertion's id and, where there was a request, that one's, so that neither counts twice on any node.
// Connections do not share ids, though they may share a provider: one customer cannot use up another's. The key is a
// hash because ids may be of any length.
func (s *Server) spend(ctx context.Context, a arrival) error {
	key := sha256.Sum256([]byte(a.assertion.Issuer + "\x00" + a.assertion.ID))
	once := []directory.Once{{Kind: "assertion " + a.connection.ID, Key: hex.EncodeToString(key[:]), Until: a.assertion.Expires}}
	if request := a.started.Request; request != "" {
		once = append([]directory.Once{{Kind: requestKind, Key: request, Until: a.started.expires()}}, once...)
	}
	err := s.directory.SpendAll(ctx, once...)
	spent, ok := errors.AsType[*directory.SpentError](err)
	switch {
	case !ok:
		return err
	case spent.Value.Kind == requestKind:
		return refuse(unknownRequest, "request %q was answered before", a.started.Request)
	}
	return refuse(directory.StaleAssertion, "assertion %.200q was used before", a.assertion.ID)
}

// requestKind are the requests that were answered.
const requestKind = "request"

// provision asks the directory for the person, and tells the administrator how the assertion was read.
func (s *Server) provision(ctx context.Context, a arrival, request string) (directory.Result, error) {
	change, trace, err := Interpret(a.assertion, a.connection, a.policy.Definition)
	if err != nil {
		return directory.Result{}, traced(err, trace)
	}
	change.Request = request
	result, err := s.directory.Apply(ctx, change)
	if err != nil {
		return result, traced(err, trace)
	}
	log := s.log.With("org", a.connection.Org, "conn", a.connection.ID, "user", result.User.ID, "request", request)
	log.InfoContext(ctx, "signed in", "outcome", result.Outcome)
	if len(result.Warnings) > 0 {
		log.WarnContext(ctx, "the sign-in could not write everything", "warnings", warnings(result.Warnings), "trace", trace)
	}
	return result, nil
}

// traced adds to a refusal what may be wrong with the attribute at fault.
func traced(err error, trace Trace) error {
	p := problemOf(err)
	p.trace = &trace
	if hint := trace.hint(p.attribute); hint != "" {
		p.cause += "; " + hint
	}
	return p
}

func warnings(list []directory.Warning) slog.Value {
	lines := make([]string, len(list))
	for i, w := range list {
		lines[i] = string(w.Code) + ": " + w.Attribute + ": " + w.Detail
	}
	return slog.AnyValue(lines)
}

// start opens the session.
func (s *Server) start(c echo.Context, a arrival, result directory.Result) (directory.Session, string, error) {
	now := s.now()
	session := directory.Session{
		Org:          a.connection.Org,
		User:         result.User.ID,
		Connection:   a.connection.ID,
		Issuer:       a.assertion.Issuer,
		Subject:      a.assertion.Subject.Value,
		SessionIndex: a.assertion.SessionIndex,
		Agent:        c.Request().UserAgent(),
		Address:      c.RealIP(),
		Created:      now,
		Expires:      now.Add(a.policy.Org.SessionLifetime()),
	}
	secret, err := s.directory.StartSession(c.Request().Context(), session)
	return session, secret, err
}
