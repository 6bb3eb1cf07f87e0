package directory_test

import (
	"errors"
	"testing"

	"muster/directory"
	"muster/directory/filter"
)

func TestFiltersReachEveryAttribute(t *testing.T) {
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Attributes = map[string]directory.AttributePolicy{"location": {Values: []string{"Berlin"}}}
	})
	a := attributes("userName", "babs", "name.givenName", "Babs", "department", "R&D", "location", "Berlin", "license", "full")
	element := func(pairs ...string) directory.Element {
		var fields []directory.Field
		for i := 0; i < len(pairs); i += 2 {
			fields = append(fields, directory.Field{Name: pairs[i], Text: pairs[i+1]})
		}
		return directory.NewElement(fields...)
	}
	a.Set("addresses", directory.Value{element("type", "work", "locality", "X"), element("type", "home", "streetAddress", "2 Side")})
	a.Set("emails", directory.Value{element("type", "work", "value", "B@acme.example"), element("type", "home", "value", "b@home.example")})
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: a}))
	w.must(w.push("userName", "other"))
	const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for text, want := range map[string]int{
		`userName eq "BABS"`: 1,
		`addresses pr`:       1,
		`addresses[type eq "work" and locality eq "X"]`:            1,
		`addresses[type eq "home" and locality eq "X"]`:            0,
		`addresses[type eq "work"].locality eq "X"`:                1,
		`emails[type eq "work"].value eq "b@ACME.example"`:         1,
		`emails[type eq "home"].value eq "b@acme.example"`:         0,
		`emails co "home.example"`:                                 1,
		`name pr`:                                                  1,
		`name.givenName sw "ba"`:                                   1,
		`meta pr`:                                                  2,
		`meta.resourceType eq "User" and active eq true`:           2,
		`meta.lastModified ge "2026-11-22T11:00:00.0000000Z"`:      2,
		`schemas eq "` + enterprise + `"`:                          1,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`:  2,
		enterprise + `:department eq "r&d"`:                        1,
		`urn:muster:params:scim:schemas:acme:2.0:User:location pr`: 1,
		`entitlements[type eq "license"].value eq "full"`:          1,
		`not (department pr)`:                                      1,
		`nobody eq "x"`:                                            0,
	} {
		p, err := w.Users(t.Context(), directory.Viewer{Org: "acme", Connection: "idp"}, directory.Query{Filter: text, Limit: 10})
		if err != nil || p.Total != want || len(p.Items) != want {
			t.Errorf("%s: %d, %v; want %d", text, p.Total, err, want)
		}
	}
	for _, text := range []string{`name eq "x"`, `meta eq "x"`, `addresses eq "x"`, `userName`, `userName eq`, `active gt true`} {
		_, err := w.Users(t.Context(), directory.Viewer{Org: "acme", Connection: "idp"}, directory.Query{Filter: text})
		if _, ok := errors.AsType[*filter.Error](err); !ok {
			t.Errorf("%s: %v, want a filter error", text, err)
		}
	}
}

func TestGroupFilters(t *testing.T) {
	w := newWorld(t, nil)
	ada, bob := w.must(w.push("userName", "ada")).User.ID, w.must(w.push("userName", "bob")).User.ID
	w.group("Engineering", ada, bob)
	w.group("Éclair", ada)
	for text, want := range map[string]int{
		`displayName eq "engineering"`:                                            1,
		`displayName eq "e\u0301CLAIR"`:                                           1,
		`displayName sw "eng"`:                                                    1,
		`members.value eq "` + ada.String() + `"`:                                 2,
		`members[value eq "` + bob.String() + `"]`:                                1,
		`members eq "` + ada.String() + `" and members eq "` + bob.String() + `"`: 1,
		`members.value eq "` + ada.String() + `" and not (displayName sw "eng")`:  1,
		`members.value sw "` + ada.String()[:36] + `"`:                            2,
		`displayName eq "nothing"`:                                                0,
	} {
		p, err := w.Groups(t.Context(), directory.Viewer{Org: "acme", Connection: "idp"}, directory.Query{Filter: text, Limit: 10})
		if err != nil || p.Total != want {
			t.Errorf("%s: %d, %v; want %d", text, p.Total, err, want)
		}
	}
}
