package scim

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// call is one request on its way through.
type call struct {
	s       *Server
	w       *echo.Response
	r       *http.Request
	door    string // the connection or organisation that the path names
	id      string // the resource that the path names
	request string // correlation id
	base    string // absolute URL of the door

	viewer     directory.Viewer
	connection *directory.Connection // nil at an organisation's door
	index      *index
	actor      string
	person     directory.ID  // who is signed in, NoID for a token of a machine
	account    string        // whose requests are counted
	wait       time.Duration // until a refused caller may ask again
	*scratch
}

// serve runs a handler: nothing that happens in it takes the process down or
// shows an internal error.
func (s *Server) serve(enter, h handler) echo.HandlerFunc {
	return func(ec echo.Context) error {
		c := &call{s: s, w: ec.Response(), r: ec.Request(), door: named(ec, "door"), id: named(ec, "id")}
		c.request = requestID(c.r, c.w.Header())
		c.scratch = s.scratch.Get().(*scratch)
		defer c.release()
		defer c.recover()
		err := enter(c)
		if err == nil {
			err = h(c)
		}
		if err != nil {
			c.fail(err)
		}
		return nil
	}
}

// named is a part of the path in clear. Where a client escaped more than it
// must (/Schemas/urn%3Aietf%3A...), the router works on what was sent.
func named(ec echo.Context, name string) string {
	text := ec.Param(name)
	if ec.Request().URL.RawPath == "" {
		return text
	}
	clear, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return clear
}

// release gives the scratch memory back, unless it grew out of proportion.
func (c *call) release() {
	const most = 1 << 20
	if cap(c.in) < most && cap(c.out) < most && cap(c.doc) < most/64 && cap(c.edits) < most/256 {
		clear(c.doc)
		clear(c.edits)
		c.s.scratch.Put(c.scratch)
	}
}

func (c *call) recover() {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(http.ErrAbortHandler) // an answer that was cut off on purpose
	}
	c.log().Error("scim handler panicked", "panic", v, "stack", string(debug.Stack()))
	if c.w.Committed {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	c.fail(fault{Status: http.StatusInternalServerError, Detail: "internal error"})
}

func (c *call) log() *slog.Logger {
	return c.s.options.Log.With("request", c.request, "org", c.viewer.Org, "conn", c.viewer.Connection,
		"method", c.r.Method, "path", c.r.URL.Path)
}

// requestID is the correlation id: what an outer layer chose, else what the
// client sent if it is well-formed, else a new one.
func requestID(r *http.Request, answer http.Header) string {
	const name = "X-Request-Id"
	id := answer.Get(name)
	if id == "" {
		id = r.Header.Get(name)
	}
	if !isRequestID(id) {
		id = rand.Text()
	}
	answer.Set(name, id)
	return id
}

func isRequestID(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// body reads the JSON object of the request, of at most limit bytes. A byte
// order mark, which some .NET clients write, is passed over.
func (c *call) body(limit int64) (node, error) {
	if err := c.acceptable(); err != nil {
		return node{}, err
	}
	text, err := c.readAll(limit)
	if err != nil {
		return node{}, err
	}
	if len(text) == 0 {
		return node{}, invalidSyntax("the body is empty; a JSON object is expected")
	}
	c.doc, err = readJSON(strings.TrimPrefix(text, "\ufeff"), c.doc)
	if err != nil {
		return node{}, err
	}
	root := node{c.doc, 0}
	if root.kind() != isObject {
		return node{}, invalidSyntax("the body is %s, not an object", root.kind())
	}
	if s, ok := root.child("schemas"); ok {
		err = checkSchemas(s)
	}
	return root, err
}

// checkSchemas takes any URNs, those of SCIM 1.1 too, but nothing else.
func checkSchemas(n node) error {
	if k := n.kind(); k == isNull || k == isString {
		return nil
	} else if k != isArray {
		return invalidSyntax("schemas: a list of URNs is expected, not %s", k)
	}
	for urn := range n.children {
		if urn.kind() != isString {
			return invalidSyntax("schemas: a URN is expected, not %s", urn.kind())
		}
	}
	return nil
}

// acceptable refuses bodies of another type; a missing type counts as JSON.
func (c *call) acceptable() error {
	header := c.r.Header.Get("Content-Type")
	if header != "" && header != "application/scim+json" && header != "application/json" {
		media, _, err := mime.ParseMediaType(header)
		if err != nil || media != "application/scim+json" && media != "application/json" {
			return faultf(http.StatusUnsupportedMediaType, "", "Content-Type: application/scim+json or application/json is expected, not %.60q", header)
		}
	}
	if enc := c.r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return faultf(http.StatusUnsupportedMediaType, "", "Content-Encoding: %.20q is not taken", enc)
	}
	return nil
}

func (c *call) readAll(limit int64) (string, error) {
	tooLarge := faultf(http.StatusRequestEntityTooLarge, "", "the body is larger than the %d bytes that are allowed", limit)
	if c.r.ContentLength > limit {
		return "", tooLarge
	}
	c.in = c.in[:0]
	r := io.LimitReader(c.r.Body, limit+1)
	for {
		if len(c.in) == cap(c.in) {
			c.in = append(c.in, make([]byte, max(1024, len(c.in)))...)[:len(c.in)]
		}
		n, err := r.Read(c.in[len(c.in):cap(c.in)])
		c.in = c.in[:len(c.in)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", faultf(http.StatusBadRequest, "", "the body could not be read to its end")
		}
	}
	if int64(len(c.in)) > limit {
		return "", tooLarge
	}
	return string(c.in), nil
}

// write answers with a whole body.
func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", c.mediaType())
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.w.WriteHeader(status)
	if _, err := c.w.Write(body); err != nil {
		c.log().Debug("the answer was not taken", "error", err)
	}
}

// mediaType is SCIM's own, unless the client takes plain JSON and not that one
// (RFC 7644 §3.8).
func (c *call) mediaType() string {
	accept := strings.ToLower(c.r.Header.Get("Accept"))
	if strings.Contains(accept, "application/json") && !strings.Contains(accept, "scim+json") && !strings.Contains(accept, "*") {
		return "application/json; charset=utf-8"
	}
	return "application/scim+json; charset=utf-8"
}

// orEmpty is the error or, without one, an answer without a body.
func (c *call) orEmpty(status int, err error) error {
	if err != nil {
		return err
	}
	return c.empty(status)
}

// empty answers without a body.
func (c *call) empty(status int) error {
	c.w.WriteHeader(status)
	return nil
}
