package scim

import (
	"net/http"

	"muster/directory"
)

// view is how this call shows users.
func (c *call) userView(p parameters) view {
	return view{x: c.index, base: c.base, show: c.index.project(p.attributes, p.excluded)}
}

// sendUser answers with one User.
func (c *call) sendUser(status int, p *directory.Profile, v view) error {
	h := c.w.Header()
	if p.Version != "" {
		h.Set("ETag", etag(p.Version))
	}
	if done, err := c.fresh(p.Version); done || err != nil {
		return c.orEmpty(http.StatusNotModified, err)
	}
	h.Set("Location", v.location("User", p.ID))
	c.out = v.user(c.out[:0], p)
	c.write(status, c.out)
	return nil
}

// resourceID reads the id in the path; one that is none names nothing.
func (c *call) resourceID() (directory.ID, error) {
	id, ok := directory.ParseID(c.id)
	if !ok {
		return id, errNotFound
	}
	return id, nil
}

func (c *call) readUser() error {
	id, err := c.resourceID()
	if err != nil {
		return err
	}
	p, err := c.parameters()
	if err != nil {
		return err
	}
	user, err := c.s.directory.User(c.r.Context(), c.viewer, id)
	if err != nil {
		return err
	}
	return c.sendUser(http.StatusOK, user, c.userView(p))
}

func (c *call) createUser() error { return c.writeUser(directory.VerbCreate, http.StatusCreated) }

func (c *call) replaceUser() error { return c.writeUser(directory.VerbReplace, http.StatusOK) }

func (c *call) patchUser() error { return c.writeUser(directory.VerbEdit, http.StatusOK) }

// writeUser takes one body to the directory and answers with what the client
// sees afterwards.
func (c *call) writeUser(verb directory.Verb, status int) error {
	change, p, root, err := c.written(verb, directory.UserResource, c.s.options.MaxBody)
	if err != nil {
		return err
	}
	if err := c.program(&change, root); err != nil {
		return err
	}
	result, err := c.s.directory.Apply(c.r.Context(), change)
	if err != nil {
		return err
	}
	return c.sendUser(status, result.User, c.userView(p))
}

// program reads the body of a write about a user into the change.
func (c *call) program(change *directory.Change, root node) error {
	p := newProgram(c.index, len(root.doc), c.edits)
	p.most = c.s.options.MaxOperations
	defer func() { c.edits = p.edits }()
	create := c.connection.CreateElement || change.Verb != directory.VerbEdit
	var err error
	if change.Verb == directory.VerbEdit {
		err = p.readPatch(root)
		change.Edit = func(own directory.Attributes) (directory.Attributes, error) { return p.run(own, create) }
	} else {
		err = p.readUser(root)
		if err == nil {
			change.Attributes, err = p.run(nil, create)
		}
	}
	c.count(p.ignored)
	return err
}

// count keeps account of attributes that were sent in vain.
func (c *call) count(ignored []string) {
	if len(ignored) == 0 {
		return
	}
	c.s.ignored.Add(uint64(len(ignored)))
	c.log().Debug("unknown attributes were ignored", "attributes", ignored)
}

// written is a request with a body: what it asks for, how the answer is to be
// shown, and the body itself, of at most limit bytes.
func (c *call) written(verb directory.Verb, about directory.Resource, limit int64) (change directory.Change, p parameters, root node, err error) {
	if change, err = c.change(verb, about); err != nil {
		return change, p, root, err
	}
	if p, err = c.parameters(); err != nil {
		return change, p, root, err
	}
	root, err = c.body(limit)
	return change, p, root, err
}

// change begins a write: who asks, for what, under which condition.
func (c *call) change(verb directory.Verb, about directory.Resource) (directory.Change, error) {
	change := directory.Change{
		Org: c.viewer.Org, Connection: c.viewer.Connection, Channel: directory.SCIM,
		Actor: c.actor, Request: c.request, Verb: verb, Resource: about,
		IfMatch: versions(c.r.Header, "If-Match"), IfNoneMatch: versions(c.r.Header, "If-None-Match"),
	}
	if verb == directory.VerbCreate {
		return change, nil
	}
	var err error
	change.ID, err = c.resourceID()
	return change, err
}

func (c *call) deleteUser() error {
	return c.delete(directory.UserResource)
}

func (c *call) delete(about directory.Resource) error {
	change, err := c.change(directory.VerbDelete, about)
	if err != nil {
		return err
	}
	if _, err := c.s.directory.Apply(c.r.Context(), change); err != nil {
		return err
	}
	return c.empty(http.StatusNoContent)
}
