package admin

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// How somebody proved who they are, as sessions and events call it.
const (
	methodPasskey  = "passkey"
	methodPassword = "password"
	methodLink     = "link"
	methodSSO      = "sso"
)

// The session cookie. On https its name makes the browser refuse one that is not Secure, has a Domain or another Path;
// on loopback over plain http browsers keep no Secure cookies reliably. SameSite=Lax: links from elsewhere (a mail about
// a case) find the administrator signed in, posts do not.
const cookieName = "muster-admin"

func (s *Server) cookieName() string {
	if s.secure {
		return "__Host-" + cookieName
	}
	return cookieName
}

func (s *Server) setCookie(c echo.Context, secret string, expires time.Time) {
	cookie := &http.Cookie{Name: s.cookieName(), Value: secret, Path: "/", Expires: expires, HttpOnly: true, Secure: s.secure,
		SameSite: http.SameSiteLaxMode}
	if secret == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

func (s *Server) secret(r *http.Request) string {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// recognise finds out who asks, by the session. ErrUnauthorized when nobody does.
func (s *Server) recognise(v *visit) error {
	secret := s.secret(v.Request())
	if secret == "" {
		return directory.ErrUnauthorized
	}
	session, acting, err := s.directory.AdminSession(v.Request().Context(), secret)
	if err != nil {
		if directory.RefusalCode(err) != "" { // the person behind a session by single sign-on lost access
			err = directory.ErrUnauthorized
		}
		return err
	}
	acting.Request = v.request()
	v.session, v.acting = session, acting
	return nil
}

// begin starts a session and gives the browser its cookie. One that was there before ends.
func (v *visit) begin(session directory.AdminSession) error {
	s, ctx := v.server, v.Request().Context()
	session.Agent = v.Request().UserAgent()
	session.Idle = s.options.SessionIdle
	session.Expires = s.now().Add(s.options.SessionLifetime)
	secret, err := s.directory.StartAdminSession(ctx, directory.Acting{Request: v.request()}, session)
	if err != nil {
		return err
	}
	if old := s.secret(v.Request()); old != "" {
		if err := s.directory.EndAdminSession(ctx, old); err != nil {
			return err
		}
	}
	s.setCookie(v.Context, secret, session.Expires)
	return nil
}

func (s *Server) signOut(v *visit) error {
	if err := s.directory.EndAdminSession(v.Request().Context(), s.secret(v.Request())); err != nil {
		return err
	}
	s.setCookie(v.Context, "", time.Unix(1, 0))
	return v.done("/admin/sign-in", "signed-out")
}

// signInAddress is where to sign in, and come back from.
func signInAddress(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/admin" {
		return "/admin/sign-in"
	}
	return "/admin/sign-in?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
}

// nextAddress is where to go after signing in: only to pages of the administration.
func nextAddress(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.Opaque != "" || strings.ContainsAny(next, "\\\r\n\t") ||
		u.Path != "/admin" && !strings.HasPrefix(u.Path, "/admin/") || strings.Contains(u.Path, "..") {
		return "/admin"
	}
	return u.RequestURI()
}
