package directory

import (
	"fmt"
	"slices"
	"strings"
)

// mayAdopt holds the link policy against a user found by a soft key or path.
func (s *situation) mayAdopt(u *User, by []vote) error {
	switch {
	case s.awaited(u) && !u.Locked():
		return nil
	case s.judged(u, ResolveReject):
		return s.linkRequired(u, "an administrator refused to link it")
	case s.policy.Org.protects(u):
		return s.withCase(CaseUnlinked, refuse(LinkRequired, "the user is protected; no connection links it by itself"), u)
	case s.foreignDomain(addressOf(u.Effective)) != nil:
		return s.foreignDomain(addressOf(u.Effective))
	case s.sameSubjectDiffers(u):
		return s.mismatch(u)
	case s.change.Channel == SCIM && u.Locked():
		return s.linkRequired(u, "the user is locked")
	}
	permitted, why := s.linkPermitted(u, by)
	if !permitted {
		r := s.linkRequired(u, why)
		r.Confirm = s.provable(u)
		return r
	}
	return nil
}

// linkPermitted: may this value link this user?
func (s *situation) linkPermitted(u *User, by []vote) (bool, string) {
	home := u.Home == s.conn.ID
	foreign := u.Home != "" && !home
	policy := s.conn.linkPolicy()
	switch {
	case s.change.EmailVerified != VerifiedNo && s.invites(u):
		return true, ""
	case policy == LinkNever:
		return false, "connection " + s.conn.ID + " links nobody by itself (link: never)"
	case foreign:
		return false, "the user's home is connection " + u.Home
	case s.change.EmailVerified == VerifiedNo:
		return false, "the identity provider says that the address is not verified"
	case s.guest(by):
		return false, fmt.Sprintf("%s is a guest's, outside the domains of connection %s: it proves nobody", spelled(by), s.conn.ID)
	case policy == LinkAlways || policy == LinkVerified && home:
		return true, ""
	case policy == LinkConfirm:
		return false, "the person must prove the existing account (link: confirm)"
	case slices.ContainsFunc(by, func(v vote) bool { return s.conn.speaksFor(v.value) }):
		return true, ""
	}
	return false, fmt.Sprintf("%s is in no verified domain of connection %s", spelled(by), s.conn.ID)
}

// provable lists the connections through which the person may prove to be the
// user, where this one permits that.
func (s *situation) provable(u *User) (list []string) {
	if s.change.Channel != SSO || s.conn.linkPolicy() != LinkConfirm || u.Locked() || s.linkedHere(u) {
		return nil
	}
	for _, l := range u.Links {
		c := s.policy.Connection(l.Connection)
		if l.Channel == SSO && l.State == LinkLive && c != nil && c.ID != s.conn.ID && c.state() != Retired && (c.SAML != nil || c.OIDC != nil) {
			list = append(list, c.ID)
		}
	}
	return list
}

// awaited: an administrator linked the user to this connection, which has no
// subject by which to know that it is the one.
func (s *situation) awaited(u *User) bool {
	l := u.link(s.conn.ID, s.change.Channel)
	return l != nil && l.Ahead && l.Subject == ""
}

// guest: a connection with domains speaks for no address outside them, not even
// for one on its guest list.
func (s *situation) guest(by []vote) bool {
	return len(s.conn.Domains) > 0 && slices.ContainsFunc(by, func(v vote) bool { return strings.Contains(v.value, "@") }) &&
		!slices.ContainsFunc(by, func(v vote) bool { return s.conn.speaksFor(v.value) })
}

// invites: an open invitation is for this user.
func (s *situation) invites(u *User) bool { return s.invited != nil && s.invited.User == u.ID }

// spelled lists the keys that named a user, with their values.
func spelled(votes []vote) string {
	list := make([]string, len(votes))
	for i, v := range votes {
		list[i] = fmt.Sprintf("%s %q", v.key, v.value)
	}
	return strings.Join(list, " and ")
}

// sameSubjectDiffers: both channels carry one value, the other one knows the
// user by another value, so an equal name proves nothing.
func (s *situation) sameSubjectDiffers(u *User) bool {
	if !s.conn.Subject.Same {
		return false
	}
	if s.change.Channel == SSO {
		return u.Linked(s.conn.ID, SCIM)
	}
	l := u.link(s.conn.ID, SSO)
	return l != nil && !l.Ahead && s.subject != "" && l.Subject != s.subject
}

func (s *situation) mismatch(u *User) error {
	if s.change.Channel == SCIM {
		return s.withCase(CaseSubject, refuse(LinkRequired, "%s pushed by SCIM is %q, the person signed in as %q; they are configured to carry the same value",
			s.conn.scimSubject(), s.subject, u.link(s.conn.ID, SSO).Subject), u)
	}
	l := u.link(s.conn.ID, SCIM)
	return s.withCase(CaseSubject, refuse(LinkRequired, "%s pushed by SCIM is %q, %s of the sign-in is %q; they are configured to carry the same value",
		s.conn.scimSubject(), l.Subject, s.subjectName(), s.subject), u)
}

func (s *situation) subjectName() string {
	if s.change.SubjectName != "" {
		return s.change.SubjectName
	}
	return "subject"
}

func (s *situation) linkRequired(u *User, why string) *Refusal {
	return s.withCase(CaseUnlinked, refuse(LinkRequired, "an account exists (id %s) and is not linked: %s", u.ID, why), u)
}

// identifierOf is the user's own address or name, for adoption by path.
func (s *situation) identifierOf(u *User) []vote {
	if v, ok := u.Effective.Get(Emails); ok && len(v) > 0 {
		return []vote{{Emails, NormalEmail(v.Primary().Field("value")), u}}
	}
	return []vote{{UserName, NormalName(u.Effective.Text(UserName)), u}}
}

// foreignDomain refuses an address in another connection's domain: it is nobody
// else's to write.
func (s *situation) foreignDomain(address string) error {
	if s.conn == nil || len(s.policy.domains) == 0 || address == "" {
		return nil
	}
	if owner := s.policy.domains[emailDomain(address)]; owner != "" && owner != s.conn.ID {
		return refuse(DomainNotAllowed, "the domain of %q belongs to connection %s", address, owner).on(Emails)
	}
	return nil
}

// outsideDomains: outside its own domains a connection creates only its guests.
func (s *situation) outsideDomains() error {
	for _, address := range s.addresses() {
		if !s.conn.admits(address) {
			return refuse(DomainNotAllowed, "%q is in none of the domains of connection %s and on no guest list", address, s.conn.ID).on(Emails)
		}
	}
	return nil
}

// addresses are all that the change speaks of, a userName that is one included.
func (s *situation) addresses() []string {
	var list []string
	v, _ := s.change.Attributes.Get(Emails)
	for _, e := range v {
		list = append(list, e.Field("value"))
	}
	if name := s.change.Attributes.Text(UserName); strings.Contains(name, "@") {
		list = append(list, name)
	}
	return list
}
