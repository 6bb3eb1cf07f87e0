package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"muster/admin"
	"muster/directory"
	"muster/jit"
	"muster/scim"
)

const (
	// maxBody is the outermost bound of a request's body, unless a limit of the push door is higher; each door has a
	// tighter one of its own.
	maxBody      = 16 << 20
	readyTimeout = 2 * time.Second
)

// handlerOptions say how the server is reached and watched.
type handlerOptions struct {
	base    string
	log     *slog.Logger
	metered bool
	proxies []*net.IPNet                                    // whose X-Forwarded-For is believed
	fetch   *http.Client                                    // asks OpenID providers; nil: guarded against private addresses
	push    scim.Options                                    // its limits
	letters func(ctx context.Context, address string) error // sends the ways in; nil: there is no mail
	grace   time.Duration                                   // of /auth, while the store cannot be reached
}

// handlers of the two listeners; metrics is nil when nobody asks for them. work is what the doors do without being
// asked, until its context ends.
type handlers struct {
	site, metrics http.Handler
	work          func(context.Context)
}

// newHandlers wires the whole server, top to bottom: what wraps every request, then the doors.
func newHandlers(d *directory.Directory, o handlerOptions) (handlers, error) {
	e := echo.New()
	signInDoor, err := jit.New(d, jit.Options{BaseURL: o.base, Log: o.log, RenderUser: scim.WriteUser, HTTP: o.fetch, OutageGrace: o.grace, AskForWayIn: o.letters})
	if err != nil {
		return handlers{}, err
	}
	push := o.push
	push.BaseURL, push.Log, push.Session = o.base, o.log, signInDoor.SessionSecret
	pushDoor := scim.New(d, push)

	office, err := admin.New(d, admin.Options{BaseURL: o.base, Log: o.log, PersonSession: signInDoor.SessionSecret,
		Complete: completer(o.fetch), SignIn: knownToOffice(d, signInDoor, o.base)})
	if err != nil {
		return handlers{}, err
	}

	all := handlers{site: e, work: signInDoor.Run}
	if o.metered {
		m := newMeter(pushDoor.Ignored, d.Retries)
		e.Use(m.count)
		all.metrics = m.handler()
	}
	surround(e, o.log, max(maxBody, push.MaxBody, push.MaxGroupBody, push.MaxBulkBody))
	if len(o.proxies) > 0 {
		e.IPExtractor = clientBehind(o.proxies)
	}

	looks := []string{http.MethodGet, http.MethodHead}
	e.Match(looks, "/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.Match(looks, "/readyz", ready(d))
	e.GET(backupPath, backup(d))
	pushDoor.Mount(e)
	signInDoor.Mount(e)
	office.Mount(e)
	return all, nil
}

// surround is what wraps every request, whichever door it goes to; most is the bytes of its body.
func surround(e *echo.Echo, log *slog.Logger, most int64) {
	e.HTTPErrorHandler = faults(log)
	e.IPExtractor = echo.ExtractIPDirect() // nothing that a client can write
	e.Use(correlate, contain(log), bounded(most), sameOrigin())
}

// clientBehind is the nearest address that is none of the proxies'.
func clientBehind(proxies []*net.IPNet) echo.IPExtractor {
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, network := range proxies {
		trust = append(trust, echo.TrustIPRange(network))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// correlate gives each request an id, the client's own if it is well-formed, and shows it in the answer, where the
// doors find it.
func correlate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !isRequestID(id) {
			id = rand.Text()
		}
		c.Request().Header.Set(echo.HeaderXRequestID, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		c.Response().Header().Set(echo.HeaderXContentTypeOptions, "nosniff")
		return next(c)
	}
}

// isRequestID says whether a client's id may stand in logs and events: 8 to 64 letters, digits, dots and dashes.
func isRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// requestID is what correlate chose.
func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// contain turns a panic into a 500 without detail; what happened goes to the log under the correlation id.
func contain(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				v := recover()
				if v == nil {
					return
				}
				if cut, ok := v.(error); ok && errors.Is(cut, http.ErrAbortHandler) {
					panic(http.ErrAbortHandler) // an answer that was cut off on purpose
				}
				log.Error("a handler panicked", "request", requestID(c), "panic", v, "stack", string(debug.Stack()))
				err = echo.NewHTTPError(http.StatusInternalServerError)
			}()
			return next(c)
		}
	}
}

// bounded ends the reading of a body beyond what any door takes.
func bounded(most int64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, most)
			return next(c)
		}
	}
}

// sameOrigin refuses what another site's page makes a browser send, but for what must come from there: the identity
// provider's response at the ACS, which its signature and a request of this browser protect.
func sameOrigin() echo.MiddlewareFunc {
	protection := http.NewCrossOriginProtection()
	for _, pattern := range jit.ForeignPosts() {
		protection.AddInsecureBypassPattern(pattern)
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				return echo.NewHTTPError(http.StatusForbidden, "sent from another site's page")
			}
			return next(c)
		}
	}
}

// faults answers what no door answered: unknown paths, wrong methods, broken requests. Of an internal error it shows
// nothing but the correlation id.
func faults(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		status := http.StatusInternalServerError
		detail := http.StatusText(status)
		if errors.Is(err, directory.ErrUnavailable) {
			status = http.StatusServiceUnavailable
			detail = http.StatusText(status)
		}
		if known, ok := errors.AsType[*echo.HTTPError](err); ok {
			status = known.Code
			detail = http.StatusText(status)
			if text, ok := known.Message.(string); ok && status < http.StatusInternalServerError {
				detail = text
			}
		}
		if status >= http.StatusInternalServerError {
			log.Error("a request failed", "request", requestID(c), "error", err)
		}
		answer := map[string]string{"code": code(status), "detail": detail, "correlationId": requestID(c)}
		if err := c.JSON(status, answer); err != nil {
			log.Debug("the answer was not taken", "request", requestID(c), "error", err)
		}
	}
}

// code is the word for a status that no rule of the directory gave.
func code(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusMethodNotAllowed:
		return "method_not_allowed"
	case http.StatusForbidden:
		return "cross_origin"
	case http.StatusServiceUnavailable:
		return "not_ready"
	}
	if status >= http.StatusInternalServerError {
		return "internal"
	}
	return "bad_request"
}

// ready answers 200 while the store does.
func ready(d *directory.Directory) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
		defer cancel()
		if _, err := d.Orgs(ctx); err != nil {
			return echo.NewHTTPError(http.StatusServiceUnavailable, "the store does not answer").SetInternal(err)
		}
		return c.String(http.StatusOK, "ready\n")
	}
}
