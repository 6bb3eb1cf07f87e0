package oidc

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds on what is known of an OP.
const (
	// Refresh is the age at which discovery and keys are fetched again. A key that the OP has withdrawn is believed
	// for no longer than that while the OP answers.
	Refresh = 2 * time.Hour
	// MaxStale is the age at which what is known serves no more, however long the OP has not answered.
	MaxStale = 24 * time.Hour
	// Retry is the least time between two attempts for keys that nobody knows.
	Retry = time.Minute
	// Pause is the least time between two attempts at an OP that does not answer, or answers nonsense.
	Pause = 5 * time.Second
)

// Provider is what is known of an OpenID provider, from its issuer alone. It is to be kept for long and shared by all
// relying parties of the issuer, for it remembers discovery and keys. Issuer and HTTP must be set, and nothing
// must be changed or copied once it is in use.
type Provider struct {
	Issuer string
	// HTTP fetches whatever the OP names. It is to be guarded against private addresses; sizes and times are bounded
	// here, too.
	HTTP *http.Client
	Now  func() time.Time // nil: time.Now

	known  atomic.Pointer[knowledge]
	fetch  sync.Mutex // one fetch at a time; guards what follows
	failed attempt
}

// knowledge is what one fetch brought. It is never changed.
type knowledge struct {
	metadata Metadata
	keys     keySet
	fetched  time.Time // discovery and keys together
	asked    time.Time // the last attempt at the keys alone
}

// attempt is a fetch that did not work.
type attempt struct {
	at  time.Time
	err error
}

// Discover returns the OP's metadata: fetched, if what is known is too old.
func (p *Provider) Discover(ctx context.Context) (*Metadata, error) {
	known, err := p.current(ctx)
	if err != nil {
		return nil, err
	}
	return &known.metadata, nil
}

// current is what is known, fetched again if it is due. Whoever finds a fetch under way does not wait for it as long
// as the last good knowledge serves.
func (p *Provider) current(ctx context.Context) (*knowledge, error) {
	if err := p.configured(); err != nil {
		return nil, err
	}
	known := p.known.Load()
	usable := known != nil && p.age(known.fetched) < MaxStale
	switch {
	case usable && p.age(known.fetched) < Refresh:
		return known, nil
	case usable && !p.fetch.TryLock():
		return known, nil
	case !usable:
		p.fetch.Lock()
	}
	defer p.fetch.Unlock()
	fresh, err := p.refreshed(ctx)
	if err != nil && usable {
		return known, nil
	}
	return fresh, err
}

// refreshed fetches everything, unless somebody has just done so or just failed to. The lock is held.
func (p *Provider) refreshed(ctx context.Context) (*knowledge, error) {
	if known := p.known.Load(); known != nil && p.age(known.fetched) < Refresh {
		return known, nil
	}
	if p.failed.err != nil && p.age(p.failed.at) < Pause {
		return nil, p.failed.err
	}
	fresh, err := p.fetchAll(ctx)
	if err != nil {
		p.failed = attempt{p.now(), err}
		return nil, err
	}
	if known := p.known.Load(); known != nil {
		fresh.asked = known.asked
	}
	p.failed = attempt{}
	p.known.Store(fresh)
	return fresh, nil
}

func (p *Provider) fetchAll(ctx context.Context) (*knowledge, error) {
	metadata, err := p.fetchMetadata(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := p.fetchKeys(ctx, metadata.KeySet)
	if err != nil {
		return nil, err
	}
	return &knowledge{metadata: *metadata, keys: keys, fetched: p.now()}, nil
}

// rotated is called with the knowledge whose keys did not verify a token. It returns newer keys, fetched if nobody has
// asked for them within Retry, or false.
func (p *Provider) rotated(ctx context.Context, known *knowledge) (keySet, bool) {
	p.fetch.Lock()
	defer p.fetch.Unlock()
	if latest := p.known.Load(); latest.fetched != known.fetched || latest.asked != known.asked {
		return latest.keys, true
	}
	if p.age(known.asked) < Retry {
		return nil, false
	}
	next := *known
	next.asked = p.now()
	keys, err := p.fetchKeys(ctx, known.metadata.KeySet)
	if err == nil {
		next.keys = keys
	}
	p.known.Store(&next)
	return keys, err == nil
}

func (p *Provider) now() time.Time {
	if p.Now == nil {
		return time.Now().UTC()
	}
	return p.Now().UTC()
}

func (p *Provider) age(of time.Time) time.Duration { return p.now().Sub(of) }

func (p *Provider) configured() error {
	if err := checkIssuer(p.Issuer); err != nil {
		return err
	}
	if p.HTTP == nil {
		return refuse(ReasonMisconfigured, "no HTTP client")
	}
	return nil
}
