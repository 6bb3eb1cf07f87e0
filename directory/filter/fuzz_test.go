package filter

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func seeds(f *testing.F) {
	for _, c := range examplesOfRFC {
		f.Add(c.text)
	}
	for _, c := range filtersOfClients {
		f.Add(c.text)
	}
	for _, c := range moreFilters {
		f.Add(c.text)
	}
	for _, text := range hostile() {
		if len(text) <= MaxBytes {
			f.Add(text)
		}
	}
}

func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			refusal(t, text, err)
			return
		}
		printed := String(e)
		if len(printed) > MaxBytes {
			return
		}
		again, err := Parse(printed)
		if err != nil {
			t.Fatalf("%q was printed as %q: %v", text, printed, err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatalf("%q was printed as %q: %s", text, printed, diff)
		}
	})
}

func FuzzPath(f *testing.F) {
	seeds(f)
	for _, text := range []string{`members`, `emails[type eq "work"].value`, enterpriseURN + ":manager.value", `members[value eq "1"].$ref`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			refusal(t, text, err)
			return
		}
		printed := PathString(p)
		if len(printed) > MaxBytes {
			return
		}
		again, err := ParsePath(printed)
		if err != nil {
			t.Fatalf("%q was printed as %q: %v", text, printed, err)
		}
		if diff := cmp.Diff(p, again); diff != "" {
			t.Fatalf("%q was printed as %q: %s", text, printed, diff)
		}
	})
}

// FuzzMatch also checks that not is the opposite and that no plan misses.
func FuzzMatch(f *testing.F) {
	for _, c := range examplesOfRFC {
		f.Add(c.text, "bjensen", uint64(1))
	}
	for _, c := range moreFilters {
		f.Add(c.text, "é", uint64(2))
	}
	w := newWorld()
	all := func(Attribute, CompareOperator) int { return 1 }
	f.Fuzz(func(t *testing.T, text, value string, seed uint64) {
		e, err := Parse(text)
		if err != nil {
			return
		}
		m, err := Compile(e, w, Options{})
		if err != nil {
			if got := err.(*Error); got.Offset != -1 || len(got.Detail) > 400 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		p := generator{rand.New(rand.NewPCG(seed, 1))}.person()
		p["userName"], p["meta"], p["age"] = simple(value), &list{{"created": value}}, simple(value)
		got := m.Match(p)
		if opposite, err := Compile(not(e), w, Options{}); err != nil || opposite.Match(p) == got {
			t.Fatalf("%q: match %v and its opposite too: %v", text, got, err)
		}
		lookups, ok := m.Plan(all)
		if got && ok && !anyFinds(lookups, w, p) && !isNumberLike(value) {
			t.Fatalf("%q: %v misses %s", text, lookups, p)
		}
	})
}

// isNumberLike: only canonical numbers are promised to be found by an index.
func isNumberLike(s string) bool { _, ok := parseNumber(s); return ok }

func refusal(t *testing.T, text string, err error) {
	t.Helper()
	refused, ok := err.(*Error)
	if !ok || refused.Offset < 0 || refused.Offset > len(text) || refused.Detail == "" || len(refused.Detail) > 400 {
		t.Fatalf("%q: %#v", text, err)
	}
}
