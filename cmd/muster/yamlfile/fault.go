package yamlfile

import (
	"fmt"
	"strings"
)

// Place is a position in a file; lines and columns count from 1. A zero Line means the whole file.
type Place struct {
	File         string
	Line, Column int
}

// String is file:line:column, what editors jump to.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Fault is one thing wrong in a file.
type Fault struct {
	Place   Place
	Path    string   // dotted path of what is at fault, "" for the file itself
	Detail  string   // one sentence
	Allowed []string // what would have been accepted, when it can be listed
}

func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Place.String())
	if f.Path != "" {
		b.WriteString(": " + f.Path)
	}
	b.WriteString(": " + f.Detail)
	if len(f.Allowed) > 0 {
		b.WriteString(" (allowed: " + strings.Join(f.Allowed, ", ") + ")")
	}
	return b.String()
}

// Error lists every fault of a file, a line each.
type Error struct{ Faults []Fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
