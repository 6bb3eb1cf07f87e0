package jit

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// signedIn is the person behind a request.
type signedIn struct {
	session directory.Session
	user    *directory.Profile
	policy  *directory.Policy
}

// current finds who is signed in. A session whose person lost access is refused with the reason, and its cookie goes.
func (s *Server) current(c echo.Context) (signedIn, error) {
	secret := s.secret(c)
	if secret == "" {
		return signedIn{}, directory.ErrUnauthorized
	}
	ctx := c.Request().Context()
	session, user, err := s.directory.Session(ctx, secret)
	if err != nil {
		if problemOf(err).broken == nil {
			s.dropSession(c)
		}
		return signedIn{}, err
	}
	policy, err := s.directory.Policy(ctx, session.Org)
	return signedIn{session, user, policy}, err
}

// me shows the signed-in person their effective attributes: as a page with the source of each, as JSON the SCIM User.
func (s *Server) me(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept")
	who, err := s.current(c)
	asJSON := prefersJSON(c.Request())
	if err != nil {
		if problemOf(err).code == notSignedIn && !asJSON {
			return c.Redirect(http.StatusSeeOther, "/login?return_to=%2Fme")
		}
		return err
	}
	if asJSON {
		return s.meJSON(c, who)
	}
	told, err := s.directory.Explain(c.Request().Context(), who.session.Org, who.session.User)
	if err != nil {
		return err
	}
	return s.page(c, http.StatusOK, "me", newMyself(who, told))
}

func (s *Server) meJSON(c echo.Context, who signedIn) error {
	var b bytes.Buffer
	if err := s.render(&b, s.base+"/o/"+who.session.Org+"/scim/v2", who.user, who.policy); err != nil {
		return err
	}
	kind := "application/json"
	if strings.Contains(c.Request().Header.Get("Accept"), "application/scim+json") {
		kind = "application/scim+json"
	}
	return c.Blob(http.StatusOK, kind, b.Bytes())
}

// myself is what the page shows.
type myself struct {
	Name       string
	Org        string
	Connection string
	Since      string
	Until      string
	Rows       []row
	Groups     []string
}

// row is one attribute with the sources of its value.
type row struct {
	Label, Name string
	Values      []string
	Sources     []source
}

// source is who a value comes from: as layers are called ("scim/acme-okta") and in words.
type source struct{ Layer, Words string }

func newMyself(who signedIn, told *directory.Explanation) myself {
	m := myself{
		Name:       displayName(who.user),
		Org:        who.policy.Org.Name,
		Connection: who.session.Connection,
		Since:      moment(who.session.Created),
		Until:      moment(who.session.Expires),
	}
	if m.Org == "" {
		m.Org = who.policy.Org.ID
	}
	for _, story := range told.Attributes {
		if len(story.Value) > 0 {
			m.Rows = append(m.Rows, row{label(story.Name), story.Name, valueTexts(story.Value), winners(story)})
		}
	}
	for _, g := range told.Groups {
		if !slices.Contains(m.Groups, g.Name) {
			m.Groups = append(m.Groups, g.Name)
		}
	}
	return m
}

// winners are the sources whose word counts.
func winners(story directory.AttributeStory) []source {
	var sources []source
	for _, w := range story.Told {
		if w.Wins {
			sources = append(sources, source{w.Source.String(), sourceOf(w)})
		}
	}
	return sources
}

// sourceOf is a source in words.
func sourceOf(w directory.Word) string {
	var who string
	switch w.Source.Channel {
	case directory.Pin:
		who = "set by an administrator"
	case directory.SCIM:
		who = "sent by " + w.Source.Connection + " (SCIM)"
	case directory.SSO:
		who = "from your sign-in through " + w.Source.Connection + " (SSO)"
	case directory.ByRule:
		return "granted by rule " + strings.TrimPrefix(w.Rule, "rule ")
	default:
		who = "kept here"
	}
	if w.Stamp.At.IsZero() {
		return who
	}
	return who + ", " + moment(w.Stamp.At)
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// valueTexts are the elements as a person reads them.
func valueTexts(v directory.Value) []string {
	list := make([]string, 0, len(v))
	for _, e := range v {
		list = append(list, elementText(e))
	}
	return list
}

func elementText(e directory.Element) string {
	text := e.Field("value")
	if text == "" {
		text = e.Field("formatted")
	}
	var rest []string
	for _, f := range e {
		switch f.Name {
		case "value", "formatted", "primary":
		default:
			rest = append(rest, f.Text)
		}
	}
	switch {
	case text == "":
		return strings.Join(rest, ", ")
	case len(rest) > 0:
		return text + " (" + strings.Join(rest, ", ") + ")"
	}
	return text
}

// displayName is what a person is called: as they are displayed, by their full name, or by their user name.
func displayName(p *directory.Profile) string {
	a := p.Attributes
	for _, name := range []string{
		a.Text(directory.DisplayName),
		a.Text("name.formatted"),
		strings.TrimSpace(a.Text(directory.GivenName) + " " + a.Text(directory.FamilyName)),
	} {
		if name != "" {
			return name
		}
	}
	return a.Text(directory.UserName)
}

// logoutForm asks, because a link or an image on another page must not end a session.
func (s *Server) logoutForm(c echo.Context) error {
	who, err := s.current(c)
	if err != nil {
		return s.page(c, http.StatusOK, "signed-out", nil)
	}
	return s.page(c, http.StatusOK, "logout", displayName(who.user))
}

// logout ends this browser's session here. The identity provider's own session is its own.
func (s *Server) logout(c echo.Context) error {
	if secret := s.secret(c); secret != "" {
		if err := s.directory.EndSession(c.Request().Context(), secret); err != nil {
			return err
		}
		s.admissions.forget(secret)
	}
	s.dropSession(c)
	if prefersJSON(c.Request()) {
		return c.NoContent(http.StatusNoContent)
	}
	return c.Redirect(http.StatusSeeOther, "/logout")
}
