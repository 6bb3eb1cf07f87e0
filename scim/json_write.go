package scim

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"muster/directory"
)

// appendString appends a JSON string.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[start:i]...)
			b = appendEscape(b, c)
			start = i + 1
		}
		i++
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// appendTyped appends canonical text as the JSON value of its type.
func appendTyped(b []byte, t directory.Type, text string) []byte {
	switch t {
	case directory.Boolean:
		if text == "true" || text == "false" {
			return append(b, text...)
		}
	case directory.Integer, directory.Decimal:
		if json.Valid([]byte(text)) {
			return append(b, text...)
		}
	}
	return appendString(b, text)
}

// timeLayout is how times are shown, once they are in UTC.
const timeLayout = "2006-01-02T15:04:05.000Z"

// appendTime appends a JSON string with milliseconds, in UTC.
func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, timeLayout)
	return append(b, '"')
}
