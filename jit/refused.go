package jit

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// retryAfter is what is told while the store cannot be reached, in seconds.
const retryAfter = "5"

// troubled is an error of a known connection.
type troubled struct {
	error
	connection *directory.Connection
}

func (t troubled) Unwrap() error { return t.error }

// about says which connection an error concerns, nil for none.
func about(err error, conn *directory.Connection) error {
	if err == nil {
		return nil
	}
	return troubled{err, conn}
}

// refusal is what a refused person sees.
type refusal struct {
	Code          directory.Code `json:"code"`
	CorrelationID string         `json:"correlationId"`
	Detail        string         `json:"detail"`
	// Confirm are the connections by which the person can prove the existing account.
	Confirm []string `json:"confirm,omitempty"`

	Status int    `json:"-"`
	Cause  string `json:"-"` // "" unless the connection diagnoses
	Retry  string `json:"-"` // where to start again
}

// refused logs an error and answers it, as a page or as JSON.
func (s *Server) refused(c echo.Context, err error) error {
	var conn *directory.Connection
	if t, ok := errors.AsType[troubled](err); ok {
		conn = t.connection
	}
	p := problemOf(err)
	status := answerTo(p.code).status
	s.logRefused(c, p, conn)
	s.note(c, p, conn)
	if c.Response().Committed {
		return nil
	}
	view := refusal{Code: p.code, CorrelationID: correlation(c), Detail: p.sentence(), Status: status, Retry: "/login"}
	if p.confirm != nil {
		view.Confirm = p.confirm.Confirm
	}
	if conn != nil {
		view.Retry = "/c/" + conn.ID + "/login"
		if p.broken == nil && (s.now().Before(conn.DiagnoseUntil) || s.testing(c, conn.ID)) {
			view.Cause = p.cause
		}
	}
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", retryAfter)
	}
	if prefersJSON(c.Request()) {
		if view.Cause != "" {
			view.Detail += " Cause: " + view.Cause
		}
		return c.JSON(status, view)
	}
	return s.page(c, status, "refused", view)
}

// logRefused is the administrator's copy, with the whole cause.
func (s *Server) logRefused(c echo.Context, p *problem, conn *directory.Connection) {
	log := s.log.With("request", correlation(c), "code", p.code, "cause", p.cause)
	if conn != nil {
		log = log.With("org", conn.Org, "conn", conn.ID)
	}
	if p.kase != directory.NoID {
		log = log.With("case", p.kase)
	}
	if p.trace != nil {
		log = log.With("trace", *p.trace)
	}
	ctx := c.Request().Context()
	switch {
	case p.broken != nil:
		log.ErrorContext(ctx, "a request failed")
	case p.code == notSignedIn:
		log.DebugContext(ctx, "not signed in")
	default:
		log.WarnContext(ctx, "refused")
	}
}

// prefersJSON says whether the client asked for JSON rather than a page: a browser lists text/html first.
func prefersJSON(r *http.Request) bool {
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		kind, _, _ := strings.Cut(accepted, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json", "application/scim+json":
			return true
		case "text/html", "application/xhtml+xml":
			return false
		}
	}
	return false
}
