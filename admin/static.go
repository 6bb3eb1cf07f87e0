package admin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

//go:embed static
var static embed.FS

// asset is one embedded file, compressed once.
type asset struct {
	kind, version string
	plain, zipped []byte
}

func (s *Server) readStatic() error {
	s.static = map[string]asset{}
	entries, err := static.ReadDir("static")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		kind := mime.TypeByExtension(path.Ext(entry.Name()))
		switch path.Ext(entry.Name()) {
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".txt", ".md":
			kind = "text/plain; charset=utf-8"
		}
		plain, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			return err
		}
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			return err
		}
		if _, err := z.Write(plain); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		sum := sha256.Sum256(plain)
		s.static[entry.Name()] = asset{kind, hex.EncodeToString(sum[:6]), plain, b.Bytes()}
	}
	return nil
}

// staticAddress names a file with its version, so that browsers keep it until it changes.
func (s *Server) staticAddress(name string) (string, error) {
	a, ok := s.static[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return "/admin/static/" + name + "?v=" + a.version, nil
}

// asset serves one file.
func (s *Server) asset(c echo.Context) error {
	correlate(c)
	h := c.Response().Header()
	protect(h)
	a, ok := s.static[c.Param("file")]
	if !ok {
		return s.answer(&visit{Context: c, server: s}, directory.ErrNotFound)
	}
	h.Set("Cache-Control", "public, max-age=300")
	if c.QueryParam("v") == a.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, a.kind, a.zipped)
	}
	return c.Blob(http.StatusOK, a.kind, a.plain)
}
