package jit

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// State tells a missing statement from an empty one.
type State int

// The states, weakest first.
const (
	Absent State = iota // the assertion does not speak of it
	Empty               // it says that there is no value
	Value
)

func (s State) String() string {
	return [...]string{"absent", "empty", "value"}[s]
}

func stateOf(texts []string) State {
	if len(texts) == 0 {
		return Empty
	}
	return Value
}

// Trace tells an administrator how an assertion was read. It holds names and no values.
type Trace struct {
	Subject Target
	Targets []Target
	Groups  Target
	Unused  []string // claims that nothing reads
}

// Target is where one part of the change came from.
type Target struct {
	To    string
	State State
	From  string   // the name that was present, as the connection spells it
	Tried []string // every name the connection lists
	Near  []string // claims that differ from a listed name in case or namespace only
	Note  string
}

func (t Target) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", t.To, t.State)
	if t.From != "" {
		fmt.Fprintf(&b, " from %s", t.From)
	} else if len(t.Tried) > 0 {
		fmt.Fprintf(&b, ", tried %s", strings.Join(t.Tried, ", "))
	}
	if hint := t.hint(); hint != "" {
		b.WriteString("; " + hint)
	}
	return b.String()
}

// hint is what may have gone wrong, "" for nothing.
func (t Target) hint() string {
	var hints []string
	if len(t.Near) > 0 {
		hints = append(hints, "near miss: the assertion has "+strings.Join(t.Near, ", ")+" (names are exact, in case and namespace)")
	}
	if t.Note != "" {
		hints = append(hints, t.Note)
	}
	return strings.Join(hints, "; ")
}

// hint about an attribute; its refusal has listed the names that were tried.
func (t Trace) hint(attribute string) string {
	i := slices.IndexFunc(t.Targets, func(x Target) bool { return x.To == attribute })
	if i < 0 {
		return ""
	}
	return t.Targets[i].hint()
}

// LogValue is Lines.
func (t Trace) LogValue() slog.Value { return slog.AnyValue(t.Lines()) }

// Lines is one for each part.
func (t Trace) Lines() []string {
	lines := []string{t.Subject.String()}
	for _, target := range t.Targets {
		lines = append(lines, target.String())
	}
	lines = append(lines, t.Groups.String())
	if len(t.Unused) > 0 {
		lines = append(lines, "not used: "+strings.Join(t.Unused, ", "))
	}
	return lines
}

// Bounds of what a trace names: an identity provider may send anything.
const (
	maxNear    = 3
	maxUnused  = 30
	maxLooked  = 200 // claims looked at for near misses
	maxShown   = 200 // bytes of a name
	separators = "/:"
)

// near lists claims whose name equals one of names but for case or namespace.
func (r *reader) near(names []string) []string {
	var found []string
	for _, c := range r.claims[:min(len(r.claims), maxLooked)] {
		for _, spelled := range []string{c.Name, c.Alias} {
			if len(found) < maxNear && isNear(spelled, names) && !slices.Contains(found, shorten(spelled)) {
				found = append(found, shorten(spelled))
			}
		}
	}
	return found
}

func isNear(spelled string, names []string) bool {
	if spelled == "" || slices.Contains(names, spelled) {
		return false
	}
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(localName(spelled), localName(name)) })
}

// localName is a name without its namespace. An OID has none: its last number alone means nothing.
func localName(name string) string {
	if strings.HasPrefix(name, "urn:oid:") {
		return name
	}
	return name[strings.LastIndexAny(name, separators)+1:]
}

func (r *reader) unused() []string {
	var names []string
	for i, c := range r.claims {
		if !r.used[i] && len(names) < maxUnused {
			names = append(names, shorten(c.Name))
		}
	}
	return names
}

func shorten(name string) string {
	if len(name) > maxShown {
		return name[:maxShown] + "..."
	}
	return name
}
