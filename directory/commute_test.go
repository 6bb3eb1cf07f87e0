package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/directory"
	"muster/directory/engine/memory"
)

// TestWritersCommute: what the push, the sign-in and the administrator say about
// one person of theirs ends the same in whatever order they say it, locks apart, which
// turn sign-ins away.
func TestWritersCommute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same, rules := rapid.Bool().Draw(t, "same"), rapid.Bool().Draw(t, "rules")
		writes := []func(*known) directory.Change{drawPushed(t), drawAsserted(t), drawEdited(t, directory.Pin), drawGrouped(t)}
		writes = writes[:rapid.IntRange(2, 4).Draw(t, "writers")]
		first := ""
		for order := range everyOrder(len(writes)) {
			k := newKnown(t, same, rules)
			for _, i := range order {
				k.apply(writes[i](k))
			}
			portrait := k.portrait()
			if first == "" {
				first = portrait
			}
			if portrait != first {
				t.Fatalf("in the order %v:\n%s\nas written:\n%s", order, portrait, first)
			}
			k.close()
		}
	})
}

// known is a directory with one person who came through both doors.
type known struct {
	t     *rapid.T
	d     *directory.Directory
	ada   directory.ID
	group directory.ID
	now   time.Time
	close func() error
}

func newKnown(t *rapid.T, same, rules bool) *known {
	e := memory.New(memory.Options{})
	k := &known{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), close: e.Close}
	var err error
	if k.d, err = directory.Open(t.Context(), e, directory.Options{Now: func() time.Time { return k.now }}); err != nil {
		t.Fatal(err)
	}
	s := directory.Setup{Org: directory.Org{ID: "acme", Attributes: map[string]directory.AttributePolicy{"employeeNumber": {Unique: true}}},
		Connections: []directory.Connection{{ID: "one", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create},
			Subject: directory.Subjects{SCIM: directory.ExternalID, Same: same}, SAML: &directory.SAMLTrust{EntityID: "https://one"},
			Groups: directory.GroupPolicy{Source: directory.GroupsBoth}}}}
	if rules {
		s.Org.Rules = []directory.Rule{{When: `groups eq "g1"`, Set: attributes("license", "full")}, {When: `title eq "t2"`, Set: attributes("license", "lite", "department", "D")}}
	}
	if _, err := k.d.Configure(t.Context(), byAdmin, []directory.Setup{s}); err != nil {
		t.Fatal(err)
	}
	k.ada = k.apply(directory.Change{Connection: "one", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Attributes: attributes("userName", "ada", "externalId", "x1")}).User.ID
	k.apply(directory.Change{Connection: "one", Channel: directory.SSO, Verb: directory.VerbSignIn, Issuer: "https://one", Subject: "x1",
		Attributes: attributes("userName", "ada")})
	k.group = k.apply(directory.Change{Connection: "one", Channel: directory.SCIM, Resource: directory.GroupResource, Verb: directory.VerbCreate,
		Attributes: attributes("displayName", "g1")}).Group.ID
	return k
}

func (k *known) apply(c directory.Change) directory.Result {
	c.Org = "acme"
	k.now = k.now.Add(time.Second)
	r, err := k.d.Apply(k.t.Context(), c)
	if err != nil {
		k.t.Fatalf("%s %s: %v", c.Channel, c.Verb, err)
	}
	return r
}

// portrait is what everybody sees and every layer says, times apart.
func (k *known) portrait() string {
	x, err := k.d.Explain(k.t.Context(), "acme", k.ada)
	if err != nil {
		k.t.Fatal(err)
	}
	var lines []string
	for _, a := range x.Attributes {
		for _, w := range a.Told {
			lines = append(lines, fmt.Sprintf("%s = %v: %s says %v, wins %t", a.Name, a.Value, w.Source, w.Value, w.Wins))
		}
	}
	for _, l := range x.Links {
		lines = append(lines, fmt.Sprintf("link %s %s %q ahead %t", l.Connection, l.Channel, l.Subject, l.Ahead))
	}
	for _, g := range x.Groups {
		lines = append(lines, "group "+g.Source.String()+" "+g.Name)
	}
	slices.Sort(lines)
	problems, err := k.d.Check(k.t.Context())
	if err != nil || len(problems) > 0 {
		k.t.Fatal(problems, err)
	}
	return x.State + "\n" + strings.Join(lines, "\n")
}

// some draws values for some attributes that no other user has.
func some(t *rapid.T, a directory.Attributes) directory.Attributes {
	for _, name := range []string{"title", "displayName", "department", "employeeNumber", "nickName"} {
		if v := rapid.SampledFrom([]string{"t1", "t2", "", "absent", "absent"}).Draw(t, name); v != "absent" {
			for _, x := range attributes(name, v) {
				a.Set(x.Name, x.Value)
			}
		}
	}
	return a
}

func drawPushed(t *rapid.T) func(*known) directory.Change {
	a := some(t, attributes("userName", rapid.SampledFrom([]string{"ada", "lovelace"}).Draw(t, "pushed name"), "externalId", "x1"))
	return func(k *known) directory.Change {
		return directory.Change{Connection: "one", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: k.ada, Attributes: a.Clone()}
	}
}

func drawAsserted(t *rapid.T) func(*known) directory.Change {
	a := some(t, attributes("userName", rapid.SampledFrom([]string{"ada", "countess"}).Draw(t, "asserted name")))
	groups := directory.GroupClaim{State: directory.GroupsSet, Names: rapid.SliceOfN(rapid.SampledFrom([]string{"g1", "g2"}), 0, 2).Draw(t, "groups")}
	return func(*known) directory.Change {
		return directory.Change{Connection: "one", Channel: directory.SSO, Verb: directory.VerbSignIn, Issuer: "https://one", Subject: "x1",
			Attributes: a.Clone(), Groups: groups}
	}
}

func drawEdited(t *rapid.T, ch directory.Channel) func(*known) directory.Change {
	a := some(t, nil)
	return func(k *known) directory.Change {
		return directory.Change{Channel: ch, Verb: directory.VerbMerge, ID: k.ada, Attributes: a.Clone(), Reason: "drawn"}
	}
}

func drawGrouped(t *rapid.T) func(*known) directory.Change {
	name := rapid.SampledFrom([]string{"g1", "g3"}).Draw(t, "group name")
	in := rapid.Bool().Draw(t, "in")
	return func(k *known) directory.Change {
		c := directory.Change{Connection: "one", Channel: directory.SCIM, Resource: directory.GroupResource, Verb: directory.VerbReplace, ID: k.group,
			Attributes: attributes("displayName", name)}
		if c.Members.Replace = true; in {
			c.Members.Add = []directory.ID{k.ada}
		}
		return c
	}
}

// everyOrder yields every order of n things.
func everyOrder(n int) func(func([]int) bool) {
	return func(yield func([]int) bool) {
		var next func(done, left []int) bool
		next = func(done, left []int) bool {
			if len(left) == 0 {
				return yield(done)
			}
			for i := range left {
				if !next(append(slices.Clone(done), left[i]), slices.Delete(slices.Clone(left), i, i+1)) {
					return false
				}
			}
			return true
		}
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		next(nil, all)
	}
}
