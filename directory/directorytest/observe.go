package directorytest

import (
	"fmt"
	"slices"

	"muster/directory"
)

// observation is what a step may leave traces in.
type observation struct {
	seq      uint64 // of the last event
	cases    map[directory.ID]directory.Case
	portrait string
	store    string
}

func (p *play) observe() observation {
	p.Helper()
	o := observation{cases: map[directory.ID]directory.Case{}, portrait: p.portrait(true)}
	for _, e := range p.events(0) {
		o.seq = e.Seq
	}
	page, err := p.stage.Directory.Cases(p.Context(), p.org, directory.CaseQuery{Limit: 1000})
	if err != nil {
		p.Fatal(err)
	}
	for _, c := range page.Cases {
		o.cases[c.ID] = c
	}
	if p.stage.Store != nil {
		o.store = p.stage.Store()
	}
	return o
}

func (p *play) events(after uint64) []directory.Event {
	p.Helper()
	list, err := p.stage.Directory.Events(p.Context(), p.org, after, 100_000)
	if err != nil {
		p.Fatal(err)
	}
	return list
}

// traces holds what a step left in the directory against what its outcome may
// leave.
func (p *play) traces(s *Step, w *want, a *Answer, before, after observation) (faults []string) {
	if w.refused() {
		faults = append(faults, p.unmoved(w, before, after)...)
		faults = append(faults, p.findable(s, w, a)...)
	}
	faults = append(faults, caseTraces(w, before, after)...)
	var kinds []directory.EventType
	for _, e := range p.events(before.seq) {
		if !slices.Contains([]directory.EventType{directory.CaseOpened, directory.CaseClosed, directory.GuardAlert}, e.Type) {
			kinds = append(kinds, e.Type)
		}
	}
	if !eventsFit(w.word, kinds) {
		faults = append(faults, fmt.Sprintf("the events %v do not go with %s", kinds, w.word))
	}
	return faults
}

// unmoved: a refusal changes nothing, and without a case not a byte. A known
// person whom a rule denies is the exception: what the assertion took is taken.
func (p *play) unmoved(w *want, before, after observation) []string {
	if w.word == string(directory.RuleDenied) {
		return nil
	}
	if before.portrait != after.portrait {
		return []string{"the refusal changed something\nbefore:\n" + before.portrait + "after:\n" + after.portrait}
	}
	if w.kase == "" && before.store != after.store {
		return []string{"the refusal left something in the store"}
	}
	return nil
}

// caseTraces says whether exactly the case that is wanted was opened, or met again.
func caseTraces(w *want, before, after observation) (faults []string) {
	found := false
	for id, c := range after.cases {
		switch old, known := before.cases[id]; {
		case known && old.Count == c.Count:
		case w.kase == "any" || string(c.Code) == w.kase:
			found = true
		default:
			faults = append(faults, fmt.Sprintf("a case %s was opened: %s", c.Code, c.Detail))
		}
	}
	if w.kase != "" && !found {
		faults = append(faults, "no case "+w.kase+" was opened")
	}
	return faults
}

// eventsFit says whether an outcome comes with these kinds of events.
func eventsFit(outcome string, kinds []directory.EventType) bool {
	has := func(list ...directory.EventType) bool {
		return slices.ContainsFunc(kinds, func(k directory.EventType) bool { return slices.Contains(list, k) })
	}
	switch outcome {
	case "created":
		return has(directory.UserCreated, directory.GroupCreated)
	case "adopted":
		return has(directory.UserAdopted) && !has(directory.UserCreated)
	case "restored":
		return has(directory.UserRestored, directory.UserUnlocked) && !has(directory.UserCreated)
	case "resolved":
		return has(directory.CaseResolved)
	case "merged":
		return has(directory.UserMerged)
	case "unmerged":
		return has(directory.UserUnmerged)
	case "deleted":
		return has(directory.UserDeleted, directory.GroupDeleted)
	case "updated":
		return len(kinds) > 0 && !has(directory.UserCreated, directory.UserAdopted, directory.UserRestored, directory.UserDeleted)
	case string(Done):
		return true
	case string(directory.RuleDenied):
		return !has(directory.UserCreated, directory.UserAdopted, directory.UserRestored, directory.UserDeleted)
	}
	return len(kinds) == 0
}

// findable: what makes a create answer that somebody has the name is found by a
// filter on that attribute.
func (p *play) findable(s *Step, w *want, a *Answer) []string {
	collides := slices.Contains([]string{"uniqueness", "link_required", "ambiguous"}, w.word)
	if !collides || s.verb != "scim" || s.words[1] != "POST" || len(s.words) > 2 {
		return nil
	}
	object, err := readObject(p.expand(s.json))
	if err != nil {
		return []string{err.Error()}
	}
	asked := matchable(object)
	if _, ok := asked[a.Attribute]; w.word == "uniqueness" && a.Attribute != "" {
		if !ok {
			return nil // the scenario asks by itself
		}
		asked = map[string]string{a.Attribute: asked[a.Attribute]}
	}
	for path, value := range asked {
		in := Push{Connection: s.words[0], Method: "GET", Resource: "Users", Filter: fmt.Sprintf("%s eq %q", path, value)}
		if got := p.stage.Door.Push(p.Context(), in); len(got.Found) > 0 {
			return nil
		}
	}
	return []string{"no filter finds what the create collides with"}
}

// matchable are the values of a user that filters are asked for before a create.
func matchable(user map[string]any) map[string]string {
	list := map[string]string{}
	for _, name := range []string{directory.UserName, directory.ExternalID} {
		if text, ok := user[name].(string); ok {
			list[name] = text
		}
	}
	if emails, err := ReadValue(user[directory.Emails]); err == nil && len(emails) > 0 {
		list["emails.value"] = emails.Primary().Field("value")
	}
	return list
}

// sound holds the whole directory against its invariants.
func (p *play) sound(after string) {
	p.Helper()
	problems, err := p.stage.Directory.Check(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	for _, x := range problems {
		p.Errorf("after %s\n  check: %s: %s", after, x.What, x.Detail)
	}
	held := map[string]directory.ID{}
	for _, u := range p.users() {
		name := directory.NormalName(u.Attributes.Text(directory.UserName))
		if other, twice := held[name]; twice {
			p.Errorf("after %s\n  %s and %s are both called %s", after, other, u.ID, name)
		}
		held[name] = u.ID
	}
}

// users are the live ones as applications see them.
func (p *play) users() []*directory.Profile {
	p.Helper()
	page, err := p.stage.Directory.Users(p.Context(), directory.Viewer{Org: p.org}, directory.Query{Limit: 10_000})
	if err != nil {
		p.Fatal(err)
	}
	for _, u := range page.Items {
		p.met[u.ID] = true
	}
	if page.Total != len(page.Items) {
		p.Errorf("%d users are listed, the total is %d", len(page.Items), page.Total)
	}
	return page.Items
}

// groups are all there are.
func (p *play) groups() []*directory.Group {
	p.Helper()
	page, err := p.stage.Directory.Groups(p.Context(), directory.Viewer{Org: p.org}, directory.Query{Limit: 10_000})
	if err != nil {
		p.Fatal(err)
	}
	return page.Items
}
