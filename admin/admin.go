package admin

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-playground/validator/v10"
	"github.com/go-webauthn/webauthn/webauthn"

	"muster/directory"
)

// Options of a Server. BaseURL must be set.
type Options struct {
	// BaseURL is where browsers reach this server: https, or http on a loopback host; no path.
	BaseURL string
	// PersonSession finds the secret of the sign-in by single sign-on that a request carries, "" when there is none.
	// nil: nobody administers by single sign-on.
	PersonSession func(*http.Request) string
	// Complete fills in what a connection's preset knows and checks its trust: metadata must be readable. nil leaves
	// connections as they are.
	Complete func(context.Context, *directory.Connection) error
	// SignIn is what the sign-in door knows of identity providers.
	SignIn SignIn
	Log    *slog.Logger     // nil: slog.Default
	Now    func() time.Time // nil: time.Now
	// SessionIdle is how long a session lives unused, SessionLifetime how long at most; zero means 2 and 12 hours.
	SessionIdle, SessionLifetime time.Duration
}

// SignIn is what the sign-in door knows of identity providers and connections. What is nil is not offered.
type SignIn struct {
	Presets []Preset
	// Fill completes what a connection leaves unset from its preset.
	Fill func(*directory.Connection) error
	// Guide are the steps to take in the identity provider's console, with the connection's addresses in them.
	Guide func(*directory.Connection) []string
	// Addresses are where the connection's identity provider reaches it.
	Addresses func(*directory.Connection) []Address
	// Warnings tell what keeps people from signing in, or soon will.
	Warnings func(context.Context, *directory.Connection) ([]string, error)
	// StartTest makes a link for one sign-in that is tried out, as if sign-ins wrote as the mode says.
	StartTest func(ctx context.Context, by directory.EventSource, connection string, mode directory.Mode) (link string, err error)
}

// Preset is an identity provider of which something is known.
type Preset struct{ Name, Title string }

// Address is where something of a connection is reached. What is a key of the texts under "address.".
type Address struct{ What, URL string }

// Server is the administration of one directory. Its handlers may be called concurrently.
type Server struct {
	directory *directory.Directory
	options   Options
	base      string
	secure    bool // the base URL is https
	log       *slog.Logger
	now       func() time.Time
	texts     texts
	templates map[string]*template.Template
	static    map[string]asset
	forgery   *http.CrossOriginProtection
	passkeys  *webauthn.WebAuthn // nil where the base URL has no name to bind passkeys to
	throttle  *throttle
	hashing   chan struct{} // bounds how many passwords are hashed at once
	decoy     string        // a password hash that no password has
	valid     *validator.Validate
	api       huma.API
}

// New prepares the administration of d. It refuses a base URL over which cookies would travel in the clear.
func New(d *directory.Directory, o Options) (*Server, error) {
	s := &Server{
		directory: d, options: o, log: o.Log, now: o.Now,
		forgery: http.NewCrossOriginProtection(), hashing: make(chan struct{}, hashesAtOnce),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.now == nil {
		s.now = time.Now
	}
	if o.SessionIdle <= 0 {
		s.options.SessionIdle = 2 * time.Hour
	}
	if o.SessionLifetime <= 0 {
		s.options.SessionLifetime = 12 * time.Hour
	}
	s.throttle = newThrottle(s.now)
	return s, errors.Join(s.readBase(), s.readTexts(), s.readPages(), s.readStatic(), s.readValidator(), s.makeDecoy())
}

// readBase takes the base URL apart.
func (s *Server) readBase() error {
	u, err := url.Parse(s.options.BaseURL)
	if err != nil {
		return fmt.Errorf("admin: base URL: %w", err)
	}
	s.secure = u.Scheme == "https"
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("admin: base URL %q must be a scheme and a host only, such as https://id.example", s.options.BaseURL)
	}
	if !s.secure && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return fmt.Errorf("admin: base URL %q must be https; plain http is for loopback hosts only", s.options.BaseURL)
	}
	s.base = u.Scheme + "://" + u.Host
	s.passkeys, err = newPasskeys(s.base, u.Hostname())
	return err
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// WelcomeLink is the address of an invitation.
func WelcomeLink(base, secret string) string {
	return strings.TrimSuffix(base, "/") + "/admin/welcome?link=" + url.QueryEscape(secret)
}
