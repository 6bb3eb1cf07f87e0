package filter

import (
	"fmt"
	"unicode/utf8"
)

// Error says why a filter or path was refused.
type Error struct {
	Offset int    // byte of the text at which the fault stands; -1 if it concerns the meaning
	Detail string // a sentence fit for the client: what is wrong and what is allowed
}

func (e *Error) Error() string {
	if e.Offset < 0 {
		return e.Detail
	}
	return fmt.Sprintf("at byte %d: %s", e.Offset, e.Detail)
}

// meaning is an error without a place: the tree carries no offsets.
func meaning(format string, args ...any) error {
	return &Error{Offset: -1, Detail: fmt.Sprintf(format, args...)}
}

// excerpt quotes the beginning of hostile text for a message.
func excerpt(s string) string {
	const most = 40
	if s == "" {
		return "the end"
	}
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q...", s[:cut])
}
