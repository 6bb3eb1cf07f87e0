package filter

import (
	"math"
	"strconv"
	"strings"
)

// String prints an expression so that Parse returns an equal one: operators
// in lower case, one space between words, parentheses only where the tree
// needs them.
func String(e Expression) string {
	var b strings.Builder
	write(&b, e)
	return b.String()
}

// PathString prints a path so that ParsePath returns an equal one.
func PathString(p Path) string {
	var b strings.Builder
	writePath(&b, p.AttributePath)
	if p.ValueExpression != nil {
		b.WriteByte('[')
		write(&b, p.ValueExpression)
		b.WriteByte(']')
	}
	if p.SubAttribute != nil {
		b.WriteString("." + *p.SubAttribute)
	}
	return b.String()
}

func write(b *strings.Builder, e Expression) {
	switch e := e.(type) {
	case *AttributeExpression:
		writeTerm(b, e)
	case *LogicalExpression:
		writeSide(b, e.Left, e.Operator == AND && isLogical(e.Left, OR))
		b.WriteString(" " + string(e.Operator) + " ")
		writeSide(b, e.Right, isLogical(e.Right, OR) || e.Operator == AND && isLogical(e.Right, AND))
	case *NotExpression:
		b.WriteString("not ")
		writeSide(b, e.Expression, true)
	case *ValuePath:
		writePath(b, e.AttributePath)
		b.WriteByte('[')
		write(b, e.ValueFilter)
		b.WriteByte(']')
	}
}

// isLogical holds for an expression that ends where its operand would go on.
func isLogical(e Expression, op LogicalOperator) bool {
	l, ok := e.(*LogicalExpression)
	return ok && l.Operator == op
}

func writeSide(b *strings.Builder, e Expression, parentheses bool) {
	if !parentheses {
		write(b, e)
		return
	}
	b.WriteByte('(')
	write(b, e)
	b.WriteByte(')')
}

func writeTerm(b *strings.Builder, e *AttributeExpression) {
	writePath(b, e.AttributePath)
	b.WriteString(" " + string(e.Operator))
	if e.Operator == PR {
		return
	}
	b.WriteByte(' ')
	switch v := e.CompareValue.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case int:
		b.WriteString(strconv.Itoa(v))
	case float64:
		b.WriteString(formatFloat(v))
	case string:
		writeQuoted(b, v)
	}
}

// formatFloat keeps a mark by which the number stays a float when it is read.
func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if math.IsInf(f, 0) || math.IsNaN(f) || strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}

func writePath(b *strings.Builder, p AttributePath) {
	if p.URIPrefix != nil {
		b.WriteString(*p.URIPrefix)
		b.WriteByte(':')
	}
	b.WriteString(p.AttributeName)
	if p.SubAttribute != nil {
		b.WriteByte('.')
		b.WriteString(*p.SubAttribute)
	}
}

// writeQuoted escapes only what JSON requires.
func writeQuoted(b *strings.Builder, s string) {
	const hex = "0123456789abcdef"
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			b.WriteString(`\u00`)
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
