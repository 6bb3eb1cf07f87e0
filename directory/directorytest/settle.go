package directorytest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"muster/directory"
)

// settle reads the steps of an administrator that are no change of one user.
func (p *play) settle(s *Step) func(context.Context) (directory.Outcome, error) {
	p.Helper()
	d := p.stage.Directory
	switch s.verb {
	case "resolve":
		k := p.newest(s.words[0])
		how := directory.Remedy{Resolution: directory.Resolution(s.words[1])}
		if len(s.words) > 2 {
			how.User = p.id(s.words[2])
		}
		return func(ctx context.Context) (directory.Outcome, error) {
			_, err := d.ResolveCase(ctx, operator, p.org, k.ID, how)
			return "resolved", err
		}
	case "merge":
		survivor, other := p.id(s.words[0]), p.id(s.words[1])
		return func(ctx context.Context) (directory.Outcome, error) {
			return "merged", d.Merge(ctx, operator, p.org, survivor, other)
		}
	case "unmerge":
		other := p.id(s.words[0])
		return func(ctx context.Context) (directory.Outcome, error) {
			return "unmerged", d.UndoMerge(ctx, operator, p.org, other)
		}
	case "link":
		user, set := p.id(s.words[0]), p.linkSetting(s)
		return func(ctx context.Context) (directory.Outcome, error) {
			return directory.Updated, d.SetLink(ctx, operator, p.org, user, set)
		}
	}
	return nil
}

// linkSetting reads CHANNEL/CONN SUBJECT [move].
func (p *play) linkSetting(s *Step) directory.LinkSetting {
	p.Helper()
	channel, conn, ok := strings.Cut(s.words[1], "/")
	if !ok {
		p.Fatalf("%s: link NAME CHANNEL/CONN SUBJECT", s.text)
	}
	return directory.LinkSetting{Connection: conn, Channel: directory.Channel(channel), Subject: s.words[2],
		Repoint: len(s.words) > 3 && s.words[3] == "move"}
}

// decided turns what an administrator's step did into an answer.
func decided(o directory.Outcome, err error) Answer {
	if errors.Is(err, directory.ErrNotPermitted) {
		return Answer{Code: "not_permitted"}
	}
	a := Answered(directory.Result{Outcome: o}, err)
	a.Warnings = nil
	return a
}

// newest is the latest case with a code that is not finally closed.
func (p *play) newest(code string) directory.Case {
	p.Helper()
	for k, err := range p.stage.Directory.AllCases(p.Context(), p.org, directory.CaseQuery{State: directory.CasesAll}) {
		if err != nil {
			p.Fatal(err)
		}
		if string(k.Code) == code && len(k.Resolutions) > 0 {
			return k
		}
	}
	p.Fatalf("there is no case %s", code)
	return directory.Case{}
}

func (p *play) permitted(code string) (list []string) {
	p.Helper()
	for _, r := range p.newest(code).Resolutions {
		list = append(list, string(r))
	}
	return list
}

// answersAs says whom an id names to a connection.
func (p *play) answersAs(id directory.ID, connection, want string) string {
	u, err := p.stage.Directory.User(p.Context(), directory.Viewer{Org: p.org, Connection: strings.Trim(connection, "-")}, id)
	got := "nobody"
	if err == nil {
		got = p.names[u.ID]
	}
	return answerIf(got != want, fmt.Sprintf("it is %s", got))
}
