package jit

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// auth answers a reverse proxy that asks whether to let a request through: 200 with who it is, or no. With ?org= people
// of other organisations are refused; a proxy in front of one customer's application needs that. Every header is set in
// every answer that lets through, so that none of the client's own goes on in its place.
func (s *Server) auth(c echo.Context) error {
	a, err := s.admitted(c)
	if err != nil {
		if p := problemOf(err); p.broken == nil {
			return s.askToSignIn(c)
		}
		return err
	}
	if org := c.QueryParam("org"); org != "" && org != a.org {
		return c.NoContent(http.StatusUnauthorized)
	}
	h := c.Response().Header()
	h.Set("Remote-User", a.user)
	h.Set("Remote-Name", a.name)
	h.Set("Remote-Email", a.email)
	h.Set("Remote-Groups", a.groups)
	return c.NoContent(http.StatusOK)
}

// admit asks the store who is signed in.
func (s *Server) admit(c echo.Context) (admission, error) {
	checked := s.now()
	who, err := s.current(c)
	if err != nil {
		return admission{}, err
	}
	told, err := s.directory.Explain(c.Request().Context(), who.session.Org, who.session.User)
	if err != nil {
		return admission{}, err
	}
	emails, _ := who.user.Attributes.Get(directory.Emails)
	return admission{
		org:     who.session.Org,
		user:    headerText(who.user.Attributes.Text(directory.UserName)),
		name:    headerText(displayName(who.user)),
		email:   headerText(emails.Primary().Field("value")),
		groups:  strings.Join(groupNames(told, who.policy), ","),
		checked: checked,
		expires: who.session.Expires,
	}, nil
}

// askToSignIn is the answer about a stranger. Traefik and Caddy hand it on to the browser as it is, so a page gets a
// redirect; nginx takes 401 alone and reads the Location from it. What is no page, such as a script's call, gets 401 too.
func (s *Server) askToSignIn(c echo.Context) error {
	h := c.Request().Header
	address, proxied := wantedAddress(h)
	to := s.base + "/login"
	if strings.HasPrefix(address, s.base+"/") {
		address = strings.TrimPrefix(address, s.base)
	}
	if address = anywhere(address); address != "" {
		to += "?return_to=" + url.QueryEscape(address)
	}
	method := h.Get("X-Forwarded-Method")
	looks := method == "" || method == http.MethodGet || method == http.MethodHead
	if proxied && looks && strings.Contains(h.Get("Accept"), "text/html") {
		return c.Redirect(http.StatusFound, to)
	}
	c.Response().Header().Set("Location", to)
	return c.NoContent(http.StatusUnauthorized)
}

// wantedAddress is what the browser asked the proxy for: X-Forwarded-Proto, -Host and -Uri as Traefik and Caddy send
// them, or X-Original-URL as nginx is told to. It is the client's word and only ever leads to where destination allows.
func wantedAddress(h http.Header) (address string, forwards bool) {
	if uri := h.Get("X-Forwarded-Uri"); uri != "" {
		return h.Get("X-Forwarded-Proto") + "://" + h.Get("X-Forwarded-Host") + uri, true
	}
	return h.Get("X-Original-URL"), false
}

// groupNames are the groups as rules name them: those of the home connection and local ones by their name, another
// connection's as connection:Name. Names are in the hands of identity providers, so one that would read as several, or
// as another connection's, is left out.
func groupNames(told *directory.Explanation, policy *directory.Policy) []string {
	var list []string
	for _, g := range told.Groups {
		name, own := headerText(g.Name), g.Source.Connection == "" || g.Source.Connection == told.Home
		prefix, _, _ := strings.Cut(name, ":")
		if name == "" || name != g.Name || strings.Contains(name, ",") || own && policy.Connection(prefix) != nil {
			continue
		}
		if !own {
			name = g.Source.Connection + ":" + name
		}
		list = append(list, name)
	}
	return distinct(list)
}

// headerText makes a text fit for a header field: no control characters, nothing around it.
func headerText(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text))
}
