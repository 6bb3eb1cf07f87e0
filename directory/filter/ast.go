package filter

import (
	"iter"

	ast "github.com/scim2/filter-parser/v2"
)

// The tree. An Expression is one of *AttributeExpression, *LogicalExpression,
// *NotExpression and *ValuePath. CompareValue is nil (null, and for pr),
// bool, int, float64 or string.
type (
	Expression          = ast.Expression
	AttributeExpression = ast.AttributeExpression
	LogicalExpression   = ast.LogicalExpression
	NotExpression       = ast.NotExpression
	ValuePath           = ast.ValuePath
	Path                = ast.Path
	AttributePath       = ast.AttributePath
	CompareOperator     = ast.CompareOperator
	LogicalOperator     = ast.LogicalOperator
)

// The operators of RFC 7644 §3.4.2.2.
const (
	PR = ast.PR
	EQ = ast.EQ
	NE = ast.NE
	CO = ast.CO
	SW = ast.SW
	EW = ast.EW
	GT = ast.GT
	GE = ast.GE
	LT = ast.LT
	LE = ast.LE

	AND = ast.AND
	OR  = ast.OR
)

// Limits of what is read and compiled.
const (
	MaxBytes = 8 << 10 // length of a filter or path
	MaxDepth = 32      // nesting of ( ), [ ] and not ( )
	MaxTerms = 256     // comparisons and presence tests
)

// maxHeight bounds the recursion over a tree that was built by hand: a chain
// of and's is as high as it has terms.
const maxHeight = MaxTerms + 2*MaxDepth

// Comparisons yields every term of the expression from left to right, with its
// whole path: inside emails[type eq "work"] the path is emails.type.
func Comparisons(e Expression) iter.Seq2[AttributePath, *AttributeExpression] {
	return func(yield func(AttributePath, *AttributeExpression) bool) {
		comparisons(e, nil, yield)
	}
}

func comparisons(e Expression, of *AttributePath, yield func(AttributePath, *AttributeExpression) bool) bool {
	switch e := e.(type) {
	case *AttributeExpression:
		return yield(inside(of, e.AttributePath), e)
	case *LogicalExpression:
		return comparisons(e.Left, of, yield) && comparisons(e.Right, of, yield)
	case *NotExpression:
		return comparisons(e.Expression, of, yield)
	case *ValuePath:
		return comparisons(e.ValueFilter, &e.AttributePath, yield)
	}
	return true
}

// inside is the path of a name that stands in the brackets of another.
func inside(of *AttributePath, p AttributePath) AttributePath {
	if of == nil {
		return p
	}
	return AttributePath{URIPrefix: of.URIPrefix, AttributeName: of.AttributeName, SubAttribute: &p.AttributeName}
}

// Equalities returns the terms of a value filter that is nothing but eq terms
// joined by and: the fields that an element must get in order to satisfy it.
// It reports false for any other filter.
func Equalities(e Expression) ([]*AttributeExpression, bool) {
	switch e := e.(type) {
	case *AttributeExpression:
		return []*AttributeExpression{e}, e.Operator == EQ
	case *LogicalExpression:
		if e.Operator != AND {
			return nil, false
		}
		left, okLeft := Equalities(e.Left)
		right, okRight := Equalities(e.Right)
		return append(left, right...), okLeft && okRight
	}
	return nil, false
}
