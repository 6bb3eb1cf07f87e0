package scim

import (
	"fmt"
	"strings"
	"testing"
)

// step is one example of RFC 7644: what is sent, and what must come back. check
// are tests as in testdata/scim: path, operator, value.
type step struct {
	section, method, path, body string
	headers                     []string
	status                      int
	check                       [][]any
	header                      map[string]string // parts of headers
}

func is(path any, value any) []any   { return []any{path, "eq", value} }
func none(path any) []any            { return []any{path, "absent"} }
func size(path any, n float64) []any { return []any{path, "len", n} }

const (
	patchOp    = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[%s]}`
	errorURN   = "urn:ietf:params:scim:api:messages:2.0:Error"
	searchBody = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],%s}`
)

func patchOf(operations string) string { return fmt.Sprintf(patchOp, operations) }

// sections are the protocol's chapters in its order. Each runs on fresh
// resources: see bed.resources.
var sections = []step{
	{section: "3.1 a media type of its own", method: "GET", path: "/Users/{user1}", headers: []string{"Accept", "application/scim+json"}, status: 200, header: map[string]string{"Content-Type": "application/scim+json"}},
	{section: "3.3 creating answers with the resource, its place and its version", method: "POST", path: "/Users",
		body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"new","externalId":"new","name":{"formatted":"Ms. New","familyName":"New","givenName":"Ms"}}`, status: 201,
		header: map[string]string{"Location": "https://muster.example/c/idp/scim/v2/Users/", "ETag": `W/"`},
		check:  [][]any{is("userName", "new"), is("externalId", "new"), is("name.formatted", "Ms. New"), is("meta.resourceType", "User"), is([]any{"schemas", 0.0}, userURN)}},
	{section: "3.3 what exists is a conflict", method: "POST", path: "/Users", body: `{"userName":"{USERNAME1}"}`, status: 409, check: [][]any{is("scimType", "uniqueness"), is("status", "409"), is([]any{"schemas", 0.0}, errorURN)}},
	{section: "3.3.1 the endpoint decides the type, whatever meta says", method: "POST", path: "/Groups", body: `{"displayName":"g","meta":{"resourceType":"User"}}`, status: 201, check: [][]any{is("meta.resourceType", "Group")}},
	{section: "3.4.1 a known resource", method: "GET", path: "/Users/{user1}", status: 200, header: map[string]string{"ETag": `W/"`}, check: [][]any{is("id", "{user1}"), is("meta.location", "https://muster.example/c/idp/scim/v2/Users/{user1}")}},
	{section: "3.4.1 an unknown one", method: "GET", path: "/Users/2819c223-7f76-453a-919d-413861904646", status: 404, check: [][]any{is("status", "404"), is([]any{"schemas", 0.0}, errorURN)}},
	{section: "3.4.2 a list with some attributes", method: "GET", path: "/Users?attributes=userName", status: 200,
		check: [][]any{is("totalResults", 3.0), size("Resources", 3), is([]any{"schemas", 0.0}, listURN), none([]any{"Resources", 0.0, "name"}), is([]any{"Resources", 0.0, "userName"}, "{userName1}")}},
	{section: "3.4.2 nothing found is no error", method: "GET", path: `/Users?filter=userName eq "nobody"`, status: 200, check: [][]any{is("totalResults", 0.0)}},
	{section: "3.4.2.1 the root, filtered by type", method: "GET", path: `?filter=(meta.resourceType eq User) or (meta.resourceType eq Group)`, status: 200, check: [][]any{is("totalResults", 4.0)}},
	{section: "3.4.2.2 eq", method: "GET", path: `/Users?filter=userName eq "{USERNAME1}"`, status: 200, check: [][]any{is("totalResults", 1.0)}},
	{section: "3.4.2.2 co", method: "GET", path: `/Users?filter=name.familyName co "se"`, status: 200, check: [][]any{is("totalResults", 3.0)}},
	{section: "3.4.2.2 sw with a URN", method: "GET", path: `/Users?filter=urn:ietf:params:scim:schemas:core:2.0:User:userName sw "User"`, status: 200, check: [][]any{is("totalResults", 2.0)}},
	{section: "3.4.2.2 pr", method: "GET", path: `/Users?filter=title pr`, status: 200, check: [][]any{is("totalResults", 0.0)}},
	{section: "3.4.2.2 gt, ge, lt, le on a time", method: "GET", path: `/Users?filter=meta.lastModified gt "2011-05-13T04:42:34Z" and meta.lastModified ge "2011-05-13T04:42:34Z" and not (meta.lastModified lt "2011-05-13T04:42:34Z" or meta.lastModified le "2011-05-13T04:42:34Z")`, status: 200, check: [][]any{is("totalResults", 3.0)}},
	{section: "3.4.2.2 or binds weaker than and", method: "GET", path: `/Users?filter=title pr and userType eq "Employee" or userName eq "{userName1}"`, status: 200, check: [][]any{is("totalResults", 1.0)}},
	{section: "3.4.2.2 a schema as a value", method: "GET", path: `/Users?filter=schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`, status: 200, check: [][]any{is("totalResults", 0.0)}},
	{section: "3.4.2.2 ne and not", method: "GET", path: `/Users?filter=userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")`, status: 200, check: [][]any{is("totalResults", 3.0)}},
	{section: "3.4.2.2 a value path", method: "GET", path: `/Users?filter=emails[type eq "work" and value co "@acme.example"] or ims[type eq "xmpp" and value co "@foo.com"]`, status: 200, check: [][]any{is("totalResults", 3.0)}},
	{section: "3.4.2.2 an operator that is none", method: "GET", path: `/Users?filter=userName is "x"`, status: 400, check: [][]any{is("scimType", "invalidFilter")}},
	{section: "3.4.2.3 sorting", method: "GET", path: "/Users?sortBy=userName&sortOrder=descending&count=1", status: 200, check: [][]any{is([]any{"Resources", 0.0, "userName"}, "user-two@acme.example")}},
	{section: "3.4.2.4 paging", method: "GET", path: "/Users?startIndex=2&count=1", status: 200, check: [][]any{is("totalResults", 3.0), is("itemsPerPage", 1.0), is("startIndex", 2.0), size("Resources", 1)}},
	{section: "3.4.2.4 a count of 0 counts", method: "GET", path: "/Users?count=0", status: 200, check: [][]any{is("totalResults", 3.0), size("Resources", 0)}},
	{section: "3.4.2.4 a negative start is 1", method: "GET", path: "/Users?startIndex=-3&count=-4", status: 200, check: [][]any{is("startIndex", 1.0), is("itemsPerPage", 0.0)}},
	{section: "3.4.2.5 without attributes", method: "GET", path: "/Users?excludedAttributes=name,emails&count=1", status: 200, check: [][]any{none([]any{"Resources", 0.0, "name"}), none([]any{"Resources", 0.0, "emails"}), is([]any{"Resources", 0.0, "userName"}, "{userName1}")}},
	{section: "3.4.3 a search of everything", method: "POST", path: "/.search", body: fmt.Sprintf(searchBody, `"attributes":["displayName","userName"],"filter":"displayName sw \"user\"","startIndex":1,"count":10`), status: 200,
		check: [][]any{is("totalResults", 2.0), is("itemsPerPage", 2.0), is("startIndex", 1.0), none([]any{"Resources", 0.0, "active"})}},
	{section: "3.5.1 PUT replaces", method: "PUT", path: "/Users/{user1}", body: `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"{user1}","userName":"{userName1}","externalId":"{ext1}","roles":[],"emails":[{"value":"b@acme.example"}],"meta":{"version":"ignored"}}`, status: 200,
		check: [][]any{none("displayName"), none("name"), size("emails", 1), is("id", "{user1}")}},
	{section: "3.5.1 PUT makes nothing", method: "PUT", path: "/Users/2819c223-7f76-453a-919d-413861904646", body: `{"userName":"x"}`, status: 404},
	{section: "3.5.2.1 add members", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"add","path":"members","value":[{"display":"Babs","$ref":"https://muster.example/c/idp/scim/v2/Users/{user2}","value":"{user2}"}]}`), status: 200, check: [][]any{size("members", 3)}},
	{section: "3.5.2.1 add without a path", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"add","value":{"emails":[{"value":"home@acme.example","type":"home"}],"nickName":"Babs"}}`), status: 200, check: [][]any{size("emails", 2), is("nickName", "Babs")}},
	{section: "3.5.2.1 add of what is there", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"add","path":"members","value":[{"value":"{user1}"}]}`), status: 200, check: [][]any{size("members", 2)}},
	{section: "3.5.2.2 remove one member", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"remove","path":"members[value eq \"{user1}\"]"}`), status: 200, check: [][]any{size("members", 1)}},
	{section: "3.5.2.2 remove all members", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"remove","path":"members"}`), status: 200, check: [][]any{none("members")}},
	{section: "3.5.2.2 remove by a complex filter", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"remove","path":"emails[type eq \"work\" and value ew \"acme.example\"]"}`), status: 200, check: [][]any{none("emails")}},
	{section: "3.5.2.2 remove, then add", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"remove","path":"members[value eq \"{user1}\"]"},{"op":"add","path":"members","value":[{"value":"{user2}"}]}`), status: 200, check: [][]any{{"members", "has", "{user2}"}, {"members", "hasnot", "{user1}"}}},
	{section: "3.5.2.2 remove without a path", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"remove"}`), status: 400, check: [][]any{is("scimType", "noTarget")}},
	{section: "3.5.2.2 remove what is required", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"remove","path":"userName"}`), status: 400, check: [][]any{is("scimType", "mutability")}},
	{section: "3.5.2.3 replace the members", method: "PATCH", path: "/Groups/{group1}?attributes=members", body: patchOf(`{"op":"replace","path":"members","value":[{"value":"{user2}"},{"value":"{manager}"}]}`), status: 200, check: [][]any{size("members", 2), {"members", "hasnot", "{user1}"}}},
	{section: "3.5.2.3 replace a selected element", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":"work","value":"x@acme.example","primary":true}}`), status: 200, check: [][]any{is([]any{"emails", 0.0, "value"}, "x@acme.example")}},
	{section: "3.5.2.3 replace a field of it", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","path":"emails[type eq \"work\"].value","value":"y@acme.example"}`), status: 200, check: [][]any{is([]any{"emails", 0.0, "value"}, "y@acme.example")}},
	{section: "3.5.2.3 replace without a path", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","value":{"emails":[{"value":"z@acme.example","type":"work","primary":true},{"value":"h@acme.example","type":"home"}],"nickName":"Babs"}}`), status: 200, check: [][]any{size("emails", 2), is("nickName", "Babs")}},
	{section: "3.5.2.3 replace what no filter selects", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","path":"emails[type eq \"other\"].value","value":"y@acme.example"}`), status: 400, check: [][]any{is("scimType", "noTarget")}},
	{section: "3.5.2 all or nothing", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","path":"nickName","value":"x"},{"op":"replace","path":"meta.created","value":"2011-01-01T00:00:00Z"}`), status: 400, check: [][]any{is("scimType", "mutability")}},
	{section: "3.5.2 a path that is none", method: "PATCH", path: "/Users/{user1}", body: patchOf(`{"op":"replace","path":"emails[type eq","value":"x"}`), status: 400, check: [][]any{is("scimType", "invalidPath")}},
	{section: "3.6 deleting", method: "DELETE", path: "/Users/{user1}", headers: []string{"If-Match", "*"}, status: 204},
	{section: "3.6 a version that is old", method: "DELETE", path: "/Users/{user1}", headers: []string{"If-Match", `W/"c310cd84f0281b7"`}, status: 412},
	{section: "3.7.1 a circle", method: "POST", path: "/Bulk", body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"POST","path":"/Groups","bulkId":"qwerty","data":{"displayName":"Group A","members":[{"type":"Group","value":"bulkId:ytrewq"}]}},
		{"method":"POST","path":"/Groups","bulkId":"ytrewq","data":{"displayName":"Group B","members":[{"type":"User","value":"{user1}"}]}}]}`, status: 200, check: [][]any{is([]any{"Operations", 0.0, "status"}, "201"), is([]any{"Operations", 1.0, "status"}, "201"), is([]any{"Operations", 1.0, "bulkId"}, "ytrewq")}},
	{section: "3.7.3 errors beside successes", method: "POST", path: "/Bulk", body: `{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"qwerty","data":{"userName":"Alice"}},{"method":"PUT","path":"/Users/nobody","bulkId":"ytrewq","version":"W/\"4weymrEsh5O6cAEK\"","data":{"userName":"Bob"}},{"method":"DELETE","path":"/Users/{user1}"}]}`, status: 200,
		check: [][]any{size("Operations", 2), is([]any{"Operations", 0.0, "method"}, "POST"), is([]any{"Operations", 1.0, "status"}, "404"), is([]any{"Operations", 1.0, "response", "status"}, "404")}},
	{section: "3.7.4 more operations than are taken", method: "POST", path: "/Bulk", body: `{"Operations":[` + strings.TrimSuffix(strings.Repeat(`{"method":"DELETE","path":"/Users/x"},`, 1001), ",") + `]}`, status: 413, check: [][]any{is("status", "413")}},
	{section: "3.8 plain JSON for who takes nothing else", method: "GET", path: "/Users/{user1}", headers: []string{"Accept", "application/json"}, status: 200, header: map[string]string{"Content-Type": "application/json"}},
	{section: "3.9 attributes of what was created", method: "POST", path: "/Users?attributes=userName", body: `{"userName":"new","title":"t"}`, status: 201, check: [][]any{is("userName", "new"), none("title"), none("meta")}},
	{section: "3.9 without attributes of what was replaced", method: "PUT", path: "/Users/{user1}?excludedAttributes=title,meta", body: `{"userName":"{userName1}","externalId":"{ext1}","title":"t"}`, status: 200, check: [][]any{is("userName", "{userName1}"), none("title"), none("meta")}},
	{section: "3.9 attributes of what was changed", method: "PATCH", path: "/Users/{user1}?attributes=name.familyName", body: patchOf(`{"op":"replace","path":"title","value":"t"}`), status: 200, check: [][]any{is("name.familyName", "User"), none("name.givenName"), none("title"), is("id", "{user1}")}},
	{section: "3.10 names in full", method: "GET", path: "/Users/{user1}?attributes=urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", status: 200, check: [][]any{is("name.familyName", "User"), none("userName")}},
	{section: "3.11 Me, for a machine", method: "GET", path: "/Me", status: 501, check: [][]any{is("status", "501")}},
	{section: "3.12 an error says what and where", method: "POST", path: "/Users", body: `{"userName":`, status: 400, check: [][]any{is("scimType", "invalidSyntax"), is("status", "400"), is([]any{"schemas", 0.0}, errorURN)}},
	{section: "3.12 a method that is not taken", method: "DELETE", path: "/Users", status: 405, header: map[string]string{"Allow": "GET, HEAD, OPTIONS, POST"}},
	{section: "3.12 a media type that is not taken", method: "POST", path: "/Users", body: `<user/>`, headers: []string{"Content-Type", "application/xml"}, status: 415},
	{section: "3.13 versions of the protocol are in the path", method: "GET", path: "/../v3/Users", status: 404},
	{section: "3.14 an unchanged resource", method: "GET", path: "/Users/{user1}", headers: []string{"If-None-Match", "{etag1}"}, status: 304, header: map[string]string{"ETag": `W/"`}},
	{section: "3.14 a write under a condition", method: "PUT", path: "/Users/{user1}", body: `{"userName":"{userName1}","externalId":"{ext1}"}`, headers: []string{"If-Match", "{etag1}"}, status: 200},
	{section: "4 what can be done", method: "GET", path: "/ServiceProviderConfig", status: 200, check: [][]any{is("bulk.supported", true), is("patch.supported", true), is([]any{"authenticationSchemes", 0.0, "type"}, "oauthbearertoken")}},
	{section: "4 one schema", method: "GET", path: "/Schemas/" + userURN, status: 200, check: [][]any{is("id", userURN), is("meta.resourceType", "Schema")}},
	{section: "4 the resource types", method: "GET", path: "/ResourceTypes", status: 200, check: [][]any{is("totalResults", 2.0), is([]any{"Resources", 1.0, "endpoint"}, "/Groups")}},
	{section: "4 no filter there", method: "GET", path: `/ResourceTypes?filter=name eq "User"`, status: 403, check: [][]any{is("status", "403")}},
	{section: "2 who does not say who it is", method: "GET", path: "/Users", headers: []string{"Authorization", ""}, status: 401, header: map[string]string{"WWW-Authenticate": "Bearer"}},
}

func TestEverySectionOfRFC7644(t *testing.T) {
	for _, s := range sections {
		t.Run(s.section, func(t *testing.T) {
			b := newBed(t)
			fill := b.resources()
			etag := b.scim("GET", fill.Replace("/Users/{user1}"), "").header.Get("ETag")
			headers := make([]string, len(s.headers))
			for i, h := range s.headers {
				headers[i] = strings.ReplaceAll(h, "{etag1}", etag)
			}
			a := b.want(s.status, b.scim(s.method, fill.Replace(s.path), fill.Replace(s.body), headers...))
			for _, test := range s.check {
				if fault := verify(a.json, test, fill); fault != "" {
					t.Errorf("%s in %s", fault, a.text)
				}
			}
			for name, part := range s.header {
				if !strings.Contains(a.header.Get(name), part) {
					t.Errorf("%s is %q", name, a.header.Get(name))
				}
			}
		})
	}
}
