package jit_test

import (
	"testing"
	"time"

	"muster/directory"
)

// Attack 76: what one customer's provider says of another customer's user stays its own.
func TestAttack76AnAddressOfAnotherOrganisationNeverLinks(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	eve := justInTime("evil")
	eve.Link = directory.LinkAlways
	s.configure(directory.Org{ID: "other"}, eve)
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.untouched(func() { s.in(s.browser().signIn("evil", ada("lastName", "Evil")), "/me") })
	page, err := s.dir.Users(t.Context(), directory.Viewer{Org: "other"}, directory.Query{Limit: 10})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID == s.user("ada@corp.example").ID {
		t.Errorf("%d users in the other organisation, %v", len(page.Items), err)
	}
}

// Attack 77: a protected user is not linked by an address, whatever the connection's policy says.
func TestAttack77AnAdministratorsAddressLinksNobody(t *testing.T) {
	c := justInTime("corp")
	c.Link = directory.LinkAlways
	s := play(t, directory.Org{Protected: directory.Protection{Users: []string{"ada@corp.example", "root"}}}, c)
	made, err := s.dir.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "operator", Verb: directory.VerbCreate,
		Attributes: attributes(directory.UserName, "root", directory.Emails, "ada@corp.example")})
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	b.accept = "application/json"
	s.untouched(func() { s.out(b.signIn("corp", ada()), 403, "link_required") })
	// The same without protection is the connection's to decide.
	s.configure(directory.Org{ID: "acme"}, c)
	s.wait(time.Second)
	s.in(b.signIn("corp", ada()), "/me")
	if u := s.users(); len(u) != 1 || u[0].ID != made.User.ID {
		t.Error("not linked, although the policy says so")
	}
}

// Attack 79: an address in other letters is the same person's.
func TestAttack79AnAddressInOtherLettersIsOnePerson(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.wait(time.Second)
	shouting := person("ada-1", "email", "ADA@Corp.Example", "firstName", "Ada", "lastName", "Lovelace")
	s.in(s.browser().signIn("corp", shouting), "/me")
	if n := len(s.users()); n != 1 {
		t.Errorf("%d users", n)
	}
}
