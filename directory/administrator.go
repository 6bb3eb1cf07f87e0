package directory

import (
	"slices"
	"strings"
	"time"
)

// Administrator is a person who runs this instance or an organisation of it.
// Administrators are no users: no connection, rule or SCIM role makes one,
// changes one or locks one out (conflict 47).
type Administrator struct {
	ID       ID        `json:"id"`
	Name     string    `json:"name"`
	Email    string    `json:"email"` // compared as NormalEmail does; no two have the same
	Grants   Grants    `json:"grants"`
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
	// Revision counts the changes of this record.
	Revision uint64 `json:"revision"`
}

// AdminRole is one step of the ladder of what administrators may do; each
// includes those below it.
type AdminRole string

// The roles, lowest first. Operator alone is about the instance, the others
// about one organisation.
const (
	Auditor  AdminRole = "auditor"  // reads
	HelpDesk AdminRole = "helpdesk" // and unlocks, ends sessions, resends
	OrgAdmin AdminRole = "admin"    // and changes everything of the organisation
	Operator AdminRole = "operator" // everything, everywhere
)

// AdminRoles lists the roles, lowest first.
func AdminRoles() []AdminRole { return []AdminRole{Auditor, HelpDesk, OrgAdmin, Operator} }

// Grant gives a role: in one organisation, or, for an operator, in all.
type Grant struct {
	Role AdminRole `json:"role"`
	Org  string    `json:"org,omitempty"` // "" for an operator
}

// Grants are what one administrator or token may do.
type Grants []Grant

// May says whether the grants reach a role in an organisation. Org "" is the
// instance, where only operators may anything.
func (g Grants) May(need AdminRole, org string) bool {
	return slices.ContainsFunc(g, func(x Grant) bool {
		return x.Role == Operator || org != "" && x.Org == org && x.Role.rank() >= need.rank()
	})
}

// Sees says whether the grants reach into an organisation at all. To those who
// do not see it, it does not exist.
func (g Grants) Sees(org string) bool { return g.May(Auditor, org) }

// Covers says whether the grants reach everything that others do.
func (g Grants) Covers(others Grants) bool {
	return !slices.ContainsFunc(others, func(x Grant) bool { return !g.May(x.Role, x.Org) })
}

// IsOperator says whether the grants are about the whole instance.
func (g Grants) IsOperator() bool { return g.May(Operator, "") }

func (r AdminRole) rank() int { return slices.Index(AdminRoles(), r) }

// atLeast is the higher of two roles.
func (r AdminRole) atLeast(other AdminRole) AdminRole {
	if r.rank() < other.rank() {
		return other
	}
	return r
}

// grantFaults lists what is wrong with grants as such.
func grantFaults(g Grants) (faults []Fault) {
	for _, x := range g {
		switch {
		case x.Role.rank() < 0:
			faults = append(faults, Fault{Path: "grants.role", Detail: "there is no such role", Allowed: names(AdminRoles())})
		case x.Role == Operator && x.Org != "":
			faults = append(faults, Fault{Path: "grants.org", Detail: "an operator is of the instance, not of an organisation"})
		case x.Role != Operator && x.Org == "":
			faults = append(faults, Fault{Path: "grants.org", Detail: "this role is of one organisation; say which"})
		}
	}
	if len(g) > maxGrants {
		faults = append(faults, Fault{Path: "grants", Detail: "too many grants"})
	}
	return faults
}

const maxGrants = 1000

func names[S ~string](list []S) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

// Acting is who administers right now: an administrator, a person to whom a
// Delegation gives a role, an API token, or the program itself.
type Acting struct {
	// Administrator is NoID for everybody but an administrator.
	Administrator ID
	Name          string // as events and explanations call them
	Grants        Grants
	Request       string // correlation id
}

// Source is how events name them.
func (a Acting) Source() EventSource {
	return EventSource{Channel: Local, Actor: a.Name, Request: a.Request}
}

// Itself is the program acting for whoever may run its commands.
func Itself(name string) Acting {
	return Acting{Name: name, Grants: Grants{{Role: Operator}}}
}

// mayRegrant: who changes grants must have what the grant gives, be it given
// or taken.
func (a Acting) mayRegrant(before, after Grants) error {
	for _, x := range append(without(before, after), without(after, before)...) {
		if !a.Grants.May(x.Role.atLeast(OrgAdmin), x.Org) {
			return refuse(Protected, "you may not give or take the role %s in %s", x.Role, orInstance(x.Org))
		}
	}
	return nil
}

// mayRename: who changes how a person is called or signs in could act as that
// person, so must be able to do everything the person may. Everybody may
// change themselves.
func (a Acting) mayRename(id ID, has Grants) error {
	if a.Administrator == id && id != NoID || a.Grants.IsOperator() {
		return nil
	}
	for _, x := range has {
		if !a.Grants.May(OrgAdmin, x.Org) {
			return refuse(Protected, "this administrator has a role in %s, where you have none that reaches it", orInstance(x.Org))
		}
	}
	if len(has) == 0 {
		return refuse(Protected, "only an operator may change an administrator without any role")
	}
	return nil
}

// MayIssue says whether a token gives nothing that its maker does not have.
func (a Acting) MayIssue(t Token) error {
	need := OrgAdmin
	if t.Kind == AdminToken {
		need = t.Role.atLeast(OrgAdmin)
	}
	if !a.Grants.May(need, t.Org) {
		return refuse(Protected, "you may not make or revoke a token of %s", orInstance(t.Org))
	}
	return nil
}

func orInstance(org string) string {
	if org == "" {
		return "the instance"
	}
	return org
}

// without are the grants of a that b lacks.
func without(a, b Grants) (list Grants) {
	for _, x := range a {
		if !slices.Contains(b, x) {
			list = append(list, x)
		}
	}
	return list
}

// checkAdministrator brings the names into order and lists what is wrong.
func checkAdministrator(a *Administrator) (faults []Fault) {
	a.Name, a.Email = strings.TrimSpace(a.Name), strings.TrimSpace(a.Email)
	if a.Name == "" || len(a.Name) > maxName {
		faults = append(faults, Fault{Path: "name", Detail: "say what to call this administrator"})
	}
	local, domain, ok := cutLast(a.Email, "@")
	if !ok || local == "" || domain == "" || len(a.Email) > 254 || strings.ContainsAny(a.Email, " \t\r\n<>,;\"") {
		faults = append(faults, Fault{Path: "email", Detail: "is no e-mail address"})
	}
	slices.SortFunc(a.Grants, func(x, y Grant) int {
		if c := strings.Compare(x.Org, y.Org); c != 0 {
			return c
		}
		return y.Role.rank() - x.Role.rank()
	})
	a.Grants = slices.Compact(a.Grants)
	return append(faults, grantFaults(a.Grants)...)
}
