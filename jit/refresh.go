package jit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"muster/directory"
	"muster/jit/fetch"
	"muster/jit/saml"
)

// How often metadata that comes by URL is fetched: as its publisher says within bounds, else every few hours. A try
// that brought nothing is repeated soon.
const (
	refreshEvery = 4 * time.Hour
	refreshLeast = 15 * time.Minute
	refreshMost  = 24 * time.Hour
	refreshLease = 2 * time.Minute
	refreshRound = time.Minute
	warnEvery    = 24 * time.Hour
)

// Run does what the door does without being asked, until ctx ends: it keeps metadata up to date, tells the log once a day
// what will keep people from signing in, and keeps what administrators are told of refused sign-ins.
func (s *Server) Run(ctx context.Context) {
	var under sync.WaitGroup
	under.Go(func() { s.keepJournal(ctx) })
	under.Go(func() { s.renew(ctx) })
	under.Wait()
}

func (s *Server) renew(ctx context.Context) {
	var warned time.Time
	for {
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "metadata was not renewed", "error", err)
		}
		if now := s.now(); now.Sub(warned) >= warnEvery {
			warned = now
			s.logWarnings(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshRound):
		}
	}
}

// Refresh fetches the metadata that is due now and no other node is fetching. What a provider sends that cannot be used
// changes nothing: the last good document stays.
func (s *Server) Refresh(ctx context.Context) error {
	return s.eachConnection(ctx, func(c *directory.Connection) error {
		if c.State == directory.Retired || c.SAML == nil || c.SAML.MetadataURL == "" {
			return nil
		}
		claimed, err := s.directory.ClaimMetadata(ctx, c.ID, c.SAML.MetadataURL, refreshLease)
		if err != nil || !claimed {
			return err
		}
		return s.refresh(ctx, c)
	})
}

func (s *Server) eachConnection(ctx context.Context, fn func(*directory.Connection) error) error {
	orgs, err := s.directory.Orgs(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		policy, err := s.directory.Policy(ctx, org)
		if err != nil {
			return err
		}
		for _, c := range policy.Connections() {
			if err := fn(c); err != nil {
				return fmt.Errorf("connection %s: %w", c.ID, err)
			}
		}
	}
	return nil
}

func (s *Server) refresh(ctx context.Context, c *directory.Connection) error {
	log := s.log.With("org", c.Org, "conn", c.ID, "url", c.SAML.MetadataURL)
	document, err := fetch.Get(ctx, s.http, c.SAML.MetadataURL)
	var again time.Duration
	if err == nil {
		again, err = s.usable(c.SAML, document)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil // the server stops; the lease ends by itself
		}
		log.WarnContext(ctx, "the identity provider's metadata was not renewed; the last good copy counts", "error", err)
		return s.directory.MetadataFailed(ctx, c.ID, fmt.Sprintf("%.500s", err.Error()), refreshLeast)
	}
	changed, err := s.directory.SetMetadata(ctx, c.ID, c.SAML.MetadataURL, document, again)
	if changed {
		log.InfoContext(ctx, "the identity provider has new metadata")
	}
	return err
}

// usable judges a fetched document, and says when to look again. One without a certificate that is valid now would lock
// everybody out, so it does not count.
func (s *Server) usable(trust *directory.SAMLTrust, document []byte) (again time.Duration, err error) {
	now := s.now()
	metadata, err := saml.ParseMetadata(document, saml.MetadataOptions{EntityID: trust.EntityID, Now: now, SignedBy: trust.MetadataCertificate})
	if err != nil {
		return 0, err
	}
	again = refreshEvery
	if metadata.CacheDuration > 0 {
		again = min(max(metadata.CacheDuration, refreshLeast), refreshMost)
	}
	if end := metadata.ValidUntil; !end.IsZero() {
		again = max(refreshLeast, min(again, end.Sub(now)/2))
	}
	for _, certificate := range metadata.Certificates {
		if !now.Before(certificate.NotBefore) && now.Before(certificate.NotAfter) {
			return again, nil
		}
	}
	return 0, fmt.Errorf("none of its %d signing certificates is valid now", len(metadata.Certificates))
}

func (s *Server) logWarnings(ctx context.Context) {
	err := s.eachConnection(ctx, func(c *directory.Connection) error {
		warnings, err := Warnings(ctx, s.directory, c, s.now())
		for _, w := range warnings {
			s.log.WarnContext(ctx, w.Detail, "org", c.Org, "conn", c.ID, "code", w.Code)
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "connections were not looked at", "error", err)
	}
}
