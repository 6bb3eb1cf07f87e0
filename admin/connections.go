package admin

import (
	"net/http"
	"time"

	"muster/directory"
)

// connectionsPage lists the identity providers, with what each does and what is amiss.
type connectionsPage struct{ Rows []connectionView }

// connectionView is a connection as the list and its own page show it.
type connectionView struct {
	*directory.Connection
	Door     string // key of the text
	Title    string // of its identity provider
	Users    int    // that it pushed
	LastPush time.Time
	Stale    bool
	Tokens   []tokenRow
	Metadata directory.MetadataState
	Warnings []string
}

// tokenRow is a SCIM token as a page shows it.
type tokenRow struct {
	directory.Token
	Expired bool
	// Soon: it expires within a month. Old: it never does, and is older than a year.
	Soon, Old bool
}

func (s *Server) connections(v *visit) error {
	p := connectionsPage{}
	for _, c := range v.policy.Connections() {
		row, err := s.connectionView(v, c)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, row)
	}
	return v.render(http.StatusOK, "connections", p)
}

// connectionView reads what is known of a connection's health.
func (s *Server) connectionView(v *visit, c *directory.Connection) (row connectionView, err error) {
	ctx := v.Request().Context()
	row = connectionView{Connection: c, Door: doorLabel(c), Title: s.presetTitle(c.Preset)}
	pushed, err := s.directory.Users(ctx, directory.Viewer{Org: v.org(), Connection: c.ID}, directory.Query{})
	if err != nil {
		return row, err
	}
	row.Users = pushed.Total
	health, err := s.directory.Health(ctx, v.org())
	if err != nil {
		return row, err
	}
	for _, h := range health {
		if h.Connection == c.ID {
			row.LastPush, row.Stale = h.LastPush, h.Stale
		}
	}
	if row.Tokens, err = s.scimTokens(v, c.ID); err != nil {
		return row, err
	}
	if row.Metadata, err = s.directory.MetadataState(ctx, c.ID); err != nil {
		return row, err
	}
	if s.options.SignIn.Warnings != nil {
		row.Warnings, err = s.options.SignIn.Warnings(ctx, c)
	}
	return row, err
}

const (
	tokenSoon = 30 * 24 * time.Hour
	tokenOld  = 365 * 24 * time.Hour
)

// scimTokens lists the push tokens of a connection.
func (s *Server) scimTokens(v *visit, connection string) (list []tokenRow, err error) {
	all, err := s.directory.Tokens(v.Request().Context(), v.org())
	if err != nil {
		return nil, err
	}
	now := s.now()
	for _, t := range all {
		if t.Kind != directory.SCIMToken || t.Connection != connection {
			continue
		}
		row := tokenRow{Token: t, Old: t.Expires.IsZero() && now.Sub(t.Created) > tokenOld}
		if !t.Expires.IsZero() {
			row.Expired = !now.Before(t.Expires)
			row.Soon = !row.Expired && t.Expires.Sub(now) < tokenSoon
		}
		list = append(list, row)
	}
	return list, nil
}

// presetTitle is what people call the identity provider.
func (s *Server) presetTitle(name string) string {
	for _, p := range s.options.SignIn.Presets {
		if p.Name == name {
			return p.Title
		}
	}
	return name
}

// Protocol is how people sign in: saml, oidc, or none.
func (c connectionView) Protocol() string { return protocolOf(c.Connection) }

func protocolOf(c *directory.Connection) string {
	switch {
	case c.SAML != nil:
		return "saml"
	case c.OIDC != nil:
		return "oidc"
	}
	return "none"
}
