package jit

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

// FL-12, FL-13, FL-14, JC-15: what each provider sends in the field (LIBRARIES), by its own names.
func TestFL12EachPresetReadsWhatItsProviderSends(t *testing.T) {
	tests := []struct {
		preset, subject string
		claims          []Claim
		groups          string
	}{
		{"entra", "oid-1", claims(msID+"objectidentifier", "oid-1", xmlsoap+"emailaddress", "ada@corp.example", xmlsoap+"givenname", "Ada", xmlsoap+"surname", "Lovelace", msID+"displayname", "Ada L", msRole+"groups", "g"), "g"},
		{"okta", "00u1", claims("uniqueUserId", "00u1", "email", "ada@corp.example", "firstName", "Ada", "lastName", "Lovelace", "displayName", "Ada L", "groups", "g"), "g"},
		{"pingone", "name-id", claims("email", "ada@corp.example", "FirstName", "Ada", "LastName", "Lovelace", "displayName", "Ada L", "Groups", "g"), "g"},
		{"pingone", "name-id", claims("email", "ada@corp.example", "given_name", "Ada", "family_name", "Lovelace", "displayName", "Ada L", "Groups", "g"), "g"},
		{"onelogin", "name-id", claims("User.email", "ada@corp.example", "User.FirstName", "Ada", "User.LastName", "Lovelace", "displayName", "Ada L", "memberOf", "g"), "g"},
		{"onelogin", "imm", claims("PersonImmutableID", "imm", "email", "ada@corp.example", "first_name", "Ada", "last_name", "Lovelace", "displayName", "Ada L", "memberOf", "g"), "g"},
		{"jumpcloud", "name-id", claims("email", "ada@corp.example", "firstname", "Ada", "lastname", "Lovelace", "displayname", "Ada L", "memberOf", "g"), "g"},
		{"google", "name-id", claims("email", "ada@corp.example", "firstName", "Ada", "lastName", "Lovelace", "displayName", "Ada L", "groups", "g"), "g"},
		{"keycloak", "name-id", claims(oidPKCS, "ada@corp.example", oidGN, "Ada", oidSN, "Lovelace", "displayName", "Ada L", "member", "/a/b"), "/a/b"},
		{"adfs", "S-1-5", claims(msRole+"primarysid", "S-1-5", xmlsoap+"emailaddress", "ada@corp.example", xmlsoap+"givenname", "Ada", xmlsoap+"surname", "Lovelace", adfsOld+"CommonName", "Ada L", adfsOld+"Group", "g"), "g"},
		{"shibboleth", "a@corp", claims(samlID+"subject-id", "a@corp", oidMail, "ada@corp.example", oidGN, "Ada", oidSN, "Lovelace", oidDN, "Ada L", oidMOf, "g"), "g"},
		{"generic", "name-id", claims("mail", "ada@corp.example", "Firstname", "Ada", "sn", "Lovelace", "displayName", "Ada L", "memberOf", "g"), "g"},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		seen[test.preset] = true
		t.Run(test.preset, func(t *testing.T) {
			change, trace := read(t, byNameID("name-id", test.claims), filled(t, directory.Connection{Preset: test.preset}))
			if change.Subject != test.subject {
				t.Errorf("subject %q, want %q", change.Subject, test.subject)
			}
			want := told("ada@corp.example", "ada@corp.example", "Ada", "Lovelace", "Ada L")
			if diff := cmp.Diff(want, change.Attributes); diff != "" {
				t.Errorf("%s\n%v", diff, trace)
			}
			if diff := cmp.Diff([]string{test.groups}, change.Groups.Names); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, name := range Presets() {
		if !seen[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

// JC-16: names are stable API. DESIGN §6 promises the generic ones.
func TestJC16TheGenericPresetAcceptsTheFieldsCommonNames(t *testing.T) {
	promised := map[string][]string{
		directory.Emails:      {"email", "Email", "mail", xmlsoap + "emailaddress", oidMail},
		directory.GivenName:   {"firstName", "Firstname", "givenName", xmlsoap + "givenname", oidGN},
		directory.FamilyName:  {"lastName", "Lastname", "surname", "sn", xmlsoap + "surname", oidSN},
		directory.UserName:    {"userName", "uid", oidUID},
		directory.DisplayName: {"displayName", oidDN},
	}
	c := filled(t, directory.Connection{})
	for _, m := range c.Map {
		for _, name := range promised[m.To] {
			if !slices.Contains(m.From, name) {
				t.Errorf("%s is not read from %s", m.To, name)
			}
		}
		delete(promised, m.To)
	}
	if len(promised) > 0 {
		t.Errorf("not mapped: %v", promised)
	}
	for _, name := range []string{"groups", "Groups", "memberOf"} {
		if !slices.Contains(c.Groups.From, name) {
			t.Errorf("groups are not read from %s", name)
		}
	}
}

// FX-13
func TestFX13NoPresetMapsRolesOrALicence(t *testing.T) {
	for _, name := range Presets() {
		for _, m := range filled(t, directory.Connection{Preset: name}).Map {
			if _, ok := schema(m.To); !ok || m.To == directory.Roles || m.To == directory.License || m.To == directory.Active {
				t.Errorf("%s maps %s", name, m.To)
			}
		}
	}
}

func TestFillingTwiceChangesNothingMore(t *testing.T) {
	for _, name := range Presets() {
		for _, own := range []directory.Connection{
			{Preset: name},
			{Preset: name, Subject: directory.Subjects{SSO: []string{"employeeId"}}},
			{Preset: name, Subject: directory.Subjects{SCIM: directory.UserName}},
			{Preset: name, Subject: directory.Subjects{SCIM: directory.ExternalID, SSO: []string{"employeeId"}}},
			{Preset: name, Map: []directory.Mapping{{To: "email", From: []string{"x"}}, {To: "title", From: []string{"y"}}}},
		} {
			once := *filled(t, own)
			if diff := cmp.Diff(once, *filled(t, once)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestWhatTheConnectionSetsWins(t *testing.T) {
	c := filled(t, directory.Connection{
		Preset: "okta",
		Map:    []directory.Mapping{{To: "email", From: []string{"work_mail"}}, {To: "costCenter", Const: "42"}},
		Groups: directory.GroupPolicy{From: []string{"teams"}},
	})
	if c.Map[0].To != directory.Emails || !slices.Equal(c.Map[0].From, []string{"work_mail"}) || c.Map[1].Const != "42" {
		t.Errorf("own mappings: %v", c.Map[:2])
	}
	count := 0
	for _, m := range c.Map {
		if m.To == directory.Emails {
			count++
		}
	}
	if count != 1 || len(c.Map) < 6 {
		t.Errorf("%d mappings of emails among %d", count, len(c.Map))
	}
	if !slices.Equal(c.Groups.From, []string{"teams"}) {
		t.Errorf("groups from %v", c.Groups.From)
	}
}

// CONFLICTS 1, 14
func TestWhichPresetsDeclareThatBothDoorsCarryOneValue(t *testing.T) {
	for _, name := range Presets() {
		s := filled(t, directory.Connection{Preset: name}).Subject
		if want := name == "entra" || name == "okta"; s.Same != want {
			t.Errorf("%s: same is %v", name, s.Same)
		}
		if s.Same && s.Mutable {
			t.Errorf("%s: a mutable subject is declared equal to an immutable one", name)
		}
	}
	tests := []struct {
		preset string
		own    directory.Subjects
		want   bool
	}{
		{"generic", directory.Subjects{SCIM: directory.ExternalID, SSO: []string{NameID}}, true},
		{"generic", directory.Subjects{SCIM: "id", SSO: []string{NameID}}, false},
		{"generic", directory.Subjects{SCIM: directory.ExternalID}, false},
		{"okta", directory.Subjects{SSO: []string{"employeeId"}}, true},
		{"okta", directory.Subjects{SCIM: directory.UserName}, false},
		{"jumpcloud", directory.Subjects{SSO: []string{"employeeId"}}, false},
	}
	for _, test := range tests {
		if got := filled(t, directory.Connection{Preset: test.preset, Subject: test.own}).Subject.Same; got != test.want {
			t.Errorf("%s with %v: same is %v", test.preset, test.own, got)
		}
	}
}

func TestAnUnknownPresetIsRefusedWithTheKnownOnes(t *testing.T) {
	err := Fill(&directory.Connection{Preset: "Okta"})
	if err == nil || !strings.Contains(err.Error(), `"Okta"`) || !strings.Contains(err.Error(), "okta, pingone") {
		t.Errorf("got %v", err)
	}
}

// FL-18
func TestFL18EveryPresetHasAGuideWithThisConnectionsAddresses(t *testing.T) {
	at := AddressesOf("https://id.example", "acme")
	for _, name := range Presets() {
		p, _ := PresetOf(name)
		guide := strings.Join(p.Guide(at), "\n")
		if len(p.Steps) < 3 || p.Title == "" || strings.ContainsAny(guide, "{") && !strings.Contains(guide, "{scim: externalId") {
			t.Errorf("%s: %s", name, guide)
		}
		if !strings.Contains(guide, "https://id.example/c/acme/saml/") {
			t.Errorf("%s names no address of ours", name)
		}
	}
}
