package directory_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/cmd/muster/applyfile"
	"muster/directory"
	"muster/directory/directorytest"
	"muster/directory/engine"
	"muster/jit"
)

// TestConflict plays every scenario straight through Apply, and again with the
// steps that commute in every other order.
func TestConflict(t *testing.T) {
	scenarios, err := directorytest.Load("../testdata/conflicts")
	if err != nil {
		t.Fatal(err)
	}
	for _, scenario := range scenarios {
		t.Run(scenario.Name, func(t *testing.T) {
			for _, scene := range scenario.Scenes {
				t.Run(scene.Name, func(t *testing.T) {
					stage := newStage(t)
					portrait := scene.Play(t, stage)
					projected(t, stage.Directory)
					if !t.Failed() && os.Getenv(storeVariable) == "" { // the order is the rules' affair, not the store's
						scene.PlayReordered(t, portrait, newStage)
					}
				})
			}
		})
	}
}

// directly is the door without a transport: requests become changes as the
// doors would make them.
type directly struct {
	*directory.Directory
	mu       sync.Mutex
	now      time.Time
	sessions map[directory.ID]string
	taken    int // messages
}

func (d *directly) time() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *directly) wait(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

func newStage(t *testing.T) *directorytest.Stage {
	t.Helper()
	door := &directly{sessions: map[directory.ID]string{}, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	e := newStore(t)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	d, err := directory.Open(t.Context(), e, directory.Options{Now: door.time, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	door.Directory = d
	return &directorytest.Stage{Directory: d, Door: door, Now: door.time, Wait: door.wait, Configure: door.configure, Preview: door.preview,
		Store: func() string { return digest(t, e) }}
}

// configure trusts one provider for each connection of the file.
func (d *directly) configure(ctx context.Context, policy string) error {
	file, err := d.parse(ctx, policy)
	if err == nil {
		_, err = file.Apply(ctx, d.Directory)
	}
	return err
}

func (d *directly) preview(ctx context.Context, policy string) (directory.Preview, error) {
	file, err := d.parse(ctx, policy)
	if err != nil {
		return directory.Preview{}, err
	}
	return d.Preview(ctx, file.Setups[0])
}

func (d *directly) parse(ctx context.Context, policy string) (*applyfile.File, error) {
	file, err := applyfile.Parse(ctx, "policy.yaml", []byte(policy), applyfile.Options{Now: d.time()})
	if err != nil {
		return nil, err
	}
	for _, setup := range file.Setups {
		for i := range setup.Connections {
			c := &setup.Connections[i]
			c.SAML = &directory.SAMLTrust{EntityID: "https://" + c.ID + ".example"}
			file.Tokens = append(file.Tokens, applyfile.Token{Secret: directorytest.Secret(c.ID, "idp"),
				Record: directory.Token{Org: c.Org, Connection: c.ID, Name: "idp", Kind: directory.SCIMToken}})
		}
	}
	return file, nil
}

// digest is different for any two stores that differ in a byte.
func digest(t *testing.T, e engine.Engine) string {
	t.Helper()
	h := sha256.New()
	err := e.View(context.Background(), func(tx engine.ReadTx) error {
		h.Reset()
		for pair, err := range tx.Scan(nil, nil) {
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%d:%s%d:%s", len(pair.Key), pair.Key, len(pair.Value), pair.Value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(h.Sum(nil))
}

// SignIn makes the change of an assertion.
func (d *directly) SignIn(ctx context.Context, in directorytest.SignIn) directorytest.Answer {
	conn, policy, err := d.Connection(ctx, in.Connection)
	if err != nil {
		return directorytest.Answered(directory.Result{}, err)
	}
	a := jit.Assertion{Issuer: conn.SAML.EntityID, ID: "assertion", IssuedAt: d.time().Add(-in.Ago),
		Subject: jit.Subject{Name: jit.NameID, Value: in.Subject}}
	for _, c := range in.Claims {
		a.Claims = append(a.Claims, jit.Claim{Name: c.Name, Values: c.Values})
		switch {
		case c.Name == "email_verified" && slices.Contains(c.Values, "false"):
			a.EmailVerified = directory.VerifiedNo
		case c.Name == "email_verified":
			a.EmailVerified = directory.VerifiedYes
		case strings.HasSuffix(c.Name, "/groups.link"):
			a.GroupsOverage = true
		}
	}
	change, _, err := jit.Interpret(a, conn, policy.Definition)
	if err != nil {
		return directorytest.Answered(directory.Result{}, err)
	}
	change.Request = "scenario-sign-in"
	if in.Again {
		return d.again(ctx)
	}
	result, err := d.Apply(ctx, change)
	if err == nil {
		err = d.begin(ctx, result.User, in.Connection)
	}
	return directorytest.Answered(result, err)
}

// again is what a door does with the message that it took last: its request is
// answered.
func (d *directly) again(ctx context.Context) directorytest.Answer {
	err := d.Spend(ctx, "request", strconv.Itoa(d.taken), d.time().Add(time.Minute))
	if !errors.Is(err, directory.ErrSpent) {
		return directorytest.Answer{Fault: fmt.Errorf("spent twice: %v", err)}
	}
	return directorytest.Answer{Code: "unknown_request"}
}

// begin starts the session of a sign-in.
func (d *directly) begin(ctx context.Context, u *directory.Profile, connection string) error {
	if u == nil {
		return nil
	}
	d.mu.Lock()
	d.taken++
	request := strconv.Itoa(d.taken)
	d.mu.Unlock()
	if err := d.Spend(ctx, "request", request, d.time().Add(time.Minute)); err != nil {
		return err
	}
	secret, err := d.StartSession(ctx, directory.Session{Org: u.Org, User: u.ID, Connection: connection, Expires: d.time().Add(24 * time.Hour)})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sessions[u.ID] = secret
	return err
}

// SignedIn uses the session of the last sign-in.
func (d *directly) SignedIn(ctx context.Context, user directory.ID) (bool, error) {
	d.mu.Lock()
	secret := d.sessions[user]
	d.mu.Unlock()
	_, _, err := d.Session(ctx, secret)
	if directory.RefusalCode(err) != "" || errors.Is(err, directory.ErrUnauthorized) {
		return false, nil
	}
	return err == nil, err
}

// Push makes the change of a SCIM request.
func (d *directly) Push(ctx context.Context, in directorytest.Push) directorytest.Answer {
	conn, policy, err := d.Connection(ctx, in.Connection)
	if err != nil {
		return directorytest.Answered(directory.Result{}, err)
	}
	if in.Token != "" {
		if _, _, err := d.Admit(ctx, directorytest.Secret(in.Connection, in.Token)); err != nil {
			return directorytest.Answered(directory.Result{}, err)
		}
	}
	if in.Method == "GET" {
		return d.read(ctx, directory.Viewer{Org: conn.Org, Connection: conn.ID}, in)
	}
	c := directory.Change{Org: conn.Org, Connection: conn.ID, Channel: directory.SCIM, Request: "scenario-push", Verb: map[string]directory.Verb{
		"POST": directory.VerbCreate, "PUT": directory.VerbReplace, "PATCH": directory.VerbEdit, "DELETE": directory.VerbDelete}[in.Method]}
	if in.ID != "" {
		id, ok := directory.ParseID(in.ID)
		if !ok {
			return directorytest.Answer{Code: directorytest.NotFound}
		}
		c.ID = id
	}
	if in.Resource == "Groups" {
		c.Resource = directory.GroupResource
	}
	if err := body(&c, in.Body, policy); err != nil {
		if directory.RefusalCode(err) != "" {
			return directorytest.Answered(directory.Result{}, err)
		}
		return directorytest.Answer{Fault: err}
	}
	return directorytest.Answered(d.Apply(ctx, c))
}

// body reads what a request carries into its change.
func body(c *directory.Change, text string, p *directory.Policy) (err error) {
	switch {
	case c.Verb == directory.VerbDelete:
		return nil
	case c.Verb == directory.VerbEdit:
		return directorytest.ReadPatch(text, c, p)
	case c.Resource == directory.GroupResource:
		return directorytest.ReadGroup(text, c)
	}
	c.Attributes, err = directorytest.ReadAttributes(text, p)
	c.Attributes = slices.DeleteFunc(c.Attributes, func(a directory.Attribute) bool { return len(a.Value) == 0 })
	return err
}

// read answers GET for one user and for a filter.
func (d *directly) read(ctx context.Context, v directory.Viewer, in directorytest.Push) directorytest.Answer {
	if in.ID != "" {
		id, _ := directory.ParseID(in.ID)
		u, err := d.User(ctx, v, id)
		return directorytest.Answered(directory.Result{User: u, Outcome: "found"}, err)
	}
	page, err := d.Users(ctx, v, directory.Query{Filter: in.Filter, Limit: 100})
	a := directorytest.Answered(directory.Result{Outcome: "found"}, err)
	for _, u := range page.Items {
		a.Found = append(a.Found, u.ID)
	}
	slices.SortFunc(a.Found, func(x, y directory.ID) int { return bytes.Compare(x[:], y[:]) })
	return a
}
