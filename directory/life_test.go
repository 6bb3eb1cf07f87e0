package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

func (w *world) must(r directory.Result, err error) directory.Result {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) refused(want directory.Code, err error) {
	w.t.Helper()
	if got := directory.RefusalCode(err); got != want {
		w.t.Errorf("refused with %q (%v), want %q", got, err, want)
	}
}

func (w *world) delete(id directory.ID) error {
	_, err := w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbDelete, ID: id})
	return err
}

func (w *world) effective(id directory.ID) directory.Attributes {
	w.t.Helper()
	p, err := w.User(w.t.Context(), directory.Viewer{Org: "acme"}, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Attributes
}

func (w *world) work() {
	w.t.Helper()
	for range 1000 {
		more, err := w.Work(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			return
		}
	}
	w.t.Fatal("the background work does not end")
}

func (w *world) group(name string, members ...directory.ID) *directory.Group {
	w.t.Helper()
	return w.must(w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Resource: directory.GroupResource,
		Verb: directory.VerbCreate, Attributes: attributes("displayName", name), Members: directory.MemberChange{Add: members}})).Group
}

func (w *world) members(g directory.ID, m directory.MemberChange) error {
	_, err := w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Resource: directory.GroupResource,
		Verb: directory.VerbEdit, ID: g, Members: m})
	return err
}

func TestGuardStopsMassDeprovisioningAndNothingElse(t *testing.T) { // CONFLICTS 46
	w := newWorld(t, func(s *directory.Setup) { s.Connections[0].Guard = directory.Guard{} })
	var ids []directory.ID
	for i := range 30 {
		ids = append(ids, w.must(w.push("userName", fmt.Sprintf("u%d", i))).User.ID)
	}
	for _, id := range ids[:10] {
		if err := w.delete(id); err != nil {
			t.Fatal(err)
		}
	}
	err := w.delete(ids[10])
	w.refused(directory.GuardTripped, err)
	if r, ok := errors.AsType[*directory.Refusal](err); !ok || r.Case == directory.NoID {
		t.Error("no case waits for an administrator")
	}
	w.must(w.push("userName", "newcomer"))
	w.now = w.now.Add(time.Hour)
	if err := w.delete(ids[10]); err != nil {
		t.Errorf("in the next window: %v", err)
	}
}

func TestTombstonesAreErasedAfterRetentionAndStayClosed(t *testing.T) { // CONFLICTS 42
	w := newWorld(t, nil)
	ada := w.must(w.signIn("s-1", "userName", "ada", "name.givenName", "Ada", "name.familyName", "L")).User.ID
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbDelete, ID: ada}))
	_, err := w.signIn("s-1", "userName", "ada", "name.givenName", "Ada", "name.familyName", "L")
	w.refused(directory.Deprovisioned, err)
	_, err = w.signIn("s-2", "userName", "ada", "name.givenName", "Ada", "name.familyName", "L")
	w.refused(directory.Reserved, err)
	w.now = w.now.Add(31 * 24 * time.Hour)
	w.work()
	w.clean()
	_, err = w.signIn("s-1", "userName", "ada", "name.givenName", "Ada", "name.familyName", "L")
	w.refused(directory.Deprovisioned, err)
	w.must(w.signIn("s-2", "userName", "ada", "name.givenName", "Ada", "name.familyName", "L"))
	events, err := w.History(t.Context(), "acme", ada, 10)
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for _, e := range events {
		if len(e.Changes) != 0 {
			t.Errorf("event %d still tells %v", e.Seq, e.Changes)
		}
	}
}

func TestAPinHoldsUntilItLapses(t *testing.T) { // CONFLICTS 63, 64
	w := newWorld(t, nil)
	ada := w.must(w.push("userName", "ada", "displayName", "Ada")).User.ID
	edit := directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, ID: ada, Attributes: attributes("displayName", "Countess")}
	_, err := w.Apply(t.Context(), edit)
	w.refused(directory.Owned, err)
	edit.Channel, edit.Reason, edit.Until = directory.Pin, "she asked", w.now.Add(time.Hour)
	w.must(w.Apply(t.Context(), edit))
	if got := w.effective(ada).Text("displayName"); got != "Countess" {
		t.Errorf("pinned: %q", got)
	}
	w.now = w.now.Add(2 * time.Hour)
	w.work()
	if got := w.effective(ada).Text("displayName"); got != "Ada" {
		t.Errorf("after the pin: %q", got)
	}
}

func TestALargeGroupIsResolvedByAJobAndAccessAtOnce(t *testing.T) {
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Rules = []directory.Rule{{When: `groups eq "Barred"`, Deny: true}}
	})
	n := 1200
	ids := make([]directory.ID, n)
	for i := range ids {
		ids[i] = w.must(w.push("userName", fmt.Sprintf("u%d", i))).User.ID
	}
	w.must(w.signIn("s-7", "userName", "u7"))
	secret, err := w.StartSession(t.Context(), directory.Session{Org: "acme", User: ids[7], Connection: "idp", Expires: w.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w.group("Barred", ids...)
	_, _, err = w.Session(t.Context(), secret)
	w.refused(directory.RuleDenied, err)
	w.clean()
	w.work()
	w.clean()
	_, _, err = w.Session(t.Context(), secret)
	w.refused(directory.RuleDenied, err)
}

func TestGroupsRefuseStrangersAndCycles(t *testing.T) { // CONFLICTS 54
	w := newWorld(t, nil)
	ada := w.must(w.push("userName", "ada")).User.ID
	outer, inner := w.group("Outer"), w.group("Inner", ada)
	if err := w.members(outer.ID, directory.MemberChange{Add: []directory.ID{inner.ID}}); err != nil {
		t.Fatal(err)
	}
	w.refused(directory.InvalidValue, w.members(inner.ID, directory.MemberChange{Add: []directory.ID{outer.ID}}))
	w.refused(directory.InvalidValue, w.members(inner.ID, directory.MemberChange{Add: []directory.ID{inner.ID}}))
	w.refused(directory.InvalidValue, w.members(inner.ID, directory.MemberChange{Add: []directory.ID{{1}}}))
	p, err := w.User(t.Context(), directory.Viewer{Org: "acme"}, ada)
	if err != nil || len(p.Groups) != 2 || !p.Groups[1].Indirect {
		t.Errorf("groups %+v, %v", p.Groups, err)
	}
}

func TestOneTimeValues(t *testing.T) {
	w := newWorld(t, nil)
	ctx, soon := t.Context(), w.now.Add(time.Minute)
	if err := w.Spend(ctx, "assertion", "a\x00b", soon); err != nil {
		t.Fatal(err)
	}
	if err := w.Spend(ctx, "assertion", "a\x00b", soon); !errors.Is(err, directory.ErrSpent) {
		t.Errorf("spent twice: %v", err)
	}
	if err := w.Spend(ctx, "request", "a\x00b", soon); err != nil {
		t.Errorf("another kind: %v", err)
	}
	if err := w.Keep(ctx, "k", "x", []byte("v"), soon); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Peek(ctx, "k", "x"); err != nil || string(v) != "v" {
		t.Errorf("peek: %q, %v", v, err)
	}
	if v, err := w.Take(ctx, "k", "x"); err != nil || string(v) != "v" {
		t.Errorf("take: %q, %v", v, err)
	}
	if _, err := w.Take(ctx, "k", "x"); !errors.Is(err, directory.ErrSpent) {
		t.Errorf("taken twice: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	w.work()
	if err := w.Spend(ctx, "assertion", "a\x00b", w.now.Add(time.Minute)); err != nil {
		t.Errorf("after its time: %v", err)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	okta := directory.Token{Org: "acme", Connection: "idp", Name: "okta", Kind: directory.SCIMToken}
	set := func(tok directory.Token, secret string, want bool) {
		t.Helper()
		if changed, err := w.SetToken(ctx, tok, secret); err != nil || changed != want {
			t.Errorf("changed %v, %v", changed, err)
		}
	}
	set(okta, "first-secret", true)
	set(okta, "first-secret", false)
	set(okta, "second-secret", true)
	if _, err := w.Authenticate(ctx, "first-secret"); !errors.Is(err, directory.ErrUnauthorized) {
		t.Errorf("the replaced secret: %v", err)
	}
	if got, err := w.Authenticate(ctx, "second-secret"); err != nil || got.Connection != "idp" || got.Kind != directory.SCIMToken {
		t.Errorf("%+v, %v", got, err)
	}
	other := okta
	other.Name, other.Expires = "next", w.now.Add(time.Hour)
	set(other, "third-secret", true)
	third := okta
	third.Name = "one too many"
	_, err := w.SetToken(ctx, third, "fourth-secret")
	w.refused(directory.Uniqueness, err)
	stolen := directory.Token{Org: "acme", Name: "app", Kind: directory.AppToken}
	_, err = w.SetToken(ctx, stolen, "third-secret")
	w.refused(directory.Uniqueness, err)
	w.now = w.now.Add(2 * time.Hour)
	if _, err := w.Authenticate(ctx, "third-secret"); !errors.Is(err, directory.ErrUnauthorized) {
		t.Errorf("the expired token: %v", err)
	}
	if err := w.RevokeToken(ctx, okta); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Authenticate(ctx, "second-secret"); !errors.Is(err, directory.ErrUnauthorized) {
		t.Errorf("the revoked token: %v", err)
	}
}

func TestNoOrganisationSeesAnother(t *testing.T) {
	w := newWorld(t, nil)
	w.configure(directory.Setup{Org: directory.Org{ID: "other"}, Connections: []directory.Connection{{ID: "theirs", Write: directory.Write{SCIM: directory.Create}}}})
	ada := w.must(w.push("userName", "ada")).User.ID
	if _, err := w.User(t.Context(), directory.Viewer{Org: "other"}, ada); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("read: %v", err)
	}
	for _, c := range []directory.Change{
		{Org: "other", Connection: "theirs", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: ada, Attributes: attributes("userName", "x")},
		{Org: "acme", Connection: "theirs", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: ada, Attributes: attributes("userName", "x")},
		{Org: "other", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: ada, Attributes: attributes("userName", "x")},
	} {
		if _, err := w.Apply(t.Context(), c); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s by %s: %v", c.Org, c.Connection, err)
		}
	}
}

func TestConfigurationIsWholeOrNothing(t *testing.T) {
	w := newWorld(t, nil)
	configure := func(change func(*directory.Setup)) ([]string, error) {
		s := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}}}}
		change(&s)
		return w.Configure(context.Background(), directory.EventSource{Channel: directory.Local}, []directory.Setup{s})
	}
	bad := map[string]func(*directory.Setup){
		"orgs[0].rules[0].when": func(s *directory.Setup) { s.Org.Rules = []directory.Rule{{When: `nope eq "x"`, Deny: true}} },
		"orgs[0].rules[0]":      func(s *directory.Setup) { s.Org.Rules = []directory.Rule{{When: `title pr`}} },
		"orgs[0].defaults.nope": func(s *directory.Setup) {
			s.Org.Defaults = []directory.Default{{Attribute: "nope", Value: directory.Text("x")}}
		},
		"orgs[0].connections[0].write.scim": func(s *directory.Setup) { s.Connections[0].Write.SCIM = "always" },
		"orgs[0].connections[0].write.sso":  func(s *directory.Setup) { s.Connections[0].Write.SSO = directory.Create }, // LF-3, FL-4, FX-15
		"orgs[0].connections[0].map[0].to": func(s *directory.Setup) {
			s.Connections[0].Map = []directory.Mapping{{To: "nope", From: []string{"x"}}}
		},
		"orgs[0].connections[0].diagnose_until": func(s *directory.Setup) { s.Connections[0].DiagnoseUntil = w.now.Add(25 * time.Hour) }, // LF-13
		"orgs[0].attributes.DisplayName":        func(s *directory.Setup) { s.Org.Attributes = map[string]directory.AttributePolicy{"DisplayName": {}} },
		"orgs[0].attributes.displayName.resolve": func(s *directory.Setup) {
			s.Org.Attributes = map[string]directory.AttributePolicy{"displayName": {Resolve: directory.Union}}
		},
	}
	for path, change := range bad {
		_, err := configure(change)
		ce, ok := errors.AsType[*directory.ConfigError](err)
		if !ok || len(ce.Faults) == 0 || ce.Faults[0].Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
	lines, err := configure(func(s *directory.Setup) { s.Connections[0].Domains = []string{"acme.example"} })
	if err != nil || strings.Join(lines, ";") != "connection idp updated" {
		t.Errorf("%v, %v", lines, err)
	}
	lines, err = configure(func(s *directory.Setup) { s.Connections[0].Domains = []string{"acme.example"} })
	if err != nil || len(lines) != 0 {
		t.Errorf("the same again: %v, %v", lines, err)
	}
	_, err = w.Configure(t.Context(), directory.EventSource{}, []directory.Setup{{Org: directory.Org{ID: "other"},
		Connections: []directory.Connection{{ID: "theirs", Domains: []string{"ACME.example"}}}}})
	if ce, ok := errors.AsType[*directory.ConfigError](err); !ok || ce.Faults[0].Path != "orgs[0].connections[0].domains[0]" {
		t.Errorf("a second owner of a domain: %v", err)
	}
	if _, err := w.Policy(t.Context(), "other"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("half of a refused configuration is there: %v", err)
	}
}
