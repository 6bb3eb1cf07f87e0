package filter

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// value reads a JSON string, number, true, false, null, or one bare word.
func (p *parser) value() (any, error) {
	if p.peek() == '"' {
		return p.quoted()
	}
	word := p.word()
	switch {
	case strings.EqualFold(word, "true"):
		return true, nil
	case strings.EqualFold(word, "false"):
		return false, nil
	case strings.EqualFold(word, "null"):
		return nil, nil
	}
	if numeric, whole := isNumber(word); numeric {
		return p.number(word, whole)
	}
	if !p.isBare(word) {
		p.pos -= len(word)
		return nil, p.fail("a value is expected (a string in double quotes, a number, true, false, null or one word), found %s", p.rest())
	}
	return word, nil
}

// word reads as far as a bare word, number or keyword can go.
func (p *parser) word() string {
	start := p.pos
	for _, r := range p.text[start:] {
		if !isWordRune(r) {
			break
		}
		p.pos += utf8.RuneLen(r)
	}
	p.looked += p.pos - start
	return p.text[start:p.pos]
}

func isWordRune(r rune) bool {
	switch r {
	case '-', '_', '.', '@', '+', ':':
		return true
	case utf8.RuneError:
		return false
	}
	return unicode.In(r, unicode.L, unicode.N, unicode.M)
}

// isBare tells a bare word from a slip of the pen.
func (p *parser) isBare(word string) bool {
	first, _ := utf8.DecodeRuneInString(word)
	if !unicode.In(first, unicode.L, unicode.N) {
		return false
	}
	for _, reserved := range [...]string{"and", "or", "not"} {
		if strings.EqualFold(word, reserved) {
			return false
		}
	}
	next := p.peek()
	return p.pos == len(p.text) || isSpace(next) || next == ')' || next == ']'
}

// number keeps integers exact: they are int or they are refused.
func (p *parser) number(word string, whole bool) (any, error) {
	if whole {
		if n, err := strconv.Atoi(word); err == nil {
			return n, nil
		}
	} else if f, err := strconv.ParseFloat(word, 64); err == nil {
		return f, nil
	}
	p.pos -= len(word)
	return nil, p.fail("the number %s is out of range (64 bits)", excerpt(word))
}

// isNumber holds for a number of RFC 8259 §6; whole if it has neither fraction
// nor exponent.
func isNumber(s string) (numeric, whole bool) {
	s = strings.TrimPrefix(s, "-")
	digits := leadingDigits(s)
	if digits == 0 || digits > 1 && s[0] == '0' {
		return false, false
	}
	s, whole = s[digits:], len(s) == digits
	if strings.HasPrefix(s, ".") {
		if digits = leadingDigits(s[1:]); digits == 0 {
			return false, false
		}
		s = s[1+digits:]
	}
	if s != "" && s[0]|0x20 == 'e' {
		s = s[1:]
		if s != "" && (s[0] == '+' || s[0] == '-') {
			s = s[1:]
		}
		if digits = leadingDigits(s); digits == 0 {
			return false, false
		}
		s = s[digits:]
	}
	return s == "", whole
}

func leadingDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// quoted reads a JSON string. Without escapes it shares the memory of the text.
func (p *parser) quoted() (string, error) {
	p.pos++
	start := p.pos
	var out strings.Builder
	for ; p.pos < len(p.text); p.pos++ {
		switch b := p.text[p.pos]; {
		case b == '"':
			last := p.text[start:p.pos]
			p.pos++
			p.looked += p.pos - start
			if out.Len() == 0 {
				return last, nil
			}
			return out.String() + last, nil
		case b < ' ':
			return "", p.fail("a control character in a string must be escaped")
		case b == '\\':
			out.WriteString(p.text[start:p.pos])
			p.looked += p.pos - start
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out.WriteRune(r)
			start = p.pos + 1
		}
	}
	return "", p.fail("the string has no closing double quote")
}

// escape reads the escape whose backslash is at pos and stays on its last byte.
func (p *parser) escape() (rune, error) {
	const allowed = `a backslash may be followed by " \ / b f n r t or u and four hexadecimal digits`
	if p.pos+1 >= len(p.text) {
		return 0, p.fail("%s", allowed)
	}
	if r, ok := simpleEscape(p.text[p.pos+1]); ok {
		p.pos++
		return r, nil
	}
	high, ok := unicodeEscape(p.text[p.pos:])
	if !ok {
		return 0, p.fail("%s, found %s", allowed, p.rest())
	}
	if !utf16.IsSurrogate(high) {
		p.pos += 5
		return high, nil
	}
	low, _ := unicodeEscape(p.text[p.pos+6:])
	r := utf16.DecodeRune(high, low)
	if r == utf8.RuneError {
		return 0, p.fail("half a surrogate pair is no character, found %s", p.rest())
	}
	p.pos += 11
	return r, nil
}

func simpleEscape(b byte) (rune, bool) {
	switch b {
	case '"', '\\', '/':
		return rune(b), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// unicodeEscape reads \uXXXX at the start of s.
func unicodeEscape(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range []byte(s[2:6]) {
		switch {
		case isDigit(b):
			r = r<<4 | rune(b-'0')
		case 'a' <= b|0x20 && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
