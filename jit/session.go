package jit

import (
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// Cookies. On https every name has the __Host- prefix, which makes the browser refuse one that is not Secure, has a
// Domain or another Path: no neighbour on the domain can plant it. A plain http base URL is allowed on loopback only,
// where browsers do not keep Secure cookies reliably.
const (
	hostPrefix    = "__Host-"
	sessionName   = "muster"
	bindingPrefix = "muster-sign-in-" // + request id
	maxBindings   = 6                 // sign-ins that one browser may have under way
	// maxBindingBytes is what those may take up when another one is added.
	maxBindingBytes = 3 << 10
)

func (s *Server) cookieName(name string) string {
	if s.secure {
		return hostPrefix + name
	}
	return name
}

// setSession gives the browser its session. SameSite=Lax: links from elsewhere find the person signed in, posts do not.
func (s *Server) setSession(c echo.Context, secret string, expires time.Time) {
	c.SetCookie(s.cookie(s.cookieName(sessionName), secret, expires, http.SameSiteLaxMode))
}

// bind ties a request to this browser. The provider's answer is a post from another site, to which browsers attach
// SameSite=None cookies only; on loopback the provider is the same site, whatever its port.
func (s *Server) bind(c echo.Context, request, value string) {
	s.dropSurplus(c)
	mode := http.SameSiteNoneMode
	if !s.secure {
		mode = http.SameSiteLaxMode
	}
	c.SetCookie(s.cookie(s.cookieName(bindingPrefix)+request, value, s.now().Add(pendingLifetime), mode))
}

// bindings are this browser's sign-ins under way: request id -> cookie value.
func (s *Server) bindings(c echo.Context) map[string]string {
	found := map[string]string{}
	for _, cookie := range c.Cookies() {
		if request, ok := strings.CutPrefix(cookie.Name, s.cookieName(bindingPrefix)); ok && request != "" {
			found[request] = cookie.Value
		}
	}
	return found
}

// dropSurplus keeps sign-ins that were never finished from filling the browser's cookie header, of which proxies take
// some kilobytes. Browsers list the oldest first (RFC 6265 §5.4).
func (s *Server) dropSurplus(c echo.Context) {
	var open []*http.Cookie
	size := 0
	for _, cookie := range c.Cookies() {
		if strings.HasPrefix(cookie.Name, s.cookieName(bindingPrefix)) {
			open = append(open, cookie)
			size += len(cookie.Name) + len(cookie.Value)
		}
	}
	for len(open) > 0 && (len(open) >= maxBindings || size > maxBindingBytes) {
		size -= len(open[0].Name) + len(open[0].Value)
		s.dropCookie(c, open[0].Name)
		open = open[1:]
	}
}

func (s *Server) unbind(c echo.Context, request string) {
	s.dropCookie(c, s.cookieName(bindingPrefix)+request)
}

func (s *Server) dropSession(c echo.Context) { s.dropCookie(c, s.cookieName(sessionName)) }

func (s *Server) dropCookie(c echo.Context, name string) {
	dead := s.cookie(name, "", time.Unix(1, 0), http.SameSiteLaxMode)
	dead.MaxAge = -1
	c.SetCookie(dead)
}

func (s *Server) cookie(name, value string, expires time.Time, mode http.SameSite) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", Expires: expires, HttpOnly: true, Secure: s.secure, SameSite: mode}
}

// secret is the session cookie's value, "" when there is none.
func (s *Server) secret(c echo.Context) string { return s.SessionSecret(c.Request()) }

// SessionSecret finds the secret of a person's session in a request's cookies, "" when there is none. Other doors let
// people in by it; what they serve must not change anything, because a cookie comes along with what other sites ask for.
func (s *Server) SessionSecret(r *http.Request) string {
	cookie, err := r.Cookie(s.cookieName(sessionName))
	if err != nil {
		return ""
	}
	return cookie.Value
}
