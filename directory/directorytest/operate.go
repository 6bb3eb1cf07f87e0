package directorytest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// Done is the outcome of an operator's step that went well.
const Done directory.Outcome = "done"

// operator is who takes the steps.
var operator = directory.EventSource{Channel: directory.Local, Actor: "admin", Request: "scenario-operator"}

// operation reads `operate VERB CONN ...` into what does it.
func (p *play) operation(s *Step) func(context.Context) Answer {
	p.Helper()
	verb, conn, rest := s.words[0], s.words[1], s.words[2:]
	word := func(i int) string {
		p.Helper()
		if i >= len(rest) {
			p.Fatalf("%s: a word is missing", s.text)
		}
		return rest[i]
	}
	d, org := p.stage.Directory, p.org
	var do func(context.Context) error
	switch verb {
	case "let":
		let := directory.Allowance{Operations: p.number(word(0)), Until: p.later(word(1))}
		do = func(ctx context.Context) error { return d.LetThrough(ctx, operator, org, conn, let) }
	case "shut":
		do = func(ctx context.Context) error {
			return d.LetThrough(ctx, operator, org, conn, directory.Allowance{})
		}
	case "undo":
		since := p.later("-" + word(0))
		do = func(ctx context.Context) error { _, err := d.UndoRun(ctx, operator, org, conn, since); return err }
	case "state":
		state := directory.State(word(0))
		do = func(ctx context.Context) error { return d.SetState(ctx, operator, org, conn, state) }
	case "token":
		t := directory.Token{Org: org, Connection: conn, Name: word(0), Kind: directory.SCIMToken}
		if len(rest) > 1 {
			t.Expires = p.later(rest[1])
		}
		do = func(ctx context.Context) error { _, err := d.SetToken(ctx, t, Secret(conn, t.Name)); return err }
	case "revoke":
		t := directory.Token{Org: org, Connection: conn, Name: word(0), Kind: directory.SCIMToken}
		do = func(ctx context.Context) error { return d.RevokeToken(ctx, t) }
	case "leave":
		l := directory.Leaving{Org: org, Connection: conn, Users: directory.LeaveChoice(word(0)), Count: p.number(word(1)),
			Remove: len(rest) > 2 && rest[2] == "remove"}
		do = func(ctx context.Context) error { _, err := d.Leave(ctx, operator, l); return err }
	case "transfer":
		to, text := word(0), p.files[word(1)]
		do = func(ctx context.Context) error {
			return transfer(ctx, d, directory.Transfer{Org: org, From: conn, To: to}, text)
		}
	default:
		p.Fatalf("%s: no such operation", s.text)
	}
	return func(ctx context.Context) Answer {
		if err := do(ctx); err != nil {
			return Answered(directory.Result{}, err)
		}
		return Answer{Outcome: Done}
	}
}

// transfer moves users by a table, which is rehearsed first: what the rehearsal
// says is what happens.
func transfer(ctx context.Context, d *directory.Directory, t directory.Transfer, text string) (err error) {
	if t.Rows, err = directory.ReadTransferTable(strings.NewReader(text)); err != nil {
		return err
	}
	plan, err := d.PlanTransfer(ctx, t)
	if err != nil {
		return err
	}
	_, err = d.Transfer(ctx, operator, t)
	if (plan.Refused > 0) != (err != nil) {
		return fmt.Errorf("the rehearsal refuses %d of %d rows, the transfer says %v", plan.Refused, plan.Rows, err)
	}
	return err
}

func (p *play) number(word string) int {
	p.Helper()
	n, err := strconv.Atoi(word)
	if err != nil {
		p.Fatal(err)
	}
	return n
}

// expectGuard holds `guard CONN counted|waiting N`, `guard CONN open|shut`.
func (p *play) expectGuard(words []string) string {
	p.Helper()
	s, err := p.stage.Directory.Guard(p.Context(), p.org, words[0], 100)
	if err != nil {
		return err.Error()
	}
	switch words[1] {
	case "counted":
		return countIs(words[2], s.Counted)
	case "waiting":
		return countIs(words[2], s.Held)
	case "open":
		return answerIf(s.Open.Until.IsZero(), "it is shut")
	case "shut":
		return answerIf(!s.Open.Until.IsZero(), "it is open")
	}
	return "counted, waiting, open or shut"
}

// expectTask holds `task KIND changed N` and `task KIND refused N` of the newest
// task of a kind, which has to be finished.
func (p *play) expectTask(words []string) string {
	p.Helper()
	tasks, err := p.stage.Directory.Tasks(p.Context(), p.org)
	if err != nil {
		return err.Error()
	}
	for _, t := range tasks {
		if string(t.Kind) != words[0] {
			continue
		}
		switch {
		case t.Finished.IsZero():
			return fmt.Sprintf("it is at %d of %d", t.Looked, t.Total)
		case words[1] == "changed":
			return countIs(words[2], t.Changed)
		}
		return countIs(words[2], t.Refused)
	}
	return "there is none"
}

// expectConnection holds `connection CONN stale|fresh` and `connection CONN
// warned DAYS...` of its tokens.
func (p *play) expectConnection(words []string) string {
	p.Helper()
	if words[1] == "warned" {
		list, err := p.stage.Directory.TokenWarnings(p.Context(), p.org)
		if err != nil {
			return err.Error()
		}
		var got []string
		for _, w := range list {
			if w.Token.Connection == words[0] {
				got = append(got, strconv.Itoa(w.Days))
			}
		}
		return setIs(got, words[2:])
	}
	list, err := p.stage.Directory.Health(p.Context(), p.org)
	if err != nil {
		return err.Error()
	}
	for _, h := range list {
		if h.Connection == words[0] {
			return answerIf(h.Stale != (words[1] == "stale"), fmt.Sprintf("it is stale: %t", h.Stale))
		}
	}
	return "there is no such connection"
}

// expectPreview holds `preview FILE changed|denied|admitted N`.
func (p *play) expectPreview(words []string) string {
	p.Helper()
	preview, err := p.stage.Preview(p.Context(), p.files[words[0]])
	if err != nil {
		return err.Error()
	}
	return countIs(words[2], map[string]int{"changed": preview.Changed, "denied": preview.Denied, "admitted": preview.Admitted}[words[1]])
}

// tells: the newest sentence about a user begins with a text.
func (p *play) tells(id directory.ID, want string) string {
	p.Helper()
	story, err := p.stage.Directory.Story(p.Context(), p.org, id, 0, 1)
	if err != nil || len(story) == 0 {
		return fmt.Sprintf("nothing is told: %v", err)
	}
	return answerIf(!strings.HasPrefix(story[0].Text, want), story[0].Text)
}

// expectEvents holds `events KIND N`: how many there have been.
func (p *play) expectEvents(words []string) string {
	n := 0
	for _, e := range p.events(0) {
		if string(e.Type) == words[0] {
			n++
		}
	}
	return countIs(words[1], n)
}

// later is a moment from the directory's now on.
func (p *play) later(after string) time.Time {
	p.Helper()
	d, err := time.ParseDuration(after)
	if err != nil {
		p.Fatal(err)
	}
	return p.stage.Now().Add(d)
}
