package projection

import (
	"encoding/json"
	"strings"

	"muster/directory"
)

func userRow(p *directory.Profile) ([]any, error) {
	a := p.Attributes
	emails, _ := a.Get(directory.Emails)
	attributes, err := json.Marshal(attributesOf(a))
	if err != nil {
		return nil, err
	}
	return []any{
		p.Org, p.ID.String(), clean(a.Text(directory.UserName)), a.Text(directory.Active) != "false",
		optional(a.Text(directory.DisplayName)), optional(a.Text(directory.GivenName)), optional(a.Text(directory.FamilyName)),
		optional(emails.Primary().Field("value")), optional(a.Text("title")), optional(a.Text("department")), optional(a.Text("userType")),
		p.Created, p.Modified, attributes,
	}, nil
}

// attributesOf is {name: text} for attributes of one simple value, and
// {name: [{field: text}]} for all others.
func attributesOf(a directory.Attributes) map[string]any {
	all := make(map[string]any, len(a))
	for _, x := range a {
		if len(x.Value) == 1 && len(x.Value[0]) == 1 && x.Value[0][0].Name == "value" {
			all[x.Name] = clean(x.Value.String())
			continue
		}
		elements := make([]map[string]string, len(x.Value))
		for i, e := range x.Value {
			elements[i] = make(map[string]string, len(e))
			for _, f := range e {
				elements[i][f.Name] = clean(f.Text)
			}
		}
		all[x.Name] = elements
	}
	return all
}

func groupRow(g *directory.Group) []any {
	return []any{g.Org, g.ID.String(), clean(g.DisplayName), optional(g.Source.Connection), string(g.Source.Channel), g.Created, g.Modified}
}

// events adds rows of events, without values.
func (w *writer) events(list []directory.Event) error {
	rows := make([][]any, len(list))
	for i, e := range list {
		names := make([]string, len(e.Changes))
		for j, c := range e.Changes {
			names[j] = clean(c.Attribute)
		}
		rows[i] = []any{w.org, int64(e.Seq), e.ID.String(), e.Time, string(e.Type), idOrNone(e.User), idOrNone(e.Group),
			optional(e.Source.Connection), optional(string(e.Source.Channel)), optional(e.Source.Actor), optional(e.Source.Request), names}
	}
	return w.copy("events", rows)
}

func idOrNone(id directory.ID) any {
	if id == directory.NoID {
		return nil
	}
	return id.String()
}

// optional is NULL for an empty text.
func optional(text string) any {
	if text == "" {
		return nil
	}
	return clean(text)
}

// clean replaces what a text of PostgreSQL cannot hold.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// ids are the texts of a value that lists ids.
func ids(v directory.Value) []string {
	list := make([]string, len(v))
	for i, e := range v {
		list[i] = e.Field("value")
	}
	return list
}
