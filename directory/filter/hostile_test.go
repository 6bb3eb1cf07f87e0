package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// hostile are inputs that stopped or killed other parsers, and the like.
func hostile() map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, MaxBytes/len(unit)) }
	return map[string]string{
		"100,000 parentheses":    strings.Repeat("(", 100_000),
		"as many as fit":         fill("("),
		"not upon not":           fill("not("),
		"brackets":               fill("a["),
		"80,000 broken bytes":    `userName eq "` + strings.Repeat("\xff", 80_000),
		"a broken byte":          `userName eq "` + fill("a")[:1000] + "\xff",
		"40,000 U+FFFD":          strings.Repeat("\ufffd", 40_000),
		"U+FFFD as fit":          `userName eq "` + strings.Repeat("\ufffd", 2_700) + `"`,
		"bare U+FFFD":            `userName eq ` + strings.Repeat("\ufffd", 2_700),
		"spaces":                 fill(" "),
		"spaces between closers": strings.Repeat("(", 31) + "a pr" + strings.Repeat(strings.Repeat(" ", 250)+")", 31),
		"colons":                 "a" + strings.Repeat(":a", 4_000) + " pr",
		"an endless name":        fill("a"),
		"an endless string":      `a eq "` + fill("a")[:MaxBytes-6],
		"escapes":                `a eq "` + strings.Repeat(`\u0041`, 1_300) + `"`,
		"half surrogates":        `a eq "` + strings.Repeat(`\ud83d`, 1_300) + `"`,
		"an endless number":      `a eq ` + strings.Repeat("9", 8_000),
		"an endless fraction":    `a eq 0.` + strings.Repeat("3", 8_000),
		"an endless word":        `a eq ` + strings.Repeat("é", 4_000),
		"chain":                  "a pr" + strings.Repeat(" and a pr", 900),
		"or's":                   fill("a pr or "),
		"quotes":                 fill(`"`),
		"backslashes":            `a eq "` + strings.Repeat(`\`, 8_000),
	}
}

func TestHostileTextIsReadInLinearSteps(t *testing.T) {
	for label, text := range hostile() {
		for noun, read := range map[string]func(*parser) error{
			"filter": func(p *parser) error { _, err := p.disjunction(); return err },
			"path":   func(p *parser) error { _, err := p.path(); return err },
		} {
			p := parser{text: text}
			if p.admit(noun) != nil {
				continue
			}
			_ = read(&p)
			if most := 6*len(text) + 100; p.looked > most {
				t.Errorf("%s as %s: %d bytes inspected, at most %d expected", label, noun, p.looked, most)
			}
		}
	}
}

func TestHostileTextIsRefusedWithAShortMessage(t *testing.T) {
	accepted := map[string]bool{"U+FFFD as fit": true, "spaces between closers": true, "colons": true, "escapes": true,
		"an endless fraction": true, "an endless word": true}
	for label, text := range hostile() {
		_, err := Parse(text)
		if (err == nil) != accepted[label] {
			t.Errorf("%s: got %v", label, err)
		}
		_, pathErr := ParsePath(text)
		for _, err := range []error{err, pathErr} {
			var refused *Error
			if err != nil && (!errors.As(err, &refused) || len(err.Error()) > 300) {
				t.Errorf("%s: %T %.400v", label, err, err)
			}
		}
	}
}

func TestTheLimitsAreExact(t *testing.T) {
	terms := func(n int) string { return "a pr" + strings.Repeat(" and a pr", n-1) }
	depth := func(n int) string { return strings.Repeat("(", n) + "a pr" + strings.Repeat(")", n) }
	nots := func(n int) string { return strings.Repeat("not (", n) + "a pr" + strings.Repeat(")", n) }
	size := func(n int) string { return `a eq "` + strings.Repeat("x", n-7) + `"` }
	entra := func(n int) string {
		return strings.Repeat("(", n-2) + "a[b pr or c pr].d pr" + strings.Repeat(")", n-2)
	}
	for label, c := range map[string]struct {
		text func(int) string
		most int
	}{
		"terms": {terms, MaxTerms}, "parentheses": {depth, MaxDepth}, "not": {nots, MaxDepth},
		"bytes": {size, MaxBytes}, "Entra's form": {entra, MaxDepth},
	} {
		e, err := Parse(c.text(c.most))
		if err != nil {
			t.Errorf("%s: %d: %v", label, c.most, err)
			continue
		}
		if _, err := Parse(String(e)); err != nil {
			t.Errorf("%s: printed: %v", label, err)
		}
		if _, err := Compile(e, everything{}, Options{}); err != nil {
			t.Errorf("%s: compile: %v", label, err)
		}
		if _, err := Parse(c.text(c.most + 1)); err == nil {
			t.Errorf("%s: %d was accepted", label, c.most+1)
		}
	}
}

func TestATreeBuiltByHandIsHeldToTheLimits(t *testing.T) {
	var high, wide Expression = attr("a", PR, nil), attr("a", PR, nil)
	for range 10_000 {
		high = not(high)
		wide = both(wide, attr("a", PR, nil))
	}
	var bushy Expression = attr("a", PR, nil)
	for range 9 {
		bushy = either(bushy, bushy)
	}
	for label, e := range map[string]Expression{
		"bushy": bushy,
		"high":  high, "wide": wide, "nothing": nil, "half": both(attr("a", PR, nil), nil),
		"nested":     some("a", some("b", attr("c", PR, nil))),
		"operator":   &LogicalExpression{Left: attr("a", PR, nil), Right: attr("b", PR, nil), Operator: "xor"},
		"comparison": attr("a", "like", "x"),
		"value":      attr("a", EQ, []string{"x"}),
	} {
		_, err := Compile(e, everything{}, Options{})
		var refused *Error
		if !errors.As(err, &refused) || refused.Offset != -1 {
			t.Errorf("%s: got %v", label, err)
		}
	}
}

// everything knows every attribute as a string.
type everything struct{}

func (everything) Attribute(uri, name, sub string) (Attribute, bool) {
	return Attribute{URI: uri, Name: name, Sub: sub}, true
}

// counter has n elements of every attribute and counts what it is asked for.
type counter struct{ n, elements, fields int }

func (c *counter) Elements(string, string) Elements { c.elements++; return c }
func (c *counter) Len() int                         { return c.n }
func (c *counter) Field(int, string) (string, bool) { c.fields++; return "nothing", true }

func TestMatchingIsBoundedByTermsTimesElements(t *testing.T) {
	for _, text := range []string{
		"a eq x" + strings.Repeat(" or a eq x", 255),
		"m[a eq x" + strings.Repeat(" or a eq x", 255) + "]",
		"m[a eq x]" + strings.Repeat(" or m[a eq x]", 255),
		strings.Repeat("not (", 32) + "a eq x" + strings.Repeat(" or a eq x", 255) + strings.Repeat(")", 32),
		"m[" + strings.Repeat("not (", 31) + "a eq x" + strings.Repeat(" or a eq x", 255) + strings.Repeat(")", 31) + "]",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatalf("%.50s: %v", text, err)
		}
		m, err := Compile(e, everything{}, Options{})
		if err != nil {
			t.Fatalf("%.50s: %v", text, err)
		}
		if m.Terms() != 256 {
			t.Errorf("%.50s: %d terms", text, m.Terms())
		}
		c := &counter{n: 1000}
		m.Match(c)
		if c.elements > m.Terms() || c.fields > m.Terms()*c.n {
			t.Errorf("%.50s: asked %d times for elements and %d times for fields", text, c.elements, c.fields)
		}
	}
}

func ExampleError() {
	_, err := Parse(`userName = "bjensen"`)
	fmt.Println(err)
	// Output: at byte 9: an operator is expected after the attribute (pr, eq, ne, co, sw, ew, gt, ge, lt or le), found "= \"bjensen\""
}
