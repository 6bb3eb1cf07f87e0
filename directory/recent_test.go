package directory_test

import (
	"context"
	"fmt"
	"testing"

	"muster/directory"
)

// acme is a directory with one organisation, set up by the function given.
func acme(t *testing.T, setup directory.Setup) (*directory.Directory, func(change func(*directory.Setup))) {
	t.Helper()
	e := newStore(t)
	t.Cleanup(func() { e.Close() })
	d, err := directory.Open(t.Context(), e, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	configure := func(change func(*directory.Setup)) {
		t.Helper()
		change(&setup)
		if _, err := d.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
			t.Fatal(err)
		}
	}
	configure(func(*directory.Setup) {})
	return d, configure
}

// A profile that is remembered follows the policy at once, before any user's
// record is written anew.
func TestRememberedProfileFollowsThePolicy(t *testing.T) {
	d, configure := acme(t, directory.Setup{
		Org:         directory.Org{ID: "acme", Rules: []directory.Rule{{Set: attributes("title", "by rule")}}},
		Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}, Guard: directory.Guard{Off: true}}},
	})
	r, err := d.Apply(t.Context(), pushed("ada"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1001 { // so many that a job resolves them, which does not run here
		if _, err := d.Apply(t.Context(), pushed(fmt.Sprint("u", i))); err != nil {
			t.Fatal(err)
		}
	}
	title := func() string {
		p, err := d.User(context.Background(), directory.Viewer{Org: "acme"}, r.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p.Attributes.Text("title")
	}
	if got := title() + title(); got != "by ruleby rule" {
		t.Fatalf("the titles were %q", got)
	}
	configure(func(s *directory.Setup) { s.Org.Rules = nil })
	if got := title(); got != "" {
		t.Errorf("without the rule the title is still %q", got)
	}
}

func TestProfileIsTheSameUntilSomethingChanges(t *testing.T) {
	d, _ := acme(t, directory.Setup{Org: directory.Org{ID: "acme"},
		Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}}}})
	r, err := d.Apply(t.Context(), pushed("ada"))
	if err != nil {
		t.Fatal(err)
	}
	own := directory.Viewer{Org: "acme", Connection: "idp"}
	look := func(v directory.Viewer) *directory.Profile {
		p, err := d.User(t.Context(), v, r.User.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := look(own)
	if look(own) != first {
		t.Error("the second look made a profile anew")
	}
	if look(directory.Viewer{Org: "acme"}) == first {
		t.Error("the application saw the connection's view")
	}
	change := pushed("ada")
	change.Verb, change.ID = directory.VerbReplace, r.User.ID
	change.Attributes.Set("title", directory.Text("Countess"))
	if _, err := d.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if got := look(own).Attributes.Text("title"); got != "Countess" {
		t.Errorf("after the change the title is %q", got)
	}
}

func pushed(name string) directory.Change {
	return directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: attributes("userName", name)}
}
