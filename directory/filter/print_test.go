package filter

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPrintingIsCanonical(t *testing.T) {
	for text, want := range map[string]string{
		`USERNAME  Eq  bjensen`:                        `USERNAME eq "bjensen"`,
		`((a pr)) AND ((b pr) And c pr)`:               `a pr and (b pr and c pr)`,
		`(a pr and b pr) and c pr`:                     `a pr and b pr and c pr`,
		`a pr or (b pr and c pr)`:                      `a pr or b pr and c pr`,
		`(a pr or b pr) and c pr`:                      `(a pr or b pr) and c pr`,
		`not(a pr)`:                                    `not (a pr)`,
		`emails[type eq work].value eq "x"`:            `emails[type eq "work" and value eq "x"]`,
		`emails[a pr or b pr].value eq "x"`:            `emails[(a pr or b pr) and value eq "x"]`,
		`a eq "\u0022\/\\\n"`:                          `a eq "\"/\\\u000a"`,
		`a eq -0.0 or a eq 1E2 or a eq 1e21 or a eq 5`: `a eq -0.0 or a eq 100.0 or a eq 1e+21 or a eq 5`,
		`a eq NULL or a eq True`:                       `a eq null or a eq true`,
		enterpriseURN + ":manager.$ref pr":             enterpriseURN + ":manager.$ref pr",
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := String(e); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestWhatIsPrintedParsesToAnEqualTree(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range 20_000 {
		e := g.expression(6, false)
		text := String(e)
		got, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Fatalf("%s: (-want +got)\n%s", text, diff)
		}
	}
}

func TestPrintedPathsParseToEqualPaths(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(3, 4))}
	for range 5_000 {
		p := Path{AttributePath: g.path(true)}
		if g.IntN(2) == 0 {
			p.ValueExpression = g.expression(4, true)
			p.SubAttribute = g.path(true).SubAttribute
		}
		got, err := ParsePath(PathString(p))
		if err != nil {
			t.Fatalf("%s: %v", PathString(p), err)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Fatalf("%s: (-want +got)\n%s", PathString(p), diff)
		}
	}
}

// generator makes random trees.
type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

func (g generator) expression(height int, inside bool) Expression {
	kind := g.IntN(7)
	if height == 0 {
		kind = 6
	}
	switch kind {
	case 0, 1:
		return both(g.expression(height-1, inside), g.expression(height-1, inside))
	case 2, 3:
		return either(g.expression(height-1, inside), g.expression(height-1, inside))
	case 4:
		return not(g.expression(height-1, inside))
	case 5:
		if !inside {
			path := g.path(true)
			path.SubAttribute = nil
			return &ValuePath{AttributePath: path, ValueFilter: g.expression(height-1, true)}
		}
	}
	return g.term(inside)
}

func (g generator) term(inside bool) *AttributeExpression {
	e := &AttributeExpression{AttributePath: g.path(!inside), Operator: pick(g, PR, EQ, EQ, EQ, NE, CO, SW, EW, GT, GE, LT, LE)}
	if e.Operator != PR {
		e.CompareValue = g.value()
	}
	return e
}

func (g generator) path(whole bool) AttributePath {
	p := AttributePath{AttributeName: pick(g, "userName", "emails", "name", "a", "not", "and", "x-y_1", "$ref", "tags", "active", "age", "type", "value")}
	if whole && g.IntN(3) == 0 {
		sub := pick(g, "value", "type", "givenName", "$ref", "or")
		p.SubAttribute = &sub
	}
	if whole && g.IntN(5) == 0 {
		uri := pick(g, enterpriseURN, coreURN, acmeURN, "urn:x")
		p.URIPrefix = &uri
	}
	return p
}

func (g generator) value() any {
	switch g.IntN(8) {
	case 0:
		return nil
	case 1:
		return g.IntN(2) == 0
	case 2:
		return int(g.Uint64())
	case 3:
		return g.NormFloat64() * pick(g, 1, 1e-9, 1e30)
	}
	var b strings.Builder
	for range g.IntN(6) {
		b.WriteString(pick(g, "a", "B", "work", `"`, `\`, "\n", "\x00", "é", "É", "ß", "😀", " ", ")", "]", "/", "1", "@example.com"))
	}
	return b.String()
}
