package scim

import (
	"net/http"

	"muster/directory"
)

// listing answers a GET that lists resources of these types; without one, of
// all (RFC 7644 §3.4.2.1).
func listing(types ...directory.Resource) handler {
	return func(c *call) error {
		p, err := c.parameters()
		if err != nil {
			return err
		}
		return c.sendPage(p, types)
	}
}

// searching is listing with the parameters in a body (RFC 7644 §3.4.3).
func searching(types ...directory.Resource) handler {
	return func(c *call) error {
		p, err := c.searched()
		if err != nil {
			return err
		}
		return c.sendPage(p, types)
	}
}

func (c *call) sendPage(p parameters, types []directory.Resource) error {
	users, groups := c.userView(p), c.groupView(p)
	q := c.query(p)
	// The version covers the groups, so that they are read where either is shown.
	meta := users.x.core.byName["meta"]
	q.SkipGroups = !users.show.shows(users.x.core.byName["groups"]) && !(users.show.shows(meta) && users.show.field(meta, "version"))
	page, err := c.s.directory.Search(c.r.Context(), c.viewer, q, types...)
	if err != nil {
		return err
	}
	out := c.stream(http.StatusOK)
	c.out = appendListHead(c.out, p, page)
	for i, item := range page.Items {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		if item.Group != nil {
			err = out.group(item.Group, groups)
		} else {
			c.out = users.user(c.out, item.User)
			err = out.flush()
		}
		if err != nil {
			return out.broken(err)
		}
	}
	c.out = append(c.out, `]}`...)
	return out.end()
}
