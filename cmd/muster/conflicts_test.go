package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"muster/cmd/muster/applyfile"
	"muster/directory"
	"muster/directory/directorytest"
	"muster/directory/engine/bolt"
	"muster/jit"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
	"muster/scim"
)

// TestConflict plays every scenario as the world does it: SCIM requests and
// signed assertions over HTTP, to both doors on one file.
func TestConflict(t *testing.T) {
	scenarios, err := directorytest.Load("../../testdata/conflicts")
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			for _, scene := range scenario.Scenes {
				t.Run(scene.Name, func(t *testing.T) { scene.Play(t, newConflictStage(t)) })
			}
		})
	}
}

// overHTTP is a server with both doors, and an identity provider for each
// connection.
type overHTTP struct {
	directory *directory.Directory
	base      string
	client    *http.Client
	key       *ecdsa.PrivateKey

	idps map[string]*samltest.IdP // by connection; made by configure

	mu     sync.Mutex
	ahead  time.Duration
	people map[directory.ID]*person // by whom they are signed in as
}

func (h *overHTTP) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *overHTTP) wait(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += by
}

func newConflictStage(t *testing.T) *directorytest.Stage {
	t.Helper()
	// At noon, so that no window of a guard ends while a scene is played.
	noon := time.Now().Truncate(24 * time.Hour).Add(36 * time.Hour)
	h := &overHTTP{idps: map[string]*samltest.IdP{}, people: map[directory.ID]*person{}, ahead: time.Until(noon)}
	store, err := bolt.Open(filepath.Join(t.TempDir(), "muster.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if h.directory, err = directory.Open(t.Context(), store, directory.Options{Now: h.now, Log: log}); err != nil {
		t.Fatal(err)
	}
	if h.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	server := h.serve(t, log)
	t.Cleanup(func() {
		server.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &directorytest.Stage{Directory: h.directory, Door: h, Now: h.now, Wait: h.wait, Configure: h.configure, Preview: h.preview}
}

// serve mounts both doors as newHandlers does, on the stage's clock.
func (h *overHTTP) serve(t *testing.T, log *slog.Logger) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	h.base = "http://" + server.Listener.Addr().String()
	signInDoor, err := jit.New(h.directory, jit.Options{BaseURL: h.base, Log: log, Now: h.now, RenderUser: scim.WriteUser})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = faults(log)
	e.Use(correlate, contain(log), bounded(maxBody), sameOrigin())
	scim.New(h.directory, scim.Options{BaseURL: h.base, Log: log}).Mount(e)
	signInDoor.Mount(e)
	server.Config.Handler = e
	server.Start()
	h.client = server.Client()
	return server
}

// configure gives each connection of the file its provider and its token.
func (h *overHTTP) configure(ctx context.Context, policy string) error {
	file, err := h.parse(ctx, policy)
	if err == nil {
		_, err = file.Apply(ctx, h.directory)
	}
	return err
}

func (h *overHTTP) preview(ctx context.Context, policy string) (directory.Preview, error) {
	file, err := h.parse(ctx, policy)
	if err != nil {
		return directory.Preview{}, err
	}
	return h.directory.Preview(ctx, file.Setups[0])
}

func (h *overHTTP) parse(ctx context.Context, policy string) (*applyfile.File, error) {
	file, err := applyfile.Parse(ctx, "policy.yaml", []byte(policy), applyfile.Options{Now: h.now()})
	if err != nil {
		return nil, err
	}
	for _, setup := range file.Setups {
		for i := range setup.Connections {
			c := &setup.Connections[i]
			idp, err := h.idp(c.ID)
			if err != nil {
				return nil, err
			}
			c.SAML = &directory.SAMLTrust{Metadata: idp.Metadata(), EntityID: idp.EntityID}
			file.Tokens = append(file.Tokens, applyfile.Token{Secret: directorytest.Secret(c.ID, "idp"),
				Record: directory.Token{Org: c.Org, Connection: c.ID, Name: "idp", Kind: directory.SCIMToken}})
		}
	}
	return file, nil
}

// idp makes the connection's provider unless it is there. Steps only read them.
func (h *overHTTP) idp(connection string) (idp *samltest.IdP, err error) {
	if idp = h.idps[connection]; idp == nil {
		idp, err = samltest.NewIdP(samltest.Options{EntityID: "https://" + connection + ".example", Key: h.key, Now: h.now})
		h.idps[connection] = idp
	}
	return idp, err
}

// Push sends a SCIM request.
func (h *overHTTP) Push(ctx context.Context, in directorytest.Push) directorytest.Answer {
	target := h.base + "/c/" + in.Connection + "/scim/v2/" + in.Resource
	if in.ID != "" {
		target += "/" + in.ID
	}
	if in.Filter != "" {
		target += "?filter=" + url.QueryEscape(in.Filter)
	}
	body := in.Body
	if in.Method == http.MethodPatch {
		body = `{"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": ` + body + `}`
	}
	request, err := http.NewRequestWithContext(ctx, in.Method, target, strings.NewReader(body))
	if err != nil {
		return directorytest.Answer{Fault: err}
	}
	request.Header.Set("Authorization", "Bearer "+directorytest.Secret(in.Connection, cmp.Or(in.Token, "idp")))
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := h.client.Do(request)
	if err != nil {
		return directorytest.Answer{Fault: err}
	}
	return pushed(response)
}

// scimAnswer is what any SCIM answer may hold.
type scimAnswer struct {
	ID, Detail, ScimType string
	Resources            []struct{ ID string }
}

// pushed reads an answer. The detail of a refusal begins with its code and the
// attribute at fault.
func pushed(response *http.Response) directorytest.Answer {
	defer response.Body.Close()
	a := directorytest.Answer{Status: response.StatusCode}
	content, err := io.ReadAll(response.Body)
	var got scimAnswer
	if err == nil && len(content) > 0 {
		err = json.Unmarshal(content, &got)
	}
	if err != nil || a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable {
		a.Fault = fmt.Errorf("%s %q: %v", response.Status, content, err)
	}
	a.ID, _ = directory.ParseID(got.ID)
	for _, r := range got.Resources {
		id, _ := directory.ParseID(r.ID)
		a.Found = append(a.Found, id)
	}
	if a.Status < http.StatusBadRequest {
		return a
	}
	a.ScimType = got.ScimType
	parts := strings.SplitN(got.Detail, ": ", 3)
	a.Code = directory.Code(parts[0])
	if len(parts) == 3 && !strings.Contains(parts[1], " ") {
		a.Attribute = parts[1]
	}
	switch a.Status {
	case http.StatusNotFound:
		a.Code = directorytest.NotFound
	case http.StatusUnauthorized:
		a.Code = directorytest.Unauthorized
	}
	return a
}

// SignIn goes the whole way in a browser of its own: to the provider, back with
// a signed assertion, and to /me.
func (h *overHTTP) SignIn(ctx context.Context, in directorytest.SignIn) directorytest.Answer {
	b, err := h.browser(ctx)
	if err != nil {
		return directorytest.Answer{Fault: err}
	}
	answer, err := b.signIn(in)
	if err != nil {
		return directorytest.Answer{Fault: fmt.Errorf("%s signs in at %s: %w", in.Subject, in.Connection, err)}
	}
	return answer
}

// person is a browser that keeps its cookies and follows no redirect by itself.
type person struct {
	*overHTTP
	ctx    context.Context
	client *http.Client
}

func (h *overHTTP) browser(ctx context.Context) (*person, error) {
	jar, err := cookiejar.New(nil)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &person{h, ctx, &http.Client{Jar: jar, Transport: h.client.Transport, CheckRedirect: stay}}, err
}

func (p *person) signIn(in directorytest.SignIn) (directorytest.Answer, error) {
	login, content, err := p.visit(http.MethodGet, "/c/"+in.Connection+"/login", nil)
	if err != nil {
		return directorytest.Answer{}, err
	}
	if login.StatusCode == http.StatusForbidden {
		return p.turnedAway(login, content)
	}
	to, err := login.Location()
	if err != nil {
		return directorytest.Answer{}, fmt.Errorf("login: %s: %w", login.Status, err)
	}
	message, err := p.vouch(in, to.Query().Get("SAMLRequest"))
	if err != nil {
		return directorytest.Answer{}, err
	}
	response, content, err := p.visit(http.MethodPost, "/c/"+in.Connection+"/saml/acs", url.Values{"SAMLResponse": {message}})
	if err != nil {
		return directorytest.Answer{}, err
	}
	if response.StatusCode != http.StatusSeeOther {
		return p.turnedAway(response, content)
	}
	answer, err := p.whoAmI()
	if in.Again && err == nil {
		return p.replayed(in.Connection, message)
	}
	p.remember(answer.ID)
	return answer, err
}

// replayed sends a message that was taken already.
func (p *person) replayed(connection, message string) (directorytest.Answer, error) {
	response, content, err := p.visit(http.MethodPost, "/c/"+connection+"/saml/acs", url.Values{"SAMLResponse": {message}})
	if err != nil {
		return directorytest.Answer{}, err
	}
	var told struct{ Code directory.Code }
	if err := json.Unmarshal(content, &told); err != nil {
		return directorytest.Answer{}, fmt.Errorf("the ACS: %s %q %v", response.Status, content, err)
	}
	return directorytest.Answer{Status: response.StatusCode, Code: told.Code}, nil
}

// remember keeps the browser in which somebody is signed in.
func (p *person) remember(user directory.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.people[user] = p
}

// SignedIn visits /me with the browser of the last sign-in.
func (h *overHTTP) SignedIn(_ context.Context, user directory.ID) (bool, error) {
	h.mu.Lock()
	p := h.people[user]
	h.mu.Unlock()
	if p == nil {
		return false, nil
	}
	response, content, err := p.visit(http.MethodGet, "/me", nil)
	if turned := []int{http.StatusOK, http.StatusUnauthorized, http.StatusForbidden}; err == nil && !slices.Contains(turned, response.StatusCode) {
		err = fmt.Errorf("/me: %s %q", response.Status, content)
	}
	return err == nil && response.StatusCode == http.StatusOK, err
}

// vouch is the provider's answer to a request.
func (p *person) vouch(in directorytest.SignIn, samlRequest string) (string, error) {
	request, err := samltest.ReadRequest(samlRequest)
	if err != nil {
		return "", err
	}
	idp, err := p.idp(in.Connection)
	if err != nil {
		return "", err
	}
	who := samltest.Person{NameID: saml.NameID{Value: in.Subject, Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}}
	for _, c := range in.Claims {
		who.Attributes = append(who.Attributes, saml.Attribute{Name: c.Name, Values: c.Values})
	}
	return idp.Respond(request, who, samltest.Bend{Later: -in.Ago})
}

// whoAmI asks the session that the sign-in began.
func (p *person) whoAmI() (directorytest.Answer, error) {
	response, content, err := p.visit(http.MethodGet, "/me", nil)
	if err != nil {
		return directorytest.Answer{}, err
	}
	var me struct{ ID string }
	if err := json.Unmarshal(content, &me); err != nil || response.StatusCode != http.StatusOK {
		return directorytest.Answer{}, fmt.Errorf("/me: %s %q %v", response.Status, content, err)
	}
	id, _ := directory.ParseID(me.ID)
	return directorytest.Answer{Status: http.StatusSeeOther, ID: id}, nil
}

// turnedAway reads a refusal, which must leave the browser without a session.
func (p *person) turnedAway(response *http.Response, content []byte) (directorytest.Answer, error) {
	var told struct{ Code directory.Code }
	if err := json.Unmarshal(content, &told); err != nil || told.Code == "" {
		return directorytest.Answer{}, fmt.Errorf("the ACS: %s %q %v", response.Status, content, err)
	}
	me, content, err := p.visit(http.MethodGet, "/me", nil)
	if err == nil && me.StatusCode != http.StatusUnauthorized {
		err = fmt.Errorf("refused, and signed in: %s %q", me.Status, content)
	}
	return directorytest.Answer{Status: response.StatusCode, Code: told.Code}, err
}

// visit sends one request of the browser.
func (p *person) visit(method, path string, form url.Values) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(p.ctx, method, p.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/json")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", "https://idp.example")
		request.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	content, err := io.ReadAll(response.Body)
	return response, content, errors.Join(err, response.Body.Close())
}
