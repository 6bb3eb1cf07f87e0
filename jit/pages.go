package jit

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"unicode"

	"github.com/labstack/echo/v4"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var static embed.FS

func parsePages() (*template.Template, error) {
	pages, err := template.New("").ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("jit: %w", err)
	}
	return pages, nil
}

// page renders whole pages only, so that a fault in a template is an error and not half a page.
func (s *Server) page(c echo.Context, status int, name string, data any) error {
	var b bytes.Buffer
	if err := s.pages.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := c.Response().Header()
	switch name {
	case "login": // leads through /c/{connection}/login to a provider whose address is not known yet
		h.Set("Content-Security-Policy", policyBase)
	case "continue": // posts to the provider, which may post on; the script presses the button
		h.Set("Content-Security-Policy", policyBase+"; script-src 'self'")
	}
	return c.HTMLBlob(status, b.Bytes())
}

// asset serves the style and the script.
func (s *Server) asset(c echo.Context) error {
	file := c.Param("file")
	content, err := static.ReadFile(path.Join("static", path.Base(file)))
	if err != nil {
		return refuse(notFound, "no asset %.100q", file)
	}
	kind := "text/css; charset=utf-8"
	if path.Ext(file) == ".js" {
		kind = "text/javascript; charset=utf-8"
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return c.Blob(http.StatusOK, kind, content)
}

// spaced turns a directory name into words: "name.givenName" is "given name", "costCenter" "cost center".
func spaced(name string) string {
	_, last, _ := cutLast(name)
	if last == "" {
		last = name
	}
	var b bytes.Buffer
	for i, r := range last {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
