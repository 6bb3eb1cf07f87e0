package directorytest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"muster/directory"
)

// expect holds one statement of what is true now.
func (p *play) expect(s *Step) {
	p.Helper()
	subject, rest := s.words[0], s.words[1:]
	var fault string
	switch subject {
	case "users":
		fault = countIs(rest[0], len(p.users()))
	case "groups":
		fault = countIs(rest[0], len(p.groups()))
	case "cases":
		fault = setIs(p.openCases(), rest)
	case "connection":
		fault = p.expectConnection(rest)
	case "preview":
		fault = p.expectPreview(rest)
	case "guard":
		fault = p.expectGuard(rest)
	case "task":
		fault = p.expectTask(rest)
	case "events":
		fault = p.expectEvents(rest)
	case "case":
		fault = setIs(p.permitted(rest[0]), rest[1:])
	default:
		fault = p.expectUser(p.id(subject), rest)
	}
	if fault != "" {
		p.Errorf("expect %s\n  %s", strings.Join(s.words, " "), fault)
	}
}

func countIs(want string, got int) string {
	if n, err := strconv.Atoi(want); err != nil || n != got {
		return fmt.Sprintf("there are %d", got)
	}
	return ""
}

// setIs compares in any order; "none" alone is the empty set.
func setIs(got, want []string) string {
	if !sameSet(got, nobody(want)) {
		return fmt.Sprintf("it is %q", got)
	}
	return ""
}

func nobody(list []string) []string {
	if len(list) == 1 && (list[0] == "none" || list[0] == "nobody") {
		return nil
	}
	return list
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func (p *play) openCases() []string {
	p.Helper()
	page, err := p.stage.Directory.Cases(p.Context(), p.org, directory.CaseQuery{Limit: 1000})
	if err != nil {
		p.Fatal(err)
	}
	var codes []string
	for _, c := range page.Cases {
		codes = append(codes, string(c.Code))
	}
	return codes
}

// expectUser holds one statement about one user.
func (p *play) expectUser(id directory.ID, words []string) string {
	p.Helper()
	x := p.explain(id)
	rest := words[1:]
	switch words[0] {
	case "state":
		return setIs([]string{x.State}, rest)
	case "home":
		return setIs(filled(x.Home), rest)
	case "locks":
		return setIs(lockSources(x), rest)
	case "groups":
		return setIs(p.countingGroups(id), rest)
	case "member":
		return setIs(p.viewedGroups(id, rest[0]), rest[1:])
	case "link":
		return linkIs(x, rest[0], rest[1])
	case "own":
		return p.ownIs(id, rest)
	case "layer":
		return layerIs(x, rest)
	case "sees":
		return setIs([]string{p.viewKind(id, rest[0])}, rest[1:])
	case "history":
		return p.historyIs(id, rest)
	case "answers":
		return p.answersAs(id, rest[0], rest[1])
	case "session":
		in, err := p.stage.Door.SignedIn(p.Context(), id)
		if err != nil {
			return err.Error()
		}
		return answerIf(in != (rest[0] == "open"), fmt.Sprintf("there is one: %t", in))
	case "tells":
		return p.tells(id, rest[0])
	case "denied":
		return answerIf(x.Denied == "", "no rule denies")
	case "welcome":
		return answerIf(x.Denied != "", x.Denied+" denies")
	}
	return p.effectiveIs(id, words[0], rest)
}

func answerIf(bad bool, sentence string) string {
	if bad {
		return sentence
	}
	return ""
}

func filled(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func lockSources(x *directory.Explanation) []string {
	var list []string
	for _, l := range x.Locks {
		if l.Holds() {
			list = append(list, l.Source.String())
		}
	}
	return list
}

func (p *play) view(id directory.ID, connection string) *directory.Profile {
	u, err := p.stage.Directory.User(p.Context(), directory.Viewer{Org: p.org, Connection: connection}, id)
	if err != nil {
		return nil
	}
	return u
}

func groupNames(u *directory.Profile) []string {
	var list []string
	if u != nil {
		for _, g := range u.Groups {
			list = append(list, g.Name)
		}
	}
	return list
}

func (p *play) countingGroups(id directory.ID) []string { return groupNames(p.view(id, "")) }

func (p *play) viewedGroups(id directory.ID, connection string) []string {
	return groupNames(p.view(id, connection))
}

// linkIs compares the subject of a live link; "none" is no such link.
func linkIs(x *directory.Explanation, where, subject string) string {
	got := "none"
	for _, l := range x.Links {
		if string(l.Channel)+"/"+l.Connection == where && l.State != directory.LinkMoved {
			got = l.Subject
		}
	}
	return answerIf(got != subject, fmt.Sprintf("it is %q", got))
}

func (p *play) viewKind(id directory.ID, connection string) string {
	switch u := p.view(id, connection); {
	case u == nil:
		return "nothing"
	case u.Minimal:
		return "minimal"
	}
	return "own"
}

// plain are the values of an attribute as an expectation writes them.
func plain(v directory.Value) []string {
	list := []string{}
	for _, e := range v {
		list = append(list, e.Field("value"))
	}
	return list
}

func (p *play) ownIs(id directory.ID, rest []string) string {
	u := p.view(id, rest[0])
	if u == nil {
		return "the connection does not see the user"
	}
	v, _ := u.Attributes.Get(directory.CanonicalName(rest[1]))
	return setIs(plain(v), rest[2:])
}

func layerIs(x *directory.Explanation, rest []string) string {
	name := directory.CanonicalName(rest[1])
	var got []string
	for _, a := range x.Attributes {
		for _, w := range a.Told {
			if a.Name == name && w.Source.String() == rest[0] {
				got = plain(w.Value)
			}
		}
	}
	return setIs(got, rest[2:])
}

func (p *play) historyIs(id directory.ID, want []string) string {
	events, err := p.stage.Directory.History(p.Context(), p.org, id, len(want))
	if err != nil {
		return err.Error()
	}
	var got []string
	for _, e := range events {
		got = append(got, string(e.Type))
	}
	return answerIf(!slices.Equal(got, want), fmt.Sprintf("it is %q", got))
}

// effectiveIs compares what the world sees, and, if it is said, where it is from.
func (p *play) effectiveIs(id directory.ID, name string, want []string) string {
	name = directory.CanonicalName(name)
	source := ""
	if n := len(want); n > 2 && want[n-2] == "from" {
		source, want = want[n-1], want[:n-2]
	}
	u := p.view(id, "")
	if u == nil {
		return "there is no such user any more"
	}
	v, _ := u.Attributes.Get(name)
	if fault := setIs(plain(v), want); fault != "" || source == "" {
		return fault
	}
	for _, a := range p.explain(id).Attributes {
		for _, w := range a.Told {
			if a.Name == name && w.Wins && w.Source.String() == source {
				return ""
			}
		}
	}
	return "it does not come from " + source
}
