package jit

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
	"muster/jit/saml"
)

const fixtures = "../testdata/saml"

// schema is the directory's own attributes and two of an organisation's.
func schema(name string) (directory.Definition, bool) {
	defs := directory.Definitions()
	defs["contractor"] = directory.Definition{Name: "contractor", Type: directory.Boolean, Origin: directory.Custom}
	defs["hired"] = directory.Definition{Name: "hired", Type: directory.DateTime, Origin: directory.Custom}
	defs["floor"] = directory.Definition{Name: "floor", Type: directory.Integer, Origin: directory.Custom}
	d, ok := defs[name]
	return d, ok
}

// filled is a connection completed by its preset.
func filled(t *testing.T, c directory.Connection) *directory.Connection {
	t.Helper()
	if err := Fill(&c); err != nil {
		t.Fatal(err)
	}
	return &c
}

// claims makes name, value, name, value ... into claims.
func claims(pairs ...string) []Claim {
	var list []Claim
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, Claim{Name: pair[0], Values: []string{pair[1]}})
	}
	return list
}

func byNameID(value string, list []Claim) Assertion {
	return Assertion{Issuer: "https://idp.example", Subject: Subject{Name: NameID, Value: value}, Claims: list}
}

// read interprets and expects no refusal.
func read(t *testing.T, a Assertion, c *directory.Connection) (directory.Change, Trace) {
	t.Helper()
	change, trace, err := Interpret(a, c, schema)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return change, trace
}

func email(address string) directory.Value {
	return directory.Value{directory.NewElement(directory.Field{Name: "value", Text: address},
		directory.Field{Name: "primary", Text: "true"}, directory.Field{Name: "type", Text: "work"})}
}

// told are the attributes of an assertion that says this much.
func told(userName, address, given, family, display string) directory.Attributes {
	var a directory.Attributes
	for name, text := range map[string]string{
		directory.UserName: userName, directory.GivenName: given, directory.FamilyName: family, directory.DisplayName: display,
	} {
		if text != "" {
			a.Set(name, directory.Text(text))
		}
	}
	a.Set(directory.Emails, email(address))
	return a
}

// recorded is what a real identity provider said, as its .json has it.
func recorded(t *testing.T, name string) Assertion {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(fixtures, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Issuer string              `json:"issuer"`
		Attrs  map[string][]string `json:"attrs"`
		NameID saml.NameID         `json:"nameID"`
		Time   time.Time           `json:"time"`
	}
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	facts := saml.Facts{Issuer: r.Issuer, NameID: r.NameID, IssueInstant: r.Time}
	for name, values := range r.Attrs {
		facts.Attributes = append(facts.Attributes, saml.Attribute{Name: name, Values: values})
	}
	slices.SortFunc(facts.Attributes, func(a, b saml.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return assertionFromSAML(&facts)
}

func TestRecordedResponsesReadAsTheGenericPresetSays(t *testing.T) {
	ada := told("ada", "ada@corp.example", "Ada", "Lovelace", "Ada Lovelace")
	tests := []struct {
		name, subject string
		want          directory.Attributes
		groups        []string
	}{
		{"ssp/response-01", "ada", ada, []string{"Engineering", "Admins"}},
		{"ssp-asssig/response-01", "ada", ada, []string{"Engineering", "Admins"}},
		{"npm-saml-idp/response-01", "ada@corp.example", told("ada@corp.example", "ada@corp.example", "Ada", "Lovelace", "Ada Lovelace"),
			[]string{"Engineering", "Admins"}}, // the second was sent with a leading blank
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			change, _ := read(t, recorded(t, test.name), filled(t, directory.Connection{}))
			if change.Subject != test.subject || change.SubjectName != NameID {
				t.Errorf("subject %q from %s, want %q", change.Subject, change.SubjectName, test.subject)
			}
			if diff := cmp.Diff(test.want, change.Attributes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(directory.GroupClaim{State: directory.GroupsSet, Names: test.groups}, change.Groups); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRecordedResponseWithTwoHundredGroupsAndEveryKindOfCharacter(t *testing.T) {
	change, _ := read(t, recorded(t, "ssp/response-02"), filled(t, directory.Connection{}))
	want := told("zoe", "zoë.o'neil@corp.example", `Zoë <&> "Q"`, "O'Neil", "Zoë O’Neil 测试")
	if diff := cmp.Diff(want, change.Attributes); diff != "" {
		t.Error(diff)
	}
	if len(change.Groups.Names) != 200 {
		t.Errorf("%d groups, want 200", len(change.Groups.Names))
	}
}

// CONFLICTS 13: the ssp-claims provider sends a transient NameID.
func TestATransientNameIDIsNeverASubject(t *testing.T) {
	a := recorded(t, "ssp-claims/response-01")
	_, trace, err := Interpret(a, filled(t, directory.Connection{}), schema)
	if directory.RefusalCode(err) != directory.InvalidIdentifier || !strings.Contains(err.Error(), "transient") {
		t.Errorf("got %v, want invalid_identifier that says transient", err)
	}
	if !strings.Contains(trace.Subject.Note, "transient") {
		t.Errorf("the trace says %q", trace.Subject.Note)
	}

	const upn = xmlsoap + "name"
	change, _ := read(t, a, filled(t, directory.Connection{Subject: directory.Subjects{SSO: []string{NameID, upn}}}))
	if change.Subject != "ada" || change.SubjectName != upn {
		t.Errorf("subject %q from %q, want ada from the next name", change.Subject, change.SubjectName)
	}
}

// FX-10, FL-12
func TestFX10EntraClaimsWithAndWithoutNamespaceReadTheSame(t *testing.T) {
	const id = "6f3a-0000"
	namespaced := byNameID("ada@corp.example", claims(
		msID+"tenantid", "t", msID+"objectidentifier", id, msID+"displayname", "Ada Lovelace",
		xmlsoap+"givenname", "Ada", xmlsoap+"surname", "Lovelace", xmlsoap+"emailaddress", "ada@corp.example",
		xmlsoap+"name", "ada@corp.example", msRole+"groups", "g-1"))
	short := byNameID("ada@corp.example", claims(
		"tenantid", "t", "objectidentifier", id, "displayname", "Ada Lovelace", "givenname", "Ada", "surname", "Lovelace",
		"emailaddress", "ada@corp.example", "name", "ada@corp.example", "groups", "g-1"))
	asGuided := byNameID("ada@corp.example", claims("uniqueUserId", id, "displayName", "Ada Lovelace", "firstName", "Ada",
		"lastName", "Lovelace", "email", "ada@corp.example", "groups", "g-1"))
	want := told("ada@corp.example", "ada@corp.example", "Ada", "Lovelace", "Ada Lovelace")
	for name, a := range map[string]Assertion{"namespaced": namespaced, "short": short, "as guided": asGuided} {
		t.Run(name, func(t *testing.T) {
			change, _ := read(t, a, filled(t, directory.Connection{Preset: "entra"}))
			if change.Subject != id {
				t.Errorf("subject %q, want the object id", change.Subject)
			}
			if diff := cmp.Diff(want, change.Attributes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{"g-1"}, change.Groups.Names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEntraNeverTakesItsNameIDForTheSubject(t *testing.T) {
	_, _, err := Interpret(byNameID("ada@corp.example", claims("email", "ada@corp.example")), filled(t, directory.Connection{Preset: "entra"}), schema)
	if directory.RefusalCode(err) != directory.InvalidIdentifier || !strings.Contains(err.Error(), "objectidentifier") {
		t.Errorf("got %v, want a refusal that lists what was tried", err)
	}
}

// FL-9, FL-10, FL-15
func TestFL15TheSubjectIsFoundUnderBothSpellings(t *testing.T) {
	for _, name := range []string{"uniqueUserId", "userUniqueId"} {
		change, _ := read(t, byNameID("ada@corp.example", claims(name, " u-1\n")), filled(t, directory.Connection{}))
		if change.Subject != "u-1" || change.SubjectName != name {
			t.Errorf("subject %q from %s", change.Subject, change.SubjectName)
		}
	}
}

func TestASubjectHasExactlyOneValue(t *testing.T) {
	for name, values := range map[string][]string{"none": nil, "blank": {" "}, "two": {"a", "b"}, "one too long": {strings.Repeat("a", maxSubject+1)}} {
		t.Run(name, func(t *testing.T) {
			a := byNameID("ada", []Claim{{Name: "uniqueUserId", Values: values}})
			_, _, err := Interpret(a, filled(t, directory.Connection{}), schema)
			if directory.RefusalCode(err) != directory.InvalidIdentifier {
				t.Errorf("got %v, want invalid_identifier: the next name must not be tried", err)
			}
		})
	}
	same := byNameID("ada", []Claim{{Name: "uniqueUserId", Values: []string{"a", "a", ""}}})
	if change, _ := read(t, same, filled(t, directory.Connection{})); change.Subject != "a" {
		t.Errorf("subject %q, want the one value that was repeated", change.Subject)
	}
}

func TestAnAttributeCalledNameIDIsNotTheNameID(t *testing.T) {
	a := byNameID("ada", claims("NameID", "eve", "sub", "eve"))
	if change, _ := read(t, a, filled(t, directory.Connection{})); change.Subject != "ada" {
		t.Errorf("subject %q, want the protocol's own", change.Subject)
	}
}

// FD-14, JC-12, CONFLICTS 30
func TestFD14NamesAreCaseSensitiveAndNearMissesAreNamed(t *testing.T) {
	own := directory.Connection{Map: []directory.Mapping{
		{To: "title", From: []string{"jobTitle"}}, {To: "department", From: []string{"department"}},
	}}
	a := byNameID("ada", claims("JobTitle", "Countess", "http://claims.example/department", "Engines"))
	change, trace := read(t, a, filled(t, own))
	for _, name := range []string{"title", "department"} {
		if _, ok := change.Attributes.Get(name); ok {
			t.Errorf("%s was read from another name", name)
		}
	}
	if line := trace.hint("title"); !strings.Contains(line, "near miss: the assertion has JobTitle") {
		t.Errorf("trace: %s", line)
	}
	if line := trace.hint("department"); !strings.Contains(line, "http://claims.example/department") {
		t.Errorf("trace: %s", line)
	}

	exact := byNameID("ada", claims("jobTitle", "Countess"))
	if change, _ := read(t, exact, filled(t, own)); change.Attributes.Text("title") != "Countess" {
		t.Error("the exact name was not read")
	}
}

func TestNameGoesBeforeFriendlyName(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{{To: "title", From: []string{"title"}}}})
	friendly := Claim{Name: "urn:oid:2.5.4.12", Alias: "title", Values: []string{"by alias"}}
	named := Claim{Name: "title", Values: []string{"by name"}}
	for want, list := range map[string][]Claim{"by alias": {friendly}, "by name": {friendly, named}} {
		if change, _ := read(t, byNameID("ada", list), own); change.Attributes.Text("title") != want {
			t.Errorf("title %q, want %q", change.Attributes.Text("title"), want)
		}
	}
}

// CONFLICTS 24
func TestAbsentEmptyAndValueStayApart(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{{To: "title", From: []string{"title"}}, {To: "phoneNumbers", From: []string{"phone"}}}})
	tests := []struct {
		name   string
		values []string
		said   bool
		want   string
	}{
		{"no values", nil, true, ""}, {"only blank values", []string{"", "  "}, true, ""},
		{"a value", []string{" Countess "}, true, "Countess"}, {"a blank and a value", []string{"", "Countess"}, true, "Countess"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := byNameID("ada", []Claim{{Name: "title", Values: test.values}, {Name: "phone", Values: test.values}})
			change, _ := read(t, a, own)
			for _, name := range []string{"title", "phoneNumbers"} {
				value, ok := change.Attributes.Get(name)
				if ok != test.said || value == nil || value.String() != test.want {
					t.Errorf("%s: %v %v, want %q", name, value, ok, test.want)
				}
			}
		})
	}
	change, _ := read(t, byNameID("ada", nil), own)
	if len(change.Attributes) != 0 {
		t.Errorf("an assertion that says nothing was read as %v", change.Attributes)
	}
}

// JC-17, CONFLICTS 31
func TestJC17AConstantIsWrittenAndNamesNobody(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{
		{To: "userType", Const: "employee"}, {To: directory.Emails, Const: "all@corp.example"},
	}})
	change, _ := read(t, byNameID("ada", nil), own)
	if change.Attributes.Text("userType") != "employee" {
		t.Error("the constant was not written")
	}
	if name := change.Attributes.Text(directory.UserName); name != "" {
		t.Errorf("a constant address became the user name %q", name)
	}
}

// JC-18
func TestJC18AMappingWithoutSourceIsSwitchedOff(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{{To: directory.DisplayName}, {To: directory.UserName}}})
	change, _ := read(t, byNameID("ada", claims("displayName", "Ada", "email", "ada@corp.example", "uid", "ada")), own)
	if diff := cmp.Diff(directory.Attributes{{Name: directory.Emails, Value: email("ada@corp.example")}}, change.Attributes); diff != "" {
		t.Error(diff)
	}
}

func TestTheUserNameFallsBackToTheAddress(t *testing.T) {
	own := filled(t, directory.Connection{})
	change, trace := read(t, byNameID("x", claims("email", "ada@corp.example", "uid", " ")), own)
	if change.Attributes.Text(directory.UserName) != "ada@corp.example" {
		t.Errorf("userName %q", change.Attributes.Text(directory.UserName))
	}
	if last := trace.Targets[len(trace.Targets)-1]; last.To != directory.UserName || last.From != directory.Emails {
		t.Errorf("the trace does not say so: %v", last)
	}
	change, _ = read(t, byNameID("x", claims("email", "ada@corp.example", "uid", "ada")), own)
	if change.Attributes.Text(directory.UserName) != "ada" {
		t.Errorf("userName %q, want the one that was sent", change.Attributes.Text(directory.UserName))
	}
}

// CONFLICTS 51
func TestAnOverageMarkerMakesGroupsPartial(t *testing.T) {
	tests := []struct {
		name   string
		claims []Claim
		want   directory.GroupClaim
	}{
		{"absent", nil, directory.GroupClaim{}},
		{"empty", []Claim{{Name: "groups"}}, directory.GroupClaim{State: directory.GroupsSet, Names: []string{}}},
		{"set", []Claim{{Name: "groups", Values: []string{" a", "a ", "", "b,c"}}}, directory.GroupClaim{State: directory.GroupsSet, Names: []string{"a", "b,c"}}},
		{"linked", claims(groupsLink, "https://graph.example"), directory.GroupClaim{State: directory.GroupsPartial}},
		{"linked beside some", append(claims(groupsLink, "x"), Claim{Name: "groups", Values: []string{"a"}}), directory.GroupClaim{State: directory.GroupsPartial, Names: []string{"a"}}},
		{"distributed", claims(claimNames, "groups"), directory.GroupClaim{State: directory.GroupsPartial}},
		{"flagged", claims(hasGroups, "True"), directory.GroupClaim{State: directory.GroupsPartial}},
		{"not flagged", claims(hasGroups, "false"), directory.GroupClaim{}},
		{"another distributed claim", claims(claimNames, "photo"), directory.GroupClaim{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := byNameID("ada", test.claims)
			a.GroupsOverage = overage(a.Claims)
			change, _ := read(t, a, filled(t, directory.Connection{}))
			if diff := cmp.Diff(test.want, change.Groups); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGroupsAreSplitOnlyWhereTheConnectionSaysSo(t *testing.T) {
	a := byNameID("ada", claims("memberOf", "Engineering; Admins;;Engineering"))
	for preset, want := range map[string][]string{"onelogin": {"Engineering", "Admins"}, "jumpcloud": {"Engineering; Admins;;Engineering"}} {
		change, _ := read(t, a, filled(t, directory.Connection{Preset: preset}))
		if diff := cmp.Diff(want, change.Groups.Names); diff != "" {
			t.Errorf("%s: %s", preset, diff)
		}
	}
}

// JC-14
func TestJC14ValuesTakeTheTypeOfTheirAttribute(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{
		{To: "contractor", From: []string{"c"}}, {To: "hired", From: []string{"h"}}, {To: "floor", From: []string{"f"}},
	}})
	tests := []struct{ claim, attribute, sent, want string }{
		{"c", "contractor", "True", "true"}, {"c", "contractor", "FALSE", "false"}, {"c", "contractor", "1", "true"}, {"c", "contractor", "maybe", "maybe"},
		{"h", "hired", "2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00Z"}, {"h", "hired", "2026-11-22", "2026-11-22T00:00:00Z"}, {"h", "hired", "soon", "soon"},
		{"f", "floor", "+07", "7"}, {"f", "floor", "seven", "seven"},
	}
	for _, test := range tests {
		change, _ := read(t, byNameID("ada", claims(test.claim, test.sent)), own)
		if got := change.Attributes.Text(test.attribute); got != test.want {
			t.Errorf("%s %q reads %q, want %q", test.attribute, test.sent, got, test.want)
		}
	}
}

// FD-12, FD-19
func TestFD19MappingsOfOneAttributeAreJoinedElementByElement(t *testing.T) {
	pair := func(fields ...string) directory.Element {
		var e []directory.Field
		for f := range slices.Chunk(fields, 2) {
			e = append(e, directory.Field{Name: f[0], Text: f[1]})
		}
		return directory.NewElement(e...)
	}
	own := filled(t, directory.Connection{Map: []directory.Mapping{
		{To: "roles", From: []string{"role"}}, {To: "roles.type", From: []string{"type"}},
		{To: "addresses.locality", From: []string{"city"}}, {To: "addresses.country", From: []string{"country"}},
	}})
	tests := []struct {
		name        string
		role, kinds []string
		want        directory.Value
	}{
		{"a pair", []string{"admin"}, []string{"employee"}, directory.Value{pair("value", "admin", "type", "employee")}},
		{"two pairs of one type", []string{"a", "b"}, []string{"employee"}, directory.Value{pair("value", "a", "type", "employee"), pair("value", "b", "type", "employee")}},
		{"three pairs", []string{"a", "b", "a"}, []string{"x", "y", "z"}, directory.Value{pair("value", "a", "type", "x"), pair("value", "b", "type", "y"), pair("value", "a", "type", "z")}},
		{"a role without type", []string{"a"}, nil, directory.Value{pair("value", "a")}},
		{"a type without role", nil, []string{"employee"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var list []Claim
			if test.role != nil {
				list = append(list, Claim{Name: "role", Values: test.role})
			}
			if test.kinds != nil {
				list = append(list, Claim{Name: "type", Values: test.kinds})
			}
			change, _ := read(t, byNameID("ada", list), own)
			got, _ := change.Attributes.Get(directory.Roles)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	change, _ := read(t, byNameID("ada", claims("city", "London", "country", "GB")), own)
	got, _ := change.Attributes.Get("addresses")
	want := directory.Value{pair("country", "GB", "locality", "London", "primary", "true", "type", "work")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAConstantFieldCompletesWhatWasSaidAndSaysNothingByItself(t *testing.T) {
	own := filled(t, directory.Connection{Map: []directory.Mapping{{To: "roles.type", Const: "employee"}, {To: "roles", From: []string{"role"}}}})
	change, _ := read(t, byNameID("ada", claims("role", "admin")), own)
	got, _ := change.Attributes.Get(directory.Roles)
	want := directory.Value{directory.NewElement(directory.Field{Name: "value", Text: "admin"}, directory.Field{Name: "type", Text: "employee"})}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	change, _ = read(t, byNameID("ada", nil), own)
	if got, ok := change.Attributes.Get(directory.Roles); ok {
		t.Errorf("nothing was said, and roles are %v", got)
	}
	own = filled(t, directory.Connection{Map: []directory.Mapping{{To: "addresses.country", Const: "GB"}, {To: "addresses.locality", From: []string{"city"}}}})
	change, _ = read(t, byNameID("ada", nil), own)
	if got, ok := change.Attributes.Get("addresses"); ok {
		t.Errorf("nothing was said, and addresses are %v", got)
	}
}

func TestASingularAttributeTakesTheFirstOfSeveralValues(t *testing.T) {
	a := byNameID("ada", []Claim{{Name: "uid", Values: []string{" ", "ada", "countess"}}, {Name: "email", Values: []string{"a@x.example", "b@x.example"}}})
	change, _ := read(t, a, filled(t, directory.Connection{}))
	if got := change.Attributes.Text(directory.UserName); got != "ada" {
		t.Errorf("userName %q", got)
	}
	mails, _ := change.Attributes.Get(directory.Emails)
	if len(mails) != 2 || !mails[0].Primary() || mails[1].Primary() {
		t.Errorf("emails %v, want two, the first primary", mails)
	}
}

// Keycloak sends an Attribute element for each value.
func TestRepeatedAttributesAreOneClaim(t *testing.T) {
	a := assertionFromSAML(&saml.Facts{Attributes: []saml.Attribute{
		{Name: "member", Values: []string{"/a"}}, {Name: "mail", Values: []string{"x"}}, {Name: "member", FriendlyName: "groups", Values: []string{"/b"}},
	}})
	want := []Claim{{Name: "member", Alias: "groups", Values: []string{"/a", "/b"}}, {Name: "mail", Values: []string{"x"}}}
	if diff := cmp.Diff(want, a.Claims); diff != "" {
		t.Error(diff)
	}
}

// CONFLICTS 8
func TestOnlyTheWordFalseVetoesAnAddress(t *testing.T) {
	for said, want := range map[string]directory.Verified{"": directory.VerifiedUnsaid, "True": directory.VerifiedYes, "false": directory.VerifiedNo, "0": directory.VerifiedNo} {
		a := assertionFromSAML(&saml.Facts{Attributes: []saml.Attribute{{Name: "email_verified", Values: []string{said}}}})
		if a.EmailVerified != want {
			t.Errorf("%q is %v, want %v", said, a.EmailVerified, want)
		}
	}
	if a := assertionFromSAML(&saml.Facts{}); a.EmailVerified != directory.VerifiedUnsaid {
		t.Error("saying nothing must be neutral")
	}
}

func TestATraceNamesUnusedClaimsAndIsBounded(t *testing.T) {
	var list []Claim
	for range 500 {
		list = append(list, Claim{Name: "x" + strings.Repeat("y", 1000), Values: []string{"secret"}})
	}
	_, trace := read(t, byNameID("ada", list), filled(t, directory.Connection{}))
	if len(trace.Unused) != maxUnused || len(trace.Unused[0]) > maxShown+3 {
		t.Errorf("%d names of %d bytes", len(trace.Unused), len(trace.Unused[0]))
	}
	if text := trace.LogValue().String(); strings.Contains(text, "secret") {
		t.Error("the trace holds a value")
	}
}

func FuzzInterpret(f *testing.F) {
	f.Add("email", "", "ada@corp.example", "groups", "a;b", ";")
	f.Add("urn:oid:0.9.2342.19200300.100.1.3", "mail", " ", "roles", "x", "")
	f.Fuzz(func(t *testing.T, name, alias, value, to, source, split string) {
		c := directory.Connection{Map: []directory.Mapping{{To: to, From: []string{source}, Split: split}, {To: "roles.type", From: []string{name}}}}
		if Fill(&c) != nil {
			t.Fatal("the generic preset is always there")
		}
		a := byNameID(value, []Claim{{Name: name, Alias: alias, Values: []string{value, value + "x"}}, {Name: source, Values: []string{value}}})
		change, _, err := Interpret(a, &c, schema)
		if err == nil && change.Subject == "" {
			t.Fatal("no subject and no refusal")
		}
		for _, attribute := range change.Attributes {
			for _, e := range attribute.Value {
				if len(e) == 0 {
					t.Fatalf("%s has an element without fields", attribute.Name)
				}
			}
		}
	})
}
