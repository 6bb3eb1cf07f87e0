package filter

import (
	"strings"
	"time"
)

// The model says what a filter means, slowly and straight from doc.go.

// scope is one element when inside brackets, else the whole person.
type scope struct {
	world   world
	person  person
	of      *AttributePath
	element map[string]string
}

func modelMatch(e Expression, w world, p person) bool { return scope{world: w, person: p}.holds(e) }

func (s scope) holds(e Expression) bool {
	switch e := e.(type) {
	case *LogicalExpression:
		l, r := s.holds(e.Left), s.holds(e.Right)
		return e.Operator == AND && l && r || e.Operator == OR && (l || r)
	case *NotExpression:
		return !s.holds(e.Expression)
	case *ValuePath:
		a, ok := s.world.Attribute(e.AttributePath.URI(), e.AttributePath.AttributeName, "")
		if !ok || s.person[a.Name] == nil {
			return false
		}
		for _, element := range *s.person[a.Name] {
			if (scope{s.world, s.person, &e.AttributePath, element}).holds(e.ValueFilter) {
				return true
			}
		}
		return false
	}
	return s.term(e.(*AttributeExpression))
}

func (s scope) term(e *AttributeExpression) bool {
	path := inside(s.of, e.AttributePath)
	a, ok := s.world.Attribute(path.URI(), path.AttributeName, path.SubAttributeName())
	if !ok {
		return false
	}
	elements := list{s.element}
	if s.of == nil {
		elements = list{}
		if l := s.person[a.Name]; l != nil {
			elements = *l
		}
	}
	present, some := false, len(elements) == 0 && e.Operator == NE
	for _, element := range elements {
		v, ok := element[a.Sub]
		present = present || v != ""
		some = some || !ok && e.Operator == NE || ok && e.CompareValue != nil && modelTest(a, e.Operator, v, e.CompareValue)
	}
	switch {
	case e.Operator == PR || e.Operator == NE && e.CompareValue == nil:
		return present
	case e.CompareValue == nil:
		return !present
	}
	return some
}

func modelTest(a Attribute, op CompareOperator, v string, want any) bool {
	switch a.Kind {
	case KindBoolean:
		w, isBool := want.(bool)
		return ((v == "true") == (isBool && w || want == "True")) == (op == EQ)
	case KindInteger:
		w, isInt := want.(int)
		f := float64(w)
		if !isInt {
			f = want.(float64)
		}
		return modelOrder(op, float64(v[0]-'0')-f)
	case KindDateTime:
		x, _ := time.Parse(time.RFC3339Nano, v)
		y, _ := time.Parse(time.RFC3339Nano, want.(string))
		return modelOrder(op, float64(x.Sub(y)))
	}
	v, w := indexed(a, v), indexed(a, want.(string))
	switch op {
	case CO:
		return strings.Contains(v, w)
	case SW:
		return strings.HasPrefix(v, w)
	case EW:
		return strings.HasSuffix(v, w)
	}
	return modelOrder(op, float64(strings.Compare(v, w)))
}

func modelOrder(op CompareOperator, difference float64) bool {
	return map[CompareOperator]bool{
		EQ: difference == 0, NE: difference != 0, GT: difference > 0, GE: difference >= 0, LT: difference < 0, LE: difference <= 0,
	}[op]
}
