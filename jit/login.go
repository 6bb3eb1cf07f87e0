package jit

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// loginPage is the form that asks who somebody is.
type loginPage struct {
	Email, Return string
	Unknown       bool // no connection speaks for the address's domain
	Asked         bool // a letter says the way in, to whom it concerns
}

const maxEmail = 320 // RFC 5321 §4.5.3.1: 64 + @ + 255

func (s *Server) loginForm(c echo.Context) error {
	return s.page(c, http.StatusOK, "login", loginPage{Return: anywhere(c.QueryParam("return_to"))})
}

// findConnection sends people to the connection that has proved their domain. Of any other address nobody learns here
// whether it has an account: the way in, if there is one, goes to the mailbox. The answer and the work are the same.
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
		if err := s.askForWayIn(c, &form); err != nil {
			return err
		}
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

// maxLetters is how many letters one sender may have sent to others.
func maxLetters() allowance { return allowance{20, time.Minute} }

// askForWayIn has a letter sent, where letters are, to what looks like an address.
func (s *Server) askForWayIn(c echo.Context, form *loginPage) error {
	address, err := mail.ParseAddress(form.Email)
	if s.letters == nil || err != nil || address.Address != form.Email || len(form.Email) > maxEmail {
		form.Unknown = true
		return nil
	}
	if wait := s.writers.take(sender(c), s.now()); wait > 0 {
		return refuse(tooMany, "more than %d ways in asked for by %q", s.writers.Burst, sender(c))
	}
	form.Asked = true
	return s.letters(c.Request().Context(), form.Email)
}
