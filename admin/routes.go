package admin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// page is one row of the site map. Its path says where it is about: with :org it is about one organisation, and need is
// the role there; without, need is the role in the instance, which only an operator has.
type page struct {
	method, path string
	need         directory.AdminRole
	handle       func(*visit) error
	// menu is the name of the page in the menu, "" for none.
	menu string
}

// Roles of the table that are no roles of the directory.
const (
	anybody  directory.AdminRole = "anybody"  // also without a session: the way in
	somebody directory.AdminRole = "somebody" // every administrator, for what is their own
)

// Short names for the table.
const (
	get  = http.MethodGet
	post = http.MethodPost
)

// pages is the site map: every page and action, with the role it needs. The contract test walks it.
func (s *Server) pages() []page {
	const (
		org   = "/admin/o/:org"
		user  = org + "/users/:user"
		guard = org + "/guard/:connection"
		conn  = org + "/connections/:connection"
	)
	askDelete, doDelete := s.ending(directory.VerbDelete)
	askErase, doErase := s.ending(directory.VerbErase)
	rows := []page{
		// the way in (signin.go, passkey.go, welcome.go, sso.go)
		{get, "/admin/sign-in", anybody, s.signInForm, ""},
		{post, "/admin/sign-in", anybody, s.signIn, ""},
		{post, "/admin/passkey/begin", anybody, s.beginPasskeySignIn, ""},
		{post, "/admin/passkey/finish", anybody, s.finishPasskeySignIn, ""},
		{get, "/admin/sign-in/sso", anybody, s.ssoForm, ""},
		{post, "/admin/sign-in/sso", anybody, s.ssoSignIn, ""},
		{get, "/admin/welcome", anybody, s.welcomeForm, ""},
		{post, "/admin/welcome", anybody, s.welcome, ""},
		{post, "/admin/sign-out", somebody, s.signOut, ""},

		// one's own (account.go, passkey.go)
		{get, "/admin", somebody, s.home, ""},
		{get, "/admin/account", somebody, s.account, ""},
		{get, "/admin/account/password", somebody, s.passwordForm, ""},
		{post, "/admin/account/password", somebody, s.setPassword, ""},
		{post, "/admin/account/password/remove", somebody, s.removePassword, ""},
		{post, "/admin/account/passkey/begin", somebody, s.beginPasskey, ""},
		{post, "/admin/account/passkey/finish", somebody, s.finishPasskey, ""},
		{post, "/admin/account/passkey/remove", somebody, s.removePasskey, ""},
		{post, "/admin/account/sessions/end", somebody, s.endSession, ""},
		{get, "/admin/api/reference", somebody, s.reference, ""},

		// an organisation
		{get, org, directory.Auditor, s.dashboard, "dashboard"},
		{get, org + "/users", directory.Auditor, s.users, "users"},

		// one person (user.go, user_edit.go, user_end.go)
		{get, user, directory.Auditor, s.user, ""},
		{get, user + "/story", directory.Auditor, s.userStory, ""},
		{post, user + "/lock", directory.OrgAdmin, s.setActive("false", "locked"), ""},
		{post, user + "/unlock", directory.HelpDesk, s.setActive("true", "unlocked"), ""},
		{get, user + "/attributes/:attribute", directory.OrgAdmin, s.editForm, ""},
		{post, user + "/attributes/:attribute", directory.OrgAdmin, s.edit, ""},
		{post, user + "/attributes/:attribute/release", directory.OrgAdmin, s.release, ""},
		{get, user + "/delete", directory.OrgAdmin, askDelete, ""},
		{post, user + "/delete", directory.OrgAdmin, doDelete, ""},
		{post, user + "/restore", directory.OrgAdmin, s.restore, ""},
		{get, user + "/erase", directory.OrgAdmin, askErase, ""},
		{post, user + "/erase", directory.OrgAdmin, doErase, ""},

		// sessions, merges and invitations of people (user_sessions.go, user_merge.go, user_invitations.go)
		{post, user + "/sessions/end", directory.HelpDesk, s.endUserSession, ""},
		{get, user + "/merge", directory.OrgAdmin, s.mergeForm, ""},
		{post, user + "/merge", directory.OrgAdmin, s.merge, ""},
		{get, user + "/unmerge", directory.OrgAdmin, s.unmergeForm, ""},
		{post, user + "/unmerge", directory.OrgAdmin, s.unmerge, ""},
		{get, org + "/invitations", directory.Auditor, s.invitations, "invitations"},
		{post, org + "/invitations", directory.OrgAdmin, s.inviteUser, ""},
		{post, org + "/invitations/revoke", directory.OrgAdmin, s.revokeInvitation, ""},

		// groups (groups.go)
		{get, org + "/groups", directory.Auditor, s.groups, "groups"},
		{get, org + "/groups/:group", directory.Auditor, s.group, ""},
		{get, org + "/groups/:group/story", directory.Auditor, s.groupStory, ""},

		// conflicts (cases.go), and what is held back (guard.go)
		{get, org + "/cases", directory.Auditor, s.cases, "cases"},
		{get, org + "/cases/:case", directory.Auditor, s.showCase, ""},
		{post, org + "/cases/:case", directory.OrgAdmin, s.resolveCase, ""},
		{get, org + "/guard", directory.Auditor, s.guard, "guard"},
		{get, guard + "/let", directory.OrgAdmin, s.guardForm("let"), ""},
		{post, guard + "/let", directory.OrgAdmin, s.letThrough, ""},
		{get, guard + "/undo", directory.OrgAdmin, s.guardForm("undo"), ""},
		{post, guard + "/undo", directory.OrgAdmin, s.undoRun, ""},

		// what decides (rules.go)
		{get, org + "/rules", directory.Auditor, s.rules, "rules"},
		{post, org + "/rules", directory.OrgAdmin, s.saveRules, ""},

		// connections (connections.go, connection*.go)
		{get, org + "/connections", directory.Auditor, s.connections, "connections"},
		{get, conn, directory.Auditor, s.connection, ""},
		{post, conn + "/pause", directory.OrgAdmin, s.setConnectionState(directory.Paused, "connection-paused"), ""},
		{post, conn + "/resume", directory.OrgAdmin, s.setConnectionState(directory.ConnectionActive, "connection-resumed"), ""},
		{post, conn + "/tokens", directory.OrgAdmin, s.newSCIMToken, ""},
		{post, conn + "/tokens/revoke", directory.OrgAdmin, s.revokeSCIMToken, ""},
		{post, conn + "/test", directory.OrgAdmin, s.testConnection, ""},
		{get, conn + "/leave", directory.OrgAdmin, s.leaveForm, ""},
		{post, conn + "/leave", directory.OrgAdmin, s.leave, ""},

		// what happened (events.go)
		{get, org + "/events", directory.Auditor, s.events, "events"},
		{get, org + "/events/export", directory.Auditor, s.exportEvents, ""},

		// who administers by single sign-on (delegations.go)
		{post, org + "/delegations", directory.OrgAdmin, s.addDelegation, ""},
		{post, org + "/delegations/:delegation/end", directory.OrgAdmin, s.endDelegation, ""},
	}
	return slices.Concat(rows,
		s.tokenPages(org, directory.OrgAdmin), s.tokenPages("/admin", directory.Operator),
		s.administratorPages(org, directory.OrgAdmin), s.administratorPages("/admin", directory.Operator),
	)
}

// Mount adds the routes of this door.
func (s *Server) Mount(e *echo.Echo) {
	for _, p := range s.pages() {
		e.Add(p.method, p.path, s.serve(p))
		if p.method == get {
			e.Add(http.MethodHead, p.path, s.serve(p))
		}
	}
	looks := []string{http.MethodGet, http.MethodHead}
	e.Match(looks, "/admin/static/:file", s.asset)
	e.Match(looks, "/admin/*", s.serve(page{handle: missing, need: anybody}))
	s.mountAPI(e)
}

// isAboutOrg says whether a path names an organisation.
func (p page) isAboutOrg() bool { return strings.Contains(p.path, "/:org") }
