package scim

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// bulk runs many requests that came in one (RFC 7644 §3.7). Each is a
// transaction of its own and goes through the very handlers of a request that
// comes alone; what it refers to by bulkId is made before it.
func (c *call) bulk() error {
	root, err := c.body(c.s.options.MaxBulkBody)
	if err != nil {
		return err
	}
	b := batch{c: c, echo: echo.New(), routes: resourceRoutes(), byBulkID: map[string]*bulkOperation{}}
	if err := b.read(root); err != nil {
		return err
	}
	if err := c.charge(c.account, len(b.list)-1); err != nil {
		return err
	}
	b.run()
	c.out = b.answer(c.out[:0])
	c.write(http.StatusOK, c.out)
	return nil
}

// batch is the operations of one bulk.
type batch struct {
	c        *call
	echo     *echo.Echo
	routes   []route
	list     []*bulkOperation
	byBulkID map[string]*bulkOperation // those that make something
	most     int                       // errors before the rest is left out, 0 for any number
	errors   int
}

// bulkOperation is one request of a bulk, and what came of it.
type bulkOperation struct {
	method, bulkID, version, path string
	data                          node // without a doc when there is none
	state                         state
	id                            string // of what a POST made
	answer                        recorded
	lacks                         []*bulkOperation // what it refers to in a circle
	waiting                       []*bulkOperation // those that lack this one
}

func (op *bulkOperation) failed() bool { return op.answer.status >= http.StatusBadRequest }

type state uint8

const (
	untouched state = iota
	running         // what it refers to is being made
	done
)

// read reads the message. What is wrong with an operation by itself is that
// operation's error; what is wrong with the message refuses all of it.
func (b *batch) read(root node) error {
	if n, ok := root.child("failOnErrors"); ok && n.kind() != isNull {
		var err error
		if b.most, err = number10("failOnErrors", n.text()); err != nil || b.most < 1 {
			return invalidValue("failOnErrors: a number of at least 1 is expected, not %.40q", n.text())
		}
	}
	list, ok := root.child("Operations")
	if !ok || list.kind() != isArray || list.blank() {
		return invalidSyntax("Operations: a list of at least one operation is expected")
	}
	for n := range list.children {
		if len(b.list) == b.c.s.options.MaxBulkOperations {
			return faultf(http.StatusRequestEntityTooLarge, "", "Operations: at most %d operations are taken at once; send the rest in another bulk", len(b.list))
		}
		op, err := readOperation(n)
		if err != nil {
			return err
		}
		b.list = append(b.list, op)
		if op.bulkID == "" || op.method != http.MethodPost {
			continue
		}
		if b.byBulkID[op.bulkID] != nil {
			return invalidValue("Operations: the bulkId %.60q is there twice", op.bulkID)
		}
		b.byBulkID[op.bulkID] = op
	}
	return nil
}

func readOperation(n node) (*bulkOperation, error) {
	if n.kind() != isObject {
		return nil, invalidSyntax("Operations: an operation is an object, not %s", n.kind())
	}
	op := &bulkOperation{}
	for _, field := range []struct {
		name string
		into *string
	}{{"method", &op.method}, {"bulkId", &op.bulkID}, {"version", &op.version}, {"path", &op.path}} {
		text, ok := n.child(field.name)
		if !ok || text.kind() == isNull {
			continue
		}
		if text.kind() != isString {
			return nil, invalidSyntax("Operations: %s is a string, not %s", field.name, text.kind())
		}
		*field.into = text.text()
	}
	op.method = strings.ToUpper(op.method)
	if data, ok := n.child("data"); ok && data.kind() != isNull {
		op.data = data
	}
	return op, nil
}

// run works through the operations, until there were too many errors.
func (b *batch) run() {
	for _, op := range b.list {
		if b.most > 0 && b.errors >= b.most {
			return
		}
		b.do(op)
	}
}

// do makes what an operation refers to, then runs it. Operations that refer to
// each other in a circle cannot all come first: one of them runs without what is
// still missing, and gets it as soon as that is there.
func (b *batch) do(op *bulkOperation) {
	if op.state != untouched {
		return
	}
	op.state = running
	for _, other := range b.references(op) {
		if b.do(other); other.state == running {
			op.lacks = append(op.lacks, other)
		}
	}
	h, id, err := b.route(op)
	var body []byte
	if err == nil {
		body, err = b.body(op)
	}
	b.send(op, op.method, h, id, body, err)
	op.state = done
	switch {
	case op.failed():
		b.errors++
	case op.method == http.MethodPost:
		op.id = op.answer.made()
	}
	for _, other := range op.lacks {
		other.waiting = append(other.waiting, op)
	}
	for _, other := range op.waiting {
		b.complete(other)
	}
}

// complete adds to what an operation made what it lacked, once all of it is there.
func (b *batch) complete(op *bulkOperation) {
	lacked := op.lacks
	if op.failed() || len(lacked) == 0 || slices.ContainsFunc(lacked, func(o *bulkOperation) bool { return o.state != done }) {
		return
	}
	op.lacks = nil
	made := op.answer.header.Get("Location")
	h, id, err := b.handler(http.MethodPatch, op.path+"/"+op.id)
	var body []byte
	if err == nil {
		body, err = b.completion(op, lacked)
	}
	b.send(op, http.MethodPatch, h, id, body, err)
	op.answer.header.Set("Location", made)
	if op.failed() {
		b.errors++
	}
}

// send runs one operation as a request of its own; err is what is wrong with it
// already.
func (b *batch) send(op *bulkOperation, method string, h handler, id string, body []byte, err error) {
	made := op.answer.status
	op.answer = recorded{header: http.Header{}}
	sub := *b.c
	sub.scratch = b.c.s.scratch.Get().(*scratch)
	defer sub.release()
	sub.id, sub.w = id, echo.NewResponse(&op.answer, b.echo)
	header := http.Header{"Content-Type": {"application/scim+json"}}
	if op.version != "" && method == op.method {
		header.Set("If-Match", op.version)
	}
	r := &http.Request{Method: method, URL: &url.URL{Path: b.c.r.URL.Path, RawQuery: "excludedAttributes=members"}, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body))}
	sub.r = r.WithContext(b.c.r.Context())
	if err == nil {
		err = h(&sub)
	}
	if err != nil {
		sub.fail(err)
	} else if made != 0 {
		op.answer.status = made
	}
}

// route finds who runs the operation.
func (b *batch) route(op *bulkOperation) (handler, string, error) {
	path, err := b.expand(op.path)
	if err != nil {
		return nil, "", err
	}
	return b.handler(op.method, path)
}

// handler takes a path below the door, or the whole address of a resource.
func (b *batch) handler(method, path string) (handler, string, error) {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, b.c.base), "?")
	kind, id, one := strings.Cut(strings.Trim(path, "/"), "/")
	pattern := "/" + kind
	if one {
		pattern += "/:id"
	}
	at := slices.IndexFunc(b.routes, func(r route) bool { return r.path == pattern })
	if at < 0 || strings.Contains(id, "/") {
		return nil, "", faultf(http.StatusNotFound, "", "path: %.100q names no type of resource and no resource", path)
	}
	h := b.routes[at].methods[method]
	if h == nil || method == http.MethodGet {
		return nil, "", faultf(http.StatusMethodNotAllowed, "", "method: %.20q cannot be done in bulk to %s", method, pattern)
	}
	return h, id, nil
}

// answer writes the BulkResponse: what was run, in the order in which it came.
func (b *batch) answer(out []byte) []byte {
	out = append(out, `{"schemas":["`+bulkResponseURN+`"],"Operations":[`...)
	first := true
	for _, op := range b.list {
		if op.state != done {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = b.answerOne(out, op)
	}
	return append(out, `]}`...)
}

func (b *batch) answerOne(out []byte, op *bulkOperation) []byte {
	field := func(name, text string) {
		if text != "" {
			out = appendString(append(append(out, ',', '"'), name+`":`...), text)
		}
	}
	out = appendString(append(out, `{"method":`...), op.method)
	field("bulkId", op.bulkID)
	field("version", op.answer.header.Get("ETag"))
	field("location", b.location(op))
	field("status", strconv.Itoa(op.answer.status))
	if op.failed() {
		out = append(append(out, `,"response":`...), op.answer.body...)
	}
	return append(out, '}')
}

// location is the address of what the operation was about; a POST that failed
// was about nothing.
func (b *batch) location(op *bulkOperation) string {
	if at := op.answer.header.Get("Location"); at != "" {
		return at
	}
	path, err := b.expand(op.path)
	if op.method == http.MethodPost || err != nil {
		return ""
	}
	return b.c.base + "/" + strings.Trim(strings.TrimPrefix(path, b.c.base), "/")
}

// recorded is the answer to one operation; a body is kept of an error alone.
type recorded struct {
	header http.Header
	status int
	body   []byte
}

func (r *recorded) Header() http.Header { return r.header }

func (r *recorded) WriteHeader(status int) { r.status = status }

func (r *recorded) Write(p []byte) (int, error) {
	if r.status >= http.StatusBadRequest {
		r.body = append(r.body, p...)
	}
	return len(p), nil
}

// made is the id of the resource that was made.
func (r *recorded) made() string {
	at := r.header.Get("Location")
	return at[strings.LastIndexByte(at, '/')+1:]
}
