package admin

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// numberOf reads an event's number from an address; anything else is the end of the story.
func numberOf(typed string) uint64 {
	n, err := strconv.ParseUint(typed, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func beforeOf(seq uint64) string { return "?before=" + strconv.FormatUint(seq, 10) }

// change begins an administrator's change of the user in the path.
func (v *visit) change(ch directory.Channel, verb directory.Verb) (directory.Change, error) {
	id, err := v.id("user")
	return directory.Change{
		Org: v.org(), Channel: ch, Actor: v.acting.Name, Request: v.request(), Verb: verb, ID: id,
	}, err
}

// apply makes a change and goes back to the page of the user.
func (s *Server) apply(v *visit, c directory.Change, done string) error {
	if _, err := s.directory.Apply(v.Request().Context(), c); err != nil {
		return err
	}
	return v.done(v.at("/users/"+c.ID.String()), done)
}

// setActive locks or unlocks. Unlocking lifts every source's lock: the administrator says so explicitly, and the event
// shows it.
func (s *Server) setActive(active, done string) func(*visit) error {
	return func(v *visit) error {
		c, err := v.change(directory.Local, directory.VerbMerge)
		if err != nil {
			return err
		}
		c.Attributes = directory.Attributes{{Name: directory.Active, Value: directory.Text(active)}}
		return s.apply(v, c, done)
	}
}

// editPage is the form for one attribute.
type editPage struct {
	Form form
	Name string // of the person
	Back string
	Def  directory.Definition
	// Allowed are the values of a closed list, nil when any will do.
	Allowed []string
	Story   *directory.AttributeStory // nil when nobody says anything
	// Owner supplies the attribute now: only a pin overrides it. "" when it may be edited.
	Owner string
	// Pinned: there is a pin to release.
	Pinned bool
	Fields []string // of a structured attribute
}

func (s *Server) editForm(v *visit) error {
	p, err := s.readEdit(v, form{})
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "edit", p)
}

func (s *Server) readEdit(v *visit, f form) (editPage, error) {
	u, err := s.readUser(v)
	if err != nil {
		return editPage{}, err
	}
	def, ok := v.policy.Definition(v.Param("attribute"))
	if !ok {
		return editPage{}, directory.ErrNotFound
	}
	p := editPage{Form: f, Name: u.Name, Back: v.at("/users/" + u.Why.User.String()), Def: def,
		Allowed: v.policy.Attribute(def.Name).Values, Fields: fieldsOf(def)}
	for i, a := range u.Why.Attributes {
		if a.Name == def.Name {
			p.Story = &u.Why.Attributes[i]
		}
	}
	p.ask()
	return p, nil
}

// ask finds out who owns the attribute, and fills the form with what is now, unless something was typed.
func (p *editPage) ask() {
	if p.Story == nil {
		return
	}
	for _, w := range p.Story.Told {
		switch {
		case w.Source.Channel == directory.Pin:
			p.Pinned = true
		case w.Wins && w.Source.Channel != directory.Local && w.Source.Channel != directory.ByRule:
			p.Owner = w.Source.String()
		}
	}
	if p.Form.values == nil {
		p.Form.values = map[string][]string{"value": {typedValue(p.Story.Value, p.Fields)}}
	}
}

// fieldsOf are the fields of a structured attribute in a fixed order, "value" first; nil for a plain one.
func fieldsOf(def directory.Definition) (names []string) {
	if len(def.Fields) == 0 || len(def.Fields) == 1 {
		return nil
	}
	for name := range def.Fields {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "value") != (b == "value") {
			return map[bool]int{true: -1, false: 1}[a == "value"]
		}
		return strings.Compare(a, b)
	})
	return names
}

// typedValue is a value as it is typed: an element a line, the fields of a structured one as name=text, parted by a
// semicolon.
func typedValue(value directory.Value, fields []string) string {
	lines := make([]string, len(value))
	for i, e := range value {
		if fields == nil {
			lines[i] = e.Field("value")
			continue
		}
		var parts []string
		for _, f := range e {
			parts = append(parts, f.Name+"="+f.Text)
		}
		lines[i] = strings.Join(parts, "; ")
	}
	return strings.Join(lines, "\n")
}

// readValue reads what typedValue writes. A line without "=" is a value.
func readValue(typed string, fields []string) (value directory.Value) {
	for line := range strings.Lines(typed) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		if fields == nil {
			value = append(value, directory.NewElement(directory.Field{Name: "value", Text: line}))
			continue
		}
		value = append(value, readElement(line, fields))
	}
	return value
}

func readElement(line string, fields []string) directory.Element {
	var list []directory.Field
	for part := range strings.SplitSeq(line, ";") {
		name, text, named := strings.Cut(part, "=")
		if name = strings.TrimSpace(name); !named || !slices.Contains(fields, name) {
			name, text = "value", part
		}
		if text = strings.TrimSpace(text); text != "" {
			list = append(list, directory.Field{Name: name, Text: text})
		}
	}
	return directory.NewElement(list...)
}

// edit sets one attribute: plainly where nobody supplies it, else by a pin with a reason.
func (s *Server) edit(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	p, err := s.readEdit(v, f)
	if err != nil {
		return err
	}
	ch := directory.Local
	if f.Value("pin") != "" {
		ch = directory.Pin
	}
	c, err := v.change(ch, directory.VerbMerge)
	if err != nil {
		return err
	}
	c.Reason = f.Value("reason")
	if until := f.Value("until"); until != "" {
		c.Until, err = time.Parse("2006-01-02", until)
		if err != nil {
			p.Form.fail("until", "edit.until-wrong")
			return v.render(http.StatusUnprocessableEntity, "edit", p)
		}
	}
	c.Attributes = directory.Attributes{{Name: p.Def.Name, Value: readValue(f.Value("value"), p.Fields)}}
	err = s.apply(v, c, "edited")
	if p.Form.failed(err) {
		p.Form.move(p.Def.Name, "value")
		return v.render(http.StatusUnprocessableEntity, "edit", p)
	}
	return err
}

// release removes a pin; what the sources say shows at once.
func (s *Server) release(v *visit) error {
	def, ok := v.policy.Definition(v.Param("attribute"))
	if !ok {
		return directory.ErrNotFound
	}
	c, err := v.change(directory.Pin, directory.VerbMerge)
	if err != nil {
		return err
	}
	c.Attributes = directory.Attributes{{Name: def.Name}}
	return s.apply(v, c, "released")
}
