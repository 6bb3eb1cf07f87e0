package filter

import (
	"strings"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{
		`userName eq "bjensen@example.com"`,
		`emails[type eq "work"].value eq "bjensen@example.com"`,
		`active eq true and (meta.lastModified ge "0001-01-03T00:00:00.0000000Z" and meta.lastModified le "9999-01-01T00:00:00.0000000Z")`,
	} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	long := "userName eq x" + strings.Repeat(" or userName eq x", MaxTerms-1)
	for label, text := range map[string]string{"one": `userName eq "bjensen@example.com"`, "chain": long} {
		e, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		w := newWorld()
		b.Run(label, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(e, w, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// user shows a resource that costs nothing to ask.
type user struct {
	userName, displayName, created text
	emails                         emails
}

type text string

type emails []struct{ kind, value string }

func (u *user) Elements(_, name string) Elements {
	switch name {
	case "userName":
		return &u.userName
	case "displayName":
		return &u.displayName
	case "meta":
		return &u.created
	case "emails":
		return &u.emails
	}
	return nil
}

func (t *text) Len() int                         { return 1 }
func (t *text) Field(int, string) (string, bool) { return string(*t), true }

func (e *emails) Len() int { return len(*e) }
func (e *emails) Field(i int, sub string) (string, bool) {
	if sub == "type" {
		return (*e)[i].kind, true
	}
	return (*e)[i].value, true
}

var commonFilters = []string{
	`userName eq "BJensen@example.com"`,
	`displayName co "jen"`,
	`emails[type eq "work"].value eq "bjensen@example.com"`,
	`userName pr and meta.lastModified ge "2011-05-13T04:42:34.1234567Z"`,
	`not (userName sw "x") or userName eq "y"`,
}

func barbaraAsStruct() *user {
	return &user{"bjensen@example.com", "Barbara Jensen", "2024-05-13T04:42:34Z", emails{{"home", "a@b.c"}, {"work", "BJensen@example.com"}}}
}

func BenchmarkMatch(b *testing.B) {
	u := barbaraAsStruct()
	for _, text := range commonFilters {
		m := compile(b, text, Options{})
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !m.Match(u) {
					b.Fatal("no match")
				}
			}
		})
	}
}

func TestCommonFiltersMatchWithoutAllocating(t *testing.T) {
	u := barbaraAsStruct()
	for _, text := range commonFilters {
		m := compile(t, text, Options{})
		if n := testing.AllocsPerRun(100, func() { m.Match(u) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestACommonFilterIsReadInFewAllocations(t *testing.T) {
	n := testing.AllocsPerRun(100, func() { _, _ = Parse(`userName eq "bjensen@example.com"`) })
	if n > 3 {
		t.Errorf("%v allocations", n)
	}
}
