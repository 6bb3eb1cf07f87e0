package filter

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is how strings that are neither CaseExact nor have a Fold of their own
// are compared: Unicode full case folding, composed (NFC). It returns lower
// case ASCII as it is.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(s)))
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// textTest returns the value in the form in which it is compared, and the test.
func textTest(attr Attribute, op CompareOperator, want string) (string, func(string) bool) {
	exact := attr.CaseExact || attr.Kind == KindReference || attr.Kind == KindBinary
	switch {
	case attr.Fold != nil:
		folded := attr.Fold(want)
		return folded, func(v string) bool { return testText(op, attr.Fold(v), folded) }
	case exact:
		return want, func(v string) bool { return testText(op, v, want) }
	}
	folded := Fold(want)
	part := []byte(folded)
	return folded, func(v string) bool {
		if isASCII(v) {
			return testASCII(op, v, part)
		}
		return testText(op, Fold(v), folded)
	}
}

func testText(op CompareOperator, v, want string) bool {
	switch op {
	case CO:
		return strings.Contains(v, want)
	case SW:
		return strings.HasPrefix(v, want)
	case EW:
		return strings.HasSuffix(v, want)
	}
	return holds(op, strings.Compare(v, want))
}

// testASCII folds v on the stack, when it is not longer than most values are.
func testASCII(op CompareOperator, v string, want []byte) bool {
	if op == EQ && len(v) != len(want) {
		return false
	}
	var space [128]byte
	folded := space[:0]
	for i := 0; i < len(v); i++ {
		folded = append(folded, lower(v[i]))
	}
	switch op {
	case CO:
		return bytes.Contains(folded, want)
	case SW:
		return bytes.HasPrefix(folded, want)
	case EW:
		return bytes.HasSuffix(folded, want)
	}
	return holds(op, bytes.Compare(folded, want))
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b | 0x20
	}
	return b
}
