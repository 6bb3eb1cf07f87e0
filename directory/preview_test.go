package directory_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

func TestAPreviewSaysWhatSavingThenDoes(t *testing.T) { // CONFLICTS 57
	setup := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{
		ID: "idp", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create},
		SAML: &directory.SAMLTrust{EntityID: "https://idp.example"}, Guard: directory.Guard{Off: true}}}}
	w := newWorld(t, nil)
	var ids []directory.ID
	for i := range 12 {
		ids = append(ids, w.must(w.push("userName", fmt.Sprintf("u%02d", i), "title", fmt.Sprintf("t%d", i%3))).User.ID)
	}
	setup.Org.Rules = []directory.Rule{
		{Name: "seats", When: `title eq "t0"`, Set: attributes("license", "full"), Max: 3, Full: directory.FullDeny},
		{When: `title eq "t1"`, Set: attributes("roles", "editor")},
		{When: `title eq "t2"`, Deny: true}}
	p, err := w.Preview(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	if p.Users != 12 || p.Changed != 12 || p.Denied != 5 || p.Held != 0 || len(p.Sample) != 12 || len(p.Lines) != 1 {
		t.Errorf("%+v", p)
	}
	before, _ := w.Events(t.Context(), "acme", 0, 1000)
	w.configure(setup)
	for i, x := range p.Sample {
		if x.User != ids[i] {
			t.Errorf("sample %d is %s", i, x.User)
		}
		events, err := w.History(t.Context(), "acme", x.User, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Changes) > 0 {
			if diff := cmp.Diff(events[0].Changes, x.Changes); diff != "" {
				t.Errorf("user %d: %s", i, diff)
			}
		}
	}
	if len(before) != 13 {
		t.Errorf("the preview left %d events", len(before))
	}
	again, err := w.Preview(t.Context(), setup)
	if err != nil || len(again.Lines) != 0 || again.Users != 0 {
		t.Errorf("nothing to change: %+v, %v", again, err)
	}
	setup.Org.Rules[0].Max = 4
	p, err = w.Preview(t.Context(), setup)
	if err != nil || p.Changed != 1 || p.Admitted != 1 {
		t.Errorf("one seat more: %+v, %v", p, err)
	}
	setup.Org.Rules[0].Name = ""
	if _, err = w.Preview(t.Context(), setup); err == nil {
		t.Error("a rule with max and no name")
	}
}

func TestARecomputeShowsHowFarItIsAndResumes(t *testing.T) { // CONFLICTS 57
	w := newWorld(t, nil)
	for i := range 1100 {
		w.must(w.push("userName", fmt.Sprintf("u%04d", i)))
	}
	s := directory.Setup{Org: directory.Org{ID: "acme", Rules: []directory.Rule{{Set: attributes("title", "Everybody")}}}}
	w.configure(s)
	last := -1
	for range 20 {
		list, err := w.Recomputing(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		if len(list) != 1 || list[0].Looked <= last || list[0].Total != 1100 {
			t.Fatalf("%+v after %d", list, last)
		}
		last = list[0].Looked
		p, err := w.Users(t.Context(), directory.Viewer{Org: "acme"}, directory.Query{Filter: `userName eq "u1099"`, Limit: 1})
		if err != nil || p.Items[0].Attributes.Text("title") != "Everybody" {
			t.Fatalf("who waits is resolved live: %v, %v", p.Items, err)
		}
		w.clean()
		if _, err := w.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if last < 800 {
		t.Errorf("it was seen at %d last", last)
	}
	s.Org.Rules[0].Set = attributes("title", "One")
	w.configure(s)
	s.Org.Rules[0].Set = attributes("title", "Two")
	w.configure(s)
	if list, err := w.Recomputing(t.Context(), "acme"); err != nil || len(list) != 1 {
		t.Errorf("a later change takes the place of an earlier one: %+v, %v", list, err)
	}
	w.work()
}

func TestASeatGoesToTheNextWhoWaits(t *testing.T) { // CONFLICTS 62
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Rules = []directory.Rule{{Name: "full", Set: attributes("license", "full"), Max: 2}, {Set: attributes("license", "lite")}}
	})
	var ids []directory.ID
	for i := range 4 {
		ids = append(ids, w.must(w.push("userName", fmt.Sprintf("u%d", i))).User.ID)
	}
	has := func(want ...string) {
		t.Helper()
		for i, license := range want {
			if license != "" && w.effective(ids[i]).Text("license") != license {
				t.Errorf("user %d has %q, want %q", i, w.effective(ids[i]).Text("license"), license)
			}
		}
		w.clean()
	}
	has("full", "full", "lite", "lite")
	if err := w.delete(ids[0]); err != nil {
		t.Fatal(err)
	}
	has("", "full", "full", "lite")
	w.must(w.Apply(context.Background(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbRestore, ID: ids[0]}))
	has("lite", "full", "full", "lite")
	seats, err := w.Seats(t.Context(), "acme")
	if err != nil || len(seats) != 1 || seats[0] != (directory.Seats{Rule: "full", Max: 2, Used: 2, Waiting: 2}) {
		t.Errorf("%+v, %v", seats, err)
	}
}
