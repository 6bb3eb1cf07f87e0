package directorytest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is one line of a scene with what is indented below it.
type Step struct {
	text  string   // as written, for messages
	verb  string   // scim, sso, admin, policy, clock, expect, reorder, together
	words []string // after the verb, JSON and filter excluded
	json  string   // from the first brace or bracket on
	wants []want   // the written one first, then the alternatives
	block []Step   // of reorder and together
	times int      // of together
	wait  time.Duration
}

// want is what one step is to do.
type want struct {
	word     string // an outcome or a code
	status   int
	scimType string
	as       string
	on       string
	kase     string // code of the case, "" for none
	warns    []string
	finds    []string // nil: not said
}

// maxCommuting bounds the orders of one block: 4! = 24.
const maxCommuting = 4

// parseSteps reads the lines of one section.
func parseSteps(text string) ([]Step, error) {
	groups, err := gather(text)
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, g := range groups {
		s, err := g.step()
		if err != nil {
			return nil, fmt.Errorf("%q: %w", g.head, err)
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// group is one step's lines before they are read.
type group struct {
	head  string
	below []string // indented lines, their common indent removed
}

// gather groups indented lines below the line they belong to.
func gather(text string) ([]group, error) {
	var groups []group
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\n")
		if line == "" || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if line[0] != ' ' {
			groups = append(groups, group{head: line})
			continue
		}
		if len(groups) == 0 {
			return nil, fmt.Errorf("%q is indented below nothing", line)
		}
		g := &groups[len(groups)-1]
		g.below = append(g.below, strings.TrimPrefix(line, "  "))
	}
	return groups, nil
}

func (g group) step() (Step, error) {
	verb, rest, _ := strings.Cut(g.head, " ")
	s := Step{text: g.head, verb: verb, times: 1}
	if verb == "reorder" || verb == "together" {
		return s, s.readBlock(rest, g.below)
	}
	for _, line := range g.below {
		line = strings.TrimSpace(line)
		if arrow, ok := strings.CutPrefix(line, "->"); ok {
			wants, err := parseWants(arrow)
			if err != nil {
				return s, err
			}
			s.wants = append(s.wants, wants...)
			continue
		}
		rest += " " + line
	}
	return s, s.read(rest)
}

func (s *Step) readBlock(rest string, below []string) (err error) {
	if s.verb == "together" && rest != "" {
		if s.times, err = strconv.Atoi(rest); err != nil || s.times < 1 || s.times > 64 {
			return fmt.Errorf("together takes a number from 1 to 64")
		}
	}
	s.block, err = parseSteps(strings.Join(below, "\n"))
	if err == nil && s.verb == "reorder" && (len(s.block) < 2 || len(s.block) > maxCommuting) {
		err = fmt.Errorf("reorder takes two to %d steps", maxCommuting)
	}
	return err
}

// read takes the words and the JSON of a step apart.
func (s *Step) read(rest string) error {
	if s.verb == "scim" && strings.Contains(rest, " FIND ") {
		head, filter, _ := strings.Cut(rest, " FIND ")
		s.words = []string{strings.TrimSpace(head), "FIND", strings.TrimSpace(filter)}
		return s.complete()
	}
	if i := strings.IndexAny(rest, "{["); i >= 0 && s.verb != "expect" {
		rest, s.json = rest[:i], rest[i:]
	}
	var err error
	if s.words, err = words(rest); err != nil {
		return err
	}
	return s.complete()
}

// words splits at blanks; what stands in quotes is one word, which may be empty.
func words(text string) ([]string, error) {
	var list []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if text[0] != '"' {
			word, rest, _ := strings.Cut(text, " ")
			list, text = append(list, word), rest
			continue
		}
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return nil, fmt.Errorf("an open quote: %s", text)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, err
		}
		list, text = append(list, word), text[len(quoted):]
	}
	return list, nil
}

// shape is how many words a verb takes at least, and whether it has an outcome.
func shape(verb string) (least int, answer, ok bool) {
	switch verb {
	case "scim", "sso":
		return 2, true, true
	case "admin", "unmerge":
		return 1, true, true
	case "operate":
		return 2, true, true
	case "resolve", "merge":
		return 2, true, true
	case "link":
		return 3, true, true
	case "policy", "clock":
		return 1, false, true
	case "expect":
		return 2, false, true
	}
	return 0, false, false
}

func (s *Step) complete() (err error) {
	least, answer, ok := shape(s.verb)
	switch {
	case !ok:
		return fmt.Errorf("no such step")
	case len(s.words) < least:
		return fmt.Errorf("needs %d words", least)
	case answer != (len(s.wants) > 0):
		return fmt.Errorf("a step that does something says after an arrow what is to happen, and no other")
	}
	switch s.verb {
	case "clock":
		s.wait, err = time.ParseDuration(s.words[0])
	case "sso":
		if len(s.words) == 4 && s.words[2] == "issued" {
			s.wait, err = time.ParseDuration(s.words[3])
		} else if len(s.words) != 2 && (len(s.words) != 3 || s.words[2] != "again") {
			err = fmt.Errorf("sso CONN SUBJECT [issued -DURATION | again] {claims}")
		}
	}
	for i := range s.wants {
		if err == nil {
			err = s.wants[i].complete(s)
		}
	}
	return err
}

// administrative steps do not come through a door.
func administrative(verb string) bool {
	return slices.Contains([]string{"admin", "operate", "resolve", "merge", "unmerge", "link"}, verb)
}

// refused says that the word is a code and none of the outcomes.
func (w *want) refused() bool {
	return !slices.Contains([]string{"created", "adopted", "restored", "updated", "unchanged", "deleted", "found",
		"resolved", "merged", "unmerged", string(Done)}, w.word)
}

// complete fills in the status that an answer has over HTTP.
func (w *want) complete(s *Step) error {
	switch {
	case w.status != 0:
	case administrative(s.verb):
	case s.verb == "sso" && w.refused():
		w.status = 403
	case s.verb == "sso":
		w.status = 303
	case w.refused():
		return fmt.Errorf("a refused request has a status")
	}
	if w.kase == "same" {
		w.kase = w.word
	}
	return nil
}

// usualStatus is that of a SCIM request that goes well. A PATCH of a group
// answers without a body.
func (s *Step) usualStatus(group bool) int {
	switch method := s.words[1]; {
	case method == "POST":
		return 201
	case method == "DELETE", method == "PATCH" && group:
		return 204
	}
	return 200
}

// parseWants reads what follows an arrow.
func parseWants(text string) ([]want, error) {
	list, err := words(text)
	if err != nil || len(list) == 0 {
		return nil, fmt.Errorf("an arrow without an outcome: %v", err)
	}
	var wants []want
	for len(list) > 0 {
		end := slices.Index(list, "or")
		if end < 0 {
			end = len(list)
		}
		w, err := parseWant(list[:end])
		if err != nil {
			return nil, err
		}
		wants, list = append(wants, w), list[min(end+1, len(list)):]
	}
	return wants, nil
}

func parseWant(list []string) (w want, err error) {
	if len(list) == 0 {
		return w, fmt.Errorf("an alternative without an outcome")
	}
	w.word, list = list[0], list[1:]
	for len(list) > 0 {
		word, rest := list[0], list[1:]
		switch {
		case word == "as" && len(rest) > 0:
			w.as, rest = rest[0], rest[1:]
		case word == "on" && len(rest) > 0:
			w.on, rest = rest[0], rest[1:]
		case word == "warns" && len(rest) > 1:
			w.warns, rest = append(w.warns, rest[0]+" "+rest[1]), rest[2:]
		case word == "finds":
			w.finds, rest = append([]string{}, rest...), nil
		case word == "case" && len(rest) > 0 && !isClause(rest[0]):
			w.kase, rest = rest[0], rest[1:]
		case word == "case":
			w.kase = "same"
		default:
			status, scimType, _ := strings.Cut(word, "/")
			if w.status, err = strconv.Atoi(status); err != nil {
				return w, fmt.Errorf("%q means nothing here", word)
			}
			w.scimType = scimType
		}
		list = rest
	}
	return w, nil
}

func isClause(word string) bool {
	return slices.Contains([]string{"as", "on", "warns", "finds", "case"}, word)
}
