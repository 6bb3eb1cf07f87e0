package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"muster/directory"
)

// rulesPage is the form for an organisation's rules and defaults. Moving, adding and removing show the form again;
// nothing is decided until it is saved.
type rulesPage struct {
	Form     form
	Rules    []ruleRow
	Revision string
	Preview  *directory.Preview
	// Seen stands for what the preview was made of.
	Seen string
	// Must: so many people change that the preview has to be seen before saving.
	Must bool
}

// ruleRow is one rule as it is typed.
type ruleRow struct {
	At, Name, When, Set, Max string
	Deny, First, Last        bool
	Full                     string
}

const (
	mostRules = 1000
	// previewFrom is how many people a change must concern before its preview has to be seen.
	previewFrom = 100
)

func (s *Server) rules(v *visit) error {
	return v.render(http.StatusOK, "rules", rulesPage{Form: formOfRules(v.policy)}.read())
}

// formOfRules is what is decided now, as it would be typed.
func formOfRules(p *directory.Policy) form {
	f := form{values: map[string][]string{}}
	set := func(name, text string) { f.values.Set(name, text) }
	for i, r := range p.Org.Rules {
		at := "-" + strconv.Itoa(i)
		set("name"+at, r.Name)
		set("when"+at, r.When)
		set("set"+at, typedSet(r.Set))
		if r.Deny {
			set("deny"+at, "yes")
		}
		if r.Max > 0 {
			set("max"+at, strconv.Itoa(r.Max))
		}
		set("full"+at, string(r.Full))
	}
	set("count", strconv.Itoa(len(p.Org.Rules)))
	set("revision", strconv.FormatUint(p.Revision, 10))
	set("defaults", typedDefaults(p.Org.Defaults))
	return f
}

// typedSet is what a rule sets, an attribute a line: "license=full". Several values of one attribute are several lines.
func typedSet(set directory.Attributes) string {
	var b strings.Builder
	for _, a := range set {
		for _, line := range strings.Split(typedValue(a.Value, structured(a.Value)), "\n") {
			fmt.Fprintf(&b, "%s=%s\n", a.Name, line)
		}
	}
	return b.String()
}

// structured are the names of fields besides "value" in a value, nil when there are none.
func structured(v directory.Value) []string {
	for _, e := range v {
		for _, f := range e {
			if f.Name != "value" {
				return []string{f.Name}
			}
		}
	}
	return nil
}

func typedDefaults(list []directory.Default) string {
	var b strings.Builder
	for _, d := range list {
		for _, e := range d.Value {
			fmt.Fprintf(&b, "%s=%s", d.Attribute, e.Field("value"))
			if d.Door != "" {
				fmt.Fprintf(&b, " @%s", d.Door)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// read lays the typed form out as rows.
func (p rulesPage) read() rulesPage {
	n := p.Form.count()
	p.Rules = nil
	for i := range n {
		at := strconv.Itoa(i)
		value := func(name string) string { return p.Form.Value(name + "-" + at) }
		p.Rules = append(p.Rules, ruleRow{At: at, Name: value("name"), When: value("when"), Set: value("set"), Max: value("max"),
			Deny: value("deny") != "", Full: value("full"), First: i == 0, Last: i == n-1})
	}
	p.Revision = p.Form.Value("revision")
	return p
}

func (f form) count() int {
	n, err := strconv.Atoi(f.Value("count"))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, mostRules)
}

// write puts the rows back under their new places.
func (p *rulesPage) write() {
	kept := form{values: map[string][]string{}, Faults: p.Form.Faults}
	for _, name := range []string{"revision", "defaults"} {
		kept.values.Set(name, p.Form.Value(name))
	}
	for i, r := range p.Rules {
		at := "-" + strconv.Itoa(i)
		for name, text := range map[string]string{"name": r.Name, "when": r.When, "set": r.Set, "max": r.Max, "full": r.Full} {
			kept.values.Set(name+at, text)
		}
		if r.Deny {
			kept.values.Set("deny"+at, "yes")
		}
	}
	kept.values.Set("count", strconv.Itoa(len(p.Rules)))
	p.Form = kept
}

// arrange does what one of the buttons of the list asks: "add", "remove 3", "up 3", "down 3".
func (p *rulesPage) arrange(asked string) {
	verb, place, _ := strings.Cut(asked, " ")
	i, err := strconv.Atoi(place)
	there := err == nil && i >= 0 && i < len(p.Rules)
	switch {
	case verb == "add" && len(p.Rules) < mostRules:
		p.Rules = append(p.Rules, ruleRow{})
	case verb == "remove" && there:
		p.Rules = append(p.Rules[:i], p.Rules[i+1:]...)
	case verb == "up" && there && i > 0:
		p.Rules[i-1], p.Rules[i] = p.Rules[i], p.Rules[i-1]
	case verb == "down" && there && i < len(p.Rules)-1:
		p.Rules[i+1], p.Rules[i] = p.Rules[i], p.Rules[i+1]
	}
	p.write()
	*p = p.read()
}

// saveRules arranges, previews or saves, as the button says. What concerns many people is saved only after its preview
// was seen.
func (s *Server) saveRules(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p := rulesPage{Form: f}.read()
	if asked := f.Value("arrange"); asked != "" {
		p.arrange(asked)
		return v.render(http.StatusOK, "rules", p)
	}
	setup, ok := p.setup(v.policy)
	if !ok {
		return v.render(http.StatusUnprocessableEntity, "rules", p)
	}
	ctx := v.Request().Context()
	seen := wantedDigest(setup)
	if f.Value("do") == "preview" || f.Value("seen") != seen {
		preview, err := s.directory.Preview(ctx, setup)
		if p.Form.failed(err) {
			p.place()
			return v.render(http.StatusUnprocessableEntity, "rules", p)
		}
		if err != nil {
			return err
		}
		p.Must = preview.Changed > previewFrom
		if f.Value("do") == "preview" || p.Must {
			p.Preview, p.Seen = &preview, seen
			return v.render(http.StatusOK, "rules", p)
		}
	}
	_, err = s.directory.Configure(ctx, v.acting.Source(), []directory.Setup{setup})
	if p.Form.failed(err) {
		p.place()
		return v.render(http.StatusUnprocessableEntity, "rules", p)
	}
	if err != nil {
		return err
	}
	return v.done(v.at("/rules"), "rules")
}

// wantedDigest names a wanted state, so that what is saved is what was previewed.
func wantedDigest(s directory.Setup) string {
	text, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// setup is what the form asks for. It notes what cannot be read.
func (p *rulesPage) setup(now *directory.Policy) (directory.Setup, bool) {
	revision, err := strconv.ParseUint(p.Revision, 10, 64)
	if err != nil {
		p.Form.fail("", "rules.stale")
		return directory.Setup{}, false
	}
	s := directory.Setup{Org: *now.Org, Revision: &revision}
	s.Org.Rules, s.Org.Defaults = nil, nil
	for _, r := range p.Rules {
		rule := directory.Rule{Name: strings.TrimSpace(r.Name), When: strings.TrimSpace(r.When), Deny: r.Deny, Full: directory.Full(r.Full)}
		rule.Set = p.readSet("set-"+r.At, r.Set)
		if r.Max != "" {
			if rule.Max, err = strconv.Atoi(r.Max); err != nil {
				p.Form.fail("max-"+r.At, "rules.max-wrong")
			}
		}
		s.Org.Rules = append(s.Org.Rules, rule)
	}
	for line := range strings.Lines(p.Form.Value("defaults")) {
		if d, ok := readDefault(line); ok {
			s.Org.Defaults = append(s.Org.Defaults, d)
		} else if strings.TrimSpace(line) != "" {
			p.Form.fail("defaults", "rules.line-wrong")
		}
	}
	return s, len(p.Form.Faults) == 0
}

// readSet reads what typedSet writes.
func (p *rulesPage) readSet(field, typed string) (set directory.Attributes) {
	for line := range strings.Lines(typed) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, text, ok := strings.Cut(line, "=")
		if name = directory.CanonicalName(strings.TrimSpace(name)); !ok || name == "" {
			p.Form.fail(field, "rules.line-wrong")
			continue
		}
		value, _ := set.Get(name)
		set.Set(name, append(value, readElement(strings.TrimSpace(text), []string{"value", "type", "display", "primary"})))
	}
	return set
}

// readDefault reads "location=Berlin" or "location=Berlin @sso".
func readDefault(line string) (directory.Default, bool) {
	name, text, ok := strings.Cut(strings.TrimSpace(line), "=")
	if !ok || strings.TrimSpace(name) == "" {
		return directory.Default{}, false
	}
	d := directory.Default{Attribute: directory.CanonicalName(strings.TrimSpace(name))}
	text, door, _ := strings.Cut(text, " @")
	d.Door, d.Value = directory.Channel(strings.TrimSpace(door)), directory.Text(strings.TrimSpace(text))
	return d, true
}

// place shows the directory's faults beside the fields they are about: rules[2].when is the field when-2.
func (p *rulesPage) place() {
	for path, fault := range p.Form.Faults {
		field, ok := fieldOf(path)
		if ok {
			delete(p.Form.Faults, path)
			p.Form.fail(field, fault)
			continue
		}
		if path != "" && !p.Form.values.Has(path) {
			delete(p.Form.Faults, path)
			p.Form.fail("", path+": "+fault)
		}
	}
}

func fieldOf(path string) (string, bool) {
	if i := strings.Index(path, "defaults"); i >= 0 {
		return "defaults", true
	}
	_, rest, ok := strings.Cut(path, "rules[")
	if !ok {
		return "", false
	}
	at, rest, _ := strings.Cut(rest, "]")
	name, _, _ := strings.Cut(strings.TrimPrefix(rest, "."), ".")
	switch name {
	case "when", "set", "max", "full", "name":
		return name + "-" + at, true
	}
	return "name-" + at, true
}
