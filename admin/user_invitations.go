package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"muster/directory"
)

// invitationsPage lists the people who are invited, and invites one.
type invitationsPage struct {
	Invitations []directory.UserInvitation
	More        int // that the page does not list
	Connections []*directory.Connection
	Form        form
}

const (
	invitationsShown = 200
	// invitationDays is what the form proposes, longestInvitation the most.
	invitationDays    = 14
	longestInvitation = 90
)

func (s *Server) invitations(v *visit) error {
	return s.showInvitations(v, http.StatusOK, form{values: url.Values{"days": {strconv.Itoa(invitationDays)}}})
}

func (s *Server) showInvitations(v *visit, status int, f form) error {
	list, err := s.directory.UserInvitations(v.Request().Context(), v.org())
	if err != nil {
		return err
	}
	p := invitationsPage{Invitations: list, Form: f}
	if p.More = len(list) - invitationsShown; p.More > 0 {
		p.Invitations = list[:invitationsShown]
	}
	for _, c := range v.policy.Connections() {
		if c.State != directory.Retired && (c.SAML != nil || c.OIDC != nil) {
			p.Connections = append(p.Connections, c)
		}
	}
	return v.render(status, "invitations", p)
}

// inviteUser invites a person, or renews the invitation.
func (s *Server) inviteUser(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	i := directory.UserInvitation{Org: v.org(), Connection: f.Value("connection"), Address: f.Value("address"), Actor: v.acting.Name, Request: v.request()}
	for field, name := range map[string]string{"given": directory.GivenName, "family": directory.FamilyName} {
		if typed := f.Value(field); typed != "" {
			i.Attributes.Set(name, directory.Text(typed))
		}
	}
	days, err := strconv.Atoi(f.Value("days"))
	if err != nil || days < 1 || days > longestInvitation {
		f.fail("days", "invitations.days-wrong")
		return s.showInvitations(v, http.StatusUnprocessableEntity, f)
	}
	if v.policy.Connection(i.Connection) == nil {
		f.fail("connection", "invitations.connection-wrong")
		return s.showInvitations(v, http.StatusUnprocessableEntity, f)
	}
	i.Expires = s.now().Add(time.Duration(days) * 24 * time.Hour)
	_, err = s.directory.InviteUser(v.Request().Context(), i)
	if f.failed(err) {
		f.move(directory.Emails, "address")
		f.move(directory.UserName, "address")
		f.move(directory.GivenName, "given")
		f.move(directory.FamilyName, "family")
		f.gather()
		return s.showInvitations(v, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return v.done(v.at("/invitations"), "invited")
}

func (s *Server) revokeInvitation(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	if err := s.directory.RevokeUserInvitation(v.Request().Context(), v.org(), f.Value("connection"), f.Value("address")); err != nil {
		return err
	}
	return v.done(v.at("/invitations"), "invitation-revoked")
}
