package directory_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

// world is a directory on the memory engine with its own clock.
type world struct {
	*directory.Directory
	t     *testing.T
	now   time.Time
	store *counting
}

// newWorld makes an organisation "acme" with one connection "idp" that both
// pushes and signs in; change adapts the setup.
func newWorld(t *testing.T, change func(*directory.Setup)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	e := &counting{Engine: newStore(t)}
	w.store = e
	d, err := directory.Open(t.Context(), e, directory.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.Directory = d
	t.Cleanup(func() {
		w.clean()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	s := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{
		ID: "idp", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create},
		SAML: &directory.SAMLTrust{EntityID: "https://idp.example"}, Guard: directory.Guard{Off: true},
	}}}
	if change != nil {
		change(&s)
	}
	w.configure(s)
	return w
}

func (w *world) configure(s directory.Setup) []string {
	w.t.Helper()
	lines, err := w.Configure(context.Background(), directory.EventSource{Channel: directory.Local, Actor: "test"}, []directory.Setup{s})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// clean fails the test when an invariant is broken.
func (w *world) clean() {
	w.t.Helper()
	problems, err := w.Check(context.Background())
	if err != nil {
		w.t.Error(err)
	}
	for _, p := range problems {
		w.t.Errorf("check: %s: %s", p.What, p.Detail)
	}
}

func attributes(pairs ...string) directory.Attributes {
	var a directory.Attributes
	for i := 0; i < len(pairs); i += 2 {
		v := directory.Text(pairs[i+1])
		if pairs[i] == directory.Emails && pairs[i+1] != "" {
			v = directory.Value{directory.NewElement(directory.Field{Name: "value", Text: pairs[i+1]}, directory.Field{Name: "primary", Text: "true"})}
		}
		a.Set(pairs[i], v)
	}
	return a
}

func (w *world) push(pairs ...string) (directory.Result, error) {
	return w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Attributes: attributes(pairs...)})
}

func (w *world) signIn(subject string, pairs ...string) (directory.Result, error) {
	return w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SSO, Verb: directory.VerbSignIn,
		Subject: subject, Issuer: "https://idp.example", AssertedAt: w.now, Attributes: attributes(pairs...)})
}

func TestPushThenSignInIsOnePerson(t *testing.T) {
	w := newWorld(t, nil)
	pushed, err := w.push("userName", "ada@acme.example", "emails", "ada@acme.example", "displayName", "Ada")
	if err != nil {
		t.Fatal(err)
	}
	if pushed.Outcome != directory.Created || pushed.User.Attributes.Text("displayName") != "Ada" {
		t.Fatalf("pushed: %+v", pushed)
	}
	w.clean()
	signed, err := w.signIn("ada-1", "userName", "ada@acme.example", "displayName", "Ada L", "title", "Countess")
	if err != nil {
		t.Fatal(err)
	}
	if signed.Outcome != directory.Adopted || signed.User.ID != pushed.User.ID {
		t.Fatalf("signed in: %+v", signed)
	}
	if got := signed.User.Attributes.Text("displayName"); got != "Ada" {
		t.Errorf("displayName is %q; scim outranks sso", got)
	}
	if got := signed.User.Attributes.Text("title"); got != "Countess" {
		t.Errorf("title is %q; sso fills gaps", got)
	}
	again, err := w.signIn("ada-1", "userName", "ada@acme.example", "displayName", "Ada L", "title", "Countess")
	if err != nil || again.Outcome != directory.Unchanged || again.Event != directory.NoID {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := w.push("userName", "ADA@acme.example"); directory.RefusalCode(err) != directory.Uniqueness {
		t.Errorf("second push: %v", err)
	}
	page, err := w.Users(t.Context(), directory.Viewer{Org: "acme", Connection: "idp"}, directory.Query{Filter: `userName eq "ADA@acme.example"`, Limit: 10})
	if err != nil || page.Total != 1 {
		t.Errorf("found %d, %v", page.Total, err)
	}
	secret, err := w.StartSession(t.Context(), directory.Session{Org: "acme", User: signed.User.ID, Connection: "idp", Expires: w.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Session(t.Context(), secret); err != nil {
		t.Error(err)
	}
	_, err = w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbEdit, ID: pushed.User.ID,
		Edit: func(own directory.Attributes) (directory.Attributes, error) {
			own.Set("active", directory.Text("false"))
			return own, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Session(t.Context(), secret); directory.RefusalCode(err) != directory.Suspended {
		t.Errorf("session of a locked user: %v", err)
	}
	events, err := w.Events(t.Context(), "acme", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []directory.EventType
	for _, e := range events {
		got = append(got, e.Type)
	}
	want := []directory.EventType{directory.ConfigSet, directory.UserCreated, directory.UserAdopted, directory.UserLocked}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
