package scim

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// syntaxError says why a text is no JSON that we take.
type syntaxError struct {
	at     int
	detail string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.at, e.detail) }

// readJSON reads RFC 8259 strictly: valid UTF-8, no text after the value, no
// name twice in one object whatever its case (names of SCIM attributes have
// none), no character U+0000, no half of a surrogate pair. Numbers stay text.
// It reuses the memory of doc.
func readJSON(text string, doc document) (document, error) {
	r := reader{text: text, doc: doc[:0], most: max(maxTokens, len(text)/bytesPerToken)}
	if !utf8.ValidString(text) {
		return r.doc, r.fail("the text is not valid UTF-8")
	}
	if err := r.value("", 0); err != nil {
		return r.doc, err
	}
	if r.space(); r.at < len(text) {
		return r.doc, r.fail("text follows the JSON value")
	}
	return r.doc, nil
}

// reader descends recursively; value alone recurses, and it counts.
type reader struct {
	text string
	at   int
	doc  document
	most int // values
}

func (r *reader) fail(format string, args ...any) error {
	return &syntaxError{r.at, fmt.Sprintf(format, args...)}
}

// space skips blanks and returns the byte after them, 0 at the end.
func (r *reader) space() byte {
	for r.at < len(r.text) {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return c
		}
	}
	return 0
}

func (r *reader) value(key string, depth int) error {
	if len(r.doc) >= r.most {
		return r.fail("there are more than the %d values that are allowed", r.most)
	}
	me := len(r.doc)
	r.doc = append(r.doc, token{key: key})
	var err error
	switch c := r.space(); {
	case c == '{' || c == '[':
		err = r.container(me, depth+1)
	case c == '"':
		r.doc[me].kind = isString
		r.doc[me].text, err = r.quoted()
	case c == '-' || '0' <= c && c <= '9':
		r.doc[me].kind = isNumber
		r.doc[me].text, err = r.number()
	default:
		err = r.word(me)
	}
	r.doc[me].next = int32(len(r.doc))
	return err
}

func (r *reader) word(me int) error {
	for _, w := range [...]struct {
		text string
		kind kind
	}{{"true", isBool}, {"false", isBool}, {"null", isNull}} {
		if strings.HasPrefix(r.text[r.at:], w.text) {
			r.doc[me].kind, r.doc[me].text = w.kind, w.text
			r.at += len(w.text)
			return nil
		}
	}
	return r.fail("a JSON value is expected")
}

// container reads a list or an object whose bracket is at r.at.
func (r *reader) container(me, depth int) error {
	if depth > maxDepth {
		return r.fail("lists and objects are nested deeper than the %d levels that are allowed", maxDepth)
	}
	object := r.text[r.at] == '{'
	end := byte(']')
	r.doc[me].kind = isArray
	if object {
		end, r.doc[me].kind = '}', isObject
	}
	r.at++
	if r.space() == end {
		r.at++
		return nil
	}
	for {
		key, err := r.name(object)
		if err == nil {
			err = r.value(key, depth)
		}
		if err != nil {
			return err
		}
		switch c := r.space(); c {
		case ',':
			r.at++
		case end:
			r.at++
			return r.unique(me)
		default:
			return r.fail("a comma or %q is expected", string(end))
		}
	}
}

// name reads the name of a member with its colon.
func (r *reader) name(object bool) (string, error) {
	if !object {
		return "", nil
	}
	if r.space() != '"' {
		return "", r.fail("a name in double quotes is expected")
	}
	key, err := r.quoted()
	if err != nil {
		return "", err
	}
	if r.space() != ':' {
		return "", r.fail("a colon is expected after the name %.40q", key)
	}
	r.at++
	return key, nil
}

// unique refuses an object that has a name twice.
func (r *reader) unique(me int) error {
	object := r.doc[me]
	if object.kind != isObject {
		return nil
	}
	const few = 24
	var seen map[string]bool
	keys := make([]string, 0, few)
	for at := int32(me) + 1; int(at) < len(r.doc); at = r.doc[at].next {
		key := r.doc[at].key
		if len(keys) == few && seen == nil {
			seen = make(map[string]bool, 2*few)
			for _, k := range keys {
				seen[strings.ToLower(k)] = true
			}
		}
		twice := false
		if seen != nil {
			folded := strings.ToLower(key)
			twice = seen[folded]
			seen[folded] = true
		} else {
			for _, k := range keys {
				twice = twice || len(k) == len(key) && strings.EqualFold(k, key)
			}
			keys = append(keys, key)
		}
		if twice {
			return r.fail("the object has the name %.60q twice", key)
		}
	}
	return nil
}

// number reads RFC 8259 §6.
func (r *reader) number() (string, error) {
	start := r.at
	if r.text[r.at] == '-' {
		r.at++
	}
	whole := r.digits()
	ok := whole == 1 || whole > 1 && r.text[r.at-whole] != '0'
	if ok && r.at < len(r.text) && r.text[r.at] == '.' {
		r.at++
		ok = r.digits() > 0
	}
	if ok && r.at < len(r.text) && r.text[r.at]|0x20 == 'e' {
		r.at++
		if r.at < len(r.text) && (r.text[r.at] == '+' || r.text[r.at] == '-') {
			r.at++
		}
		ok = r.digits() > 0
	}
	if !ok {
		return "", r.fail("this is no JSON number")
	}
	return r.text[start:r.at], nil
}

func (r *reader) digits() int {
	start := r.at
	for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
		r.at++
	}
	return r.at - start
}

// quoted reads a string whose quote is at r.at.
func (r *reader) quoted() (string, error) {
	r.at++
	start := r.at
	var out strings.Builder
	for r.at < len(r.text) {
		switch c := r.text[r.at]; {
		case c == '"':
			last := r.text[start:r.at]
			r.at++
			if out.Len() == 0 {
				return last, nil
			}
			out.WriteString(last)
			return out.String(), nil
		case c < ' ':
			return "", r.fail("a control character in a string must be escaped")
		case c == '\\':
			out.WriteString(r.text[start:r.at])
			char, err := r.escape()
			if err != nil {
				return "", err
			}
			out.WriteRune(char)
			start = r.at
		default:
			r.at++
		}
	}
	return "", r.fail("a string has no closing double quote")
}

// escape reads one escape, or two that make a pair.
func (r *reader) escape() (rune, error) {
	rest := r.text[r.at:]
	if len(rest) < 2 {
		return 0, r.fail("an escape is cut off")
	}
	if i := strings.IndexByte(`"\/bfnrt`, rest[1]); i >= 0 {
		r.at += 2
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	char, ok := hex4(rest)
	if !ok {
		return 0, r.fail("this is no JSON escape")
	}
	size := 6
	if utf16.IsSurrogate(char) {
		low, _ := hex4(rest[6:])
		char, size = utf16.DecodeRune(char, low), 12
	}
	if char == 0 || char == utf8.RuneError && size == 12 {
		return 0, r.fail("half a surrogate pair and U+0000 are no text")
	}
	r.at += size
	return char, nil
}

// hex4 reads \uXXXX at the start of s.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var char rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		char = char<<4 | rune(c)
	}
	return char, true
}
