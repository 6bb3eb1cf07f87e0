package jit

import (
	"context"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// refusals waits for the next flush: strangers can cause refusals, so these are written together, once a second at most,
// and no more of them than are kept.
type refusals struct {
	mu   sync.Mutex
	list map[string][]directory.RefusedSignIn // by connection
}

const (
	flushEvery   = time.Second
	maxUnflushed = 100 // of one connection and kind
)

func (r *refusals) add(one directory.RefusedSignIn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = map[string][]directory.RefusedSignIn{}
	}
	waiting, same := r.list[one.Connection], 0
	for _, w := range waiting {
		if w.Believed == one.Believed {
			same++
		}
	}
	if same < maxUnflushed {
		r.list[one.Connection] = append(waiting, one)
	}
}

func (r *refusals) take() map[string][]directory.RefusedSignIn {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}

// Flush writes the refusals that wait. Run does it every second.
func (s *Server) Flush(ctx context.Context) error {
	for connection, list := range s.refusals.take() {
		if err := s.directory.KeepRefusals(ctx, connection, list); err != nil {
			return err
		}
	}
	return nil
}

// keepJournal flushes until ctx ends, and once more then.
func (s *Server) keepJournal(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(flushEvery):
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		if err := s.Flush(last); err != nil {
			s.log.ErrorContext(ctx, "refused sign-ins were not kept", "error", err)
		}
		cancel()
	}
}

// note keeps a refused sign-in for the administrator who will be told its correlation id.
func (s *Server) note(c echo.Context, p *problem, conn *directory.Connection) {
	if conn == nil || p.code == tooMany || p.code == notSignedIn {
		return
	}
	one := directory.RefusedSignIn{
		Time: s.now(), Correlation: correlation(c), Connection: conn.ID, Code: p.code, Attribute: p.attribute,
		Cause: shortened(p.cause, maxCause), Case: p.kase, Believed: believed(p) && p.broken == nil, Address: c.RealIP(),
	}
	if p.trace != nil {
		one.Trace = p.trace.Lines()
	}
	s.refusals.add(one)
}

const maxCause = 4000

func shortened(text string, n int) string {
	if len(text) > n {
		return text[:n] + "..."
	}
	return text
}
