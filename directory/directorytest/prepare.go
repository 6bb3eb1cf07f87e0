package directorytest

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"muster/directory"
)

const second = time.Second

// prepare reads a step into what takes it through the door. It touches the
// play no more, so that prepared steps can be taken at once.
func (p *play) prepare(s *Step) func(context.Context) Answer {
	p.Helper()
	switch s.verb {
	case "scim":
		push := p.push(s)
		return func(ctx context.Context) Answer { return p.stage.Door.Push(ctx, push) }
	case "sso":
		claims, err := readClaims(p.expand(s.json))
		if err != nil {
			p.Fatalf("%s: %v", s.text, err)
		}
		in := SignIn{Connection: s.words[0], Subject: s.words[1], Claims: claims, Ago: -s.wait, Again: len(s.words) == 3}
		return func(ctx context.Context) Answer { return p.stage.Door.SignIn(ctx, in) }
	case "admin":
		change := p.change(s)
		return func(ctx context.Context) Answer { return Answered(p.stage.Directory.Apply(ctx, change)) }
	case "operate":
		return p.operation(s)
	}
	if do := p.settle(s); do != nil {
		return func(ctx context.Context) Answer { return decided(do(ctx)) }
	}
	p.Fatalf("%s: this step cannot be taken here", s.text)
	return nil
}

// expand puts ids in the place of names.
func (p *play) expand(text string) string {
	return os.Expand(text, func(name string) string { return p.id(name).String() })
}

// id is what a name stands for.
func (p *play) id(name string) directory.ID {
	p.Helper()
	id, ok := p.ids[name]
	if !ok {
		p.Fatalf("nobody is called %s yet", name)
	}
	return id
}

// isGroup says whether a name stands for a group.
func (p *play) isGroup(name string) bool {
	_, err := p.stage.Directory.Group(p.Context(), directory.Viewer{Org: p.org}, p.id(name))
	return err == nil
}

// push reads `scim CONN METHOD [NAME | /Groups] {body}`, FIND and LIST.
func (p *play) push(s *Step) Push {
	p.Helper()
	connection, token, _ := strings.Cut(s.words[0], "/")
	in := Push{Connection: connection, Token: token, Method: s.words[1], Resource: "Users", Body: p.expand(s.json)}
	rest := s.words[2:]
	switch {
	case in.Method == "FIND":
		in.Method, in.Filter = "GET", p.expand(rest[0])
		return in
	case in.Method == "LIST":
		in.Method = "GET"
	}
	if len(rest) == 0 {
		return in
	}
	if resource, ok := strings.CutPrefix(rest[0], "/"); ok {
		in.Resource = resource
		return in
	}
	in.ID = p.id(rest[0]).String()
	if p.isGroup(rest[0]) {
		in.Resource = "Groups"
	}
	return in
}

// change reads `admin VERB [NAME | /Groups] ATTRIBUTE... {attributes}`.
func (p *play) change(s *Step) directory.Change {
	p.Helper()
	c := directory.Change{Org: p.org, Channel: directory.Local, Actor: "admin", Request: "scenario-admin", Verb: directory.Verb(s.words[0])}
	if rest := s.words[1:]; len(rest) > 0 && rest[0] == "/Groups" {
		c.Resource = directory.GroupResource
	} else if len(rest) > 0 {
		c.ID = p.id(rest[0])
		if p.isGroup(rest[0]) {
			c.Resource = directory.GroupResource
		}
	}
	if s.json != "" {
		p.attributes(s, &c)
	}
	switch s.words[0] {
	case "edit":
		c.Verb = directory.VerbMerge
	case "pin":
		c.Verb, c.Channel, c.Reason = directory.VerbMerge, directory.Pin, "scenario"
		if at := slices.Index(s.words, "for"); at > 0 && at+1 < len(s.words) {
			c.Until = p.later(s.words[at+1])
		}
	case "unpin":
		c.Verb, c.Channel = directory.VerbMerge, directory.Pin
		for _, name := range s.words[2:] {
			c.Attributes.Set(directory.CanonicalName(name), directory.Value{})
		}
	}
	return c
}

// attributes reads what an administrator writes; members apart.
func (p *play) attributes(s *Step, c *directory.Change) {
	p.Helper()
	policy, err := p.stage.Directory.Policy(p.Context(), p.org)
	if err == nil && c.Resource == directory.GroupResource {
		err = ReadGroup(p.expand(s.json), c)
	} else if err == nil {
		c.Attributes, err = ReadAttributes(p.expand(s.json), policy)
	}
	if err != nil {
		p.Fatalf("%s: %v", s.text, err)
	}
}
