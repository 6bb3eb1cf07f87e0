package admin

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// visit is one request for a page: who asks, and which organisation it is about. A handler that runs has had its row's
// role checked.
type visit struct {
	echo.Context
	server  *Server
	acting  directory.Acting
	session directory.AdminSession
	policy  *directory.Policy // of the organisation in the path, else nil
}

// org is the id of the organisation in the path, "" when there is none.
func (v *visit) org() string {
	if v.policy == nil {
		return ""
	}
	return v.policy.Org.ID
}

// request is the correlation id.
func (v *visit) request() string { return v.Response().Header().Get(echo.HeaderXRequestID) }

// serve wraps a page: headers, origin, session, role, then the page, and an answer for every error and panic.
func (s *Server) serve(p page) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		v := &visit{Context: c, server: s}
		correlate(c)
		protect(c.Response().Header())
		defer func() {
			fault := recover()
			if fault == http.ErrAbortHandler {
				panic(fault) // an answer that was cut off on purpose
			}
			if fault != nil {
				err = s.answer(v, fmt.Errorf("panic: %v\n%s", fault, debug.Stack()))
			}
		}()
		if err := v.enter(p); err != nil {
			return s.answer(v, err)
		}
		if err := p.handle(v); err != nil {
			return s.answer(v, err)
		}
		return nil
	}
}

// enter finds out who asks and refuses whom the page is not for.
func (v *visit) enter(p page) error {
	s := v.server
	if err := s.forgery.Check(v.Request()); err != nil {
		return refuse(http.StatusForbidden, "cross_origin", "This was sent from another site's page.")
	}
	err := s.recognise(v)
	switch {
	case p.need == anybody:
		return nil
	case err != nil:
		return err
	case p.need == somebody:
		return nil
	case !p.isAboutOrg():
		return s.permit(v.acting, p.need, "")
	}
	org := v.Param("org")
	if err := s.permit(v.acting, p.need, org); err != nil {
		return err
	}
	v.policy, err = s.directory.Policy(v.Request().Context(), org)
	return err
}

// permit is the one rule for pages and API: who does not see an organisation learns nothing of it.
func (s *Server) permit(a directory.Acting, need directory.AdminRole, org string) error {
	switch {
	case a.Grants.May(need, org):
		return nil
	case org != "" && !a.Grants.Sees(org):
		return directory.ErrNotFound
	}
	return refuse(http.StatusForbidden, "forbidden", "This needs the role "+string(need)+".")
}

// correlate names the request, unless something around has.
func correlate(c echo.Context) {
	if h := c.Response().Header(); h.Get(echo.HeaderXRequestID) == "" {
		h.Set(echo.HeaderXRequestID, rand.Text())
	}
}

// protect sets the headers of every answer: nothing here is for sharing, framing or caching, no script or style but our
// own files.
func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

func missing(*visit) error { return directory.ErrNotFound }

// done ends an action: the browser goes on to a page, which says what was done. What is a key of the texts under
// "done.".
func (v *visit) done(next, what string) error {
	return v.Redirect(http.StatusSeeOther, next+"?"+url.Values{"done": {what}}.Encode())
}

// at is an address within the organisation of the visit.
func (v *visit) at(path string) string { return "/admin/o/" + url.PathEscape(v.org()) + path }
