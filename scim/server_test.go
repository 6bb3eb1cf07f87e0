package scim

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

func TestATokenOpensItsOwnDoorOnly(t *testing.T) {
	other := connectionFor("okta")
	other.ID = "other"
	b := newBed(t, connectionFor("generic"), other)
	configure(t, b.d, directory.Org{ID: "globex"}, directory.Connection{ID: "globex-idp", Org: "globex", Write: directory.Write{SCIM: directory.Create}})
	b.token(directory.Token{Org: "acme", Connection: "other", Name: "other", Kind: directory.SCIMToken}, "token-of-the-other-connection-01")
	b.token(directory.Token{Org: "globex", Connection: "globex-idp", Name: "g", Kind: directory.SCIMToken}, "token-of-another-organisation-01")
	b.token(directory.Token{Org: "globex", Name: "g", Kind: directory.AppToken}, "token-of-globex-application-0001")
	b.token(directory.Token{Name: "root", Kind: directory.AdminToken, Role: directory.Operator}, "token-of-an-administrator-000001")
	cases := []struct {
		path, authorization string
		status              int
	}{
		{"/c/idp/scim/v2/Users", "Bearer " + connToken, 200},
		{"/c/idp/scim/v2/Users", "bearer  " + connToken, 200},
		{"/c/idp/scim/v2/Users", "", 401},
		{"/c/idp/scim/v2/Users", connToken, 401},
		{"/c/idp/scim/v2/Users", "Basic " + connToken, 401},
		{"/c/idp/scim/v2/Users", "Bearer ", 401},
		{"/c/idp/scim/v2/Users", "Bearer " + connToken + "x", 401},
		{"/c/idp/scim/v2/Users", "Bearer " + strings.Repeat("x", 100_000), 401},
		{"/c/idp/scim/v2/Users", "Bearer token-of-the-other-connection-01", 401},
		{"/c/idp/scim/v2/Users", "Bearer token-of-another-organisation-01", 401},
		{"/c/idp/scim/v2/Users", "Bearer " + appToken, 401},
		{"/c/idp/scim/v2/Users", "Bearer token-of-an-administrator-000001", 401},
		{"/c/nowhere/scim/v2/Users", "Bearer " + connToken, 401},
		{"/c/other/scim/v2/Users", "Bearer token-of-the-other-connection-01", 200},
		{"/o/acme/scim/v2/Users", "Bearer " + appToken, 200},
		{"/o/acme/scim/v2/Users", "Bearer " + connToken, 401},
		{"/o/acme/scim/v2/Users", "Bearer token-of-globex-application-0001", 401},
		{"/o/globex/scim/v2/Users", "Bearer token-of-globex-application-0001", 200},
		{"/o/nowhere/scim/v2/Users", "Bearer " + appToken, 401},
	}
	for _, tc := range cases {
		a := b.send("GET", tc.path, "", "Authorization", tc.authorization)
		if a.status != tc.status {
			t.Errorf("%s with %.40q: %d %s", tc.path, tc.authorization, a.status, a.text)
		}
		if challenge := a.header.Get("WWW-Authenticate"); (challenge != "") != (tc.status == 401) {
			t.Errorf("%s: challenge %q", tc.path, challenge)
		}
	}
}

func TestAnotherOrganisationSeesNothing(t *testing.T) {
	b := newBed(t)
	configure(t, b.d, directory.Org{ID: "globex"}, directory.Connection{ID: "globex-idp", Org: "globex", Write: directory.Write{SCIM: directory.Create}, Guard: directory.Guard{Off: true}})
	b.token(directory.Token{Org: "globex", Connection: "globex-idp", Name: "g", Kind: directory.SCIMToken}, "token-of-another-organisation-01")
	user := b.make("/Users", `{"userName":"babs"}`)
	group := b.make("/Groups", `{"displayName":"g","members":[{"value":"`+user+`"}]}`)
	foreign := func(method, path, body string) answer {
		return b.send(method, "/c/globex-idp/scim/v2"+path, body, "Authorization", "Bearer token-of-another-organisation-01")
	}
	for _, path := range []string{"/Users/" + user, "/Groups/" + group} {
		for method, body := range map[string]string{"GET": "", "DELETE": "", "PUT": `{"userName":"x","displayName":"x"}`,
			"PATCH": `{"Operations":[{"op":"replace","value":{"displayName":"x"}}]}`} {
			b.want(404, foreign(method, path, body))
		}
	}
	b.want(400, foreign("POST", "/Groups", `{"displayName":"g","members":[{"value":"`+user+`"}]}`))
	for _, path := range []string{"/Users", "/Groups", `/Users?filter=userName eq "babs"`, `/Users?filter=id eq "` + user + `"`} {
		if a := b.want(200, foreign("GET", path, "")); a.json["totalResults"] != 0.0 {
			t.Errorf("%s: %s", path, a.text)
		}
	}
	b.want(201, foreign("POST", "/Users", `{"userName":"babs"}`))
}

func TestPausedAndRetiredConnections(t *testing.T) {
	c := connectionFor("generic")
	b := newBed(t, c)
	id := b.make("/Users", `{"userName":"babs"}`)
	for state, status := range map[directory.State]int{directory.Paused: 503, directory.Retired: 403, directory.ConnectionActive: 200} {
		c.State = state
		configure(t, b.d, testOrg(), c)
		for _, a := range []answer{b.scim("GET", "/Users/"+id, ""), b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","value":{"title":"x"}}]}`)} {
			b.want(status, a)
			if (a.header.Get("Retry-After") != "") != (status == 503) {
				t.Errorf("%s: Retry-After %q", state, a.header.Get("Retry-After"))
			}
		}
	}
}

func TestMethodsAndPathsThatAreNotThere(t *testing.T) {
	b := newBed(t)
	cases := []struct {
		method, path string
		status       int
		allow        string
	}{
		{"DELETE", "/c/idp/scim/v2/Users", 405, "GET, HEAD, OPTIONS, POST"},
		{"PATCH", "/c/idp/scim/v2/Groups/", 405, "GET, HEAD, OPTIONS, POST"},
		{"POST", "/c/idp/scim/v2/Users/x", 405, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
		{"POST", "/c/idp/scim/v2/Schemas", 405, "GET, HEAD, OPTIONS"},
		{"PUT", "/c/idp/scim/v2/ServiceProviderConfig", 405, "GET, HEAD, OPTIONS"},
		{"TRACE", "/c/idp/scim/v2/Users", 405, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/c/idp/scim/v2/Users", 204, "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/c/idp/scim/v2/Me", 204, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"},
		{"GET", "/c/idp/scim/v2/Me", 501, ""},
		{"PATCH", "/c/idp/scim/v2/Me/", 501, ""},
		{"PUT", "/c/idp/scim/v2/Bulk", 405, "OPTIONS, POST"},
		{"GET", "/c/idp/scim/v2/.search", 405, "OPTIONS, POST"},
		{"POST", "/c/idp/scim/v2/", 405, "GET, HEAD, OPTIONS"},
		{"GET", "/c/idp/scim/v2/Bulk", 405, "OPTIONS, POST"},
		{"GET", "/c/idp/scim/v2/Users/.search", 405, "OPTIONS, POST"},
		{"GET", "/c/idp/scim/v2/Roles?count=1", 404, ""},
		{"GET", "/c/idp/scim/v2", 200, ""},
		{"HEAD", "/c/idp/scim/v2/", 200, ""},
		{"GET", "/c/idp/scim/v2/Users/x/y", 404, ""},
		{"GET", "/c/idp/scim/v2/Users/no-id", 404, ""},
		{"PUT", "/c/idp/scim/v2/Users/no-id", 404, ""},
		{"DELETE", "/c/idp/scim/v2/Groups/00000000-0000-7000-8000-000000000000", 404, ""},
		{"GET", "/c/idp/scim/v2/Schemas/urn:x", 404, ""},
		{"GET", "/c/idp/scim/v2/Schemas/" + userURN, 200, ""},
		{"GET", "/c/idp/scim/v2/ResourceTypes/user", 200, ""},
	}
	for _, tc := range cases {
		a := b.send(tc.method, tc.path, "")
		if a.status != tc.status || a.header.Get("Allow") != tc.allow {
			t.Errorf("%s %s: %d Allow %q", tc.method, tc.path, a.status, a.header.Get("Allow"))
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		a := b.send(method, "/o/acme/scim/v2/Users", `{"userName":"x"}`, "Authorization", "Bearer "+appToken)
		if a.status != 405 || a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("applications can %s: %d", method, a.status)
		}
	}
}

func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	user, group := fill.Replace("/Users/{user1}"), fill.Replace("/Groups/{group1}")
	long := strings.Repeat("x", 1<<20)
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	patch := func(op string) string { return `{"Operations":[` + op + `]}` }
	cases := []struct {
		what, method, path, body, contentType string
		status                                int
		scimType                              string
	}{
		{"malformed JSON", "POST", "/Users", `{"userName":`, "", 400, "invalidSyntax"},
		{"no body", "POST", "/Users", ` `, "", 400, "invalidSyntax"},
		{"an empty body", "POST", "/Users", ``, "", 400, "invalidSyntax"},
		{"two objects", "POST", "/Users", `{"userName":"a"}{"userName":"b"}`, "", 400, "invalidSyntax"},
		{"a byte order mark alone", "POST", "/Users", "\ufeff", "", 400, "invalidSyntax"},
		{"two byte order marks", "POST", "/Users", "\ufeff\ufeff{}", "", 400, "invalidSyntax"},
		{"too many values in a group", "PUT", group, `{"displayName":"x","y":[` + strings.Repeat("1,", 500_000) + `1]}`, "", 400, "invalidSyntax"},
		{"a list", "POST", "/Users", `[]`, "", 400, "invalidSyntax"},
		{"a name twice", "POST", "/Users", `{"userName":"a","username":"b"}`, "", 400, "invalidSyntax"},
		{"invalid UTF-8", "POST", "/Users", "{\"userName\":\"\xff\"}", "", 400, "invalidSyntax"},
		{"deep nesting", "POST", "/Users", deep, "", 400, "invalidSyntax"},
		{"deep nesting in PATCH", "PATCH", user, deep, "", 400, "invalidSyntax"},
		{"a body that is too large", "POST", "/Users", `{"userName":"a","title":"` + long + `"}`, "", 413, ""},
		{"a body that is too large for PUT", "PUT", group, `{"displayName":"` + strings.Repeat(long, 8) + `"}`, "", 413, ""},
		{"a text body", "POST", "/Users", `{"userName":"a"}`, "text/plain", 415, ""},
		{"a form", "POST", "/Users", `userName=a`, "application/x-www-form-urlencoded", 415, ""},
		{"a broken type", "PATCH", user, `{}`, ";;", 415, ""},
		{"a number for userName", "POST", "/Users", `{"userName":7}`, "", 400, "invalidValue"},
		{"no userName", "POST", "/Users", `{"displayName":"x"}`, "", 400, "invalidValue"},
		{"an empty userName", "POST", "/Users", `{"userName":""}`, "", 400, "invalidValue"},
		{"a PUT without userName", "PUT", user, `{"displayName":"x"}`, "", 400, "invalidValue"},
		{"schemas of a wrong type", "POST", "/Users", `{"schemas":7,"userName":"a"}`, "", 400, "invalidSyntax"},
		{"schemas of wrong types", "POST", "/Users", `{"schemas":[{}],"userName":"a"}`, "", 400, "invalidSyntax"},
		{"a value off the closed list", "POST", "/Users", `{"userName":"a","urn:muster:params:scim:schemas:acme:2.0:User":{"location":"Atlantis"}}`, "", 400, "invalidValue"},
		{"a licence off the closed list", "POST", "/Users", `{"userName":"a","entitlements":[{"type":"license","value":"gold"}]}`, "", 400, "invalidValue"},
		{"a userName that is taken", "POST", "/Users", `{"userName":"USER-ONE@acme.example"}`, "", 409, "uniqueness"},
		{"a rename onto a taken name", "PATCH", user, patch(`{"op":"replace","path":"userName","value":"user-two@acme.example"}`), "", 409, "uniqueness"},
		{"no operations", "PATCH", user, `{}`, "", 400, "invalidSyntax"},
		{"removing userName", "PATCH", user, patch(`{"op":"replace","path":"title","value":"x"},{"op":"remove","path":"userName"}`), "", 400, "mutability"},
		{"a later operation that fails", "PATCH", user, patch(`{"op":"replace","path":"title","value":"x"},{"op":"replace","path":"emails[type eq \"x\"].value","value":"x"}`), "", 400, "noTarget"},
		{"a huge path", "PATCH", user, patch(`{"op":"replace","path":"` + strings.Repeat("(", 100_000) + `","value":"x"}`), "", 400, "invalidPath"},
		{"a group without a name", "POST", "/Groups", `{"members":[]}`, "", 400, "invalidValue"},
		{"an unknown member", "POST", "/Groups", `{"displayName":"x","members":[{"value":"00000000-0000-7000-8000-000000000000"}]}`, "", 400, "invalidValue"},
		{"a member that is no id", "PATCH", group, patch(`{"op":"add","path":"members","value":[{"value":"jdoe"}]}`), "", 400, "invalidValue"},
		{"a member without a value", "PATCH", group, patch(`{"op":"add","path":"members","value":[{"display":"x"}]}`), "", 400, "invalidValue"},
		{"a member selected by its name", "PATCH", group, patch(`{"op":"remove","path":"members[display eq \"x\"]"}`), "", 400, "invalidPath"},
		{"a group in itself", "PATCH", group, patch(`{"op":"add","path":"members","value":[{"value":"{group1}"}]}`), "", 400, "invalidValue"},
		{"members half good", "PATCH", group, patch(`{"op":"add","path":"members","value":["{user2}"]},{"op":"add","path":"members","value":["00000000-0000-7000-8000-000000000000"]}`), "", 400, "invalidValue"},
		{"a filter that is none", "GET", `/Users?filter=userName eq`, "", "", 400, "invalidFilter"},
		{"a filter of 100 KB", "GET", "/Users?filter=" + strings.Repeat("(", 100_000), "", "", 400, "invalidFilter"},
		{"a filter of bad UTF-8", "GET", `/Users?filter=userName eq "` + strings.Repeat("%FF", 20_000) + `"`, "", "", 400, "invalidFilter"},
		{"a group filter that is none", "GET", `/Groups?filter=displayName eq "`, "", "", 400, "invalidFilter"},
		{"ordering booleans", "GET", `/Users?filter=active gt true`, "", "", 400, "invalidFilter"},
		{"a count that is no number", "GET", "/Users?count=many", "", "", 400, "invalidValue"},
		{"a startIndex that is no number", "GET", "/Groups?startIndex=x", "", "", 400, "invalidValue"},
		{"a broken percent sign", "GET", "/Users?filter=%zz", "", "", 400, "invalidValue"},
		{"a filter on discovery", "GET", `/Schemas?filter=attributes eq "x"`, "", "", 403, ""},
		{"a filter on resource types", "GET", `/ResourceTypes?filter=a pr`, "", "", 403, ""},
	}
	before := b.scim("GET", "/Users", "").text + b.scim("GET", "/Groups", "").text
	for _, tc := range cases {
		headers := []string{}
		if tc.contentType != "" {
			headers = append(headers, "Content-Type", tc.contentType)
		}
		a := b.scim(tc.method, tc.path, fill.Replace(tc.body), headers...)
		scimType, _ := a.json["scimType"].(string)
		if a.status != tc.status || scimType != tc.scimType {
			t.Errorf("%s: %d %.300s", tc.what, a.status, a.text)
		}
		if after := b.scim("GET", "/Users", "").text + b.scim("GET", "/Groups", "").text; after != before {
			t.Fatalf("%s changed the directory", tc.what)
		}
	}
}

func TestABodyOfUnknownLengthIsBoundedToo(t *testing.T) {
	b := newBed(t)
	for size, status := range map[int]int{1000: 201, 1 << 20: 413} {
		body := `{"userName":"a` + strings.Repeat("x", 10) + `","urn:x":"` + strings.Repeat("x", size) + `"}`
		r := httptest.NewRequest("POST", "/c/idp/scim/v2/Users", io.MultiReader(strings.NewReader(body)))
		r.Header.Set("Authorization", "Bearer "+connToken)
		w := httptest.NewRecorder()
		b.echo.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%d bytes: %d", size, w.Code)
		}
	}
}

func TestContentTypesThatAreTaken(t *testing.T) {
	b := newBed(t)
	for i, header := range []string{"application/scim+json", "application/json", "application/scim+json; charset=utf-8", "Application/JSON;charset=UTF-8", ""} {
		b.want(201, b.scim("POST", "/Users", `{"userName":"u`+string(rune('a'+i))+`"}`, "Content-Type", header))
	}
}

func TestAPanicIsCaughtLoggedAndHidden(t *testing.T) {
	b := newBed(t)
	e := echo.New()
	e.GET("/boom", b.server.serve((*call).enterNowhere, func(*call) error { panic("secret plans") }))
	b.echo = e
	a := b.want(500, b.send("GET", "/boom", "", "X-Request-Id", "correlation-1"))
	if strings.Contains(a.text, "secret") {
		t.Error(a.text)
	}
	if logged := b.logs.String(); !strings.Contains(logged, "secret plans") || !strings.Contains(logged, "correlation-1") {
		t.Errorf("logged %q", logged)
	}
}

// A client must not take half an answer for a whole one.
func TestAnAnswerThatBreaksOffCutsTheConnection(t *testing.T) {
	b := newBed(t)
	b.echo.GET("/half", b.server.serve((*call).enterNowhere, func(c *call) error {
		out := c.stream(200)
		c.out = append(c.out, strings.Repeat("x", 2*chunk)...)
		if err := out.flush(); err != nil {
			return err
		}
		return out.broken(errors.New("the engine is gone"))
	}))
	server := httptest.NewServer(b.echo)
	defer server.Close()
	a, err := http.Get(server.URL + "/half")
	if err == nil {
		_, err = io.ReadAll(a.Body)
		a.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
}

func (c *call) enterNowhere() error { return nil }

func TestCorrelationIDs(t *testing.T) {
	b := newBed(t)
	for sent, kept := range map[string]bool{"abc-123_4.5": true, "short": false, "has blanks in it": false, strings.Repeat("x", 65): false, "quote\"quote": false} {
		got := b.scim("GET", "/Users", "", "X-Request-Id", sent).header.Get("X-Request-Id")
		if (got == sent) != kept || !isRequestID(got) {
			t.Errorf("%q became %q", sent, got)
		}
	}
}

func TestDiscovery(t *testing.T) {
	org := testOrg()
	org.Attributes["department"] = directory.AttributePolicy{Required: directory.RequiredAlways}
	org.Attributes["name.givenName"] = directory.AttributePolicy{Required: directory.RequiredCreate}
	org.Attributes["badge"] = directory.AttributePolicy{Unique: true}
	org.Attributes["roles"] = directory.AttributePolicy{Values: []string{"reader", "writer"}}
	b := newBed(t)
	configure(t, b.d, org)
	a := b.want(200, b.scim("GET", "/Schemas", ""))
	if strings.Contains(a.text, "null") || a.json["totalResults"] != 4.0 {
		t.Errorf("schemas: %s", a.text)
	}
	required := map[string]any{}
	values := map[string]any{}
	walk(a.json["Resources"], "", func(path string, doc map[string]any) {
		required[path] = doc["required"]
		values[path] = doc["canonicalValues"]
	})
	for _, path := range []string{"/User/userName", "/Group/displayName", "/User/name/givenName", "/Enterprise User/department"} {
		if required[path] != true {
			t.Errorf("%s is not required", path)
		}
	}
	if required["/User/name/familyName"] != false || required["/User/password"] != nil {
		t.Error("familyName is required, or password is there")
	}
	if values["/Custom attributes/location"] == nil || values["/User/roles/value"] == nil {
		t.Error("closed lists are not shown")
	}
	for _, resource := range a.json["Resources"].([]any) {
		m := resource.(map[string]any)
		location, _ := at(m, "meta.location").(string)
		one := b.want(200, b.send("GET", strings.TrimPrefix(location, "https://muster.example"), ""))
		if one.json["id"] != m["id"] || m["id"] == nil {
			t.Errorf("%s leads to %v", location, one.json["id"])
		}
	}
	walk(a.json["Resources"], "", func(path string, doc map[string]any) {
		for _, keyword := range []string{"name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned", "uniqueness"} {
			if _, isSchema := doc["attributes"]; !isSchema && (doc[keyword] == nil || doc[keyword] == "") {
				t.Errorf("%s has no %s", path, keyword)
			}
		}
		if want := strings.HasSuffix(path, "/userName") || strings.HasSuffix(path, "/badge"); (doc["uniqueness"] == "server") != want {
			t.Errorf("%s: uniqueness %v", path, doc["uniqueness"])
		}
	})
	config := b.want(200, b.scim("GET", "/ServiceProviderConfig", ""))
	for path, want := range map[string]any{"sort.supported": true, "bulk.supported": true, "bulk.maxOperations": 1000.0, "bulk.maxPayloadSize": 4194304.0,
		"pagination.cursor": true, "pagination.index": true, "pagination.defaultPaginationMethod": "index", "pagination.defaultPageSize": 100.0,
		"pagination.maxPageSize": 200.0, "pagination.cursorTimeout": 3600.0, "meta.resourceType": "ServiceProviderConfig"} {
		if got := at(config.json, path); got != want {
			t.Errorf("%s is %v, not %v", path, got, want)
		}
	}
	if at(config.json, "patch.supported") != true || at(config.json, "filter.maxResults") != 200.0 || at(config.json, "etag.supported") != true {
		t.Error(config.text)
	}
	types := b.want(200, b.scim("GET", "/ResourceTypes", ""))
	if at(types.json, []any{"Resources", 0.0, "schemaExtensions", 1.0, "schema"}) != "urn:muster:params:scim:schemas:acme:2.0:User" {
		t.Error(types.text)
	}
	if at(types.json, []any{"Resources", 0.0, "schemaExtensions", 0.0, "required"}) != true || at(types.json, []any{"Resources", 0.0, "schemaExtensions", 1.0, "required"}) != false {
		t.Errorf("the extension with a required attribute, and only that one, is required: %s", types.text)
	}
	app := b.want(200, b.send("GET", "/o/acme/scim/v2/ServiceProviderConfig", "", "Authorization", "Bearer "+appToken))
	if at(app.json, "bulk.supported") != false || at(app.json, "sort.supported") != true {
		t.Error(app.text)
	}
	if at(app.json, "patch.supported") != false {
		t.Error("applications are told that they can PATCH")
	}
}

// walk visits the attributes of schema documents with their paths.
func walk(list any, path string, visit func(string, map[string]any)) {
	docs, _ := list.([]any)
	for _, doc := range docs {
		m, _ := doc.(map[string]any)
		name, _ := m["name"].(string)
		visit(path+"/"+name, m)
		walk(m["attributes"], path+"/"+name, visit)
		walk(m["subAttributes"], path+"/"+name, visit)
	}
}
