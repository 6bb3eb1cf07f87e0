package admin

import (
	"context"
	"net/http"
	"strings"
	"time"

	"muster/directory"
)

// newUserInput makes a local user.
type newUserInput struct {
	Org  string `path:"org"`
	Body struct {
		Attributes directory.Attributes `json:"attributes" required:"true" doc:"by the directory's names"`
	}
}

// editUserInput sets single attributes in the local layer; null clears one.
type editUserInput struct {
	Org     string `path:"org"`
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"the ETag as read; leave it out to take the user as it is"`
	Body    struct {
		Attributes directory.Attributes `json:"attributes" required:"true" doc:"those to set; null clears one"`
	}
}

// pinInput overrides one attribute.
type pinInput struct {
	Org       string `path:"org"`
	ID        string `path:"id"`
	Attribute string `path:"attribute"`
	Body      struct {
		Value  directory.Value `json:"value" required:"true"`
		Reason string          `json:"reason,omitempty" maxLength:"1000"`
		Until  time.Time       `json:"until,omitzero" doc:"when the pin lapses; never when left out"`
	}
}

type unpinInput struct {
	Org       string `path:"org"`
	ID        string `path:"id"`
	Attribute string `path:"attribute"`
}

// confirmedInput is for what takes somebody's data away: the id is repeated in the body.
type confirmedInput struct {
	Org  string `path:"org"`
	ID   string `path:"id"`
	Body struct {
		Confirm string `json:"confirm" required:"true" doc:"the id again"`
	}
}

type storyInput struct {
	Org    string `path:"org"`
	ID     string `path:"id"`
	Before uint64 `query:"before" doc:"the next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type storyOutput struct {
	Body struct {
		Items []telling `json:"items"`
		Next  uint64    `json:"next,omitempty"`
	}
}

// telling is an event as a person reads it.
type telling struct {
	Event   directory.Event `json:"event"`
	Text    string          `json:"text"`
	Details []string        `json:"details,omitempty"`
}

type explanationOutput struct{ Body directory.Explanation }

// outcomeOutput says what a change did.
type outcomeOutput struct {
	Body struct {
		Outcome directory.Outcome `json:"outcome"`
		ID      string            `json:"id"`
		Event   directory.ID      `json:"event,omitzero" doc:"id of the event, none when nothing changed"`
	}
}

func (s *Server) userEditOperations() {
	const users = "/orgs/{org}/users"
	const user = users + "/{id}"
	add(s, operation{http.MethodGet, user + "/explanation", directory.Auditor, "explain-user", "Which source gave each value, when, and what it beat", 0}, s.explainUser)
	add(s, operation{http.MethodGet, user + "/story", directory.Auditor, "tell-user", "What happened to a user, newest first", 0}, s.tellUser)
	add(s, operation{http.MethodPost, users, directory.OrgAdmin, "create-user", "Make a local user", http.StatusCreated}, s.createUser)
	add(s, operation{http.MethodPatch, user, directory.OrgAdmin, "edit-user", "Set single attributes that no connection supplies", 0}, s.editUser)
	add(s, operation{http.MethodPut, user + "/pins/{attribute}", directory.OrgAdmin, "pin", "Override an attribute, whoever supplies it", 0}, s.pin)
	add(s, operation{http.MethodDelete, user + "/pins/{attribute}", directory.OrgAdmin, "unpin", "Release an override", 0}, s.unpin)
	add(s, operation{http.MethodPost, user + "/lock", directory.OrgAdmin, "lock-user", "Lock a user; sessions end at once", 0}, s.setLock("false"))
	add(s, operation{http.MethodPost, user + "/unlock", directory.HelpDesk, "unlock-user", "Lift every lock of a user", 0}, s.setLock("true"))
	add(s, operation{http.MethodDelete, user, directory.OrgAdmin, "delete-user", "Delete a user; can be restored while it is kept", 0},
		func(ctx context.Context, c *call, in *userInput) (*outcomeOutput, error) {
			return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbDelete})
		})
	add(s, operation{http.MethodPost, user + "/restore", directory.OrgAdmin, "restore-user", "Restore a deleted user", 0},
		func(ctx context.Context, c *call, in *userInput) (*outcomeOutput, error) {
			return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbRestore})
		})
	add(s, operation{http.MethodPost, user + "/erase", directory.OrgAdmin, "erase-user", "Erase the personal data of a deleted user, for ever", 0},
		func(ctx context.Context, c *call, in *confirmedInput) (*outcomeOutput, error) {
			if in.Body.Confirm != in.ID {
				return nil, refuse(http.StatusUnprocessableEntity, "not_confirmed", "Repeat the id to confirm.", fieldError{Field: "confirm", Detail: "is not the id"})
			}
			return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbErase})
		})
}

// change makes one change of a user or group as the caller. An id is "" for one that does not exist yet.
func (s *Server) change(ctx context.Context, c *call, id string, what directory.Change) (*outcomeOutput, error) {
	what.Org, what.Actor, what.Request = c.org(), c.acting.Name, c.acting.Request
	if id != "" {
		var ok bool
		if what.ID, ok = directory.ParseID(id); !ok {
			return nil, directory.ErrNotFound
		}
	}
	result, err := s.directory.Apply(ctx, what)
	if err != nil {
		return nil, err
	}
	out := &outcomeOutput{}
	out.Body.Outcome, out.Body.ID, out.Body.Event = result.Outcome, id, result.Event
	switch {
	case result.User != nil:
		out.Body.ID = result.User.ID.String()
	case result.Group != nil:
		out.Body.ID = result.Group.ID.String()
	}
	return out, nil
}

func (s *Server) createUser(ctx context.Context, c *call, in *newUserInput) (*outcomeOutput, error) {
	return s.change(ctx, c, "", directory.Change{Channel: directory.Local, Verb: directory.VerbCreate, Attributes: in.Body.Attributes})
}

func (s *Server) editUser(ctx context.Context, c *call, in *editUserInput) (*outcomeOutput, error) {
	return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbMerge, Attributes: in.Body.Attributes,
		IfMatch: versions(in.IfMatch)})
}

// versions reads an If-Match header.
func versions(header string) (list []string) {
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`); tag != "" {
			list = append(list, tag)
		}
	}
	return list
}

func (s *Server) pin(ctx context.Context, c *call, in *pinInput) (*outcomeOutput, error) {
	return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Pin, Verb: directory.VerbMerge, Reason: in.Body.Reason, Until: in.Body.Until,
		Attributes: directory.Attributes{{Name: in.Attribute, Value: in.Body.Value}}})
}

func (s *Server) unpin(ctx context.Context, c *call, in *unpinInput) (*outcomeOutput, error) {
	return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Pin, Verb: directory.VerbMerge,
		Attributes: directory.Attributes{{Name: in.Attribute}}})
}

func (s *Server) setLock(active string) func(context.Context, *call, *userInput) (*outcomeOutput, error) {
	return func(ctx context.Context, c *call, in *userInput) (*outcomeOutput, error) {
		return s.change(ctx, c, in.ID, directory.Change{Channel: directory.Local, Verb: directory.VerbMerge,
			Attributes: directory.Attributes{{Name: directory.Active, Value: directory.Text(active)}}})
	}
}

func (s *Server) explainUser(ctx context.Context, c *call, in *userInput) (*explanationOutput, error) {
	id, ok := directory.ParseID(in.ID)
	if !ok {
		return nil, directory.ErrNotFound
	}
	x, err := s.directory.Explain(ctx, c.org(), id)
	if err != nil {
		return nil, err
	}
	return &explanationOutput{*x}, nil
}

func (s *Server) tellUser(ctx context.Context, c *call, in *storyInput) (*storyOutput, error) {
	id, ok := directory.ParseID(in.ID)
	if !ok {
		return nil, directory.ErrNotFound
	}
	list, err := s.directory.Story(ctx, c.org(), id, in.Before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &storyOutput{}
	out.Body.Items = []telling{}
	for _, t := range list {
		out.Body.Items = append(out.Body.Items, telling(t))
		out.Body.Next = t.Event.Seq
	}
	if len(list) < in.Limit {
		out.Body.Next = 0
	}
	return out, nil
}
