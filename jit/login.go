package jit

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// loginPage is the form that asks who somebody is.
type loginPage struct {
	Email, Return string
	Unknown       bool // no connection speaks for the address's domain
}

const maxEmail = 320 // RFC 5321 §4.5.3.1: 64 + @ + 255

func (s *Server) loginForm(c echo.Context) error {
	return s.page(c, http.StatusOK, "login", loginPage{Return: anywhere(c.QueryParam("return_to"))})
}

// findConnection sends people to the connection that has proved their domain. Who has an account is not looked at, so
// the answer tells a stranger nothing about anybody.
func (s *Server) findConnection(c echo.Context) error {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, 8<<10)
	if err := r.ParseForm(); err != nil {
		return refuse(malformedMessage, "no form: %v", err)
	}
	form := loginPage{Email: strings.TrimSpace(r.PostForm.Get("email")), Return: anywhere(r.PostForm.Get("return_to"))}
	conn, err := s.connectionFor(r.Context(), form.Email)
	if err != nil {
		return err
	}
	if conn == "" {
		form.Unknown = true
		form.Email = form.Email[:min(len(form.Email), maxEmail)]
		return s.page(c, http.StatusOK, "login", form)
	}
	to := "/c/" + url.PathEscape(conn) + "/login"
	if form.Return != "" {
		to += "?return_to=" + url.QueryEscape(form.Return)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// connectionFor is the connection that has proved the domain of an address, "" for none that people sign in through.
func (s *Server) connectionFor(ctx context.Context, email string) (string, error) {
	if len(email) > maxEmail {
		return "", nil
	}
	_, domain, ok := strings.Cut(directory.NormalEmail(email), "@")
	if !ok || domain == "" {
		return "", nil
	}
	conn, _, err := s.directory.ConnectionForDomain(ctx, domain)
	if errors.Is(err, directory.ErrNotFound) || err == nil && open(conn) != nil {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return conn.ID, nil
}
