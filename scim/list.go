package scim

import (
	"net/http"
)

func (c *call) listUsers() error {
	p, err := c.parameters()
	if err != nil {
		return err
	}
	return c.sendUsers(p)
}

// searchUsers is listUsers with the parameters in a body (RFC 7644 §3.4.3).
func (c *call) searchUsers() error {
	p, err := c.searched()
	if err != nil {
		return err
	}
	return c.sendUsers(p)
}

func (c *call) sendUsers(p parameters) error {
	v := c.userView(p)
	q := p.query()
	q.SkipGroups = !v.show.shows(v.x.core.byName["groups"])
	page, err := c.s.directory.Users(c.r.Context(), c.viewer, q)
	if err != nil {
		return err
	}
	out := c.stream(http.StatusOK)
	c.out = appendListHead(c.out, page.Total, p.start, len(page.Items))
	for i, user := range page.Items {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.out = v.user(c.out, user)
		if err := out.flush(); err != nil {
			return out.broken(err)
		}
	}
	c.out = append(c.out, `]}`...)
	return out.end()
}

func (c *call) listGroups() error {
	p, err := c.parameters()
	if err != nil {
		return err
	}
	return c.sendGroups(p)
}

// searchGroups is listGroups with the parameters in a body.
func (c *call) searchGroups() error {
	p, err := c.searched()
	if err != nil {
		return err
	}
	return c.sendGroups(p)
}

func (c *call) sendGroups(p parameters) error {
	v := c.groupView(p)
	page, err := c.s.directory.Groups(c.r.Context(), c.viewer, p.query())
	if err != nil {
		return err
	}
	out := c.stream(http.StatusOK)
	c.out = appendListHead(c.out, page.Total, p.start, len(page.Items))
	for i, g := range page.Items {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		if err := out.group(g, v); err != nil {
			return err
		}
	}
	c.out = append(c.out, `]}`...)
	return out.end()
}
