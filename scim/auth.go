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

// bearer returns the token of the Authorization header, "" without one.
func bearer(r *http.Request) string {
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

// token authenticates the request.
func (c *call) token() (directory.Token, error) {
	secret := bearer(c.r)
	if secret == "" {
		return directory.Token{}, unauthorized
	}
	return c.s.directory.Authenticate(c.r.Context(), secret)
}

// enterConnection lets in the identity provider of the connection in the path.
func (c *call) enterConnection() error {
	t, err := c.token()
	if err != nil {
		return err
	}
	if t.Kind != directory.SCIMToken || t.Connection == "" || t.Connection != c.door {
		return unauthorized
	}
	conn, policy, err := c.s.directory.Connection(c.r.Context(), t.Connection)
	if errors.Is(err, directory.ErrNotFound) {
		return unauthorized
	}
	if err != nil {
		return err
	}
	c.viewer = directory.Viewer{Org: conn.Org, Connection: conn.ID}
	c.connection, c.actor = conn, t.Name
	c.index = c.s.indexes.of(policy)
	c.base = c.s.options.BaseURL + "/c/" + conn.ID + "/scim/v2"
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
	t, err := c.token()
	if err != nil {
		return err
	}
	if t.Kind != directory.AppToken || t.Org == "" || t.Org != c.door {
		return unauthorized
	}
	policy, err := c.s.directory.Policy(c.r.Context(), t.Org)
	if errors.Is(err, directory.ErrNotFound) {
		return unauthorized
	}
	if err != nil {
		return err
	}
	c.viewer = directory.Viewer{Org: t.Org}
	c.actor = t.Name
	c.index = c.s.indexes.of(policy)
	c.base = c.s.options.BaseURL + "/o/" + t.Org + "/scim/v2"
	return nil
}
