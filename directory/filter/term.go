package filter

import (
	"strconv"
	"strings"
)

// term is one comparison, resolved: attribute, operator and a test of values.
type term struct {
	attr   Attribute
	op     CompareOperator
	text   string            // the value as it is indexed; see Lookup
	test   func(string) bool // of a field that is there
	absent bool              // the answer where it is not
}

// compileTerm checks operator and value against the kind of the attribute.
func compileTerm(path AttributePath, attr Attribute, e *AttributeExpression) (node, error) {
	if e.Operator == PR {
		return present(attr), nil
	}
	if e.CompareValue == nil {
		return null(path, attr, e.Operator)
	}
	t := term{attr: attr, op: e.Operator, absent: e.Operator == NE}
	if err := checkOperator(path, attr.Kind, e.Operator); err != nil {
		return node{}, err
	}
	var err error
	switch attr.Kind {
	case KindBoolean:
		err = t.boolean(path, e.CompareValue)
	case KindInteger, KindDecimal:
		err = t.number(path, e.CompareValue)
	case KindDateTime:
		err = t.instant(path, e.CompareValue)
	default:
		err = t.string(path, e.CompareValue)
	}
	return node{op: opTerm, term: t}, err
}

func present(attr Attribute) node {
	t := term{attr: attr, op: PR, test: func(v string) bool { return v != "" }}
	if attr.Kind == KindComplex {
		t.test = func(string) bool { return true }
	}
	return node{op: opTerm, term: t}
}

// null: eq means absent, ne means present (RFC 7643 §2.5).
func null(path AttributePath, attr Attribute, op CompareOperator) (node, error) {
	switch op {
	case EQ:
		return node{op: opNot, kids: []node{present(attr)}}, nil
	case NE:
		return present(attr), nil
	}
	return node{}, meaning("%.100s can be compared with null by eq and ne only, not by %.10q", path, string(op))
}

// checkOperator holds RFC 7644 table 3 against RFC 7643 §2.3.
func checkOperator(path AttributePath, k Kind, op CompareOperator) error {
	var ok bool
	allowed := "eq, ne, co, sw, ew, gt, ge, lt, le, pr"
	switch k {
	case KindComplex:
		return meaning("%.100s has sub-attributes and cannot be compared itself: name one of them, or use pr", path)
	case KindBoolean:
		ok, allowed = op == EQ || op == NE, "eq, ne, pr"
	case KindBinary:
		ok, allowed = isEquality(op) || isPart(op), "eq, ne, co, sw, ew, pr"
	case KindInteger, KindDecimal, KindDateTime:
		ok, allowed = isEquality(op) || isOrder(op), "eq, ne, gt, ge, lt, le, pr"
	default:
		ok = isEquality(op) || isOrder(op) || isPart(op)
	}
	if !ok {
		return meaning("%.100s cannot be compared by %.10q: it is of type %s and takes %s", path, string(op), k, allowed)
	}
	return nil
}

func isEquality(op CompareOperator) bool { return op == EQ || op == NE }

func isPart(op CompareOperator) bool { return op == CO || op == SW || op == EW }

func isOrder(op CompareOperator) bool { return op == GT || op == GE || op == LT || op == LE }

// holds reads a three-way comparison of the attribute with the value.
func holds(op CompareOperator, order int) bool {
	switch op {
	case EQ:
		return order == 0
	case NE:
		return order != 0
	case GT:
		return order > 0
	case GE:
		return order >= 0
	case LT:
		return order < 0
	case LE:
		return order <= 0
	}
	return false
}

func (t *term) boolean(path AttributePath, value any) error {
	want, ok := value.(bool)
	if s, isString := value.(string); isString {
		want, ok = strings.EqualFold(s, "true"), strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
	}
	if !ok {
		return meaning("%.100s is a boolean: compare it with true or false", path)
	}
	text, equal := strconv.FormatBool(want), t.op == EQ
	t.text, t.test = text, func(v string) bool { return strings.EqualFold(v, text) == equal }
	return nil
}

func (t *term) number(path AttributePath, value any) error {
	want, ok := numberOf(value)
	if !ok {
		return meaning("%.100s is a number: compare it with a number without quotes", path)
	}
	op := t.op
	if want.whole {
		t.text = strconv.FormatInt(want.integer, 10)
	}
	t.test = func(v string) bool {
		got, ok := parseNumber(v)
		if !ok {
			return op == NE
		}
		return holds(op, got.compare(want))
	}
	return nil
}

func (t *term) instant(path AttributePath, value any) error {
	s, _ := value.(string)
	want, ok := parseInstant(s)
	if !ok {
		return meaning(`%.100s is a date-time: compare it with one such as "2011-05-13T04:42:34Z", years 0001 to 9999`, path)
	}
	op := t.op
	t.test = func(v string) bool {
		got, ok := parseInstant(v)
		if !ok {
			return op == NE
		}
		return holds(op, got.Compare(want))
	}
	return nil
}

func (t *term) string(path AttributePath, value any) error {
	want, ok := value.(string)
	if !ok {
		return meaning("%.100s is a string: compare it with a string in double quotes", path)
	}
	t.text, t.test = textTest(t.attr, t.op, want)
	return nil
}
