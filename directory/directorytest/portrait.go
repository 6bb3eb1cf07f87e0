package directorytest

import (
	"fmt"
	"slices"
	"strings"

	"muster/directory"
)

// portrait is everything that can be seen of the organisation, as text. Ids are
// the scenario's names, so that two runs compare. stamped adds who said what
// when, which tells a rewritten value from one that was left alone.
func (p *play) portrait(stamped bool) string {
	p.Helper()
	p.users()
	var parts []string
	for id := range p.met {
		parts = append(parts, p.user(id, stamped))
	}
	for _, g := range p.groups() {
		parts = append(parts, p.group(g))
	}
	slices.Sort(parts)
	return strings.Join(parts, "")
}

func (p *play) user(id directory.ID, stamped bool) string {
	p.Helper()
	x := p.explain(id)
	var b strings.Builder
	fmt.Fprintf(&b, "user %s %s home %q denied %q\n", p.name(id, x), x.State, x.Home, x.Denied)
	for _, a := range x.Attributes {
		fmt.Fprintf(&b, "  %s = %s\n", a.Name, text(a.Value))
		for _, w := range a.Told {
			fmt.Fprintf(&b, "    %s %s %t%s\n", w.Source, text(w.Value), w.Wins, stamp(w.Stamp, stamped))
		}
	}
	for _, line := range sortedLines(x, stamped) {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	for _, c := range p.connections() {
		fmt.Fprintf(&b, "  %s sees %s\n", c, p.sees(id, c))
	}
	return b.String()
}

// sortedLines are locks, groups and links, whose order means nothing.
func sortedLines(x *directory.Explanation, stamped bool) []string {
	var lines []string
	for _, l := range x.Locks {
		lines = append(lines, fmt.Sprintf("lock %s link only %t holds %t%s", l.Source, l.LinkOnly, l.Holds(), stamp(l.Stamp, stamped)))
	}
	for _, g := range x.Groups {
		lines = append(lines, fmt.Sprintf("group %s %s indirect %t", g.Source, g.Name, g.Indirect))
	}
	for _, l := range x.Links {
		lines = append(lines, fmt.Sprintf("link %s/%s %q %q state %d ahead %t", l.Channel, l.Connection, l.Issuer, l.Subject, l.State, l.Ahead))
	}
	slices.Sort(lines)
	return lines
}

func stamp(s directory.Stamp, shown bool) string {
	if !shown {
		return ""
	}
	return fmt.Sprintf(" %v", s)
}

// sees is what a connection sees of a user, in one line.
func (p *play) sees(id directory.ID, connection string) string {
	u, err := p.stage.Directory.User(p.Context(), directory.Viewer{Org: p.org, Connection: connection}, id)
	if err != nil {
		return "nothing"
	}
	var b strings.Builder
	if u.Minimal {
		b.WriteString("minimal ")
	}
	for _, a := range u.Attributes {
		fmt.Fprintf(&b, "%s=%s ", a.Name, text(a.Value))
	}
	groups := groupNames(u)
	slices.Sort(groups)
	return b.String() + fmt.Sprintf("in %q", groups)
}

func (p *play) group(g *directory.Group) string {
	p.Helper()
	var members []string
	for m, err := range p.stage.Directory.Members(p.Context(), directory.Viewer{Org: p.org}, g.ID) {
		if err != nil {
			p.Fatal(err)
		}
		name := p.names[m.ID]
		if name == "" && !m.Group {
			name = p.name(m.ID, p.explain(m.ID))
		}
		members = append(members, name)
	}
	slices.Sort(members)
	return fmt.Sprintf("group %s %q %q members %v\n", g.Source, g.DisplayName, g.ExternalID, members)
}

// name is what the scenario calls a user, else the userName.
func (p *play) name(id directory.ID, x *directory.Explanation) string {
	if name := p.names[id]; name != "" {
		return name
	}
	i := slices.IndexFunc(x.Attributes, func(a directory.AttributeStory) bool { return a.Name == directory.UserName })
	if i < 0 {
		return "somebody"
	}
	return "(" + x.Attributes[i].Value.String() + ")"
}

func (p *play) explain(id directory.ID) *directory.Explanation {
	p.Helper()
	x, err := p.stage.Directory.Explain(p.Context(), p.org, id)
	if err != nil {
		p.Fatalf("explain %s: %v", id, err)
	}
	return x
}

func (p *play) connections() []string {
	p.Helper()
	policy, err := p.stage.Directory.Policy(p.Context(), p.org)
	if err != nil {
		p.Fatal(err)
	}
	var ids []string
	for _, c := range policy.Connections() {
		ids = append(ids, c.ID)
	}
	return ids
}

// text is a value as a line: its elements, each its value or its fields.
func text(v directory.Value) string { return fmt.Sprintf("%q", texts(v)) }

func texts(v directory.Value) []string {
	list := []string{}
	for _, e := range v {
		if len(e) == 1 && e[0].Name == "value" {
			list = append(list, e[0].Text)
			continue
		}
		var fields []string
		for _, f := range e {
			fields = append(fields, f.Name+"="+f.Text)
		}
		list = append(list, strings.Join(fields, ","))
	}
	return list
}
