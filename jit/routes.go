package jit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit/fetch"
)

// Options of a Server. BaseURL and RenderUser must be set.
type Options struct {
	// BaseURL is where browsers reach this server: https, or http on a loopback host; no path.
	BaseURL string
	// RenderUser writes a user as a SCIM resource. base is the root of the SCIM service whose effective view it is.
	RenderUser func(w io.Writer, base string, user *directory.Profile, policy *directory.Policy) error
	Log        *slog.Logger     // nil: slog.Default
	Now        func() time.Time // nil: time.Now
	// HTTP asks OpenID providers and fetches SAML metadata. nil: guarded against private addresses, as package fetch says.
	HTTP *http.Client
	// AskForWayIn sends a letter with the ways in to an address that was given on the sign-in page, if it has any; see
	// Directory.AskForWayIn. nil: no letters are sent.
	AskForWayIn func(ctx context.Context, address string) error
	// OutageGrace is how long after its last check by this node a session still passes /auth while the store cannot be
	// reached. Whoever lost access since then passes, too. Zero: nobody passes.
	OutageGrace time.Duration
}

// Server is the sign-in door of one directory. Its handlers may be called concurrently.
type Server struct {
	directory *directory.Directory
	base      string
	secure    bool // the base URL is https
	render    func(w io.Writer, base string, user *directory.Profile, policy *directory.Policy) error
	log       *slog.Logger
	now       func() time.Time
	pages     *template.Template
	forgery   *http.CrossOriginProtection
	providers sync.Map // connection id -> compiled
	pairs     sync.Map // connection id -> readKeys
	// addresses and connections slow down those who send what is not believed.
	addresses, connections *limiter
	refusals               refusals
	letters                func(ctx context.Context, address string) error
	writers                *limiter
	http                   *http.Client
	parties                sync.Map   // connection id -> *openID
	warned                 sync.Map   // connection id -> issuer that its administrator was warned about
	keys                   sync.Map   // certificate -> *oidc.ClientKey
	making                 sync.Mutex // of keys
	grace                  time.Duration
	admissions             admissions
}

// New prepares a server. It refuses a base URL over which cookies would travel in the clear.
func New(d *directory.Directory, o Options) (*Server, error) {
	base, secure, err := readBase(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.RenderUser == nil {
		return nil, errors.New("jit: RenderUser is not set")
	}
	s := &Server{
		directory: d, base: base, secure: secure, render: o.RenderUser,
		log: o.Log, now: o.Now, forgery: http.NewCrossOriginProtection(),
		addresses: newLimiter(perAddress()), connections: newLimiter(perConnection()),
		letters: o.AskForWayIn, writers: newLimiter(maxLetters()),
		grace: o.OutageGrace,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.http = o.HTTP; s.http == nil {
		s.http = fetch.Client(fetch.Options{})
	}
	s.pages, err = parsePages()
	return s, err
}

func readBase(raw string) (base string, secure bool, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", false, fmt.Errorf("jit: base URL: %w", err)
	}
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return "", false, fmt.Errorf("jit: base URL %q must be a scheme and a host only, such as https://id.example", raw)
	case u.Scheme == "https":
	case u.Scheme == "http" && isLoopback(u.Hostname()):
	default:
		return "", false, fmt.Errorf("jit: base URL %q must be https; plain http is for loopback hosts only", raw)
	}
	return u.Scheme + "://" + u.Host, u.Scheme == "https", nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// ForeignPosts are the patterns of requests that other sites' pages send on purpose. A http.CrossOriginProtection
// around the whole program must let exactly these pass; Mount's own does.
func ForeignPosts() []string { return []string{"POST /c/{connection}/saml/acs"} }

// Mount adds the routes of this door.
func (s *Server) Mount(e *echo.Echo) {
	get := func(path string, h echo.HandlerFunc) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, s.wrap(h, s.ownOrigin))
	}
	post := func(path string, h echo.HandlerFunc) { e.POST(path, s.wrap(h, s.ownOrigin)) }
	get("/c/:connection/login", s.begin)
	get("/c/:connection/saml/metadata", s.metadata)
	e.POST("/c/:connection/saml/acs", s.wrap(s.acs, nil)) // ForeignPosts
	e.GET("/c/:connection/oidc/callback", s.wrap(s.callback, s.ownOrigin))
	post("/c/:connection/oidc/backchannel", s.backchannel)
	get("/c/:connection/oidc/jwks", s.keySet)
	get("/login", s.loginForm)
	post("/login", s.findConnection)
	get("/logout", s.logoutForm)
	post("/logout", s.logout)
	get("/confirm", s.confirmForm)
	post("/confirm", s.confirm)
	get("/me", s.me)
	get("/auth", s.auth)
	get("/assets/sign-in/:file", s.asset)
}

// ownOrigin refuses what another site's page makes the browser send.
func (s *Server) ownOrigin(r *http.Request) error {
	if err := s.forgery.Check(r); err != nil {
		return refuse(crossOrigin, "%v", err)
	}
	return nil
}

// wrap gives every request its correlation id, its headers, and an answer for every error and panic.
func (s *Server) wrap(h echo.HandlerFunc, guard func(*http.Request) error) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		correlate(c)
		protect(c.Response().Header())
		defer func() {
			if fault := recover(); fault != nil {
				err = s.refused(c, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
			}
		}()
		if guard != nil {
			err = guard(c.Request())
		}
		if err == nil {
			err = h(c)
		}
		if err != nil {
			return s.refused(c, err)
		}
		return nil
	}
}

// protect sets the headers of every answer. Nothing here is for sharing, framing or caching. The referrer stays within
// the site: without one, browsers send posts with an Origin of null.
func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policyBase+"; form-action 'self'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// policyBase allows this site's style and nothing else.
const policyBase = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

// correlate names the request: as a wrapper around did, as the proxy in front did if that is well-formed, or newly.
func correlate(c echo.Context) {
	h := c.Response().Header()
	if h.Get(echo.HeaderXRequestID) != "" {
		return
	}
	id := c.Request().Header.Get(echo.HeaderXRequestID)
	if !wellFormed(id) {
		id = rand.Text()
	}
	h.Set(echo.HeaderXRequestID, id)
}

func correlation(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

func wellFormed(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
