package scim

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

const (
	connToken = "token-of-the-connection-0123456789"
	appToken  = "token-of-an-application-0123456789"
)

// bed is a server on a directory of its own, with one connection "idp" of the
// organisation "acme". Every test on it ends in Check.
type bed struct {
	t      testing.TB
	d      *directory.Directory
	server *Server
	echo   *echo.Echo
	logs   *bytes.Buffer
}

// connectionFor is a connection as its preset would fill it in.
func connectionFor(client string) directory.Connection {
	c := directory.Connection{ID: "idp", Org: "acme", Preset: client, Write: directory.Write{SCIM: directory.Create}, Guard: directory.Guard{Off: true}}
	switch client {
	case "entra":
		c.Subject.SCIM, c.CreateElement = "externalId", true
	case "okta":
		c.Subject.SCIM = "externalId"
	default:
		c.Subject.SCIM = "id"
	}
	return c
}

func newBed(t testing.TB, connections ...directory.Connection) *bed {
	t.Helper()
	b := &bed{t: t, d: openDirectory(t), logs: &bytes.Buffer{}}
	if len(connections) == 0 {
		connections = []directory.Connection{connectionFor("generic")}
	}
	configure(t, b.d, testOrg(), connections...)
	b.token(directory.Token{Org: "acme", Connection: connections[0].ID, Name: "idp", Kind: directory.SCIMToken}, connToken)
	b.token(directory.Token{Org: "acme", Name: "crm", Kind: directory.AppToken}, appToken)
	b.serve(Options{})
	t.Cleanup(b.check)
	return b
}

// serve starts the server anew, with these options.
func (b *bed) serve(o Options) {
	o.BaseURL, o.Log = "https://muster.example", slog.New(slog.NewTextHandler(b.logs, nil))
	b.server, b.echo = New(b.d, o), echo.New()
	b.server.Mount(b.echo)
}

func (b *bed) token(token directory.Token, secret string) {
	b.t.Helper()
	if _, err := b.d.SetToken(context.Background(), token, secret); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) check() {
	problems, err := b.d.Check(context.Background())
	if err != nil || len(problems) > 0 {
		b.t.Errorf("check: %v %v", problems, err)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// send makes one request; headers are name, value, name, value.
func (b *bed) send(method, url, body string, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequest(method, strings.NewReplacer(" ", "%20", `"`, "%22").Replace(url), strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+connToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.echo.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	if a.text != "" {
		if err := json.Unmarshal(w.Body.Bytes(), &a.json); err != nil {
			b.t.Fatalf("%s %s: %d %q: %v", method, url, a.status, a.text, err)
		}
		if got := a.header.Get("Content-Type"); r.Header.Get("Accept") != "application/json" && got != "application/scim+json; charset=utf-8" {
			b.t.Errorf("%s %s: Content-Type %q", method, url, got)
		}
	}
	if a.header.Get("X-Request-Id") == "" {
		b.t.Errorf("%s %s: no correlation id", method, url)
	}
	if a.status >= 400 {
		b.scimError(method+" "+url, a)
	}
	return a
}

// scimError holds an answer against RFC 7644 §3.12.
func (b *bed) scimError(what string, a answer) {
	b.t.Helper()
	schemas, _ := a.json["schemas"].([]any)
	status, _ := a.json["status"].(string)
	detail, _ := a.json["detail"].(string)
	if len(schemas) != 1 || schemas[0] != "urn:ietf:params:scim:api:messages:2.0:Error" || status != strconv.Itoa(a.status) {
		b.t.Errorf("%s: %d %s is no SCIM Error", what, a.status, a.text)
	}
	if !strings.Contains(detail, a.header.Get("X-Request-Id")) {
		b.t.Errorf("%s: %q does not carry the correlation id", what, detail)
	}
}

// scim sends a request below the connection's door.
func (b *bed) scim(method, path, body string, headers ...string) answer {
	b.t.Helper()
	return b.send(method, "/c/idp/scim/v2"+path, body, headers...)
}

// want fails the test when the status is another one.
func (b *bed) want(status int, a answer) answer {
	b.t.Helper()
	if a.status != status {
		b.t.Fatalf("answered %d, not %d: %s\n%s", a.status, status, a.text, b.logs)
	}
	return a
}

// make creates a resource and returns its id.
func (b *bed) make(path, body string) string {
	b.t.Helper()
	a := b.want(http.StatusCreated, b.scim("POST", path, body))
	id, _ := a.json["id"].(string)
	return id
}

func (b *bed) total(path string) int {
	b.t.Helper()
	a := b.want(http.StatusOK, b.scim("GET", path, ""))
	n, _ := a.json["totalResults"].(float64)
	return int(n)
}
