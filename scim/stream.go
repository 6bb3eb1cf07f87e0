package scim

import (
	"net/http"

	"muster/directory"
)

// stream writes an answer that may not fit into memory: groups with their
// members. Until the first chunk is full, a fault still becomes a SCIM Error;
// later the connection is cut, so that no client takes half an answer for one.
type stream struct {
	c      *call
	status int
	sent   bool
}

const chunk = 32 << 10

func (c *call) stream(status int) *stream {
	c.out = c.out[:0]
	return &stream{c: c, status: status}
}

// flush sends what there is once it is a chunk.
func (s *stream) flush() error {
	if len(s.c.out) < chunk {
		return nil
	}
	if !s.sent {
		h := s.c.w.Header()
		h.Set("Content-Type", s.c.mediaType())
		h.Set("X-Content-Type-Options", "nosniff")
		s.c.w.WriteHeader(s.status)
		s.sent = true
	}
	_, err := s.c.w.Write(s.c.out)
	s.c.out = s.c.out[:0]
	return err
}

// end sends the rest.
func (s *stream) end() error {
	if !s.sent {
		s.c.write(s.status, s.c.out)
		return nil
	}
	if _, err := s.c.w.Write(s.c.out); err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// broken is what happens to a fault in the middle of an answer.
func (s *stream) broken(err error) error {
	if !s.sent {
		return err
	}
	s.c.log().Error("the answer was cut off", "error", err)
	panic(http.ErrAbortHandler)
}

// group appends a Group, reading its members as it goes.
func (s *stream) group(g *directory.Group, v view) error {
	c := s.c
	c.out = append(c.out, `{"schemas":["`+groupURN+`"],"id":"`...)
	c.out = append(append(c.out, g.ID.String()...), '"')
	c.out = v.text(c.out, "externalId", g.ExternalID)
	c.out = v.text(c.out, "displayName", g.DisplayName)
	if v.showsMembers() {
		if err := s.members(g.ID, v); err != nil {
			return s.broken(err)
		}
	}
	c.out = append(v.meta(c.out, "Group", g.ID, stamps{g.Created, g.Modified, g.Version()}), '}')
	if err := s.flush(); err != nil {
		return s.broken(err)
	}
	return nil
}

func (s *stream) members(id directory.ID, v view) error {
	c := s.c
	n := 0
	for m, err := range c.s.directory.Members(c.r.Context(), c.viewer, id) {
		if err != nil {
			return err
		}
		if n == 0 {
			c.out = append(c.out, `,"members":[`...)
		} else {
			c.out = append(c.out, ',')
		}
		n++
		c.out = v.member(c.out, m)
		if err := s.flush(); err != nil {
			return err
		}
	}
	if n > 0 {
		c.out = append(c.out, ']')
	}
	return nil
}

// member appends one member.
func (v view) member(b []byte, m directory.Member) []byte {
	kind := "User"
	if m.Group {
		kind = "Group"
	}
	return v.record(b, v.x.core.byName["members"], directory.Field{Name: "value", Text: m.ID.String()},
		directory.Field{Name: "$ref", Text: v.location(kind, m.ID)}, directory.Field{Name: "type", Text: kind})
}

func (v view) showsMembers() bool { return v.show.shows(v.x.core.byName["members"]) }

// text appends a simple attribute of a group.
func (v view) text(b []byte, name, text string) []byte {
	a := v.x.core.byName[name]
	if text == "" || !v.show.shows(a) {
		return b
	}
	return appendString(append(append(b, ','), a.label...), text)
}
