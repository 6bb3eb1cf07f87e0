package directory

import (
	"fmt"
	"testing"
)

// BenchmarkResolve is resolve alone: layers, two rules, no store.
func BenchmarkResolve(b *testing.B) {
	p, faults := compilePolicy(&Org{ID: "acme", Rules: []Rule{
		{When: `groups eq "Engineering"`, Set: Attributes{{"license", Text("full")}}},
		{Set: Attributes{{"license", Text("lite")}}},
	}, Attributes: map[string]AttributePolicy{"license": {}}}, []*Connection{{ID: "idp"}})
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	for _, n := range []int{1, 3, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			u := &User{Home: "idp"}
			sources := []Source{{"idp", SCIM}, {"idp", SSO}, {"", Local}, {"", Pin}}
			for i := len(sources); i < 8; i++ {
				sources = append(sources, Source{fmt.Sprint("other", i), SSO})
			}
			for _, src := range sources[:n] {
				l := u.layer(src)
				for _, name := range []string{UserName, Emails, DisplayName, GivenName, FamilyName, "title", "department", Roles} {
					l.set(Entry{Name: name, Value: Text(name + src.String())})
				}
			}
			st := standing{p, u, []GroupRef{{Name: "Engineering", Source: Source{"idp", SCIM}}}}
			b.ReportAllocs()
			for b.Loop() {
				if r := resolve(st); len(r.attributes) != 9 {
					b.Fatal(r)
				}
			}
		})
	}
}
