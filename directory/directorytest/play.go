package directorytest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/directory"
)

// play is one run of a scene.
type play struct {
	*testing.T
	stage *Stage
	files map[string]string
	// ids are what the scenario's names stand for, names the way back.
	ids   map[string]directory.ID
	names map[directory.ID]string
	// met are all users there have been, tombstones included.
	met  map[directory.ID]bool
	org  string
	mode mode
}

// mode says which of the alternatives of an outcome count.
type mode int

const (
	asWritten mode = iota // the first
	anyOrder              // any
)

// Play plays a scene as it is written and returns a portrait of how it ends.
func (s *Scene) Play(t *testing.T, stage *Stage) string {
	t.Helper()
	return s.play(t, stage, s.Orders()[0], asWritten)
}

// PlayReordered plays the scene in every other order of the steps that
// commute, each on a stage of its own. Each must end in the same portrait.
func (s *Scene) PlayReordered(t *testing.T, portrait string, newStage func(*testing.T) *Stage) {
	t.Helper()
	for i, order := range s.Orders()[1:] {
		t.Run(fmt.Sprintf("order %d", i+2), func(t *testing.T) {
			if got := s.play(t, newStage(t), order, anyOrder); got != portrait {
				t.Errorf("this order ends otherwise\n%s\nas written:\n%s\nin this order:\n%s", listed(order), portrait, got)
			}
		})
	}
}

func listed(order []Step) string {
	var b strings.Builder
	for _, s := range order {
		fmt.Fprintln(&b, s.text)
	}
	return b.String()
}

func (s *Scene) play(t *testing.T, stage *Stage, order []Step, m mode) string {
	t.Helper()
	p := &play{T: t, stage: stage, files: s.files, ids: map[string]directory.ID{}, names: map[directory.ID]string{},
		met: map[directory.ID]bool{}, mode: m}
	p.configure(policyFile)
	for _, step := range order {
		p.step(&step)
		p.sound(step.text)
		if t.Failed() {
			t.Fatalf("after %s\n%s", step.text, p.portrait(false))
		}
	}
	return p.portrait(false)
}

func (p *play) configure(file string) {
	p.Helper()
	text, ok := p.files[file]
	if !ok {
		p.Fatalf("the scene has no %s", file)
	}
	if err := p.stage.Configure(p.Context(), text); err != nil {
		p.Fatalf("%s: %v", file, err)
	}
	orgs, err := p.stage.Directory.Orgs(p.Context())
	if err != nil || len(orgs) == 0 {
		p.Fatalf("organisations: %v %v", orgs, err)
	}
	p.org = orgs[0]
}

func (p *play) step(s *Step) {
	p.Helper()
	switch s.verb {
	case "policy":
		p.configure(s.words[0])
		p.work()
	case "clock":
		p.stage.Wait(s.wait)
		p.work()
	case "expect":
		p.expect(s)
	case "together":
		p.together(s)
	default:
		p.act(s)
	}
}

// work does the background work that is due.
func (p *play) work() {
	p.Helper()
	for {
		more, err := p.stage.Directory.Work(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// act takes one step through the door and holds the answer against its wants.
func (p *play) act(s *Step) {
	p.Helper()
	before := p.observe()
	do := p.prepare(s)
	answer := do(p.Context())
	if s.verb == "operate" {
		p.work()
	}
	after := p.observe()
	p.judge(s, answer, func(w *want) []string { return p.traces(s, w, &answer, before, after) })
	p.bind(s, answer)
	p.stage.Wait(second)
}

// together takes the steps of a block through the door at once.
func (p *play) together(s *Step) {
	p.Helper()
	var jobs []func(context.Context) Answer
	for range s.times {
		for i := range s.block {
			jobs = append(jobs, p.prepare(&s.block[i]))
		}
	}
	answers := make([]Answer, len(jobs))
	start := make(chan struct{})
	var done sync.WaitGroup
	for i, do := range jobs {
		done.Go(func() {
			<-start
			answers[i] = do(p.Context())
		})
	}
	close(start)
	done.Wait()
	mode := p.mode
	p.mode = anyOrder
	for i, answer := range answers {
		step := &s.block[i%len(s.block)]
		p.judge(step, answer, func(*want) []string { return nil })
		p.bind(step, answer)
	}
	p.mode = mode
	p.stage.Wait(second)
}

// judge holds an answer against what the step wants.
func (p *play) judge(s *Step, a Answer, traces func(*want) []string) {
	p.Helper()
	if a.Fault != nil {
		p.Errorf("%s\n  failed: %v", s.text, a.Fault)
		return
	}
	wants := p.wants(s)
	var first []string
	for i := range wants {
		faults := append(p.compare(&wants[i], &a), traces(&wants[i])...)
		if len(faults) == 0 {
			return
		}
		if i == 0 {
			first = faults
		}
	}
	p.Errorf("%s\n  %s", s.text, strings.Join(first, "\n  "))
}

// wants are the alternatives that count, each with the status it has over HTTP.
func (p *play) wants(s *Step) []want {
	p.Helper()
	wants := slices.Clone(s.wants)
	if p.mode == asWritten {
		wants = wants[:1]
	}
	for i := range wants {
		if s.verb == "scim" && wants[i].status == 0 {
			wants[i].status = s.usualStatus(p.aboutGroup(s))
		}
	}
	return wants
}

// aboutGroup says whether a request names a group.
func (p *play) aboutGroup(s *Step) bool {
	if len(s.words) < 3 {
		return false
	}
	_, known := p.ids[s.words[2]]
	return known && p.isGroup(s.words[2])
}

// compare holds what the door saw against one want.
func (p *play) compare(w *want, a *Answer) (faults []string) {
	differ := func(what string, got, want any) {
		faults = append(faults, fmt.Sprintf("%s is %v, want %v", what, got, want))
	}
	switch {
	case w.refused() && string(a.Code) != w.word:
		differ("the answer", a.word(), w.word)
	case !w.refused() && (a.Code != "" || a.Outcome != "" && string(a.Outcome) != w.word):
		differ("the answer", a.word(), w.word)
	}
	if a.Status != 0 && a.Status != w.status {
		differ("the status", a.Status, w.status)
	}
	if a.Status != 0 && a.ScimType != w.scimType {
		differ("the scimType", a.ScimType, w.scimType)
	}
	if w.on != "" && a.Attribute != "" && a.Attribute != w.on {
		differ("the attribute at fault", a.Attribute, w.on)
	}
	if a.Warnings != nil && !sameSet(a.Warnings, w.warns) {
		differ("what was left out", a.Warnings, w.warns)
	}
	if w.finds != nil && !sameSet(p.called(a.Found), nobody(w.finds)) {
		differ("what is found", p.called(a.Found), w.finds)
	}
	return append(faults, p.mistaken(w, a)...)
}

func (a *Answer) word() string {
	if a.Code != "" {
		return string(a.Code)
	}
	return fmt.Sprintf("%s (status %d)", a.Outcome, a.Status)
}

// mistaken says whether the answer is about somebody else than the want.
func (p *play) mistaken(w *want, a *Answer) []string {
	if w.as == "" || a.ID == directory.NoID {
		return nil
	}
	known, bound := p.ids[w.as]
	name, named := p.names[a.ID]
	if bound && known != a.ID || named && name != w.as {
		return []string{fmt.Sprintf("it is about %s (%q), want %s (%s)", a.ID, name, w.as, known)}
	}
	return nil
}

// bind lets a name of the scenario stand for an id from now on.
func (p *play) bind(s *Step, a Answer) {
	if a.ID == directory.NoID || a.Code != "" {
		return
	}
	for _, w := range s.wants {
		if _, bound := p.ids[w.as]; w.as != "" && !bound {
			p.ids[w.as], p.names[a.ID] = a.ID, w.as
			return
		}
	}
}

// called are the scenario's names of ids.
func (p *play) called(ids []directory.ID) []string {
	list := []string{}
	for _, id := range ids {
		name := p.names[id]
		if name == "" {
			name = id.String()
		}
		list = append(list, name)
	}
	return list
}
