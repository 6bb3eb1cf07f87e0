package scim

import (
	"slices"
	"testing"
)

// quirksOfClients name every departure from RFC 7644 that a client is known for,
// with the recorded request that has it. TestRequestsOfClients replays them all.
var quirksOfClients = []struct{ client, quirk, fixture string }{
	{"entra", "op is capitalised, and booleans are the strings True and False", `disable: string "False" (default dialect)`},
	{"entra", "a boolean string lifts the lock as well", `re-enable: string "True"`},
	{"entra", "active is a string on creation", `create user with active as the string "True"`},
	{"entra", "attribute names come in cases of their own", "create user, names cased Microsoft's way"},
	{"entra", "a filter goes on behind a value path: emails[...].value eq", "match user by work e-mail (valuePath then sub-attribute in a filter)"},
	{"entra", "add and replace make the element that a value path does not find", "update: Add to a filtered element that does not exist yet"},
	{"entra", "remove has a list of values", "remove member (default dialect: value list on remove)"},
	{"entra", "remove has a value that is not the current one", "update: Remove with a value that is not the current one"},
	{"entra", "keys of a value are dotted paths and full URNs", "update: dotted and URN keys in a value without path (aadOptscim062020)"},
	{"entra", "an empty value removes the manager", "update: manager removed with an empty value"},
	{"entra", "a member is a bare string", "add member, value a bare string"},
	{"entra", "a member has a $ref of null", "add member ($ref null)"},
	{"entra", "a slash stands before the query, and names have any case", "trailing slash before the query"},
	{"entra", "startindex is in lower case and begins at 0", "delta query, startindex=0 in lower case"},
	{"entra", "times have seven fraction digits", "delta query on meta.lastModified with seven fraction digits"},
	{"okta", "PATCH has no path, and the read-only id in its value", "rename group (OIN: id inside the value)"},
	{"okta", "a whole resource is written back, meta included", "update profile (PUT the resource that GET gave)"},
	{"okta", "active goes by a PATCH without a path", "deactivate (OIN apps: PATCH without path)"},
	{"okta", "members come and go in one PATCH", "change members (OIN: remove and add in one PATCH)"},
	{"okta", "endpoints are asked for that need not be there", "entitlements endpoint"},
	{"onelogin", "emails is one object", "create user from the default template (emails is an object)"},
	{"onelogin", "active is a string, and id is null", "create user from a v2 template with string active and id null"},
	{"onelogin", "a question mark ends the path, and URNs are those of SCIM 1.1", "update user (trailing ?, SCIM 1-style URNs in schemas)"},
	{"onelogin", "PATCH gives a list as one object", "patch e-mails with an object"},
	{"pingone", "operators have capitals, and attributes exist nowhere", "match user by contains on an unknown attribute (documented example)"},
	{"jumpcloud", "remove has a list of values", "remove member with value list"},
	{"jumpcloud", "a member has its value alone", "add member, value only"},
	{"google", "a list of one is the probe", "probe"},
	{"keycloak", "groups are replaced whole", "replace group members"},
	{"authentik", "an extension that nobody declared", "create user with a custom extension"},
	{"authentik", "every member is an operation of its own", "add members, one operation each"},
	{"authentik", "older releases remove by a list of values", "remove members (older releases: value list)"},
	{"zitadel", "op in three cases, objects where lists are due", "op in three cases, attribute names in lower case, value objects for lists"},
	{"zitadel", "remove by a filter that selects nothing", "remove with filters, also one that matches nothing"},
}

func TestEveryQuirkHasItsFixture(t *testing.T) {
	seen := map[string]bool{}
	for _, q := range quirksOfClients {
		seen[q.client] = true
		recorded := fixtures(t, "../testdata/scim/"+q.client+"/requests.jsonl")
		if !slices.ContainsFunc(recorded, func(f fixture) bool { return f.Purpose == q.fixture }) {
			t.Errorf("%s: %s: no request %q was recorded", q.client, q.quirk, q.fixture)
		}
	}
	for _, client := range []string{"entra", "okta", "onelogin", "pingone", "jumpcloud", "google", "keycloak", "authentik"} {
		if !seen[client] {
			t.Errorf("%s has no quirk", client)
		}
	}
}
