package scim

import (
	"net/http"

	"muster/directory"
)

func (c *call) groupView(p parameters) view {
	return view{x: c.s.groups, base: c.base, show: c.s.groups.project(p.attributes, p.excluded)}
}

func (c *call) readGroup() error {
	id, err := c.resourceID()
	if err != nil {
		return err
	}
	p, err := c.parameters()
	if err != nil {
		return err
	}
	g, err := c.s.directory.Group(c.r.Context(), c.viewer, id)
	if err != nil {
		return err
	}
	return c.sendGroup(http.StatusOK, g, c.groupView(p))
}

// sendGroup answers with one Group. Its version leaves the members out, so
// only a reader who does not look at them is told that nothing changed.
func (c *call) sendGroup(status int, g *directory.Group, v view) error {
	h := c.w.Header()
	h.Set("ETag", etag(g.Version()))
	if done, err := c.fresh(g.Version()); err != nil || done && !v.showsMembers() {
		return c.orEmpty(http.StatusNotModified, err)
	}
	h.Set("Location", v.location("Group", g.ID))
	out := c.stream(status)
	if err := out.group(g, v); err != nil {
		return err
	}
	return out.end()
}

func (c *call) createGroup() error { return c.writeGroup(directory.VerbCreate, http.StatusCreated) }

func (c *call) replaceGroup() error { return c.writeGroup(directory.VerbReplace, http.StatusOK) }

func (c *call) patchGroup() error { return c.writeGroup(directory.VerbEdit, http.StatusOK) }

// writeGroup takes one body to the directory. A PATCH is answered without the
// group, which may have 100,000 members, unless attributes asks for some of it.
func (c *call) writeGroup(verb directory.Verb, status int) error {
	change, p, root, err := c.written(verb, directory.GroupResource, c.s.options.MaxGroupBody)
	if err != nil {
		return err
	}
	g := groupEdit{x: c.s.groups, most: c.s.options.MaxOperations}
	if verb == directory.VerbEdit {
		err = g.readPatch(root)
	} else {
		err = g.readGroup(root)
	}
	c.count(g.ignored)
	if err != nil {
		return err
	}
	g.into(&change)
	result, err := c.s.directory.Apply(c.r.Context(), change)
	if err != nil {
		return err
	}
	if verb == directory.VerbEdit && p.attributes == "" {
		c.w.Header().Set("ETag", etag(result.Group.Version()))
		return c.empty(http.StatusNoContent)
	}
	return c.sendGroup(status, result.Group, c.groupView(p))
}

func (c *call) deleteGroup() error { return c.delete(directory.GroupResource) }
