package admin

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/pquerna/otp/totp"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/memory"
)

const testBase = "https://id.example"

// scene is the administration of a new directory in memory, with two organisations.
type scene struct {
	*testing.T
	directory *directory.Directory
	echo      *echo.Echo
	server    *Server
	clock     *time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	return newSceneOn(t, func(e engine.Engine) engine.Engine { return e })
}

// newSceneOn puts something around the engine.
func newSceneOn(t *testing.T, around func(engine.Engine) engine.Engine) *scene {
	t.Helper()
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	sc := &scene{T: t, clock: &now, echo: echo.New()}
	clock := func() time.Time { return *sc.clock }
	var err error
	sc.directory, err = directory.Open(t.Context(), around(memory.New(memory.Options{})), directory.Options{Now: clock, Log: slog.New(slog.DiscardHandler)})
	sc.must(err)
	for _, org := range []string{"acme", "other"} {
		_, err := sc.directory.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{{
			Org: directory.Org{ID: org, Name: strings.ToUpper(org)},
			Connections: []directory.Connection{{ID: org + "-okta", Write: directory.Write{SCIM: directory.Create},
				Subject: directory.Subjects{SCIM: directory.ExternalID}}},
		}})
		sc.must(err)
	}
	sc.server, err = New(sc.directory, Options{
		BaseURL: testBase, Now: clock, Log: slog.New(slog.DiscardHandler),
		PersonSession: func(r *http.Request) string {
			cookie, err := r.Cookie("person")
			if err != nil {
				return ""
			}
			return cookie.Value
		},
	})
	sc.must(err)
	sc.echo.IPExtractor = echo.ExtractIPDirect()
	sc.server.Mount(sc.echo)
	t.Cleanup(sc.check)
	return sc
}

func (sc *scene) must(err error) {
	sc.Helper()
	if err != nil {
		sc.Fatal(err)
	}
}

// check holds the whole directory to its invariants.
func (sc *scene) check() {
	problems, err := sc.directory.Check(context.Background())
	if err != nil || len(problems) > 0 {
		sc.Errorf("%v %v", problems, err)
	}
}

// user makes a person in an organisation.
func (sc *scene) user(org, name string) directory.ID {
	sc.Helper()
	r, err := sc.directory.Apply(sc.Context(), directory.Change{
		Org: org, Connection: org + "-okta", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Attributes: directory.Attributes{
			{Name: directory.ExternalID, Value: directory.Text("ext-" + name)},
			{Name: directory.UserName, Value: directory.Text(name)},
		},
	})
	sc.must(err)
	return r.User.ID
}

// administrator makes one, signed in by a link, and returns the cookie.
func (sc *scene) administrator(name string, grants ...directory.Grant) (directory.ID, *http.Cookie) {
	sc.Helper()
	a, err := sc.directory.AddAdministrator(sc.Context(), directory.Itself("test"), directory.Administrator{
		Name: name, Email: name + "@muster.example", Grants: grants,
	})
	sc.must(err)
	return a.ID, sc.signedIn(a.ID)
}

// signedIn is a session of an administrator.
func (sc *scene) signedIn(id directory.ID) *http.Cookie {
	sc.Helper()
	secret, err := sc.directory.StartAdminSession(sc.Context(), directory.Acting{}, directory.AdminSession{
		Administrator: id, Method: methodPasskey, Idle: time.Hour, Expires: sc.clock.Add(12 * time.Hour),
	})
	sc.must(err)
	return &http.Cookie{Name: "__Host-" + cookieName, Value: secret}
}

// token makes an administration token.
func (sc *scene) token(role directory.AdminRole, org string) string {
	sc.Helper()
	secret := "token-of-" + string(role) + "-of-" + org + "-0123456789"
	_, err := sc.directory.SetToken(sc.Context(), directory.Token{Kind: directory.AdminToken, Name: string(role), Role: role, Org: org}, secret)
	sc.must(err)
	return secret
}

// reply is an answer, read.
type reply struct {
	*http.Response
	text string
}

// asked is one request. Extra is a *http.Cookie, a bearer token (string), url.Values for a form, or http.Header.
func (sc *scene) ask(method, path string, extra ...any) reply {
	sc.Helper()
	var body io.Reader
	header := http.Header{}
	for _, x := range extra {
		if form, ok := x.(url.Values); ok {
			body = strings.NewReader(form.Encode())
			header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if content, ok := x.([]byte); ok {
			body = strings.NewReader(string(content))
			header.Set("Content-Type", "application/json")
		}
	}
	r := httptest.NewRequest(method, testBase+path, body)
	for name := range header {
		r.Header.Set(name, header.Get(name))
	}
	for _, x := range extra {
		switch x := x.(type) {
		case *http.Cookie:
			r.AddCookie(x)
		case string:
			r.Header.Set("Authorization", "Bearer "+x)
		case http.Header:
			for name := range x {
				r.Header.Set(name, x.Get(name))
			}
		}
	}
	w := httptest.NewRecorder()
	sc.echo.ServeHTTP(w, r)
	return reply{w.Result(), w.Body.String()}
}

// cookie is the session that an answer gives.
func (r reply) cookie() *http.Cookie {
	for _, c := range r.Cookies() {
		if strings.HasSuffix(c.Name, cookieName) && c.Value != "" {
			return c
		}
	}
	return nil
}

// first finds what the pattern's group matches.
func (r reply) first(pattern string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(r.text)
	if m == nil {
		return ""
	}
	return m[1]
}

// code is what an authenticator app shows.
func (sc *scene) code(secret string) string {
	sc.Helper()
	code, err := totp.GenerateCode(secret, *sc.clock)
	sc.must(err)
	return code
}
