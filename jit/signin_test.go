package jit_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
	"muster/jit/saml/samltest"
)

func TestLF1_FL2_FX7_FD1FirstSignInCreatesAndTheSameSignInSucceeds(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", with(ada("displayName", "Ada L"), "groups", " Engineering", "Admins")), "/me")

	u := s.user("ada@corp.example") // FX-12, FL-17: of the connection's organisation
	got := map[string]string{"given": text(u, directory.GivenName), "family": text(u, directory.FamilyName),
		"display": text(u, directory.DisplayName), "email": value(u, directory.Emails), "groups": groups(u), "roles": value(u, directory.Roles)}
	want := map[string]string{"given": "Ada", "family": "Lovelace", "display": "Ada L", "email": "ada@corp.example",
		"groups": "[Admins Engineering]", "roles": ""} // FX-13: no roles by themselves
	if diff := cmp.Diff(want, got); diff != "" && got["groups"] != "[Engineering Admins]" {
		t.Error(diff)
	}
	if me := b.get("/me", "application/json"); me.StatusCode != http.StatusOK || !strings.Contains(me.body, u.ID.String()) {
		t.Errorf("/me: %s %s", me.Status, me.body)
	}
}

func TestLF1_FD2LaterSignInUpdatesTheSamePerson(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", ada()), "/me")
	first := s.user("ada@corp.example")
	s.wait(time.Minute)
	s.in(s.browser().signIn("corp", person("ada-1", "email", "countess@corp.example", "firstName", "Ada", "lastName", "King")), "/me")
	if len(s.users()) != 1 {
		t.Fatalf("%d users, want the one", len(s.users()))
	}
	u := s.users()[0]
	if u.ID != first.ID || text(u, directory.FamilyName) != "King" || value(u, directory.Emails) != "countess@corp.example" {
		t.Errorf("%v", u.Attributes)
	}
}

// LF-2: the session comes after the commit, so a refused write starts none.
func TestLF2NobodyIsSignedInBeforeProvisioningSucceeded(t *testing.T) {
	org := directory.Org{Rules: []directory.Rule{{When: `userName eq "eve@corp.example"`, Deny: true}}}
	s := play(t, org, justInTime("corp"))
	b := s.browser()
	s.untouched(func() {
		s.out(b.signIn("corp", person("eve", "email", "eve@corp.example", "firstName", "Eve", "lastName", "X")), 403, "rule_denied")
	})
	if me := b.get("/me", "application/json"); me.StatusCode != http.StatusUnauthorized {
		t.Errorf("/me: %s", me.Status)
	}
	s.in(b.signIn("corp", ada()), "/me")
}

func TestFX6WithoutJITAnUnknownPersonIsRejected(t *testing.T) {
	for _, mode := range []directory.Mode{"", directory.Off, directory.Update} {
		t.Run(string(mode), func(t *testing.T) {
			s := play(t, directory.Org{}, directory.Connection{ID: "corp", Write: directory.Write{SSO: mode}})
			s.untouched(func() { s.out(s.browser().signIn("corp", ada()), 403, "not_provisioned") })
		})
	}
}

// LF-1, MISSION nobody 3: the push already links the later sign-in; with write.sso off nothing of it is written.
func TestFX5WithoutJITPeopleWhoWereAddedSignIn(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp", Preset: "okta", Write: directory.Write{SCIM: directory.Create}})
	s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate,
		Attributes: attributes("externalId", "00u1", directory.UserName, "ada", directory.GivenName, "Augusta")})
	b := s.browser()
	s.in(b.signIn("corp", ada("uniqueUserId", "00u1")), "/me")
	if u := s.user("ada"); len(s.users()) != 1 || text(u, directory.GivenName) != "Augusta" || text(u, directory.FamilyName) != "" {
		t.Errorf("%d users, %v", len(s.users()), u.Attributes)
	}
	if me := b.get("/me", "application/json"); !strings.Contains(me.body, `"userName":"ada"`) {
		t.Errorf("/me: %s", me.body)
	}
}

// FD-18, FD-22, FD-23, FD-24
func TestFD22UpdateOnlyWritesWhatIsMappedAndCreatesNobody(t *testing.T) {
	off := func(to string) directory.Mapping { return directory.Mapping{To: to} }
	s := play(t, directory.Org{}, directory.Connection{
		ID: "corp", Preset: "okta", Write: directory.Write{SCIM: directory.Create, SSO: directory.Update},
		Map: []directory.Mapping{{To: "title", From: []string{"title"}},
			off(directory.UserName), off(directory.Emails), off(directory.GivenName), off(directory.FamilyName), off(directory.DisplayName), off("department")},
	})
	s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate,
		Attributes: attributes("externalId", "00u1", directory.UserName, "ada", directory.GivenName, "Augusta")})
	s.in(s.browser().signIn("corp", ada("uniqueUserId", "00u1", "title", "Countess", "department", "Engines")), "/me")
	u := s.user("ada")
	if text(u, "title") != "Countess" || text(u, directory.GivenName) != "Augusta" || text(u, "department") != "" || value(u, directory.Emails) != "" {
		t.Errorf("%v", u.Attributes)
	}
	s.untouched(func() {
		s.out(s.browser().signIn("corp", person("x", "uniqueUserId", "00u2", "email", "b@corp.example", "firstName", "B", "lastName", "C")), 403, "not_provisioned")
	})
}

// FX-8, FX-9, FD-11, CONFLICTS 22
func TestFX9AMissingRequiredAttributeRefusesAndIsNamed(t *testing.T) {
	tests := []struct {
		name, attribute, label string
		person                 samltest.Person
	}{
		{"no first name", directory.GivenName, "first name", person("ada-1", "email", "ada@corp.example", "lastName", "Lovelace")},
		{"no last name", directory.FamilyName, "last name", person("ada-1", "email", "ada@corp.example", "firstName", "Ada")},
		{"an empty last name", directory.FamilyName, "last name", person("ada-1", "email", "ada@corp.example", "firstName", "Ada", "lastName", " ")},
		{"no user name", directory.UserName, "user name", person("ada-1", "firstName", "Ada", "lastName", "Lovelace")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := play(t, directory.Org{}, justInTime("corp"))
			b := s.browser()
			b.accept = "application/json"
			s.untouched(func() {
				view := s.out(b.signIn("corp", test.person), 403, "required_attribute_missing")
				if !strings.Contains(view.Detail, test.attribute) || !strings.Contains(view.Detail, test.label) {
					t.Errorf("the person reads %q", view.Detail)
				}
				if strings.Contains(view.Detail, "Firstname") || strings.Contains(view.Detail, "sn") && strings.Contains(view.Detail, "tried") {
					t.Errorf("the person reads which claims are configured: %q", view.Detail)
				}
			})
			s.in(b.signIn("corp", ada()), "/me")
		})
	}
}

// LF-11, LF-12, LF-13
func TestLF12TheCauseIsShownOnlyUntilDiagnoseUntil(t *testing.T) {
	c := justInTime("corp")
	c.DiagnoseUntil = time.Now().Add(time.Hour)
	s := play(t, directory.Org{}, c)
	b := s.browser()
	b.accept = "application/json"
	nameless := person("ada-1", "email", "ada@corp.example", "FirstName", "Ada", "lastName", "Lovelace")
	causes := []string{"firstName", "Firstname", "near miss", "FirstName"}
	view := s.out(b.signIn("corp", nameless), 403, "required_attribute_missing")
	for _, cause := range causes {
		if !strings.Contains(view.Detail, cause) {
			t.Errorf("the cause %q is missing in %q", cause, view.Detail)
		}
	}
	b.accept = "text/html"
	if page := s.out(b.signIn("corp", nameless), 403, "required_attribute_missing"); !strings.Contains(page.Detail, "near miss") {
		t.Errorf("the page does not show the cause: %s", page.Detail)
	}

	s.wait(2 * time.Hour) // LF-13: it turned itself off
	b.accept = "application/json"
	view = s.out(b.signIn("corp", nameless), 403, "required_attribute_missing")
	for _, cause := range causes {
		if strings.Contains(view.Detail, cause) {
			t.Errorf("the cause %q is still shown", cause)
		}
	}
	if !strings.Contains(s.log.String(), "near miss") {
		t.Error("the administrator's log has lost the cause")
	}
}

func TestLF12TheDetailNamesAudienceClockAndCertificate(t *testing.T) {
	c := justInTime("corp")
	c.DiagnoseUntil = time.Now().Add(time.Hour)
	s := play(t, directory.Org{}, c)
	s.idps["stranger"] = s.idp(s.idps["corp"].EntityID)
	tests := []struct {
		name, code, cause string
		answer            func(samltest.Request) string
	}{
		{"audience", "invalid_assertion", "audience", func(r samltest.Request) string {
			r.EntityID = "https://other.example"
			return s.response("corp", r, ada(), samltest.Bend{})
		}},
		{"clock", "stale_assertion", "expired", func(r samltest.Request) string {
			return s.response("corp", r, ada(), samltest.Bend{Later: -time.Hour})
		}},
		{"certificate", "invalid_assertion", "signature", func(r samltest.Request) string {
			return s.response("stranger", r, ada(), samltest.Bend{})
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := s.browser()
			b.accept = "application/json"
			request, _ := b.start("corp", "")
			view := s.out(b.arrive("corp", test.answer(request)), 403, test.code)
			if !strings.Contains(view.Detail, test.cause) {
				t.Errorf("%q does not name the %s", view.Detail, test.cause)
			}
		})
	}
	s.in(s.browser().signIn("corp", ada()), "/me")
}

// FD-8, FD-9, FD-10, FD-13
func TestFD8DefaultsSeedNewPeopleOnce(t *testing.T) {
	org := directory.Org{
		Attributes: map[string]directory.AttributePolicy{"location": {Values: []string{"Berlin", "Lagos"}}},
		Defaults: []directory.Default{
			{Attribute: "userType", Value: directory.Text("employee"), Door: directory.SSO},
			{Attribute: "location", Value: directory.Text("Berlin")},
		},
	}
	c := justInTime("corp")
	c.Map = []directory.Mapping{{To: "location", From: []string{"city"}}}
	s := play(t, org, c)
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.in(s.browser().signIn("corp", person("b", "email", "b@corp.example", "firstName", "B", "lastName", "C", "city", "Lagos")), "/me")
	a, b := s.user("ada@corp.example"), s.user("b@corp.example")
	if text(a, "userType") != "employee" || text(a, "location") != "Berlin" || text(b, "location") != "Lagos" {
		t.Errorf("%v\n%v", a.Attributes, b.Attributes)
	}

	org.ID, org.Defaults = "acme", []directory.Default{{Attribute: "userType", Value: directory.Text("contractor")}}
	s.configure(org, c)
	s.wait(time.Minute)
	s.in(s.browser().signIn("corp", ada()), "/me")
	if got := text(s.user("ada@corp.example"), "userType"); got != "employee" {
		t.Errorf("the new default reached an existing user: %q", got)
	}
}

// FD-16, CONFLICTS 29
func TestFD16AValueThatIsNotAllowedIsIgnoredOrRejected(t *testing.T) {
	org := directory.Org{Attributes: map[string]directory.AttributePolicy{"location": {Values: []string{"Berlin"}}}}
	for invalid, wantCode := range map[directory.Invalid]string{directory.Ignore: "", directory.Reject: "invalid_value"} {
		t.Run(string(invalid), func(t *testing.T) {
			c := justInTime("corp")
			c.Map = []directory.Mapping{{To: "location", From: []string{"city"}, Invalid: invalid}}
			s := play(t, org, c)
			got := s.browser().signIn("corp", ada("city", "Atlantis"))
			if wantCode == "" {
				s.in(got, "/me")
				if v := text(s.user("ada@corp.example"), "location"); v != "" {
					t.Errorf("location %q", v)
				}
				return
			}
			if view := s.out(got, 403, wantCode); !strings.Contains(view.Detail, "location") || strings.Contains(view.Detail, "Atlantis") {
				t.Errorf("the person reads %q", view.Detail)
			}
			if len(s.users()) != 0 {
				t.Error("somebody was created")
			}
			s.in(s.browser().signIn("corp", ada("city", "Berlin")), "/me")
		})
	}
}

// LF-8, LF-9, LF-10, FX-3
func TestLF10TheFirstRuleThatMatchesAnAssertedGroupGivesTheLicence(t *testing.T) {
	org := directory.Org{Rules: []directory.Rule{
		{When: `groups eq "Engineering"`, Set: attributes(directory.License, "full")},
		{When: `groups eq "Contractors"`, Set: attributes(directory.License, "lite")},
	}}
	s := play(t, org, justInTime("corp"))
	tests := []struct {
		groups []string
		want   string
	}{
		{[]string{"Contractors"}, "lite"}, {[]string{"Contractors", "Engineering"}, "full"}, {[]string{"engineering"}, ""}, {nil, ""},
	}
	for _, test := range tests {
		s.wait(time.Minute)
		p := ada()
		if test.groups != nil {
			p = with(p, "groups", test.groups...)
		}
		s.in(s.browser().signIn("corp", p), "/me")
		if got := text(s.user("ada@corp.example"), directory.License); got != test.want {
			t.Errorf("groups %v give %q, want %q", test.groups, got, test.want)
		}
	}
}

// CONFLICTS 51
func TestAnOverageLinkTakesNoGroupAway(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", with(ada(), "groups", "Engineering")), "/me")
	s.wait(time.Minute)
	s.in(s.browser().signIn("corp", ada("http://schemas.microsoft.com/claims/groups.link", "https://graph.example")), "/me")
	if got := groups(s.user("ada@corp.example")); got != "[Engineering]" {
		t.Errorf("groups %s after an overage", got)
	}
	s.wait(time.Minute)
	s.in(s.browser().signIn("corp", ada()), "/me")
	if got := groups(s.user("ada@corp.example")); got != "[]" {
		t.Errorf("groups %s after none were sent", got)
	}
}

func TestFX10EntraClaimsWithAndWithoutNamespaceReachOnePerson(t *testing.T) {
	c := justInTime("corp")
	c.Preset = "entra"
	s := play(t, directory.Org{}, c)
	const xmlsoap = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	s.in(s.browser().signIn("corp", person("ada@corp.example", "http://schemas.microsoft.com/identity/claims/objectidentifier", "6f",
		xmlsoap+"givenname", "Ada", xmlsoap+"surname", "Lovelace", xmlsoap+"emailaddress", "ada@corp.example", xmlsoap+"name", "ada@corp.example")), "/me")
	s.wait(time.Minute)
	s.in(s.browser().signIn("corp", person("renamed@corp.example", "objectidentifier", "6f",
		"givenname", "Ada", "surname", "King", "emailaddress", "ada@corp.example")), "/me")
	if len(s.users()) != 1 || text(s.users()[0], directory.FamilyName) != "King" {
		t.Errorf("%d users", len(s.users()))
	}
	s.untouched(func() {
		s.out(s.browser().signIn("corp", person("6f", "email", "eve@corp.example", "firstName", "E", "lastName", "V")), 403, "invalid_identifier")
	})
}

// CONFLICTS 13
func TestATransientNameIDSignsNobodyIn(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	p := ada()
	p.NameID.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	s.untouched(func() { s.out(s.browser().signIn("corp", p), 403, "invalid_identifier") })
	p = with(p, "uniqueUserId", "u-1")
	s.in(s.browser().signIn("corp", p), "/me")
}

// CONFLICTS 41, attack 80
func TestASuspendedPersonIsRefusedAndNothingIsWritten(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp", Preset: "okta", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create}})
	made := s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate,
		Attributes: attributes("externalId", "00u1", directory.UserName, "ada@corp.example")})
	b := s.browser()
	s.in(b.signIn("corp", ada("uniqueUserId", "00u1")), "/me")

	s.push(directory.Change{Connection: "corp", Verb: directory.VerbEdit, ID: made.User.ID, Edit: func(own directory.Attributes) (directory.Attributes, error) {
		own = own.Clone()
		own.Set(directory.Active, directory.Text("false"))
		return own, nil
	}})
	// MISSION nobody 11: the session is over at once
	kept := b.client.Jar
	b.client.Jar = sharedJar(t, s, b)
	if me := b.get("/me", "application/json"); me.StatusCode != 403 || !strings.Contains(me.body, `"suspended"`) || len(me.Cookies()) != 1 || me.Cookies()[0].MaxAge >= 0 {
		t.Errorf("/me: %s %s %v", me.Status, me.body, me.Cookies())
	}
	b.client.Jar = kept
	if auth := b.get("/auth", "*/*"); auth.StatusCode != http.StatusUnauthorized || auth.Header.Get("Remote-User") != "" {
		t.Errorf("/auth: %s", auth.Status)
	}
	s.wait(time.Minute)
	s.untouched(func() { s.out(s.browser().signIn("corp", ada("uniqueUserId", "00u1", "title", "x")), 403, "suspended") })

	s.push(directory.Change{Connection: "corp", Verb: directory.VerbDelete, ID: made.User.ID})
	s.untouched(func() { s.out(s.browser().signIn("corp", ada("uniqueUserId", "00u1")), 403, "deprovisioned") })
}

// CONFLICTS 14
func TestASubjectThatDiffersFromThePushedOneIsRefusedWithBothNames(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp", Preset: "okta", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create}, Domains: []string{"corp.example"}})
	s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate,
		Attributes: attributes("externalId", "00u1", directory.UserName, "ada@corp.example", directory.Emails, "ada@corp.example")})
	s.untouched(func() { s.out(s.browser().signIn("corp", ada()), 403, "link_required") })
	for _, both := range []string{"00u1", "ada-1"} {
		if !strings.Contains(s.log.String(), both) {
			t.Errorf("the administrator is not told %q", both)
		}
	}
}

func TestAPausedConnectionLetsLinkedPeopleInAndWritesNothing(t *testing.T) {
	c := justInTime("corp")
	s := play(t, directory.Org{}, c)
	s.in(s.browser().signIn("corp", ada()), "/me")
	c.State = directory.Paused
	s.configure(directory.Org{ID: "acme"}, c)
	s.wait(time.Minute)
	s.untouched(func() {
		s.in(s.browser().signIn("corp", ada("displayName", "Changed")), "/me")
		s.out(s.browser().signIn("corp", person("new", "email", "n@corp.example", "firstName", "N", "lastName", "N")), 403, "connection_paused")
	})
	c.State = directory.Retired
	s.configure(directory.Org{ID: "acme"}, c)
	s.out(s.browser().get("/c/corp/login", "application/json"), 403, "channel_off")
}

// CONFLICTS 67, attack 79
func TestTwoFirstSignInsAtOnceMakeOnePerson(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	var wg sync.WaitGroup
	answers := make([]reply, 8)
	for i := range answers {
		b := s.browser()
		request, _ := b.start("corp", "")
		response := s.response("corp", request, ada(), samltest.Bend{})
		wg.Go(func() { answers[i] = b.arrive("corp", response) })
	}
	wg.Wait()
	for _, got := range answers {
		s.in(got, "/me")
	}
	if len(s.users()) != 1 {
		t.Errorf("%d users", len(s.users()))
	}
}

// Attack 76: another customer's provider asserts the address of somebody here.
func TestNoSignInReachesAcrossOrganisations(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.configure(directory.Org{ID: "globex"}, justInTime("globex-idp"))
	b := s.browser()
	s.untouched(func() { s.in(b.signIn("globex-idp", ada("displayName", "Eve")), "/me") })
	if auth := b.get("/auth?org=acme", "*/*"); auth.StatusCode != http.StatusUnauthorized {
		t.Errorf("/auth?org=acme: %s", auth.Status)
	}
	if auth := b.get("/auth?org=globex", "*/*"); auth.StatusCode != http.StatusOK || auth.Header.Get("Remote-Name") != "Eve" {
		t.Errorf("/auth?org=globex: %s", auth.Status)
	}
}

// Attack 78
func TestFiveThousandGroupsSignIn(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprint("group ", i)
	}
	s.in(s.browser().signIn("corp", with(ada(), "groups", names...)), "/me")
	if got := len(s.user("ada@corp.example").Groups); got != 5000 {
		t.Errorf("%d groups", got)
	}
}
