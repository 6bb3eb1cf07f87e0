package oidc

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const document = `{
	"sub": "ada", "email": "", "none": null, "level": 12345678901234567890, "active": true,
	"groups": ["Engineering", " Admins ", "", 7, false, null, {"no": "text"}, ["no", "text"]],
	"empty": [], "hollow": {},
	"address": {"locality": "London", "country": {"code": "GB"}},
	"realm_access": {"roles": ["user", "admin"]},
	"resource_access": {"my.client": {"roles": ["editor"]}},
	"https://acme.example/claims.groups": ["Sales"],
	"teams": [{"id": 1, "name": "Red"}, {"id": 2, "name": "Blue"}, {"id": 3}],
	"a.b": "exact", "a": {"b": "nested"},
	"_claim_names": {"x": "y"}, "_claim_sources": {}
}`

func TestClaimsAreFoundByNameThenInside(t *testing.T) {
	claims, err := decodeClaims([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"sub": {"ada"}, "email": {""}, "none": {}, "level": {"12345678901234567890"}, "active": {"true"},
		"groups": {"Engineering", " Admins ", "", "7", "false"}, "empty": {}, "hollow": {},
		"address.locality": {"London"}, "address.country.code": {"GB"}, "address": {},
		"realm_access.roles": {"user", "admin"}, "resource_access.my.client.roles": {"editor"},
		"https://acme.example/claims.groups": {"Sales"},
		"teams.name":                         {"Red", "Blue"}, "teams.id": {"1", "2", "3"}, "a.b": {"exact"},
		"Sub": nil, "sub.x": nil, "address.street": nil, "teams.size": nil, "": nil, ".": nil, "a.": nil, "address..locality": nil,
	} {
		got, ok := claims.Strings(name)
		if ok != (want != nil) || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestAllClaimsAreListedByTheNamesTheyAreFoundBy(t *testing.T) {
	claims, err := decodeClaims([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	all := maps.Collect(claims.All())
	want := []string{
		"a.b", "active", "address.country.code", "address.locality", "email", "empty", "groups", "groups.no", "hollow",
		"https://acme.example/claims.groups", "level", "none", "realm_access.roles", "resource_access.my.client.roles", "sub",
		"teams.id", "teams.name",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(all))); diff != "" {
		t.Error(diff)
	}
	for name, values := range all {
		if found, _ := claims.Strings(name); !slices.Equal(found, values) {
			t.Errorf("%s: %q and %q", name, values, found)
		}
	}
	for range claims.All() {
		break // a caller may stop
	}
}

func TestJSONThatCouldBeReadInTwoWaysIsRefused(t *testing.T) {
	deep := strings.Repeat("[", maxNesting-1) + strings.Repeat("]", maxNesting-1)
	for text, want := range map[string]Reason{
		`{}`:                        "",
		`{"sub":"ada","SUB":"eve"}`: "",
		`{"a":{"x":1},"b":{"x":1}}`: "",
		`{"x":` + deep + `}`:        "",
		`{"x":[` + deep + `]}`:      ReasonLimit,
		`{"sub":"ada","sub":"ada"}`: ReasonMalformed,
		`{"a":{"x":1,"x":2}}`:       ReasonMalformed,
		`{"s\u0075b":1,"sub":2}`:    ReasonMalformed,
		`{}{}`:                      ReasonMalformed,
		`{} x`:                      ReasonMalformed,
		`[]`:                        ReasonMalformed,
		`null`:                      ReasonMalformed,
		``:                          ReasonMalformed,
		`{"a":1`:                    ReasonMalformed,
		`{"a":[1}`:                  ReasonMalformed,
		"{\"a\":\"\xff\"}":          ReasonMalformed,
		strings.Repeat("[", 1<<20):  ReasonLimit,
	} {
		if _, err := decodeClaims([]byte(text)); ReasonOf(err) != want {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func FuzzClaimsAreReadOrRefused(f *testing.F) {
	f.Add([]byte(document), "realm_access.roles")
	f.Add([]byte(`{"a":[{"b":[1,{"c":2}]}]}`), "a.b.c")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		claims, err := decodeClaims(text)
		if err != nil {
			if ReasonOf(err) == "" {
				t.Errorf("no reason: %v", err)
			}
			return
		}
		_, _ = claims.Strings(name)
		for name, values := range claims.All() {
			if found, ok := claims.Strings(name); !ok || !slices.Equal(found, values) {
				t.Errorf("%q is listed and not found", name)
			}
		}
		_, _, _ = claims.overage(), claims.emailVerified(), merged(claims, claims)
		if read, err := readProtocol(claims); err == nil && read == nil {
			t.Error("nothing read")
		}
	})
}
