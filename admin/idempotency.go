package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

const (
	idempotencyHeader   = "Idempotency-Key"
	idempotencyLifetime = 24 * time.Hour
	underWayAtMost      = 3 * time.Minute // longer than any request lasts
	answersKind         = "idempotent answer"
	underWayKind        = "idempotent request"
	maxKey              = 255
	maxKeptAnswer       = 64 << 10
	maxReplayed         = 4 << 20
)

// keptAnswer is what a POST with a key was answered.
type keptAnswer struct {
	Request []byte `json:"request"` // digest of what was asked
	Status  int    `json:"status"`
	Kind    string `json:"kind"`
	Sealed  []byte `json:"sealed"` // the body: it may show a new secret
}

// idempotent does a POST with an Idempotency-Key once: the same caller's same request is answered as the first one was.
func (s *Server) idempotent(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		key := c.Request().Header.Get(idempotencyHeader)
		if key == "" || c.Request().Method != http.MethodPost {
			return next(c)
		}
		if len(key) > maxKey {
			return refuse(http.StatusBadRequest, "bad_request", "The Idempotency-Key is too long.", fieldError{Field: idempotencyHeader, Detail: "at most 255 bytes"})
		}
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, maxReplayed))
		if err != nil {
			return refuse(http.StatusRequestEntityTooLarge, "too_large", "The request is too large.")
		}
		c.Request().Body = io.NopCloser(bytes.NewReader(body))
		return s.once(c, next, key, digestOf(c.Request(), body))
	}
}

// digestOf tells one request from another.
func digestOf(r *http.Request, body []byte) []byte {
	sum := sha256.New()
	for _, part := range [][]byte{[]byte(r.Method), []byte(r.URL.RequestURI()), body} {
		piece := sha256.Sum256(part)
		sum.Write(piece[:])
	}
	return sum.Sum(nil)
}

func (s *Server) once(c echo.Context, next echo.HandlerFunc, key string, request []byte) error {
	if _, err := s.caller(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	// Names of callers may repeat; what they authenticate by does not.
	sum := sha256.Sum256([]byte(c.Request().Header.Get("Authorization") + "\x00" + s.secret(c.Request()) + "\x00" + key))
	name := hex.EncodeToString(sum[:])
	if done, err := s.replay(c, name, request); done || err != nil {
		return err
	}
	if err := s.directory.Spend(ctx, underWayKind, name, s.now().Add(underWayAtMost)); err != nil {
		if errors.Is(err, directory.ErrSpent) {
			return refuse(http.StatusConflict, "under_way", "The first request with this Idempotency-Key is still under way, or ended without an answer a moment ago.")
		}
		return err
	}
	recorder := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = recorder
	if err := next(c); err != nil {
		return err
	}
	status := c.Response().Status
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || recorder.body.Len() > maxKeptAnswer {
		return nil
	}
	sealed, err := s.directory.SealFor(answersKind, recorder.body.Bytes())
	if err != nil {
		return err
	}
	record, err := json.Marshal(keptAnswer{request, status, c.Response().Header().Get(echo.HeaderContentType), sealed})
	if err != nil {
		return err
	}
	return s.directory.Keep(ctx, answersKind, name, record, s.now().Add(idempotencyLifetime))
}

// replay answers as before, if there was a before.
func (s *Server) replay(c echo.Context, name string, request []byte) (done bool, err error) {
	record, err := s.directory.Peek(c.Request().Context(), answersKind, name)
	if errors.Is(err, directory.ErrSpent) {
		return false, nil
	}
	var kept keptAnswer
	if err == nil {
		err = json.Unmarshal(record, &kept)
	}
	if err != nil {
		return false, err
	}
	if !bytes.Equal(kept.Request, request) {
		return false, refuse(http.StatusUnprocessableEntity, "key_reused", "This Idempotency-Key was used for another request.",
			fieldError{Field: idempotencyHeader, Detail: "was used for another request"})
	}
	body, err := s.directory.UnsealFor(answersKind, kept.Sealed)
	if err != nil {
		return false, err
	}
	c.Response().Header().Set("Idempotency-Replayed", "true")
	return true, c.Blob(kept.Status, kept.Kind, body)
}

// recorder keeps what is written.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// Unwrap lets deadlines be set on what is below.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
