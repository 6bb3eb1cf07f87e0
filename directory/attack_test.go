package directory_test

import (
	"fmt"
	"testing"
	"time"

	"muster/directory"
)

// same makes both doors carry one value, as most presets do.
func same(s *directory.Setup) {
	s.Connections[0].Subject = directory.Subjects{SCIM: directory.ExternalID, Same: true}
}

func (w *world) put(id directory.ID, pairs ...string) error {
	_, err := w.Apply(w.t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: id, Attributes: attributes(pairs...)})
	return err
}

func (w *world) local(verb directory.Verb, id directory.ID, pairs ...string) (directory.Result, error) {
	return w.Apply(w.t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: verb, ID: id, Attributes: attributes(pairs...), Actor: "root"})
}

func full(name string, more ...string) []string {
	return append([]string{"userName", name, "name.givenName", "G", "name.familyName", "F"}, more...)
}

func TestASelfEditedAddressClaimsNobody(t *testing.T) { // CONFLICTS 14
	w := newWorld(t, same)
	w.must(w.signIn("A", full("mallory", "emails", "cfo@acme.example")...))
	_, err := w.push("userName", "cfo", "externalId", "V", "emails", "cfo@acme.example")
	w.refused(directory.LinkRequired, err)
	w.must(w.push("userName", "mallory", "externalId", "A"))
}

func TestAProtectedUserIsNeitherRenamedNorImitated(t *testing.T) { // CONFLICTS 47
	w := newWorld(t, func(s *directory.Setup) { s.Org.Protected.Users = []string{"root"} })
	root := w.must(w.push("userName", "root")).User.ID
	w.refused(directory.Protected, w.put(root, "userName", "x"))
	w.refused(directory.Protected, w.put(root, "userName", "root", "active", "false"))
	w.refused(directory.Protected, w.delete(root))
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, ID: root, Attributes: attributes("active", "false")}))
	bob := w.must(w.push("userName", "bob")).User.ID
	w.refused(directory.Uniqueness, w.put(bob, "userName", "root"))
	if err := w.put(bob, "userName", "bob", "active", "false"); err != nil {
		t.Errorf("an ordinary user: %v", err)
	}
}

func TestProtectedRolesComeFromAdministratorsAlone(t *testing.T) { // CONFLICTS 60
	w := newWorld(t, func(s *directory.Setup) { s.Org.Protected.Roles = []string{"admin"} })
	_, err := w.push("userName", "eve", "roles", " Admin")
	w.refused(directory.Protected, err)
	ada := w.must(w.push("userName", "ada", "roles", "reader")).User.ID
	w.must(w.local(directory.VerbMerge, ada, "roles", "admin"))
	if v, _ := w.effective(ada).Get("roles"); len(v) != 2 {
		t.Errorf("roles %v", v)
	}
	in := w.must(w.signIn("s", full("sam", "roles", "ADMIN")...))
	if v, _ := w.effective(in.User.ID).Get("roles"); len(v) != 0 || len(in.Warnings) == 0 {
		t.Errorf("by assertion: %v, %v", v, in.Warnings)
	}
}

func TestABannedSubjectIsNotTakenByAnEdit(t *testing.T) { // CONFLICTS 66, 80
	w := newWorld(t, same)
	bad := w.must(w.push("userName", "bad", "externalId", "S")).User.ID
	w.must(w.local(directory.VerbDelete, bad))
	_, err := w.push("userName", "bad", "externalId", "S")
	w.refused(directory.Reserved, err)
	other := w.must(w.push("userName", "bad2", "externalId", "tmp")).User.ID
	w.refused(directory.Reserved, w.put(other, "userName", "bad2", "externalId", "S"))
	_, err = w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbEdit, ID: other,
		Edit: func(own directory.Attributes) (directory.Attributes, error) {
			own.Set("externalId", directory.Text("S"))
			return own, nil
		}})
	w.refused(directory.Reserved, err)
	if err := w.put(other, "userName", "bad2", "externalId", "free"); err != nil {
		t.Errorf("a free subject: %v", err)
	}
}

func TestAMovedExternalIDDoesNotTakeTheSignInAlong(t *testing.T) { // CONFLICTS 80
	w := newWorld(t, same)
	ada := w.must(w.push(full("ada", "externalId", "S1")...)).User.ID
	w.must(w.signIn("S1", full("ada")...))
	if err := w.put(ada, full("ada", "externalId", "S2")...); err != nil {
		t.Fatal(err)
	}
	_, err := w.signIn("S2", full("ada")...)
	w.refused(directory.LinkRequired, err)
	if got := w.must(w.signIn("S1", full("ada")...)).User.ID; got != ada {
		t.Errorf("S1 signs in as %s", got)
	}
	_, err = w.push("userName", "bob", "externalId", "S1")
	w.refused(directory.Uniqueness, err)
	found, err := w.Users(t.Context(), directory.Viewer{Org: "acme", Connection: "idp"}, directory.Query{Filter: `externalId eq "S1"`, Limit: 5})
	if err != nil || found.Total != 1 {
		t.Errorf("what the create collides with is found %d times, %v", found.Total, err)
	}
}

func TestANameAsSubjectInheritsNothing(t *testing.T) { // CONFLICTS 39, 40
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Subject = directory.Subjects{SCIM: directory.UserName, Same: true, Mutable: true}
	})
	old := w.must(w.push(full("ada@acme.example")...)).User.ID
	if err := w.delete(old); err != nil {
		t.Fatal(err)
	}
	fresh := w.must(w.push(full("ada@acme.example")...)).User.ID
	if fresh == old {
		t.Error("the new holder of the name is the leaver")
	}
	if err := w.put(fresh, full("ada@acme.example", "active", "false")...); err != nil {
		t.Fatal(err)
	}
	_, err := w.push(full("ada@acme.example")...)
	w.refused(directory.Uniqueness, err)
}

func TestARenameThereAndBackKeepsThePersonIn(t *testing.T) { // CONFLICTS 34
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Subject = directory.Subjects{SCIM: directory.UserName, Same: true, Mutable: true}
	})
	ada := w.must(w.push(full("a@acme.example")...)).User.ID
	w.must(w.signIn("a@acme.example", full("a@acme.example")...))
	for _, name := range []string{"b@acme.example", "a@acme.example"} {
		if err := w.put(ada, full(name)...); err != nil {
			t.Fatal(err)
		}
		w.must(w.signIn(name, full(name)...))
	}
	_, err := w.signIn("b@acme.example", full("b@acme.example")...)
	w.refused(directory.Reserved, err)
}

func TestATombstoneNameIsNoSubject(t *testing.T) { // CONFLICTS 37
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Subject = directory.Subjects{SCIM: directory.UserName, Same: true, Mutable: true}
	})
	ada := w.must(w.push(full("a@acme.example")...)).User.ID
	w.must(w.signIn("a@acme.example", full("a@acme.example")...))
	if err := w.put(ada, full("0f0fa@acme.example", "active", "false")...); err != nil {
		t.Fatal(err)
	}
	if err := w.put(ada, full("a@acme.example", "active", "true")...); err != nil {
		t.Fatalf("the restore: %v", err)
	}
	if got := w.must(w.signIn("a@acme.example", full("a@acme.example")...)).User.ID; got != ada {
		t.Error("somebody else came in")
	}
}

func TestAMutableSubjectFollowsTheNameAlsoWithoutSame(t *testing.T) { // CONFLICTS 34
	w := newWorld(t, func(s *directory.Setup) { s.Connections[0].Subject = directory.Subjects{Mutable: true} })
	ada := w.must(w.push(full("a@acme.example")...)).User.ID
	w.must(w.signIn("a@acme.example", full("a@acme.example")...))
	if err := w.put(ada, full("b@acme.example")...); err != nil {
		t.Fatal(err)
	}
	if got := w.must(w.signIn("b@acme.example", full("b@acme.example")...)).User.ID; got != ada {
		t.Error("the new name is somebody else")
	}
	_, err := w.signIn("a@acme.example", full("a@acme.example")...)
	w.refused(directory.Reserved, err)
}

func TestDeepAndWideNestingIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	var groups []directory.ID
	refusedAt := 0
	for i := range 20 {
		groups = append(groups, w.group(fmt.Sprint("g", i)).ID)
		if i == 0 {
			continue
		}
		if err := w.members(groups[i-1], directory.MemberChange{Add: []directory.ID{groups[i]}}); err != nil {
			w.refused(directory.InvalidValue, err)
			refusedAt = i
			break
		}
	}
	if refusedAt != 16 {
		t.Errorf("level %d was refused, want 16", refusedAt)
	}
	w.refused(directory.InvalidValue, w.members(groups[15], directory.MemberChange{Add: []directory.ID{groups[0]}}))
}

func TestRequiredAlwaysDoesNotKeepALeaverIn(t *testing.T) { // CONFLICTS 23
	w := newWorld(t, nil)
	ada := w.must(w.push("userName", "ada")).User.ID
	w.configure(directory.Setup{Org: directory.Org{ID: "acme", Attributes: map[string]directory.AttributePolicy{"department": {Required: directory.RequiredAlways}}}})
	if err := w.put(ada, "userName", "ada", "active", "false"); err != nil {
		t.Errorf("the lock: %v", err)
	}
	bob := w.must(w.push("userName", "bob", "department", "R")).User.ID
	w.refused(directory.AttributeMissing, w.put(bob, "userName", "bob"))
}

func TestADeniedSignInLosesWhatItsGroupsGave(t *testing.T) { // CONFLICTS 56
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Groups.Source = directory.GroupsSSO
		s.Org.Rules = []directory.Rule{{When: `groups eq "Eng"`, Set: attributes("license", "full")}, {Deny: true}}
	})
	in := func(groups ...string) (directory.Result, error) {
		return w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SSO, Verb: directory.VerbSignIn, Subject: "s",
			Issuer: "https://idp.example", AssertedAt: w.now, Attributes: attributes(full("ada")...), Groups: directory.GroupClaim{State: directory.GroupsSet, Names: groups}})
	}
	ada := w.must(in("Eng")).User.ID
	secret, err := w.StartSession(t.Context(), directory.Session{Org: "acme", User: ada, Connection: "idp", Expires: w.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = in()
	w.refused(directory.RuleDenied, err)
	_, _, err = w.Session(t.Context(), secret)
	w.refused(directory.RuleDenied, err)
	if got := w.effective(ada).Text("license"); got != "" {
		t.Errorf("licence %q", got)
	}
}

func TestTheDomainBorderHoldsForEverySpelling(t *testing.T) { // CONFLICTS 7, 81
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Domains = []string{"acme.example"}
		s.Connections = append(s.Connections, directory.Connection{ID: "two", Domains: []string{"two.example"}, Write: directory.Write{SCIM: directory.Create}})
	})
	for _, address := range []string{"ceo@two.example", "CEO@TWO.example.", "ceo@two.example ", "<ceo@two.example>", "ceo@two.example\t", "ceo@else.example"} {
		_, err := w.push("userName", "x", "emails", address)
		w.refused(directory.DomainNotAllowed, err)
	}
	_, err := w.push("userName", "ceo@else.example", "emails", "x@acme.example")
	w.refused(directory.DomainNotAllowed, err)
	w.must(w.push("userName", "x@acme.example", "emails", "x@acme.example"))
}

func TestAGroupThatDoesNotCountGivesNothingThroughALocalOne(t *testing.T) { // CONFLICTS 50, 52
	setup := func(s *directory.Setup) {
		s.Org.Rules = []directory.Rule{{When: `groups eq "Staff"`, Set: attributes("license", "full")}}
	}
	w := newWorld(t, setup)
	ada := w.must(w.push("userName", "ada")).User.ID
	g := w.group("G", ada)
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Resource: directory.GroupResource, Verb: directory.VerbCreate,
		Attributes: attributes("displayName", "Staff"), Members: directory.MemberChange{Add: []directory.ID{g.ID}}}))
	if got := w.effective(ada).Text("license"); got != "full" {
		t.Fatalf("licence %q", got)
	}
	s := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create},
		Guard: directory.Guard{Off: true}, Groups: directory.GroupPolicy{Source: directory.GroupsOff}}}}
	setup(&s)
	w.configure(s)
	if got := w.effective(ada).Text("license"); got != "" {
		t.Errorf("licence %q through a group that does not count", got)
	}
}

func TestAFilterConfirmsButDoesNotSearch(t *testing.T) {
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Attributes = map[string]directory.AttributePolicy{"employeeNumber": {Unique: true}}
		s.Connections = append(s.Connections, directory.Connection{ID: "two", Write: directory.Write{SCIM: directory.Create}})
	})
	w.must(w.push("userName", "ceo", "employeeNumber", "4711"))
	find := func(filter string) int {
		p, err := w.Users(t.Context(), directory.Viewer{Org: "acme", Connection: "two"}, directory.Query{Filter: filter, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	if n := find(`userName eq "ceo"`); n != 1 {
		t.Errorf("found %d", n)
	}
	const number = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber"
	if n := find(`userName eq "ceo" and ` + number + ` sw "47"`); n != 0 {
		t.Error("a prefix of another connection's value was confirmed")
	}
	if n := find(`userName sw "c"`); n != 0 {
		t.Error("another connection's users can be listed")
	}
}

func TestARestoreBringsBackNoGroupThatWasTakenAway(t *testing.T) { // CONFLICTS 40
	w := newWorld(t, same)
	ada := w.must(w.push("userName", "ada", "externalId", "S")).User.ID
	kept, taken := w.group("Kept", ada), w.group("Taken", ada)
	if err := w.delete(ada); err != nil {
		t.Fatal(err)
	}
	if err := w.members(taken.ID, directory.MemberChange{Remove: []directory.ID{ada}}); err != nil {
		t.Fatal(err)
	}
	p := w.must(w.push("userName", "ada", "externalId", "S")).User
	if p.ID != ada || len(p.Groups) != 1 || p.Groups[0].ID != kept.ID {
		t.Errorf("back in %v", p.Groups)
	}
}

func TestAClearedUniqueValueMayCollideBelow(t *testing.T) {
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Attributes = map[string]directory.AttributePolicy{"employeeNumber": {Unique: true}}
		s.Connections[0].Domains = []string{"acme.example"}
	})
	ada := w.must(w.local(directory.VerbCreate, directory.NoID, full("ada@acme.example", "employeeNumber", "2")...)).User.ID
	if got := w.must(w.signIn("s", full("ada@acme.example", "employeeNumber", "1")...)).User.ID; got != ada {
		t.Fatal("not adopted")
	}
	w.must(w.push("userName", "b@acme.example", "employeeNumber", "2"))
	w.must(w.signIn("s", full("ada@acme.example", "employeeNumber", "")...))
	if got := w.effective(ada).Text("employeeNumber"); got != "1" {
		t.Errorf("employeeNumber %q", got)
	}
}
