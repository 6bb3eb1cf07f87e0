package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// indexes: unique ones, some that give many, and order only where marked.
func indexes(a Attribute, op CompareOperator) int {
	switch a.Name + "." + a.Sub {
	case "userName.", "id.":
		return 1
	case "externalId.", "emails.value":
		return 2
	case "displayName.":
		if op == SW {
			return 0
		}
		return 10
	case "active.", "age.", "groups.display", "height.", "meta.created":
		return 1000
	}
	return 0
}

func TestPlansAreTheCheapestNecessaryLookups(t *testing.T) {
	for text, want := range map[string]string{
		`userName eq "BJensen"`:                   `userName. eq bjensen`,
		`userName sw "BJ"`:                        `userName. sw bj`,
		`userName sw ""`:                          `scan`,
		`userName eq ""`:                          `userName. eq `,
		`userName co "x"`:                         `scan`,
		`userName ne "x"`:                         `scan`,
		`userName pr`:                             `scan`,
		`userName eq null`:                        `scan`,
		`title eq "x"`:                            `scan`,
		`not (userName eq "x")`:                   `scan`,
		`externalId eq "Ext-1"`:                   `externalId. eq Ext-1`,
		`displayName eq "STRAẞE"`:                 `displayName. eq strasse`,
		`displayName sw "x"`:                      `scan`,
		`emails eq "A@b.c"`:                       `emails.value eq a@b.c`,
		`emails[type eq "work"].value eq "A@b.c"`: `emails.value eq a@b.c`,
		`emails[type eq "work" and (value sw "a" or value eq "b")]`: `emails.value sw a|emails.value eq b`,
		`emails[type eq "work"]`:                                    `scan`,
		`active eq true`:                                            `active. eq true`,
		`active eq "False" and userName eq x`:                       `userName. eq x`,
		`userName eq x and active eq true`:                          `userName. eq x`,
		`title pr and (not (title pr) and externalId eq x)`:         `externalId. eq x`,
		`userName eq a or externalId eq b`:                          `userName. eq a|externalId. eq b`,
		`userName eq a or userName eq A or userName eq b`:           `userName. eq a|userName. eq b`,
		`userName eq a or title eq b`:                               `scan`,
		`(userName eq a or title eq b) and externalId eq c`:         `externalId. eq c`,
		`(userName eq a or externalId eq b) and id eq c`:            `id. eq c`,
		`age eq 42`:                              `age. eq 42`,
		`age eq 42.0`:                            `age. eq 42`,
		`age eq 42.5`:                            `scan`,
		`age gt 42`:                              `scan`,
		`height eq 1.75`:                         `scan`,
		`meta.created eq "2011-05-13T04:42:34Z"`: `scan`,
		`groups eq "Engineering"`:                `groups.display eq engineering`,
		`shoeSize eq 5`:                          `nothing`,
		`shoeSize eq 5 or userName eq x`:         `userName. eq x`,
		`shoeSize eq 5 and title pr`:             `nothing`,
		`not (shoeSize eq 5)`:                    `scan`,
	} {
		lookups, ok := compile(t, text, Options{}).Plan(indexes)
		if got := describe(lookups, ok); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func describe(lookups []Lookup, ok bool) string {
	switch {
	case !ok:
		return "scan"
	case len(lookups) == 0:
		return "nothing"
	}
	var parts []string
	for _, l := range lookups {
		parts = append(parts, fmt.Sprintf("%s.%s %s %s", l.Name, l.Sub, l.Op, l.Value))
	}
	return strings.Join(parts, "|")
}

func TestAPlanOfHugeCostsDoesNotOverflow(t *testing.T) {
	huge := func(a Attribute, _ CompareOperator) int {
		if a.Name == "id" {
			return 1 << 40
		}
		return int(^uint(0) >> 1)
	}
	m := compile(t, `(userName eq a or userName eq b) and id eq c`, Options{})
	if got := describe(m.Plan(huge)); got != "id. eq c" {
		t.Errorf("got %s", got)
	}
}

// finds reports whether an index over the resource gives it for a lookup.
func finds(l Lookup, w world, p person) bool {
	for _, a := range w {
		if a.URI != l.URI || a.Name != l.Name || a.Sub != l.Sub {
			continue
		}
		e := p.Elements(a.URI, a.Name)
		for i := 0; e != nil && i < e.Len(); i++ {
			v, ok := e.Field(i, a.Sub)
			v = indexed(a, v)
			if ok && (l.Op == EQ && v == l.Value || l.Op == SW && strings.HasPrefix(v, l.Value)) {
				return true
			}
		}
	}
	return false
}

func indexed(a Attribute, v string) string {
	switch {
	case a.Fold != nil:
		return a.Fold(v)
	case a.CaseExact || a.Kind == KindReference || a.Kind == KindBinary:
		return v
	}
	return Fold(v)
}

// Random filters on random people: the matcher agrees with the model, and no
// plan misses whoever matches.
func TestMatcherAndPlanAgreeWithTheModel(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 8))}
	w := newWorld()
	all := func(Attribute, CompareOperator) int { return 1 }
	matched, planned := 0, 0
	for range 10_000 {
		e := g.meaningful(4, "")
		m, err := Compile(e, w, Options{})
		if err != nil {
			t.Fatalf("%s: %v", String(e), err)
		}
		for range 4 {
			p := g.person()
			got := m.Match(p)
			if want := modelMatch(e, w, p); got != want {
				t.Fatalf("%s: got %v on %s", String(e), got, p)
			}
			lookups, ok := m.Plan(all)
			if !got || !ok {
				continue
			}
			planned++
			if !anyFinds(lookups, w, p) {
				t.Fatalf("%s: %v misses %s", String(e), lookups, p)
			}
		}
		matched++
	}
	if planned < 300 {
		t.Fatalf("only %d plans of %d were tried", planned, matched)
	}
}

func anyFinds(lookups []Lookup, w world, p person) bool {
	for _, l := range lookups {
		if finds(l, w, p) {
			return true
		}
	}
	return false
}

func (p person) String() string {
	var b strings.Builder
	for name, l := range p {
		fmt.Fprintf(&b, "%s=%v ", name, *l)
	}
	return b.String()
}

// meaningful makes random filters that compile; of is the attribute before the
// brackets.
func (g generator) meaningful(height int, of string) Expression {
	kind := g.IntN(7)
	if height == 0 {
		kind = 6
	}
	switch kind {
	case 0, 1:
		return both(g.meaningful(height-1, of), g.meaningful(height-1, of))
	case 2, 3:
		return either(g.meaningful(height-1, of), g.meaningful(height-1, of))
	case 4:
		return not(g.meaningful(height-1, of))
	case 5:
		if of == "" {
			return some("emails", g.meaningful(height-1, "emails"))
		}
	}
	return g.comparison(of)
}

func (g generator) comparison(of string) Expression {
	text := pick(g, "userName", "externalId", "nickName", "emails", "emails.type", "tags", "shoeSize")
	flag, number, instant := "active", "age", "meta.created"
	if of != "" {
		text = pick(g, "type", "value", "display", "shoeSize")
		flag, number, instant = "primary", "", ""
	}
	switch kind := g.IntN(12); {
	case kind == 0:
		return attr(text, PR, nil)
	case kind == 1:
		return attr(text, pick(g, EQ, NE), nil)
	case kind == 2:
		return attr(flag, pick(g, EQ, NE), pick[any](g, true, false, "True"))
	case kind == 3 && number != "":
		return attr(number, pick(g, EQ, NE, GT, GE, LT, LE), pick[any](g, 1, 2, 1.5, 2.0))
	case kind == 4 && instant != "":
		return attr(instant, pick(g, EQ, NE, GT, GE, LT, LE), pick(g, "2011-05-13T04:42:34Z", "2011-05-13T06:42:34.0+02:00", "2012-01-01T00:00:00Z"))
	}
	return attr(text, pick(g, EQ, EQ, EQ, NE, CO, SW, SW, EW, GT, GE, LT, LE), g.word())
}

func (g generator) word() string {
	return pick(g, "", "a", "A", "ab", "Ab", "aB c", "b", "é", "E\u0301", "ß", "SS", "work", "Work")
}

func (g generator) person() person {
	p := person{}
	for _, n := range []string{"userName", "externalId", "nickName", "tags", "tags"} {
		if g.IntN(3) > 0 {
			p[n] = simple(g.word(), g.word())
			*p[n] = (*p[n])[:1+g.IntN(2)]
		}
	}
	if g.IntN(2) == 0 {
		p["active"], p["age"] = simple(pick(g, "true", "false")), simple(pick(g, "1", "2", "3"))
		p["meta"] = &list{{"created": pick(g, "2011-05-13T04:42:34Z", "2011-05-13T04:42:34.000Z", "2013-01-01T00:00:00Z")}}
	}
	emails := &list{}
	for range g.IntN(3) {
		e := map[string]string{}
		for _, sub := range []string{"value", "type", "display"} {
			if g.IntN(3) > 0 {
				e[sub] = g.word()
			}
		}
		if g.IntN(2) == 0 {
			e["primary"] = pick(g, "true", "false")
		}
		*emails = append(*emails, e)
	}
	if p["emails"] = emails; len(*emails) == 0 && g.IntN(2) == 0 {
		delete(p, "emails")
	}
	return p
}
