package scim

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/directory"
	"muster/directory/filter"
)

// Options of a Server. The zero value is safe; BaseURL alone should be set.
type Options struct {
	// BaseURL is where the server is reached from outside, without a slash at
	// the end; it begins every meta.location. Empty makes them paths.
	BaseURL string
	Log     *slog.Logger // slog.Default
	// MaxBody is the largest request body in bytes: 1 MiB. MaxGroupBody is that
	// of a Group with its members: eight times as much, which is 50,000 members
	// as a GET shows them, or 160,000 by their ids alone.
	MaxBody, MaxGroupBody int64
	// PageSize is what a list holds when the client asks for no count (100),
	// MaxResults the most it may ask for (200).
	PageSize, MaxResults int
	// MaxOperations is how many operations one PATCH may have: 20,000.
	MaxOperations int
	// Filters bounds filters further than its package does: 8 KiB, 32 levels, 256
	// terms.
	Filters filter.Limits
	// MaxBulkOperations and MaxBulkBody bound one bulk: 1,000 operations in four
	// times MaxBody.
	MaxBulkOperations int
	MaxBulkBody       int64
	// Rate is how many requests a second one token may make on average, Burst how
	// many at once (at least those of a second); 0 bounds nothing. Each operation
	// of a bulk is a request. Every process counts for itself.
	Rate  float64
	Burst int
	// Session finds the secret of a person's session in a request's cookies; nil
	// where there are none.
	Session func(*http.Request) string
	// Now is the clock of rates: time.Now.
	Now func() time.Time
	// MaxScan is how many records one list may look at: 200,000. CursorLife is
	// for how long a cursor is good: an hour.
	MaxScan    int
	CursorLife time.Duration
	// RetryAfter is what clients are told with 503: 5 minutes.
	RetryAfter time.Duration
}

// Server is the SCIM door of a directory. Its methods may be called concurrently.
type Server struct {
	directory *directory.Directory
	options   Options
	indexes   indexes
	groups    *index
	rates     *rates
	ignored   atomic.Uint64
	scratch   sync.Pool // *scratch
}

// scratch is memory that one request uses after another.
type scratch struct {
	in, out []byte
	doc     document
	edits   []edit
}

// New makes the door of d.
func New(d *directory.Directory, o Options) *Server {
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.MaxBody = orElse(o.MaxBody, 1<<20)
	o.MaxGroupBody = orElse(o.MaxGroupBody, 8*o.MaxBody)
	o.MaxOperations = orElse(o.MaxOperations, 20_000)
	o.MaxBulkBody = orElse(o.MaxBulkBody, 4*o.MaxBody)
	o.MaxBulkOperations = orElse(o.MaxBulkOperations, 1000)
	o.MaxResults = orElse(o.MaxResults, 200)
	o.PageSize = min(orElse(o.PageSize, 100), o.MaxResults)
	o.MaxScan = orElse(o.MaxScan, directory.DefaultMaxScan)
	o.CursorLife = orElse(o.CursorLife, directory.DefaultCursorLife)
	o.RetryAfter = orElse(o.RetryAfter, 5*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{directory: d, options: o, groups: newGroupIndex(), rates: newRates(o.Rate, o.Burst, o.Now)}
	s.scratch.New = func() any { return &scratch{} }
	return s
}

func orElse[T int | int64 | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}

// Ignored is how many attributes were sent that no schema here has. They are
// never an error; a count that grows says that a mapping sends something in vain.
func (s *Server) Ignored() uint64 { return s.ignored.Load() }
