package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"muster/directory"
)

// administratorsPage lists administrators: on an organisation's page those with a role there, on the instance's all of
// them. An organisation's lists its delegations, too.
type administratorsPage struct {
	Base           string // address of the list
	Administrators []directory.Administrator
	Delegations    []delegationRow
	Connections    []*directory.Connection
	Roles          []directory.AdminRole
	Form           form // a new delegation
}

// administratorForm makes an administrator or changes one.
type administratorForm struct {
	Form          form
	Base          string
	Administrator directory.Administrator // zero for a new one
	Roles         []directory.AdminRole
	// Object is what has to be typed to remove them.
	Object string
}

// secretPage shows a secret, this once: it stands in the answer to the form, at no address.
type secretPage struct {
	Kind, Name, Secret, Back string // Kind is a key of the texts
}

// administratorPages are the same pages for the instance and for one organisation.
func (s *Server) administratorPages(under string, need directory.AdminRole) []page {
	all := under + "/administrators"
	one := all + "/:administrator"
	return []page{
		{get, all, need, s.administrators, "administrators"},
		{get, all + "/new", need, s.newAdministrator, ""},
		{post, all + "/new", need, s.inviteNew, ""},
		{get, one, need, s.administrator, ""},
		{post, one, need, s.saveAdministrator, ""},
		{post, one + "/invite", need, s.inviteAgain, ""},
		{post, one + "/sign-out", need, s.signAdministratorOut, ""},
		{get, one + "/remove", need, s.removeForm, ""},
		{post, one + "/remove", need, s.removeAdministrator, ""},
	}
}

// here is an address under the organisation of the visit, or under the instance.
func (v *visit) here(path string) string {
	if v.policy == nil {
		return "/admin" + path
	}
	return v.at(path)
}

// orgRoles are those that somebody may have in an organisation, the highest first.
func orgRoles() []directory.AdminRole {
	return []directory.AdminRole{directory.OrgAdmin, directory.HelpDesk, directory.Auditor}
}

func (s *Server) administrators(v *visit) error {
	return s.listAdministratorsPage(v, http.StatusOK, form{})
}

func (s *Server) listAdministratorsPage(v *visit, status int, f form) error {
	ctx := v.Request().Context()
	p := administratorsPage{Base: v.here("/administrators"), Form: f, Roles: orgRoles()}
	all, err := s.directory.Administrators(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if v.concerns(a) {
			p.Administrators = append(p.Administrators, shownTo(v.acting, a))
		}
	}
	if v.policy != nil {
		p.Connections = v.policy.Connections()
		if p.Delegations, err = s.delegationRows(v); err != nil {
			return err
		}
	}
	return v.render(status, "administrators", p)
}

// concerns says whether an administrator belongs on the page: everybody to the instance, to an organisation who has a
// role there.
func (v *visit) concerns(a directory.Administrator) bool {
	return v.policy == nil || slices.ContainsFunc(a.Grants, func(g directory.Grant) bool { return g.Org == v.org() })
}

// readAdministrator reads the one in the path, with everything that is granted.
func (s *Server) readAdministrator(v *visit) (directory.Administrator, error) {
	id, err := v.id("administrator")
	if err != nil {
		return directory.Administrator{}, err
	}
	a, _, err := s.directory.Administrator(v.Request().Context(), id)
	if err == nil && !v.concerns(a) {
		err = directory.ErrNotFound
	}
	return a, err
}

func (v *visit) administratorForm(a directory.Administrator, f form) administratorForm {
	return administratorForm{Form: f, Base: v.here("/administrators"), Administrator: shownTo(v.acting, a), Roles: orgRoles(), Object: a.Email}
}

func (s *Server) newAdministrator(v *visit) error {
	return v.render(http.StatusOK, "administrator", v.administratorForm(directory.Administrator{}, form{}))
}

func (s *Server) administrator(v *visit) error {
	a, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	f := form{values: map[string][]string{"name": {a.Name}, "email": {a.Email}, "revision": {strconv.FormatUint(a.Revision, 10)},
		"grants": {typedGrants(a.Grants)}, "role": {string(roleIn(a.Grants, v.org()))}}}
	return v.render(http.StatusOK, "administrator", v.administratorForm(a, f))
}

// roleIn is the highest role in an organisation, "" for none.
func roleIn(grants directory.Grants, org string) directory.AdminRole {
	for _, role := range orgRoles() {
		if slices.Contains(grants, directory.Grant{Role: role, Org: org}) {
			return role
		}
	}
	return ""
}

// typedGrants are grants, one a line: "operator", "admin acme".
func typedGrants(grants directory.Grants) string {
	var b strings.Builder
	for _, g := range grants {
		b.WriteString(strings.TrimSpace(string(g.Role)+" "+g.Org) + "\n")
	}
	return b.String()
}

// granted is what somebody may do after the form: on an organisation's page their role there is what was chosen and the
// rest stays as it was; on the instance's page it is what was typed.
func (v *visit) granted(f *form, before directory.Grants) (after directory.Grants) {
	if v.policy != nil {
		after = slices.DeleteFunc(slices.Clone(before), func(g directory.Grant) bool { return g.Org == v.org() })
		role := directory.AdminRole(f.Value("role"))
		if !slices.Contains(orgRoles(), role) {
			f.fail("role", "administrator.role-missing")
		}
		return append(after, directory.Grant{Role: role, Org: v.org()})
	}
	for line := range strings.Lines(f.Value("grants")) {
		switch words := strings.Fields(line); len(words) {
		case 0:
		case 1:
			after = append(after, directory.Grant{Role: directory.AdminRole(words[0])})
		case 2:
			after = append(after, directory.Grant{Role: directory.AdminRole(words[0]), Org: words[1]})
		default:
			f.fail("grants", "administrator.grants-wrong")
		}
	}
	return after
}

// failedAdministrator notes a refusal, beside the field of the form that it is about.
func (f *form) failedAdministrator(err error) bool {
	if !f.failed(err) {
		return false
	}
	for _, from := range []string{"grants.role", "grants.org"} {
		f.move(from, "grants")
	}
	f.gather()
	return true
}

// inviteNew makes an administrator and shows the link by which they come in.
func (s *Server) inviteNew(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	wanted := directory.Administrator{Name: f.Value("name"), Email: f.Value("email"), Grants: v.granted(&f, nil)}
	if len(f.Faults) == 0 {
		a, link, err := s.addAdministrator(v.Request().Context(), v.acting, wanted)
		if err == nil {
			return v.render(http.StatusOK, "secret", secretPage{"link", a.Name, link, v.here("/administrators")})
		}
		if !f.failedAdministrator(err) {
			return err
		}
	}
	return v.render(http.StatusUnprocessableEntity, "administrator", v.administratorForm(directory.Administrator{}, f))
}

// addAdministrator makes one together with the link, for page and API.
func (s *Server) addAdministrator(ctx context.Context, by directory.Acting, wanted directory.Administrator) (a directory.Administrator, link string, err error) {
	if a, err = s.directory.AddAdministrator(ctx, by, wanted); err != nil {
		return a, "", err
	}
	secret, err := s.directory.Invite(ctx, by, a.ID, invitationLifetime)
	return a, WelcomeLink(s.base, secret), err
}

// errEdited: somebody else changed the administrator since the form was shown.
var errEdited = errors.New("the administrator was changed in between")

func (s *Server) saveAdministrator(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	known, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	v.granted(&f, known.Grants)
	if len(f.Faults) > 0 {
		return v.render(http.StatusUnprocessableEntity, "administrator", v.administratorForm(known, f))
	}
	_, err = s.directory.EditAdministrator(v.Request().Context(), v.acting, known.ID, func(a *directory.Administrator, _ *directory.Credentials) error {
		if strconv.FormatUint(a.Revision, 10) != f.Value("revision") {
			return errEdited
		}
		a.Name, a.Email, a.Grants = f.Value("name"), f.Value("email"), v.granted(&f, a.Grants)
		return nil
	})
	if errors.Is(err, errEdited) {
		f.fail("", "administrator.stale")
		return v.render(http.StatusConflict, "administrator", v.administratorForm(known, f))
	}
	if f.failedAdministrator(err) {
		return v.render(http.StatusUnprocessableEntity, "administrator", v.administratorForm(known, f))
	}
	if err != nil {
		return err
	}
	return v.done(v.here("/administrators"), "administrator-saved")
}

// inviteAgain makes a new link, for somebody who lost their way in.
func (s *Server) inviteAgain(v *visit) error {
	a, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	secret, err := s.directory.Invite(v.Request().Context(), v.acting, a.ID, invitationLifetime)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "secret", secretPage{"link", a.Name, WelcomeLink(s.base, secret), v.here("/administrators")})
}

func (s *Server) signAdministratorOut(v *visit) error {
	a, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	if err := s.directory.EndAdminSessions(v.Request().Context(), v.acting, a.ID, directory.NoID); err != nil {
		return err
	}
	return v.done(v.here("/administrators"), "administrator-signed-out")
}

func (s *Server) removeForm(v *visit) error {
	a, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "administrator-remove", v.administratorForm(a, form{}))
}

// removeAdministrator forgets an administrator; on an organisation's page, only their role there when they have others.
func (s *Server) removeAdministrator(v *visit) error {
	f, err := readForm(v)
	if err != nil {
		return err
	}
	a, err := s.readAdministrator(v)
	if err != nil {
		return err
	}
	if strings.TrimSpace(f.Value("object")) != a.Email {
		f.fail("object", "end.object-wrong")
	} else {
		err = s.withdraw(v, a)
		if err == nil {
			return v.done(v.here("/administrators"), "administrator-removed")
		}
		if !f.failed(err) {
			return err
		}
		f.gather()
	}
	return v.render(http.StatusUnprocessableEntity, "administrator-remove", v.administratorForm(a, f))
}

func (s *Server) withdraw(v *visit, a directory.Administrator) error {
	ctx := v.Request().Context()
	elsewhere := func(g directory.Grant) bool { return g.Org != v.org() }
	if v.policy == nil || !slices.ContainsFunc(a.Grants, elsewhere) {
		return s.directory.RemoveAdministrator(ctx, v.acting, a.ID)
	}
	_, err := s.directory.EditAdministrator(ctx, v.acting, a.ID, func(a *directory.Administrator, _ *directory.Credentials) error {
		a.Grants = slices.DeleteFunc(a.Grants, func(g directory.Grant) bool { return !elsewhere(g) })
		return nil
	})
	return err
}
