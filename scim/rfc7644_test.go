package scim

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	b := newBed(t)
	id := b.make("/Users", `{"userName":"babs"}`)
	site := httptest.NewServer(b.echo)
	defer site.Close()
	for _, path := range []string{"/Users/" + id, "/Users", "/Groups", "/Schemas", "/Users/nobody"} {
		got := map[string]*http.Response{}
		for _, method := range []string{"GET", "HEAD"} {
			r, err := http.NewRequest(method, site.URL+"/c/idp/scim/v2"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+connToken)
			r.Header.Set("X-Request-Id", "the-same-request")
			if got[method], err = http.DefaultClient.Do(r); err != nil {
				t.Fatal(err)
			}
			got[method].Body.Close()
		}
		get, head := got["GET"], got["HEAD"]
		if get.StatusCode != head.StatusCode || get.ContentLength != head.ContentLength || get.Header.Get("ETag") != head.Header.Get("ETag") {
			t.Errorf("%s: %d %d, %d %d", path, get.StatusCode, head.StatusCode, get.ContentLength, head.ContentLength)
		}
	}
}

func TestSearchesHaveTheirParametersInTheBody(t *testing.T) {
	b := newBed(t)
	b.make("/Users", `{"userName":"babs","title":"t"}`)
	b.make("/Users", `{"userName":"jim"}`)
	b.make("/Groups", `{"displayName":"g"}`)
	const schemas = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]`
	for _, tc := range []struct {
		path, body   string
		total, items float64
		shown        string
	}{
		{"/Users/.search", schemas + `}`, 2, 2, ""},
		{"/Users/.search", schemas + `,"filter":"userName sw \"ba\"","attributes":["title","userName"],"sortBy":"userName","sortOrder":"descending"}`, 1, 1, "id schemas title userName"},
		{"/Users/.search", schemas + `,"excludedAttributes":["meta","title","active"],"startIndex":1,"count":1}`, 2, 1, "id schemas userName"},
		{"/Users/.search", schemas + `,"startIndex":null,"count":"0"}`, 2, 0, ""},
		{"/Users/.search/", schemas + `,"STARTINDEX":2,"Count":10}`, 2, 1, ""},
		{"/Groups/.search", schemas + `,"filter":"displayName eq \"g\"","attributes":"displayName"}`, 1, 1, "displayName id schemas"},
	} {
		a := b.want(200, b.scim("POST", tc.path, tc.body))
		list, _ := a.json["Resources"].([]any)
		if a.json["totalResults"] != tc.total || float64(len(list)) != tc.items {
			t.Errorf("%s: %s", tc.body, a.text)
		}
		if tc.shown != "" && len(list) > 0 {
			if got := strings.Join(slices.Sorted(maps.Keys(list[0].(map[string]any))), " "); got != tc.shown {
				t.Errorf("%s shows %s", tc.body, got)
			}
		}
	}
	for body, scimType := range map[string]string{`{"filter":"userName eq"}`: "invalidFilter", `{"count":"many"}`: "invalidValue", `{"attributes":[1]}`: "invalidSyntax", `[]`: "invalidSyntax"} {
		if a := b.want(400, b.scim("POST", "/Users/.search", body)); a.json["scimType"] != scimType {
			t.Errorf("%s: %s", body, a.text)
		}
	}
	app := b.want(200, b.send("POST", "/o/acme/scim/v2/Users/.search", schemas+`}`, "Authorization", "Bearer "+appToken))
	if app.json["totalResults"] != 2.0 {
		t.Error(app.text)
	}
}

func TestAByteOrderMarkIsPassedOver(t *testing.T) {
	b := newBed(t)
	b.want(201, b.scim("POST", "/Users", "\ufeff"+`{"userName":"babs"}`))
}

// Okta's AIW integrations and authentik write back what they read.
func TestAGroupThatWasReadCanBeWrittenBack(t *testing.T) {
	b := newBed(t)
	b.serve(Options{MaxBody: 10_000})
	members := make([]string, 100)
	for i := range members {
		members[i] = `"` + b.make("/Users", `{"userName":"u`+strconv.Itoa(i)+`"}`) + `"`
	}
	id := b.make("/Groups", `{"displayName":"g","members":[`+strings.Join(members, ",")+`]}`)
	read := b.want(200, b.scim("GET", "/Groups/"+id, ""))
	if int64(len(read.text)) < b.server.options.MaxBody {
		t.Fatalf("%d bytes prove nothing", len(read.text))
	}
	written := b.want(200, b.scim("PUT", "/Groups/"+id, read.text))
	if written.text != read.text {
		t.Error("writing back what was read changed the group")
	}
}

func TestTheClientChoosesBetweenTheTwoMediaTypes(t *testing.T) {
	b := newBed(t)
	for accept, want := range map[string]string{"": "application/scim+json", "*/*": "application/scim+json", "application/json": "application/json",
		"application/scim+json, application/json": "application/scim+json", "application/json, text/plain, */*": "application/scim+json", "text/html": "application/scim+json"} {
		for _, path := range []string{"/Users", "/Groups", "/Users/none", "/Schemas"} {
			if got := b.scim("GET", path, "", "Accept", accept).header.Get("Content-Type"); got != want+"; charset=utf-8" {
				t.Errorf("%s, Accept %q: %s", path, accept, got)
			}
		}
	}
}

func TestPartsOfReadOnlyAttributesAreShownAlone(t *testing.T) {
	b := newBed(t)
	id := b.make("/Users", `{"userName":"babs","name":{"givenName":"Babs"}}`)
	group := b.make("/Groups", `{"displayName":"g","members":["`+id+`"]}`)
	for query, want := range map[string]string{
		"attributes=meta.location,groups.value": "groups groups.value id meta meta.location schemas",
		"attributes=META.LastModified":          "id meta meta.lastModified schemas",
		"attributes=groups.display,groups.type": "groups groups.display groups.type id schemas",
		"attributes=urn:ietf:params:scim:schemas:core:2.0:User": "active groups groups.$ref groups.display groups.type groups.value id " +
			"meta meta.created meta.lastModified meta.location meta.resourceType meta.version name name.givenName schemas userName",
		"excludedAttributes=groups.$ref,groups.type,meta.version,meta.created,name": "active groups groups.display groups.value id " +
			"meta meta.lastModified meta.location meta.resourceType schemas userName",
		"excludedAttributes=meta,groups,id,schemas": "active id name name.givenName schemas userName",
	} {
		a := b.want(200, b.scim("GET", "/Users/"+id+"?"+query, ""))
		if got := strings.Join(namesIn(a.json), " "); got != want {
			t.Errorf("%s shows %s", query, got)
		}
	}
	a := b.want(200, b.scim("GET", "/Groups/"+group+"?attributes=meta.version,members.value", ""))
	if got := strings.Join(namesIn(a.json), " "); got != "id members members.value meta meta.version schemas" {
		t.Error(got)
	}
	for _, path := range []string{"meta.created", "groups.value", "meta.none", "id"} {
		a := b.want(400, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"`+path+`","value":"x"}]}`))
		if a.json["scimType"] != "mutability" {
			t.Error(a.text)
		}
	}
}

func TestEscapedPartsOfPathsAreRead(t *testing.T) {
	b := newBed(t)
	id := b.make("/Users", `{"userName":"babs"}`)
	for path, status := range map[string]int{
		"/c/idp/scim/v2/Schemas/" + strings.ReplaceAll(userURN, ":", "%3A"): 200,
		"/c/idp/scim/v2/Users/" + strings.ReplaceAll(id, "-", "%2D"):        200,
		"/c/%69dp/scim/v2/Users": 200,
		"/c/idp/scim/v2/Users/" + strings.ReplaceAll(id, "-", "%252D"): 404,
		"/c/idp/scim/v2/Users/..%2FUsers%2F" + id:                      404,
		"/c/idp/scim/v2/Users/" + id + "%00":                           404,
		"/c/idp/scim/v2/Users/" + id + "%20":                           404,
		"/c/other%2F..%2Fidp/scim/v2/Users":                            401,
		"/c/idp%2F/scim/v2/Users":                                      401,
	} {
		b.want(status, b.send("GET", path, ""))
	}
}

func TestTwoAuthorizationsAreNone(t *testing.T) {
	b := newBed(t)
	r := httptest.NewRequest("GET", "/c/idp/scim/v2/Users", nil)
	r.Header["Authorization"] = []string{"Bearer " + connToken, "Bearer other"}
	w := httptest.NewRecorder()
	b.echo.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Error(w.Code)
	}
}

// Somebody who set up a mapping reads these: what, where, what is allowed.
func TestMessagesSayWhereAndWhatIsAllowed(t *testing.T) {
	b := newBed(t)
	user, group := "/Users/"+b.make("/Users", `{"userName":"babs"}`), "/Groups/"+b.make("/Groups", `{"displayName":"g"}`)
	const fine = `{"op":"replace","path":"displayName","value":"x"},`
	for _, tc := range []struct{ path, operation, want string }{
		{user, `{"op":"move","path":"title"}`, `Operations[1]: op: add, remove or replace is expected, not "move"`},
		{user, `{"op":"add","path":"emails[","value":"x"}`, `Operations[1]: path "emails[": at byte 7`},
		{user, `{"op":"add","path":"title","value":{"a":1}}`, `Operations[1]: title: a value of type string is expected, not an object`},
		{user, `{"op":"replace","path":"id","value":"x"}`, `Operations[1]: id: the attribute is read-only`},
		{group, `{"op":"remove","path":"members[value"}`, `Operations[1]: path "members[value"`},
		{group, `{"op":"add","path":"members","value":[{"value":"jdoe"}]}`, `Operations[1]: members: "jdoe" names no user or group`},
	} {
		a := b.want(400, b.scim("PATCH", tc.path, `{"Operations":[`+fine+tc.operation+`]}`))
		if detail, _ := a.json["detail"].(string); !strings.HasPrefix(detail, tc.want) {
			t.Errorf("%s: %s", tc.operation, detail)
		}
	}
}

func TestManyEditsDoNotMakeAUserThatIsTooLarge(t *testing.T) {
	b := newBed(t)
	user := "/Users/" + b.make("/Users", `{"userName":"babs"}`)
	long := strings.Repeat("x", 60_000)
	add := func(i int) answer {
		return b.scim("PATCH", user, `{"Operations":[{"op":"add","path":"roles","value":"`+strconv.Itoa(i)+long+`"}]}`)
	}
	for i := range 17 {
		b.want(200, add(i))
	}
	b.want(413, add(17))
	b.want(200, b.scim("PATCH", user, `{"Operations":[{"op":"remove","path":"roles"}]}`))
	b.want(200, add(17))
}
