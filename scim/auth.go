package scim

import (
	"errors"
	"net/http"
	"strings"

	"muster/directory"
)

// unauthorized is one answer for every token that does not open the door it
// came to: also for another connection's, and for a door that does not exist.
var unauthorized = fault{Status: http.StatusUnauthorized, Detail: "the bearer token is missing, unknown, expired, or not one of this endpoint"}

// bearer returns the token of the Authorization header, "" without one. Of two
// headers somebody on the way may have judged the other.
func bearer(r *http.Request) string {
	if len(r.Header["Authorization"]) != 1 {
		return ""
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	const longest = 4096
	if token = strings.TrimSpace(token); len(token) > longest {
		return ""
	}
	return token
}

// token authenticates the request and tells what is decided about the
// organisation of its token.
func (c *call) token() (directory.Token, *directory.Policy, error) {
	secret := bearer(c.r)
	if secret == "" {
		return directory.Token{}, nil, unauthorized
	}
	t, policy, err := c.s.directory.Admit(c.r.Context(), secret)
	if errors.Is(err, directory.ErrNotFound) {
		err = unauthorized
	}
	return t, policy, err
}

// enterConnection lets in the identity provider of the connection in the path.
func (c *call) enterConnection() error {
	t, policy, err := c.token()
	if err != nil {
		return err
	}
	if t.Kind != directory.SCIMToken || t.Connection == "" || t.Connection != c.door || policy == nil {
		return unauthorized
	}
	conn := policy.Connection(t.Connection)
	if conn == nil {
		return unauthorized
	}
	c.viewer = directory.Viewer{Org: conn.Org, Connection: conn.ID}
	c.connection, c.actor = conn, t.Name
	c.index = c.s.indexes.of(policy)
	c.base = c.s.options.BaseURL + "/c/" + conn.ID + "/scim/v2"
	if err := c.within(t.Name); err != nil {
		return err
	}
	return gate(conn)
}

// gate closes the door of a connection that is paused or retired, for reading
// too: an identity provider that found people here would go on to write.
func gate(conn *directory.Connection) error {
	switch conn.State {
	case directory.Paused:
		return &directory.Refusal{Code: directory.ConnectionPaused, Detail: "the connection is paused; try again later"}
	case directory.Retired:
		return &directory.Refusal{Code: directory.ChannelOff, Detail: "the connection is retired"}
	}
	return nil
}

// enterOrg lets in an application of the organisation in the path.
func (c *call) enterOrg() error {
	t, policy, err := c.token()
	if err != nil {
		return err
	}
	if t.Kind != directory.AppToken || t.Org != c.door || policy == nil {
		return unauthorized
	}
	c.viewer = directory.Viewer{Org: t.Org}
	c.actor = t.Name
	c.index = c.s.indexes.of(policy)
	c.base = c.s.options.BaseURL + "/o/" + t.Org + "/scim/v2"
	return c.within(t.Name)
}
