package admin

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/filter"
)

// problem is an answer that is no success (RFC 9457). Pages show it, the API sends it.
type problem struct {
	Type   string `json:"type" doc:"about:blank: the code tells problems apart"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty" doc:"one sentence for people"`
	Code   string `json:"code" doc:"stable word for this kind of problem"`
	// Errors are the fields at fault.
	Errors        []fieldError `json:"errors,omitempty"`
	Case          string       `json:"case,omitempty" doc:"the case that waits for an administrator"`
	Conflict      *conflict    `json:"conflict,omitempty" doc:"the edit that came in between (412)"`
	CorrelationID string       `json:"correlationId,omitempty"`

	broken error // the fault behind an internal one
}

// fieldError is one field at fault.
type fieldError struct {
	Field   string   `json:"field" doc:"dotted path, such as connections[0].domains[1]"`
	Detail  string   `json:"detail"`
	Allowed []string `json:"allowed,omitempty" doc:"the allowed values, where they can be listed"`
}

// conflict tells of the edit that came in between.
type conflict struct {
	Revision uint64    `json:"revision" doc:"the revision now; read it, look again, send it in If-Match"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Changed  []string  `json:"changed"`
}

func (p *problem) Error() string  { return p.Code + ": " + p.Detail }
func (p *problem) Unwrap() error  { return p.broken }
func (p *problem) GetStatus() int { return p.Status }

// ContentType is RFC 9457's.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// refuse makes a problem.
func refuse(status int, code, detail string, fields ...fieldError) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: fields}
}

// problemOf is the one table from errors to answers. What it does not know is internal and shows nothing.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*directory.Refusal](err); ok {
		return refusalProblem(r)
	}
	if c, ok := errors.AsType[*directory.ConfigError](err); ok {
		return configProblem(c)
	}
	if f, ok := errors.AsType[*filter.Error](err); ok {
		return refuse(http.StatusBadRequest, "invalid_filter", "The filter cannot be read.", fieldError{Field: "filter", Detail: f.Error()})
	}
	if e, ok := errors.AsType[*directory.StaleError](err); ok {
		p := refuse(http.StatusPreconditionFailed, "conflict", sentence(e.Error()))
		p.Conflict = &conflict{e.Revision, e.Saved.By, e.Saved.At, e.Saved.Changed}
		return p
	}
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return refuse(http.StatusNotFound, "not_found", "There is nothing here that you may see.")
	case errors.Is(err, directory.ErrUnauthorized):
		return refuse(http.StatusUnauthorized, "unauthorized", "You are not signed in.")
	case errors.Is(err, directory.ErrNotPermitted):
		return refuse(http.StatusConflict, "not_permitted", "The case does not permit this as things stand now. Look at it again.")
	case errors.Is(err, directory.ErrVersion):
		return refuse(http.StatusPreconditionFailed, "conflict", "Somebody changed this in between. Look at it again.")
	case errors.Is(err, directory.ErrNotPermitted):
		return refuse(http.StatusConflict, "not_permitted", "As things stand, this cannot be resolved that way. Look at what it permits now.")
	case errors.Is(err, directory.ErrSpent):
		return refuse(http.StatusGone, "spent", "This was used before, or its time is over.")
	case errors.Is(err, directory.ErrCursor), errors.Is(err, directory.ErrCursorExpired):
		return refuse(http.StatusBadRequest, "invalid_cursor", "Start the list again: this place in it is none, or too old.", fieldError{Field: "after", Detail: err.Error()})
	case errors.Is(err, directory.ErrTooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "too_large", "This is too much for one step. Nothing was changed.")
	case directory.IsTooMany(err):
		return refuse(http.StatusBadRequest, "too_many", "The filter would look at too much. Ask for an exact userName or e-mail, or for how it begins.")
	}
	if known, ok := errors.AsType[*echo.HTTPError](err); ok && known.Code < http.StatusInternalServerError {
		return refuse(known.Code, "bad_request", http.StatusText(known.Code))
	}
	p := refuse(http.StatusInternalServerError, "internal", "Something went wrong here. Nothing was changed by halves.")
	p.broken = err
	return p
}

// refusalProblem is what the directory's rules refuse.
func refusalProblem(r *directory.Refusal) *problem {
	status := http.StatusConflict
	switch r.Code {
	case directory.InvalidValue, directory.InvalidIdentifier, directory.AttributeMissing, directory.NoTarget, directory.MutabilityViolated:
		status = http.StatusUnprocessableEntity
	case directory.Protected, directory.DomainNotAllowed, directory.NotProvisioned, directory.ChannelOff, directory.RuleDenied,
		directory.Suspended, directory.Deprovisioned, directory.Owned:
		status = http.StatusForbidden
	case directory.GuardTripped, directory.ConnectionPaused:
		status = http.StatusServiceUnavailable
	}
	p := refuse(status, string(r.Code), sentence(r.Detail))
	if r.Attribute != "" {
		p.Errors = []fieldError{{Field: r.Attribute, Detail: r.Detail}}
	}
	if r.Case != directory.NoID {
		p.Case = r.Case.String()
	}
	return p
}

// configProblem lists every fault of a configuration.
func configProblem(c *directory.ConfigError) *problem {
	p := refuse(http.StatusUnprocessableEntity, "invalid", "Nothing was saved: some values are not allowed.")
	for _, f := range c.Faults {
		p.Errors = append(p.Errors, fieldError{f.Path, f.Detail, f.Allowed})
	}
	return p
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// answer shows an error as a page, or as JSON to those who ask for it. Who is not signed in goes to where that is done.
func (s *Server) answer(v *visit, err error) error {
	p := problemOf(err)
	p.CorrelationID = v.request()
	s.logProblem(p)
	if v.Response().Committed {
		return nil
	}
	if wantsJSON(v.Request()) {
		v.Response().Header().Set(echo.HeaderContentType, "application/problem+json")
		return v.JSON(p.Status, p)
	}
	if p.Status == http.StatusUnauthorized && v.Request().Method != post {
		return v.Redirect(http.StatusSeeOther, signInAddress(v.Request()))
	}
	return v.render(p.Status, "problem", p)
}

func (s *Server) logProblem(p *problem) {
	if p.Status >= http.StatusInternalServerError && p.broken != nil {
		s.log.Error("an administration request failed", "request", p.CorrelationID, "error", p.broken)
	}
}

func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.HasPrefix(r.URL.Path, "/admin/api/v1") || strings.Contains(accept, "json") && !strings.Contains(accept, "text/html")
}
