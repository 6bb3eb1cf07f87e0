package filter

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads a filter. Its errors are *Error.
func Parse(s string) (Expression, error) { return Limits{}.Parse(s) }

// Limits are tighter bounds of a filter than MaxBytes, MaxDepth and MaxTerms,
// which none can exceed; 0 is those.
type Limits struct{ Bytes, Depth, Terms int }

// within are the limits that hold.
func (l Limits) within() Limits {
	least := func(limit, most int) int {
		if limit <= 0 {
			return most
		}
		return min(limit, most)
	}
	return Limits{least(l.Bytes, MaxBytes), least(l.Depth, MaxDepth), least(l.Terms, MaxTerms)}
}

// Parse reads a filter within the limits.
func (l Limits) Parse(s string) (Expression, error) {
	p := parser{text: s, most: l}
	if err := p.admit("filter"); err != nil {
		return nil, err
	}
	e, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.pos < len(s) {
		return nil, p.fail("and, or or the end of the filter is expected (with spaces around and, or), found %s", p.rest())
	}
	return e, nil
}

// ParsePath reads the path of a PATCH operation: an attribute, a sub-attribute,
// or a value filter with or without a sub-attribute. Its errors are *Error.
func ParsePath(s string) (Path, error) {
	p := parser{text: s}
	if err := p.admit("path"); err != nil {
		return Path{}, err
	}
	path, err := p.path()
	if err != nil {
		return Path{}, err
	}
	if p.skipSpace(); p.pos < len(s) {
		return Path{}, p.fail("the end of the path is expected, found %s", p.rest())
	}
	return path, nil
}

// parser descends recursively; only open recurses, and it counts.
type parser struct {
	text   string
	most   Limits
	pos    int
	depth  int
	terms  int
	inside bool // between [ and ]
	looked int  // bytes inspected; tests hold it to a multiple of the length
}

func (p *parser) fail(format string, args ...any) error {
	return &Error{Offset: p.pos, Detail: fmt.Sprintf(format, args...)}
}

func (p *parser) rest() string { return excerpt(p.text[p.pos:]) }

// admit checks what holds for the whole text.
func (p *parser) admit(noun string) error {
	p.most = p.most.within()
	if len(p.text) > p.most.Bytes {
		return &Error{Offset: p.most.Bytes, Detail: fmt.Sprintf("the %s is longer than the %d bytes that are allowed", noun, p.most.Bytes)}
	}
	if utf8.ValidString(p.text) {
		return nil
	}
	for {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		if r == utf8.RuneError && size == 1 {
			return p.fail("the %s is not valid UTF-8", noun)
		}
		p.pos += size
	}
}

func (p *parser) disjunction() (Expression, error) {
	left, err := p.conjunction()
	for err == nil && p.acceptLogical("or") {
		var right Expression
		right, err = p.conjunction()
		left = &LogicalExpression{Left: left, Right: right, Operator: OR}
	}
	return left, err
}

func (p *parser) conjunction() (Expression, error) {
	left, err := p.operand()
	for err == nil && p.acceptLogical("and") {
		var right Expression
		right, err = p.operand()
		left = &LogicalExpression{Left: left, Right: right, Operator: AND}
	}
	return left, err
}

// acceptLogical consumes a word with spaces around it and nothing else.
func (p *parser) acceptLogical(word string) bool {
	at := p.pos
	end := at
	for end < len(p.text) && isSpace(p.text[end]) {
		end++
	}
	from := end
	end += len(word)
	p.looked += end - at
	if from == at || end > len(p.text) || !strings.EqualFold(p.text[from:end], word) {
		return false
	}
	if end < len(p.text) && !isSpace(p.text[end]) {
		return false
	}
	p.pos = end
	return true
}

func (p *parser) operand() (Expression, error) {
	p.skipSpace()
	if p.peek() == '(' {
		return p.open(')')
	}
	path, err := p.attributePath()
	if err != nil {
		return nil, err
	}
	spaced := p.skipSpace()
	switch p.peek() {
	case '(':
		if !isNot(path) {
			return nil, p.fail("only not, and, or may stand before a parenthesis")
		}
		e, err := p.open(')')
		return &NotExpression{Expression: e}, err
	case '[':
		return p.valuePath(path)
	}
	return p.comparison(path, spaced)
}

func isNot(path AttributePath) bool {
	return path.URIPrefix == nil && path.SubAttribute == nil && strings.EqualFold(path.AttributeName, "not")
}

// open reads a whole expression between the bracket at pos and its partner.
func (p *parser) open(partner byte) (Expression, error) {
	if p.depth++; p.depth > p.most.Depth {
		return nil, p.fail("brackets are nested deeper than the %d levels that are allowed", p.most.Depth)
	}
	p.pos++
	e, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if p.skipSpace(); p.peek() != partner {
		return nil, p.fail("and, or or %q is expected (with spaces around and, or), found %s", string(partner), p.rest())
	}
	p.pos++
	p.depth--
	return e, nil
}

// brackets reads the value filter at pos.
func (p *parser) brackets() (Expression, error) {
	if p.inside {
		return nil, p.fail("a value filter must not contain another one")
	}
	p.inside = true
	e, err := p.open(']')
	p.inside = false
	return e, err
}

// valuePath reads path[...] and Entra's path[...].sub op value.
func (p *parser) valuePath(path AttributePath) (Expression, error) {
	inner, err := p.brackets()
	if err != nil {
		return nil, err
	}
	if p.peek() == '.' {
		inner, err = p.dotted(inner)
	}
	return &ValuePath{AttributePath: path, ValueFilter: inner}, err
}

// dotted joins the comparison after the brackets to the filter within them.
// Printed, the filter may need parentheses there, which count.
func (p *parser) dotted(inner Expression) (Expression, error) {
	if p.depth+2 > p.most.Depth {
		return nil, p.fail("brackets are nested deeper than the %d levels that are allowed", p.most.Depth)
	}
	sub, err := p.subAttribute()
	if err != nil {
		return nil, err
	}
	spaced := p.skipSpace()
	term, err := p.comparison(AttributePath{AttributeName: *sub}, spaced)
	return &LogicalExpression{Left: inner, Right: term, Operator: AND}, err
}

func (p *parser) path() (Path, error) {
	p.skipSpace()
	attr, err := p.attributePath()
	if err != nil {
		return Path{}, err
	}
	at := p.pos
	if p.skipSpace(); p.peek() != '[' {
		p.pos = at
		return Path{AttributePath: attr}, nil
	}
	inner, err := p.brackets()
	if err != nil {
		return Path{}, err
	}
	path := Path{AttributePath: attr, ValueExpression: inner}
	if p.peek() == '.' {
		path.SubAttribute, err = p.subAttribute()
	}
	return path, err
}

// comparison reads the operator and value that follow an attribute's name.
func (p *parser) comparison(path AttributePath, spaced bool) (Expression, error) {
	const allowed = "pr, eq, ne, co, sw, ew, gt, ge, lt or le"
	if p.terms++; p.terms > p.most.Terms {
		return nil, p.fail("the filter has more than the %d terms that are allowed", p.most.Terms)
	}
	if !spaced {
		return nil, p.fail("a space and an operator are expected after the attribute (%s), found %s", allowed, p.rest())
	}
	op, ok := p.operator()
	if !ok {
		return nil, p.fail("an operator is expected after the attribute (%s), found %s", allowed, p.rest())
	}
	term := &AttributeExpression{AttributePath: path, Operator: op}
	if op == PR {
		return term, nil
	}
	if !p.skipSpace() {
		return nil, p.fail("a space and a value are expected after %s, found %s", op, p.rest())
	}
	var err error
	term.CompareValue, err = p.value()
	return term, err
}

// operator reads two letters that are an operator and end there.
func (p *parser) operator() (CompareOperator, bool) {
	end := p.pos + 2
	if end > len(p.text) || end < len(p.text) && isNameByte(p.text[end]) {
		return "", false
	}
	for _, op := range [...]CompareOperator{EQ, PR, NE, CO, SW, EW, GT, GE, LT, LE} {
		if p.text[p.pos]|0x20 == op[0] && p.text[p.pos+1]|0x20 == op[1] {
			p.pos = end
			return op, true
		}
	}
	return "", false
}

// peek returns the byte at pos, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

// skipSpace reports whether there was any.
func (p *parser) skipSpace() bool {
	at := p.pos
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
	p.looked += p.pos - at + 1
	return p.pos > at
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
