package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"muster/directory"
)

// userPage is one person: what the world sees, and why.
type userPage struct {
	User    *directory.Profile
	Name    string // how the page calls the person
	Why     *directory.Explanation
	Sources []directory.Source // those with a word, in the order of precedence
	Cells   []matrixRow
	Missing []string // attributes that nobody says anything about
	// Sessions are those that last, on the person's own page.
	Sessions []directory.OpenSession
}

// matrixRow is what each source says about one attribute, in the order of userPage.Sources.
type matrixRow struct {
	Name  string
	Words [][]directory.Word
}

func (s *Server) user(v *visit) error {
	p, err := s.readUser(v)
	if err != nil {
		return err
	}
	if p.Sessions, err = s.directory.Sessions(v.Request().Context(), v.org(), p.Why.User); err != nil {
		return err
	}
	return v.render(http.StatusOK, "user", p)
}

// readUser reads the person in the path. A tombstone has an explanation only.
func (s *Server) readUser(v *visit) (p userPage, err error) {
	id, err := v.id("user")
	if err != nil {
		return p, err
	}
	ctx := v.Request().Context()
	p.Why, err = s.directory.Explain(ctx, v.org(), id)
	if err != nil {
		return p, err
	}
	p.User, err = s.directory.User(ctx, directory.Viewer{Org: v.org()}, id)
	if errors.Is(err, directory.ErrNotFound) {
		err = nil
	}
	p.Name = nameOf(p.User, id)
	p.Sources = sourcesOf(p.Why)
	p.Cells = matrix(p.Why, p.Sources)
	p.Missing = missingOf(v.policy, p.Why)
	return p, err
}

// id is an id in the path.
func (v *visit) id(name string) (directory.ID, error) {
	id, ok := directory.ParseID(v.Param(name))
	if !ok {
		return id, directory.ErrNotFound
	}
	return id, nil
}

// nameOf is how a page calls a person: by name, user name or id, whatever there is.
func nameOf(p *directory.Profile, id directory.ID) string {
	if p == nil {
		return id.String()
	}
	full := strings.TrimSpace(p.Attributes.Text("name.givenName") + " " + p.Attributes.Text("name.familyName"))
	for _, name := range []string{p.Attributes.Text("displayName"), full, p.Attributes.Text("userName")} {
		if name != "" {
			return name
		}
	}
	return id.String()
}

// sourcesOf lists who says anything about the person. Each attribute tells its words in the order of precedence; the
// order of the first attributes that know a source counts.
func sourcesOf(x *directory.Explanation) (list []directory.Source) {
	for _, a := range x.Attributes {
		at := len(list)
		for _, w := range slices.Backward(a.Told) {
			if i := slices.Index(list, w.Source); i >= 0 {
				at = i
				continue
			}
			list = slices.Insert(list, at, w.Source)
		}
	}
	return list
}

// missingOf are the attributes that nobody says anything about, by name.
func missingOf(p *directory.Policy, x *directory.Explanation) (names []string) {
	for _, d := range p.Definitions() {
		told := slices.ContainsFunc(x.Attributes, func(a directory.AttributeStory) bool { return a.Name == d.Name })
		if !told && d.Name != directory.Active && d.Name != directory.ExternalID {
			names = append(names, d.Name)
		}
	}
	slices.Sort(names)
	return names
}

func matrix(x *directory.Explanation, sources []directory.Source) []matrixRow {
	rows := make([]matrixRow, 0, len(x.Attributes))
	for _, a := range x.Attributes {
		row := matrixRow{a.Name, make([][]directory.Word, len(sources))}
		for _, w := range a.Told {
			i := slices.Index(sources, w.Source)
			row.Words[i] = append(row.Words[i], w)
		}
		rows = append(rows, row)
	}
	return rows
}

// storyPage is what happened to a user or a group.
type storyPage struct {
	Name, Back string
	Story      []directory.Telling
	Next       string
}

const storySize = 50

func (s *Server) userStory(v *visit) error {
	id, err := v.id("user")
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	if _, err := s.directory.Explain(ctx, v.org(), id); err != nil {
		return err
	}
	who, err := s.named(v, id)
	if err != nil {
		return err
	}
	return s.tellStory(v, storyPage{Name: who.Name, Back: v.at("/users/" + id.String())}, id)
}

// tellStory shows a page of the events about a user or a group.
func (s *Server) tellStory(v *visit, p storyPage, id directory.ID) (err error) {
	p.Story, err = s.directory.Story(v.Request().Context(), v.org(), id, numberOf(v.QueryParam("before")), storySize)
	if err != nil {
		return err
	}
	if len(p.Story) == storySize {
		p.Next = beforeOf(p.Story[len(p.Story)-1].Event.Seq)
	}
	return v.render(http.StatusOK, "story", p)
}
