package directory_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
)

// history is a directory to which random things happen: few people, few names,
// so that they collide all the time.
type history struct {
	e      engine.Engine
	d      *directory.Directory
	now    time.Time
	users  []directory.ID
	groups []directory.ID
}

func (h *history) setup(t *rapid.T) directory.Setup {
	same := rapid.Bool().Draw(t, "same")
	mode := rapid.SampledFrom([]directory.Mode{directory.Off, directory.Update, directory.Create})
	link := rapid.SampledFrom([]directory.LinkPolicy{directory.LinkNever, directory.LinkVerified, directory.LinkAlways})
	connection := func(id, domain string) directory.Connection {
		return directory.Connection{ID: id, Write: directory.Write{SCIM: mode.Draw(t, "scim"), SSO: mode.Draw(t, "sso")},
			Link: link.Draw(t, "link"), Domains: []string{domain}, SAML: &directory.SAMLTrust{EntityID: "https://" + id},
			Subject: directory.Subjects{SCIM: directory.ExternalID, Same: same, Mutable: rapid.Bool().Draw(t, "mutable")},
			Groups:  directory.GroupPolicy{Source: rapid.SampledFrom([]directory.GroupSource{directory.GroupsBoth, directory.GroupsSCIM, directory.GroupsSSO}).Draw(t, "groups")},
			Guard:   directory.Guard{Off: true},
			Map:     []directory.Mapping{{To: "title", From: []string{"t"}, Absent: rapid.SampledFrom([]directory.Absent{directory.Keep, directory.Clear}).Draw(t, "absent")}}}
	}
	rules := [][]directory.Rule{nil, {{When: `groups eq "g1"`, Set: attributes("license", "full")}, {When: `title eq "t2"`, Deny: true}, {Set: attributes("license", "lite", "title", "t3")}},
		{{Name: "seats", When: `title pr`, Set: attributes("license", "full"), Max: 1, Full: rapid.SampledFrom([]directory.Full{"", directory.FullDeny}).Draw(t, "full")}}}
	return directory.Setup{
		Org: directory.Org{ID: "acme", Rules: rapid.SampledFrom(rules).Draw(t, "rules"), Attributes: map[string]directory.AttributePolicy{
			"employeeNumber": {Unique: rapid.Bool().Draw(t, "unique")}, "givenName": {}, "roles": {Key: rapid.SampledFrom([]string{"", "type"}).Draw(t, "key")}}},
		Connections: []directory.Connection{connection("one", "one.example"), connection("two", "two.example")},
	}
}

func (h *history) configure(t *rapid.T) {
	s := h.setup(t)
	delete(s.Org.Attributes, "givenName")
	_, err := h.d.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{s})
	if fault, ok := errors.AsType[*directory.ConfigError](err); ok && strings.Contains(fault.Error(), "both have") {
		return // what several people share cannot become unique
	}
	if err != nil {
		t.Fatal(err)
	}
}

var names = rapid.SampledFrom([]string{"", "ada", "Ada", "bob", "a@one.example", "A@one.example", "b@two.example", "c@else.example"})

func (h *history) attributes(t *rapid.T) directory.Attributes {
	a := attributes("userName", names.Draw(t, "userName"))
	draw := func(name string, values ...string) {
		if v := rapid.SampledFrom(append(values, "absent")).Draw(t, name); v != "absent" {
			for _, x := range attributes(name, v) {
				a.Set(x.Name, x.Value)
			}
		}
	}
	draw("emails", "", "a@one.example", "b@two.example", "c@else.example")
	draw("externalId", "x1", "x2", "x3")
	draw("active", "true", "false")
	draw("title", "", "t1", "t2")
	draw("employeeNumber", "1", "2")
	draw("name.givenName", "Ada")
	draw("name.familyName", "L")
	if a.Text("userName") == "" && rapid.Bool().Draw(t, "unnamed") {
		a.Delete("userName")
	}
	return a
}

func (h *history) user(t *rapid.T) directory.ID {
	if len(h.users) == 0 {
		return directory.ID{1}
	}
	return rapid.SampledFrom(h.users).Draw(t, "user")
}

var connections = rapid.SampledFrom([]string{"one", "two"})

// apply runs a change, which may be refused but never fail otherwise.
func (h *history) apply(t *rapid.T, c directory.Change) {
	c.Org = "acme"
	before := h.said(t)
	r, err := h.d.Apply(t.Context(), c)
	h.ownLayers(t, &c, before, h.said(t))
	if err != nil {
		if directory.RefusalCode(err) == "" && !errors.Is(err, directory.ErrNotFound) {
			t.Fatalf("%s %s: %v", c.Connection, c.Verb, err)
		}
		return
	}
	if r.User != nil {
		h.users = append(h.users, r.User.ID)
	}
	if r.Group != nil {
		h.groups = append(h.groups, r.Group.ID)
	}
}

func (h *history) push(t *rapid.T) {
	c := directory.Change{Connection: connections.Draw(t, "conn"), Channel: directory.SCIM,
		Verb: rapid.SampledFrom([]directory.Verb{directory.VerbCreate, directory.VerbReplace, directory.VerbEdit, directory.VerbDelete}).Draw(t, "verb"), Attributes: h.attributes(t)}
	if c.Verb != directory.VerbCreate {
		c.ID = h.user(t)
	}
	if c.Verb == directory.VerbEdit {
		edit := c.Attributes
		c.Attributes = nil
		c.Edit = func(own directory.Attributes) (directory.Attributes, error) {
			for _, x := range edit {
				own.Set(x.Name, x.Value)
			}
			return own, nil
		}
	}
	h.apply(t, c)
}

func (h *history) signIn(t *rapid.T) {
	conn := connections.Draw(t, "conn")
	a := h.attributes(t)
	a.Delete("externalId")
	a.Delete("active")
	h.apply(t, directory.Change{Connection: conn, Channel: directory.SSO, Verb: directory.VerbSignIn, Issuer: "https://" + conn,
		Subject: rapid.SampledFrom([]string{"x1", "x2", "x3", "x4"}).Draw(t, "subject"), Attributes: a,
		AssertedAt: h.now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "age")) * time.Minute),
		Groups: directory.GroupClaim{State: directory.GroupState(rapid.IntRange(0, 2).Draw(t, "state")),
			Names: rapid.SliceOfN(rapid.SampledFrom([]string{"g1", "g2", " g1"}), 0, 3).Draw(t, "groups")}})
}

func (h *history) administer(t *rapid.T) {
	c := directory.Change{Channel: rapid.SampledFrom([]directory.Channel{directory.Local, directory.Pin}).Draw(t, "channel"), ID: h.user(t),
		Verb: rapid.SampledFrom([]directory.Verb{directory.VerbMerge, directory.VerbMerge, directory.VerbDelete, directory.VerbRestore, directory.VerbErase}).Draw(t, "verb")}
	if c.Verb == directory.VerbMerge {
		c.Attributes = h.attributes(t)
		c.Attributes.Delete("externalId")
		if c.Channel == directory.Pin {
			c.Attributes.Delete("active")
			c.Reason = "because"
			c.Until = h.now.Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "until")) * time.Hour)
		}
	}
	h.apply(t, c)
}

var byAdmin = directory.EventSource{Channel: directory.Local, Actor: "admin"}

// allowed fails on any error that is no answer to an administrator.
func allowed(t *rapid.T, err error) {
	if err != nil && directory.RefusalCode(err) == "" && !errors.Is(err, directory.ErrNotFound) && !errors.Is(err, directory.ErrNotPermitted) {
		t.Fatal(err)
	}
}

func (h *history) resolve(t *rapid.T) {
	page, err := h.d.Cases(t.Context(), "acme", directory.CaseQuery{State: directory.CasesAll})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Cases) == 0 {
		return
	}
	k := rapid.SampledFrom(page.Cases).Draw(t, "case")
	how := directory.Remedy{Resolution: directory.ResolveIgnore}
	if len(k.Resolutions) > 0 {
		how.Resolution = rapid.SampledFrom(k.Resolutions).Draw(t, "resolution")
	}
	if len(k.Evidence.Users) > 0 && rapid.Bool().Draw(t, "chosen") {
		how.User = rapid.SampledFrom(k.Evidence.Users).Draw(t, "user")
	}
	_, err = h.d.ResolveCase(t.Context(), byAdmin, "acme", k.ID, how)
	allowed(t, err)
}

func (h *history) merge(t *rapid.T) {
	if rapid.Bool().Draw(t, "undo") {
		allowed(t, h.d.UndoMerge(t.Context(), byAdmin, "acme", h.user(t)))
		return
	}
	allowed(t, h.d.Merge(t.Context(), byAdmin, "acme", h.user(t), h.user(t)))
}

func (h *history) relink(t *rapid.T) {
	allowed(t, h.d.SetLink(t.Context(), byAdmin, "acme", h.user(t), directory.LinkSetting{Connection: connections.Draw(t, "conn"),
		Channel: rapid.SampledFrom([]directory.Channel{directory.SCIM, directory.SSO}).Draw(t, "channel"),
		Subject: rapid.SampledFrom([]string{"x1", "x2", "x3", "X3"}).Draw(t, "subject"), Repoint: rapid.Bool().Draw(t, "move")}))
}

func (h *history) group(t *rapid.T) {
	c := directory.Change{Connection: connections.Draw(t, "conn"), Channel: directory.SCIM, Resource: directory.GroupResource,
		Verb: directory.VerbCreate, Attributes: attributes("displayName", rapid.SampledFrom([]string{"g1", "g2", "one:g1"}).Draw(t, "name"))}
	c.Members.Add = append(c.Members.Add, h.user(t))
	if len(h.groups) > 0 && rapid.Bool().Draw(t, "old") {
		c.ID = rapid.SampledFrom(h.groups).Draw(t, "group")
		c.Verb = rapid.SampledFrom([]directory.Verb{directory.VerbReplace, directory.VerbEdit, directory.VerbDelete}).Draw(t, "verb")
		c.Members.Replace = rapid.Bool().Draw(t, "replace")
		if rapid.Bool().Draw(t, "nest") {
			c.Members.Add = append(c.Members.Add, rapid.SampledFrom(h.groups).Draw(t, "nested"))
		}
		if c.Verb == directory.VerbDelete {
			c.Members = directory.MemberChange{}
		}
	}
	h.apply(t, c)
}

func (h *history) wait(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.SampledFrom([]int{1, 60, 24 * 60, 31 * 24 * 60}).Draw(t, "minutes")) * time.Minute)
	for range 100 {
		more, err := h.d.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("the background work does not end")
}

func (h *history) check(t *rapid.T) {
	problems, err := h.d.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("check: %s: %s", p.What, p.Detail)
	}
	page, err := h.d.Users(t.Context(), directory.Viewer{Org: "acme"}, directory.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	h.remembers(t)
	h.remade(t)
	held := map[string]directory.ID{}
	for _, p := range page.Items {
		name := directory.NormalName(p.Attributes.Text("userName"))
		if other, ok := held[name]; ok && name != "" {
			t.Errorf("%s and %s are both %q", other, p.ID, name)
		}
		held[name] = p.ID
		h.findable(t, p)
	}
}

// remembers: what is remembered of users is what the store says now, as one sees
// it who remembers nothing.
func (h *history) remembers(t *rapid.T) {
	fresh, err := directory.Open(t.Context(), h.e, directory.Options{Now: func() time.Time { return h.now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []string{"", "one", "two"} {
		v := directory.Viewer{Org: "acme", Connection: conn}
		for _, id := range h.users {
			got, gotErr := h.d.User(t.Context(), v, id)
			want, wantErr := fresh.User(t.Context(), v, id)
			if diff := cmp.Diff(want, got); diff != "" || !errors.Is(gotErr, wantErr) {
				t.Fatalf("connection %q remembers (%v, not %v): %s", conn, gotErr, wantErr, diff)
			}
		}
	}
}

// remade: the past, told from events alone, ends in the present.
func (h *history) remade(t *rapid.T) {
	seats, err := h.d.Seats(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seats {
		if s.Used > s.Max || s.Used < s.Max && s.Waiting > 0 {
			t.Fatalf("%+v", s)
		}
	}
	if len(h.users) == 0 {
		return
	}
	id := h.user(t)
	now, err := h.d.Explain(t.Context(), "acme", id)
	if err != nil {
		t.Fatal(err)
	}
	past, err := h.d.AsOf(t.Context(), "acme", id, math.MaxUint64-1)
	if err != nil {
		t.Fatal(err)
	}
	if past.State != now.State {
		t.Fatalf("the events end in %q, the user is %q", past.State, now.State)
	}
	p, err := h.d.User(t.Context(), directory.Viewer{Org: "acme"}, id)
	if err != nil || p.ID != id {
		return // deleted, or merged into another one
	}
	present := p.Attributes.Clone()
	present.Delete("active")
	if diff := cmp.Diff(present, past.Attributes); diff != "" {
		t.Fatalf("the events end in another user: %s", diff)
	}
}

// findable: whatever would make a create answer uniqueness is found by a filter.
func (h *history) findable(t *rapid.T, p *directory.Profile) {
	name := p.Attributes.Text("userName")
	for _, conn := range []string{"one", "two"} {
		_, refused := h.d.DryRun(t.Context(), directory.Change{Org: "acme", Connection: conn, Channel: directory.SCIM, Verb: directory.VerbCreate,
			Attributes: attributes("userName", name, "externalId", "fresh")})
		if r, ok := errors.AsType[*directory.Refusal](refused); !ok || r.Code != directory.Uniqueness || r.Attribute != "userName" {
			continue
		}
		found, err := h.d.Users(t.Context(), directory.Viewer{Org: "acme", Connection: conn},
			directory.Query{Filter: fmt.Sprintf("userName eq %q", name), Limit: 10})
		if err != nil || found.Total == 0 {
			t.Errorf("connection %s cannot create %q and does not find it (%v, %v)", conn, name, refused, err)
		}
	}
}

// said is what every layer of every user says, but for who came in anew.
func (h *history) said(t *rapid.T) map[string]string {
	said := map[string]string{}
	for _, id := range h.users {
		x, err := h.d.Explain(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range x.Attributes {
			for _, w := range a.Told {
				if w.Source.Channel != directory.ByRule {
					said[fmt.Sprintf("%s %s %s", id, w.Source, a.Name)] = fmt.Sprint(w.Value, w.Stamp)
				}
			}
		}
	}
	return said
}

// ownLayers: a change writes the layers of its own source and no other's.
func (h *history) ownLayers(t *rapid.T, c *directory.Change, before, after map[string]string) {
	own := string(c.Channel)
	if c.Connection != "" {
		own += "/" + c.Connection
	}
	for at, was := range before {
		is, there := after[at]
		source := strings.Fields(at)[1]
		dropped := !there && c.Verb == directory.VerbDelete && strings.HasSuffix(source, "/"+c.Connection)
		if is != was && source != own && !dropped && c.Verb != directory.VerbErase {
			t.Errorf("%s %s by %s changed %s: %s, now %q", c.Verb, c.ID, own, at, was, is)
		}
	}
}

// TestRandomHistoriesKeepEveryInvariant lets random things happen in memory and
// in a file. Before a release it runs with -rapid.checks=5000, which is 10,000
// histories.
func TestRandomHistoriesKeepEveryInvariant(t *testing.T) {
	folder := t.TempDir()
	made := 0
	for name, open := range map[string]func(*rapid.T) engine.Engine{
		"in memory": func(t *rapid.T) engine.Engine { return newStore(t) },
		"in a file": func(t *rapid.T) engine.Engine {
			made++
			e, err := bolt.Open(filepath.Join(folder, fmt.Sprint(made)), bolt.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { randomHistory(t, open(t)) })
		})
	}
}

func randomHistory(t *rapid.T, e engine.Engine) {
	defer e.Close()
	h := &history{e: e, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	var err error
	if h.d, err = directory.Open(t.Context(), e, directory.Options{Now: func() time.Time { return h.now }}); err != nil {
		t.Fatal(err)
	}
	h.configure(t)
	t.Repeat(map[string]func(*rapid.T){
		"push": h.push, "push again": h.push, "sign in": h.signIn, "administer": h.administer, "group": h.group,
		"configure": h.configure, "wait": h.wait, "": h.check,
		"resolve": h.resolve, "resolve again": h.resolve, "merge": h.merge, "relink": h.relink,
	})
}
