package jit

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

const (
	// outagePatience is how long /auth waits for a store that does not answer when it may do without.
	outagePatience = 2 * time.Second
	// maxAdmissions bounds each half of what is remembered.
	maxAdmissions = 50_000
)

// admission is a positive answer of /auth.
type admission struct {
	org                       string
	user, name, email, groups string
	checked                   time.Time
	expires                   time.Time // the session's own end
}

// admissions are what this node answered lately, for while the store cannot be reached: what was used since the younger
// half filled up stays. Sessions are kept by a hash of their secret.
type admissions struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]admission
}

func (m *admissions) remember(secret string, a admission) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= maxAdmissions {
		m.old, m.young = m.young, map[[sha256.Size]byte]admission{}
	}
	m.young[sha256.Sum256([]byte(secret))] = a
}

func (m *admissions) forget(secret string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := sha256.Sum256([]byte(secret))
	delete(m.young, key)
	delete(m.old, key)
}

func (m *admissions) at(secret string) (admission, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := sha256.Sum256([]byte(secret))
	a, ok := m.young[key]
	if !ok {
		a, ok = m.old[key]
	}
	return a, ok
}

// admitted is who may pass. Where the store cannot be reached, it is who was checked here within the grace that the
// operator granted.
func (s *Server) admitted(c echo.Context) (admission, error) {
	secret := s.secret(c)
	if s.grace == 0 || secret == "" {
		return s.admit(c)
	}
	request := c.Request()
	ctx, cancel := context.WithTimeout(request.Context(), outagePatience)
	defer cancel()
	c.SetRequest(request.WithContext(ctx))
	a, err := s.admit(c)
	c.SetRequest(request)
	switch {
	case err == nil:
		s.admissions.remember(secret, a)
	case errors.Is(err, directory.ErrUnavailable), errors.Is(err, context.DeadlineExceeded) && request.Context().Err() == nil:
		if known, ok := s.admissions.at(secret); ok && s.now().Before(known.expires) && s.now().Sub(known.checked) < s.grace {
			return known, nil
		}
		return a, errors.Join(directory.ErrUnavailable, err)
	case problemOf(err).broken == nil:
		s.admissions.forget(secret)
	}
	return a, err
}
