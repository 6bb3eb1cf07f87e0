package jit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// testSignIn is a sign-in that an administrator tries out: a real one, of which nothing is written but its report. It is
// kept sealed under the hash of its ticket.
type testSignIn struct {
	Connection string         `json:"connection"`
	Mode       directory.Mode `json:"mode"`
	By         string         `json:"by"`
	Expires    time.Time      `json:"expires"`
	Report     *Report        `json:"report,omitempty"`
}

const (
	testKind     = "test sign-in"
	testLifetime = time.Hour
)

// ErrNoTest: the ticket names no test sign-in, or none any more.
var ErrNoTest = errors.New("no such test sign-in")

// StartTest makes a ticket for one test sign-in. Whoever opens /c/{connection}/login?test=TICKET within the hour goes
// through the connection's real sign-in, as if write.sso were mode, and nothing is written. The connection need not
// write yet; that it is an administrator who asks is for the caller to see to.
func (s *Server) StartTest(ctx context.Context, by directory.EventSource, connection string, mode directory.Mode) (ticket string, err error) {
	conn, _, err := s.directory.Connection(ctx, connection)
	if err != nil {
		return "", err
	}
	if err := open(conn); err != nil {
		p := problemOf(err)
		return "", &directory.Refusal{Code: p.code, Detail: p.cause}
	}
	ticket = rand.Text()
	return ticket, s.keepTest(ctx, hashed(ticket), testSignIn{Connection: connection, Mode: mode, By: by.Actor, Expires: s.now().Add(testLifetime)})
}

// TestReport is the report of a test sign-in, nil while it has not been made. ErrNoTest after the hour.
func (s *Server) TestReport(ctx context.Context, ticket string) (*Report, error) {
	test, err := s.test(ctx, hashed(ticket))
	return test.Report, err
}

func hashed(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return hex.EncodeToString(sum[:])
}

func (s *Server) keepTest(ctx context.Context, at string, test testSignIn) error {
	record, err := json.Marshal(test)
	if err != nil {
		return fmt.Errorf("a test sign-in: %w", err)
	}
	sealed, err := s.directory.SealFor(testKind, record)
	if err != nil {
		return err
	}
	return s.directory.Keep(ctx, testKind, at, sealed, test.Expires)
}

func (s *Server) test(ctx context.Context, at string) (test testSignIn, err error) {
	sealed, err := s.directory.Peek(ctx, testKind, at)
	if errors.Is(err, directory.ErrSpent) {
		return test, ErrNoTest
	}
	if err != nil {
		return test, err
	}
	record, err := s.directory.UnsealFor(testKind, sealed)
	if err != nil {
		return test, err
	}
	return test, json.Unmarshal(record, &test)
}

// asked is the test that a request to begin names: the hash of its ticket, "" for an ordinary sign-in.
func (s *Server) asked(c echo.Context, conn *directory.Connection) (at string, err error) {
	ticket := c.QueryParam("test")
	if ticket == "" {
		return "", nil
	}
	test, err := s.test(c.Request().Context(), hashed(ticket))
	switch {
	case errors.Is(err, ErrNoTest):
		return "", refuse(unknownRequest, "the ticket names no test sign-in, or it is more than %s old", testLifetime)
	case err != nil:
		return "", err
	case test.Connection != conn.ID:
		return "", refuse(unknownRequest, "the ticket is of connection %q", test.Connection)
	case test.Report != nil:
		return "", refuse(unknownRequest, "the test sign-in of this ticket was made at %s", test.Report.At.Format(time.RFC3339))
	}
	return hashed(ticket), nil
}

// testing says whether this browser tries the connection out: then it is shown why a message is refused.
func (s *Server) testing(c echo.Context, connection string) bool {
	for request, cookie := range s.bindings(c) {
		if p, err := s.openPending(request, connection, cookie); err == nil && p.Test != "" {
			return true
		}
	}
	return false
}

// tryOut ends a test sign-in: the report is kept for the administrator and shown. Nobody is signed in.
func (s *Server) tryOut(c echo.Context, a arrival) error {
	ctx := c.Request().Context()
	test, err := s.test(ctx, a.started.Test)
	if errors.Is(err, ErrNoTest) {
		return refuse(unknownRequest, "the test sign-in was begun more than %s ago", testLifetime)
	}
	if err != nil {
		return err
	}
	report, err := s.rehearse(ctx, a, test.Mode)
	if err != nil {
		return err
	}
	test.Report = report
	if err := s.keepTest(ctx, a.started.Test, test); err != nil {
		return err
	}
	if report.Passed() {
		by := directory.EventSource{Channel: directory.Local, Actor: test.By, Request: correlation(c)}
		if err := s.directory.PassTest(ctx, by, a.connection.ID); err != nil {
			return err
		}
	}
	s.log.InfoContext(ctx, "test sign-in", "org", a.connection.Org, "conn", a.connection.ID, "request", correlation(c), "outcome", report.Outcome, "code", report.Code)
	if prefersJSON(c.Request()) {
		return c.JSON(http.StatusOK, report)
	}
	return s.page(c, http.StatusOK, "tested", report)
}
