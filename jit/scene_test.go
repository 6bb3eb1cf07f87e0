package jit_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/memory"
	"muster/jit"
	"muster/jit/fetch"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// scene is one organisation with identity providers, a directory in memory, and the sign-in door on a port of its own.
type scene struct {
	testing.TB
	dir    *directory.Directory
	store  *counted
	door   *jit.Server // the one that serves base
	base   string
	idps   map[string]*samltest.IdP // by connection
	log    *journal
	mu     sync.Mutex
	ahead  time.Duration
	render func(w io.Writer, base string, user *directory.Profile, policy *directory.Policy) error
}

// counted is an engine that counts the transactions that may write, and goes away when it is told to.
type counted struct {
	engine.Engine
	updates atomic.Int64
	away    atomic.Bool
}

func (c *counted) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	if c.away.Load() {
		return fmt.Errorf("%w: connection refused", engine.ErrUnavailable)
	}
	return c.Engine.View(ctx, fn)
}

func (c *counted) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	c.updates.Add(1)
	if c.away.Load() {
		return fmt.Errorf("%w: connection refused", engine.ErrUnavailable)
	}
	return c.Engine.Update(ctx, fn)
}

func (s *scene) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.ahead)
}

// wait lets time pass.
func (s *scene) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// journal collects the log.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// justInTime is a connection that creates people at sign-in.
func justInTime(id string) directory.Connection {
	return directory.Connection{ID: id, Write: directory.Write{SSO: directory.Create}}
}

// play opens a directory with org acme and serves it.
func play(t testing.TB, org directory.Org, connections ...directory.Connection) *scene {
	t.Helper()
	return playWith(t, jit.Options{HTTP: fetch.Client(fetch.Options{AllowPrivate: true})}, org, connections...)
}

// playWith is play with some options of the door.
func playWith(t testing.TB, o jit.Options, org directory.Org, connections ...directory.Connection) *scene {
	t.Helper()
	s := &scene{TB: t, idps: map[string]*samltest.IdP{}, log: &journal{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	s.store = &counted{Engine: memory.New(memory.Options{})}
	t.Cleanup(func() { s.store.Close() })
	dir, err := directory.Open(t.Context(), s.store, directory.Options{Now: s.now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	s.dir = dir
	server := httptest.NewUnstartedServer(nil)
	s.base = "http://" + server.Listener.Addr().String()
	if org.ID == "" {
		org.ID = "acme"
	}
	s.configure(org, connections...)
	o.BaseURL = s.base
	s.serve(server, o)
	t.Cleanup(s.clean)
	return s
}

// serve mounts a door of the scene's directory.
func (s *scene) serve(server *httptest.Server, o jit.Options) {
	s.Helper()
	o.Now, o.RenderUser, o.Log = s.now, s.renderUser, slog.New(slog.NewTextHandler(s.log, nil))
	door, err := jit.New(s.dir, o)
	if err != nil {
		s.Fatal(err)
	}
	s.door = door
	e := echo.New()
	door.Mount(e)
	server.Config.Handler = e
	server.Start()
	s.Cleanup(server.Close)
}

// node is another server, with a directory of its own on the same store, reached at an address of its own behind the same name.
func (s *scene) node() *scene {
	s.Helper()
	return s.nodeWith(jit.Options{})
}

func (s *scene) nodeWith(o jit.Options) *scene {
	s.Helper()
	server := httptest.NewUnstartedServer(nil)
	dir, err := directory.Open(s.Context(), s.store, directory.Options{Now: s.now, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		s.Fatal(err)
	}
	other := &scene{TB: s.TB, dir: dir, store: s.store, idps: s.idps, log: s.log, ahead: s.ahead}
	o.BaseURL, o.HTTP = s.base, fetch.Client(fetch.Options{AllowPrivate: true})
	other.serve(server, o)
	other.base = "http://" + server.Listener.Addr().String()
	return other
}

// clean checks every invariant of the directory.
func (s *scene) clean() {
	s.Helper()
	problems, err := s.dir.Check(context.Background())
	if err != nil || len(problems) > 0 {
		s.Errorf("Check: %v %v", problems, err)
	}
}

func (s *scene) renderUser(w io.Writer, base string, user *directory.Profile, policy *directory.Policy) error {
	if s.render != nil {
		return s.render(w, base, user, policy)
	}
	return json.NewEncoder(w).Encode(map[string]string{"id": user.ID.String(), "userName": user.Attributes.Text(directory.UserName), "base": base})
}

// configure fills connections from their presets and gives each an identity provider of its own.
func (s *scene) configure(org directory.Org, connections ...directory.Connection) {
	s.Helper()
	for i := range connections {
		c := &connections[i]
		c.Org = org.ID
		if err := jit.Fill(c); err != nil {
			s.Fatal(err)
		}
		if c.OIDC != nil {
			continue
		}
		if c.SAML == nil {
			c.SAML = &directory.SAMLTrust{}
		}
		idp := s.idps[c.ID]
		if idp == nil {
			idp = s.idp("https://" + c.ID + ".idp.example/metadata")
			s.idps[c.ID] = idp
		}
		c.SAML.Metadata, c.SAML.EntityID = idp.Metadata(), idp.EntityID
	}
	if _, err := s.dir.Configure(s.Context(), directory.EventSource{Actor: "test"}, []directory.Setup{{Org: org, Connections: connections}}); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) idp(entityID string) *samltest.IdP {
	s.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.Fatal(err)
	}
	idp, err := samltest.NewIdP(samltest.Options{EntityID: entityID, Key: key, Now: s.now})
	if err != nil {
		s.Fatal(err)
	}
	return idp
}

// users are all effective views, the state that a refused sign-in must leave alone.
func (s *scene) users() []*directory.Profile {
	s.Helper()
	page, err := s.dir.Users(s.Context(), directory.Viewer{Org: "acme"}, directory.Query{Limit: 1000})
	if err != nil {
		s.Fatal(err)
	}
	return page.Items
}

// user is the one whose userName this is.
func (s *scene) user(userName string) *directory.Profile {
	s.Helper()
	for _, u := range s.users() {
		if u.Attributes.Text(directory.UserName) == userName {
			return u
		}
	}
	s.Fatalf("no user %q among %d", userName, len(s.users()))
	return nil
}

// untouched fails when do changes anybody.
func (s *scene) untouched(do func()) {
	s.Helper()
	before := s.users()
	do()
	if diff := cmp.Diff(before, s.users()); diff != "" {
		s.Errorf("the directory was touched: %s", diff)
	}
}

// push writes as the connection's SCIM client would.
func (s *scene) push(c directory.Change) directory.Result {
	s.Helper()
	c.Org, c.Channel, c.Request = "acme", directory.SCIM, "push-request"
	result, err := s.dir.Apply(s.Context(), c)
	if err != nil {
		s.Fatal(err)
	}
	return result
}

// attributes makes name, text, name, text ... into attributes.
func attributes(pairs ...string) directory.Attributes {
	var a directory.Attributes
	for i := 0; i < len(pairs); i += 2 {
		v := directory.Text(pairs[i+1])
		if pairs[i] == directory.Emails {
			v = directory.Value{directory.NewElement(directory.Field{Name: "value", Text: pairs[i+1]}, directory.Field{Name: "primary", Text: "true"})}
		}
		a.Set(pairs[i], v)
	}
	return a
}

// person is somebody whom an identity provider vouches for: a NameID and name, value, name, value ...
func person(nameID string, pairs ...string) samltest.Person {
	p := samltest.Person{NameID: saml.NameID{Value: nameID, Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}}
	for i := 0; i < len(pairs); i += 2 {
		p.Attributes = append(p.Attributes, saml.Attribute{Name: pairs[i], Values: []string{pairs[i+1]}})
	}
	return p
}

// ada is a complete person, with whatever else she brings.
func ada(more ...string) samltest.Person {
	return person("ada-1", append([]string{"email", "ada@corp.example", "firstName", "Ada", "lastName", "Lovelace"}, more...)...)
}

// with adds an attribute of several values.
func with(p samltest.Person, name string, values ...string) samltest.Person {
	p.Attributes = append(p.Attributes, saml.Attribute{Name: name, Values: values})
	return p
}

// browser keeps cookies and follows no redirect by itself.
type browser struct {
	*scene
	client *http.Client
	accept string
}

func (s *scene) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, "text/html"}
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) reply {
	b.Helper()
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", b.accept)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return reply{response, string(body)}
}

func (b *browser) get(path, accept string) reply {
	b.Helper()
	r, err := http.NewRequest(http.MethodGet, b.base+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Accept", accept)
	return b.do(r)
}

// post sends a form from a page of this site, or, for the ACS, of the identity provider's.
func (b *browser) post(path string, form url.Values) reply {
	b.Helper()
	r, err := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if strings.HasSuffix(path, "/acs") {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Origin", "https://idp.example")
	}
	return b.do(r)
}

// start goes to the identity provider and returns what it is asked.
func (b *browser) start(connection, query string) (samltest.Request, url.Values) {
	b.Helper()
	answer := b.get("/c/"+connection+"/login"+query, "text/html")
	to, err := answer.Location()
	if err != nil || answer.StatusCode != http.StatusSeeOther {
		b.Fatalf("login: %s %v %s", answer.Status, err, answer.body)
	}
	request, err := samltest.ReadRequest(to.Query().Get("SAMLRequest"))
	if err != nil {
		b.Fatal(err)
	}
	return request, to.Query()
}

// response is what the connection's provider says about p to a request.
func (s *scene) response(connection string, request samltest.Request, p samltest.Person, bend samltest.Bend) string {
	s.Helper()
	response, err := s.idps[connection].Respond(request, p, bend)
	if err != nil {
		s.Fatal(err)
	}
	return response
}

// arrive posts a response to the ACS.
func (b *browser) arrive(connection, response string) reply {
	b.Helper()
	return b.post("/c/"+connection+"/saml/acs", url.Values{"SAMLResponse": {response}, "RelayState": {"carried back"}})
}

// signIn goes the whole way.
func (b *browser) signIn(connection string, p samltest.Person) reply {
	b.Helper()
	request, _ := b.start(connection, "")
	return b.arrive(connection, b.response(connection, request, p, samltest.Bend{}))
}

// in fails unless the answer is a sign-in that leads to path.
func (s *scene) in(got reply, path string) {
	s.Helper()
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != path {
		s.Fatalf("got %s to %q, want a sign-in to %q\n%s\n%s", got.Status, got.Header.Get("Location"), path, got.body, s.log)
	}
}

// told is a refusal as JSON.
type told struct{ Code, CorrelationID, Detail string }

// out fails unless the answer is a refusal with this status and code that starts no session.
func (s *scene) out(got reply, status int, code string) told {
	s.Helper()
	var view told
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal([]byte(got.body), &view); err != nil {
			s.Fatal(err)
		}
	} else if strings.Contains(got.body, "<code>"+code+"</code>") {
		view = told{code, got.Header.Get("X-Request-Id"), got.body}
	}
	if got.StatusCode != status || view.Code != code {
		s.Fatalf("got %s %q, want %d %s\n%s\n%s", got.Status, view.Code, status, code, got.body, s.log)
	}
	if view.CorrelationID == "" || view.CorrelationID != got.Header.Get("X-Request-Id") || !strings.Contains(s.log.String(), view.CorrelationID) {
		s.Errorf("correlation id %q is not in the header (%q) and the log", view.CorrelationID, got.Header.Get("X-Request-Id"))
	}
	for _, cookie := range got.Cookies() {
		if strings.TrimPrefix(cookie.Name, "__Host-") == "muster" && cookie.Value != "" {
			s.Error("a refused sign-in set a session cookie")
		}
	}
	return view
}

func text(u *directory.Profile, name string) string { return u.Attributes.Text(name) }

func value(u *directory.Profile, name string) string {
	v, _ := u.Attributes.Get(name)
	return v.Primary().Field("value")
}

func groups(u *directory.Profile) string {
	var names []string
	for _, g := range u.Groups {
		names = append(names, g.Name)
	}
	return fmt.Sprint(names)
}
