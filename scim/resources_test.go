package scim

import (
	"fmt"
	"strings"
	"testing"

	"muster/directory"
)

func TestUserLifecycle(t *testing.T) {
	b := newBed(t)
	a := b.want(201, b.scim("POST", "/Users", someone))
	id, _ := a.json["id"].(string)
	location := "https://muster.example/c/idp/scim/v2/Users/" + id
	if a.header.Get("Location") != location || at(a.json, "meta.location") != location || at(a.json, "meta.version") != a.header.Get("ETag") {
		t.Errorf("location and version: %s %v", a.text, a.header)
	}
	read := b.want(200, b.scim("GET", "/Users/"+id, ""))
	if read.text != a.text {
		t.Errorf("POST answered %s\nGET %s", a.text, read.text)
	}
	put := b.want(200, b.scim("PUT", "/Users/"+id, `{"userName":"babs","title":"T"}`))
	if put.json["title"] != "T" || put.json["displayName"] != nil || put.json["active"] != true {
		t.Errorf("PUT: %s", put.text)
	}
	patch := b.want(200, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"active","value":"False"}]}`))
	if patch.json["active"] != false {
		t.Errorf("PATCH: %s", patch.text)
	}
	if put := b.want(200, b.scim("PUT", "/Users/"+id, `{"userName":"babs"}`)); put.json["active"] != false {
		t.Error("a PUT without active unlocks")
	}
	if a := b.want(204, b.scim("DELETE", "/Users/"+id, "")); a.text != "" {
		t.Error("DELETE has a body")
	}
	for _, method := range []string{"GET", "DELETE"} {
		b.want(404, b.scim(method, "/Users/"+id, ""))
	}
	b.want(404, b.scim("PUT", "/Users/"+id, `{"userName":"babs"}`))
	if n := b.total("/Users"); n != 0 {
		t.Errorf("%d users are listed after the deletion", n)
	}
	b.want(201, b.scim("POST", "/Users", `{"userName":"babs"}`))
}

func TestCreatedLocked(t *testing.T) {
	b := newBed(t)
	if a := b.want(201, b.scim("POST", "/Users", `{"userName":"babs","active":"False"}`)); a.json["active"] != false {
		t.Error(a.text)
	}
}

func TestVersions(t *testing.T) {
	b := newBed(t)
	id := b.make("/Users", `{"userName":"babs"}`)
	path := "/Users/" + id
	first := b.scim("GET", path, "").header.Get("ETag")
	if !strings.HasPrefix(first, `W/"`) {
		t.Fatalf("ETag %q", first)
	}
	if a := b.want(304, b.scim("GET", path, "", "If-None-Match", first)); a.text != "" || a.header.Get("ETag") != first {
		t.Error("304 has a body or no ETag")
	}
	edit := `{"Operations":[{"op":"replace","path":"title","value":"%s"}]}`
	a := b.want(200, b.scim("PATCH", path, fmt.Sprintf(edit, "a"), "If-Match", `"other", `+first))
	second := a.header.Get("ETag")
	if second == first {
		t.Error("a change keeps the version")
	}
	b.want(200, b.scim("GET", path, "", "If-None-Match", first))
	b.want(412, b.scim("PATCH", path, fmt.Sprintf(edit, "b"), "If-Match", first))
	b.want(412, b.scim("PUT", path, `{"userName":"x"}`, "If-Match", first))
	for _, tags := range []string{`"*"`, `W/"*"`, `W/*`, ``, `,`, `"a", "b"`} {
		b.want(412, b.scim("PATCH", path, fmt.Sprintf(edit, "b"), "If-Match", tags))
		b.want(200, b.scim("GET", path, "", "If-None-Match", tags))
	}
	b.want(304, b.scim("GET", path, "", "If-None-Match", `"a", `+strings.TrimPrefix(second, "W/")))
	b.want(304, b.scim("GET", path, "", "If-None-Match", "*"))
	b.want(412, b.scim("DELETE", path, "", "If-Match", first))
	b.want(200, b.scim("PATCH", path, fmt.Sprintf(edit, "a"), "If-Match", "*"))
	if again := b.scim("GET", path, "").header.Get("ETag"); again != second {
		t.Error("a write that changes nothing makes a version")
	}
	b.want(204, b.scim("DELETE", path, "", "If-Match", strings.TrimPrefix(second, "W/")))

	group := "/Groups/" + b.make("/Groups", `{"displayName":"g"}`)
	tag := b.scim("GET", group, "").header.Get("ETag")
	b.want(304, b.scim("GET", group+"?excludedAttributes=members", "", "If-None-Match", tag))
	b.want(200, b.scim("GET", group, "", "If-None-Match", tag))
	rename := `{"Operations":[{"op":"replace","path":"displayName","value":"h"}]}`
	b.want(204, b.scim("PATCH", group, rename, "If-Match", tag))
	b.want(412, b.scim("PATCH", group, rename, "If-Match", tag))
}

func TestLists(t *testing.T) {
	b := newBed(t)
	for i := range 7 {
		b.make("/Users", fmt.Sprintf(`{"userName":"u%d","title":"%s"}`, i, []string{"odd", "even"}[i%2]))
	}
	cases := []struct {
		query               string
		total, start, items int
		names               string
	}{
		{"", 7, 1, 7, "u0 u1 u2 u3 u4 u5 u6"},
		{"?startIndex=3&count=2", 7, 3, 2, "u2 u3"},
		{"?STARTINDEX=7&Count=5", 7, 7, 1, "u6"},
		{"?startIndex=8", 7, 8, 0, ""},
		{"?startIndex=99999999999999999999", 7, 1<<31 - 1, 0, ""},
		{"?startIndex=-5&count=1", 7, 1, 1, "u0"},
		{"?count=0", 7, 1, 0, ""},
		{"?count=-1", 7, 1, 0, ""},
		{"?count=99999999999999999999", 7, 1, 7, "u0 u1 u2 u3 u4 u5 u6"},
		{`?filter=title eq "even"`, 3, 1, 3, "u1 u3 u5"},
		{`?filter=title eq "even"&startIndex=2&count=1`, 3, 2, 1, "u3"},
		{`?filter=userName eq u3`, 1, 1, 1, "u3"},
		{`?filter=userName eq "a;b"`, 0, 1, 0, ""},
		{`/?filter=USERNAME+SW+%22u%22+and+not+(title+eq+%22even%22)`, 4, 1, 4, "u0 u2 u4 u6"},
		{"?unknown=parameter&sortBy=userName", 7, 1, 7, "u0 u1 u2 u3 u4 u5 u6"},
	}
	for _, tc := range cases {
		a := b.want(200, b.scim("GET", "/Users"+tc.query, ""))
		names := []string{}
		for _, r := range a.json["Resources"].([]any) {
			names = append(names, r.(map[string]any)["userName"].(string))
		}
		got := fmt.Sprintf("%v %v %v %s", a.json["totalResults"], a.json["startIndex"], a.json["itemsPerPage"], strings.Join(names, " "))
		if want := fmt.Sprintf("%v %v %v %s", float64(tc.total), float64(tc.start), float64(tc.items), tc.names); got != want {
			t.Errorf("%s: %s, not %s", tc.query, got, want)
		}
	}
	a := b.want(200, b.scim("GET", "/Users?attributes=title&count=1", ""))
	one := a.json["Resources"].([]any)[0].(map[string]any)
	if one["title"] != "odd" || one["id"] == nil || one["userName"] != nil || one["meta"] != nil {
		t.Error(a.text)
	}
}

func TestGroupMembersAreFoldedInOrder(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	cases := map[string]struct{ operations, want string }{
		"add, then remove":        {`{"op":"add","path":"members","value":[{"value":"{user2}"}]},{"op":"remove","path":"members[value eq \"{user2}\"]"}`, "{user1} {manager}"},
		"remove, then add":        {`{"op":"remove","path":"members[value eq \"{user1}\"]"},{"op":"add","path":"members","value":"{user1}"}`, "{user1} {manager}"},
		"replace, then add":       {`{"op":"replace","path":"members","value":[{"value":"{user2}"}]},{"op":"add","path":"members","value":["{manager}"]}`, "{user2} {manager}"},
		"replace, then remove":    {`{"op":"replace","path":"members","value":[{"value":"{user2}"},{"value":"{manager}"}]},{"op":"remove","path":"members","value":[{"value":"{user2}"}]}`, "{manager}"},
		"add, then replace":       {`{"op":"add","path":"members","value":["{user2}"]},{"op":"replace","path":"members","value":[]}`, ""},
		"remove all, then add":    {`{"op":"remove","path":"members"},{"op":"add","path":"members","value":["{user2}"]}`, "{user2}"},
		"remove of a stranger":    {`{"op":"remove","path":"members[value eq \"nobody\"]"}`, "{user1} {manager}"},
		"two by or":               {`{"op":"remove","path":"members[value eq \"{user1}\" or value eq \"{manager}\"]"}`, ""},
		"with a type":             {`{"op":"remove","path":"members[value eq \"{user1}\" and type eq \"User\"]"}`, "{manager}"},
		"without a path":          {`{"op":"add","value":{"members":[{"value":"{user2}"}]}}`, "{user1} {user2} {manager}"},
		"by reference":            {`{"op":"add","path":"members","value":[{"$ref":"https://muster.example/c/idp/scim/v2/Users/{user2}"}]}`, "{user1} {user2} {manager}"},
		"under the schema's name": {`{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:Group:members","value":[{"value":"{user2}"}]}`, "{user1} {user2} {manager}"},
	}
	for name, tc := range cases {
		id := b.make("/Groups", fill.Replace(`{"displayName":"g","members":[{"value":"{user1}"},{"value":"{manager}"}]}`))
		a := b.want(204, b.scim("PATCH", "/Groups/"+id, fill.Replace(`{"Operations":[`+tc.operations+`]}`)))
		if a.text != "" {
			t.Errorf("%s: 204 has a body", name)
		}
		got := map[string]bool{}
		a = b.scim("GET", "/Groups/"+id, "")
		list, _ := a.json["members"].([]any)
		for _, m := range list {
			got[m.(map[string]any)["value"].(string)] = true
		}
		want := strings.Fields(fill.Replace(tc.want))
		for _, id := range want {
			if !got[id] {
				t.Errorf("%s: %s is missing in %s", name, id, a.text)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %s", name, a.text)
		}
	}
}

func TestGroupAnswers(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	id := fill.Replace("{group1}")
	a := b.want(200, b.scim("PATCH", "/Groups/"+id+"?attributes=displayName", `{"Operations":[{"op":"replace","value":{"id":"`+id+`","displayName":"New"}}]}`))
	if a.json["displayName"] != "New" || a.json["members"] != nil {
		t.Error(a.text)
	}
	a = b.want(200, b.scim("GET", "/Groups/"+id, ""))
	if ref := at(a.json, []any{"members", 0.0, "$ref"}); !strings.HasPrefix(fmt.Sprint(ref), "https://muster.example/c/idp/scim/v2/Users/") {
		t.Errorf("$ref is %v", ref)
	}
	a = b.want(200, b.scim("GET", "/Groups?excludedAttributes=members&filter=displayName eq \"New\"", ""))
	if a.json["totalResults"] != 1.0 || strings.Contains(a.text, "members") {
		t.Error(a.text)
	}
	a = b.want(200, b.scim("PUT", "/Groups/"+id, `{"displayName":"Again"}`))
	if a.json["members"] != nil || a.json["externalId"] != nil {
		t.Errorf("PUT keeps what it does not name: %s", a.text)
	}
	nested := b.make("/Groups", `{"displayName":"outer","members":[{"value":"`+id+`","type":"Group"}]}`)
	a = b.want(200, b.scim("GET", "/Groups/"+nested, ""))
	if at(a.json, []any{"members", 0.0, "type"}) != "Group" {
		t.Error(a.text)
	}
	user := b.scim("GET", fill.Replace("/Users/{user1}"), "")
	if user.json["groups"] != nil {
		t.Errorf("the emptied group still shows: %s", user.text)
	}
}

func TestManyMembersAreStreamed(t *testing.T) {
	b := newBed(t)
	var members []string
	for i := range 600 {
		members = append(members, `{"value":"`+b.make("/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))+`"}`)
	}
	id := b.make("/Groups", `{"displayName":"all","members":[`+strings.Join(members, ",")+`]}`)
	a := b.want(200, b.scim("GET", "/Groups/"+id, ""))
	if got := len(a.json["members"].([]any)); got != 600 {
		t.Errorf("%d members", got)
	}
	a = b.want(200, b.scim("GET", "/Groups", ""))
	if got := len(at(a.json, []any{"Resources", 0.0, "members"}).([]any)); got != 600 {
		t.Errorf("%d members in the list", got)
	}
}

func TestApplicationsReadTheEffectiveView(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	b.want(200, b.scim("PATCH", fill.Replace("/Users/{user2}"), `{"Operations":[{"op":"replace","path":"active","value":false}]}`))
	b.want(204, b.scim("DELETE", fill.Replace("/Users/{manager}"), ""))
	app := func(path string) answer {
		return b.want(200, b.send("GET", "/o/acme/scim/v2"+path, "", "Authorization", "Bearer "+appToken))
	}
	if a := app("/Users"); a.json["totalResults"] != 2.0 {
		t.Errorf("users: %s", a.text)
	}
	a := app(fill.Replace("/Users/{user1}"))
	if at(a.json, "meta.location") != fill.Replace("https://muster.example/o/acme/scim/v2/Users/{user1}") || at(a.json, []any{"groups", 0.0, "display"}) != "Group One" {
		t.Error(a.text)
	}
	if a := app(`/Users?filter=active eq false`); a.json["totalResults"] != 1.0 {
		t.Errorf("locked users: %s", a.text)
	}
	if a := app(`/Groups?filter=displayName eq "Group One"`); a.json["totalResults"] != 1.0 {
		t.Errorf("groups: %s", a.text)
	}
	if a := app(fill.Replace("/Groups/{group1}")); len(a.json["members"].([]any)) != 1 {
		t.Errorf("members: %s", a.text)
	}
}

func TestLicencesGoBothWays(t *testing.T) {
	b := newBed(t)
	id := b.make("/Users", `{"userName":"babs","entitlements":[{"value":"full","type":"license"},{"value":"other"}]}`)
	id2, _ := directory.ParseID(id)
	p, err := b.d.User(t.Context(), directory.Viewer{Org: "acme"}, id2)
	if err != nil || p.Attributes.Text(directory.License) != "full" {
		t.Errorf("the licence is %v %v", p, err)
	}
	a := b.want(200, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"replace","path":"entitlements[type eq \"license\"].value","value":"lite"}]}`))
	if at(a.json, []any{"entitlements", map[string]any{"type": "license"}, "value"}) != "lite" {
		t.Error(a.text)
	}
	a = b.want(200, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"remove","path":"entitlements[type eq \"license\"]"}]}`))
	if at(a.json, []any{"entitlements", 0.0, "value"}) != "other" || len(a.json["entitlements"].([]any)) != 1 {
		t.Error(a.text)
	}
}

func TestUnknownAttributesAreCounted(t *testing.T) {
	b := newBed(t)
	b.make("/Users", `{"userName":"babs","shoeSize":42,"urn:x:2.0:User":{"a":1},"emails":[{"value":"b@acme.example","colour":"red"}]}`)
	if n := b.server.Ignored(); n != 3 {
		t.Errorf("%d were counted", n)
	}
}

func TestAGroupsNameCannotGoItsExternalIDCan(t *testing.T) {
	b := newBed(t)
	id := b.make("/Groups", `{"displayName":"g","externalId":"x"}`)
	patch := func(op string) string { return `{"Operations":[` + op + `]}` }
	for _, tc := range []struct{ method, body, scimType string }{
		{"PATCH", patch(`{"op":"remove","path":"displayName"}`), "mutability"},
		{"PATCH", patch(`{"op":"replace","path":"displayName","value":""}`), "mutability"},
		{"PATCH", patch(`{"op":"replace","value":{"displayName":null}}`), "mutability"},
		{"PUT", `{"externalId":"x"}`, "invalidValue"},
		{"PUT", `{"displayName":" ","externalId":"x"}`, "invalidValue"},
	} {
		if a := b.want(400, b.scim(tc.method, "/Groups/"+id, tc.body)); a.json["scimType"] != tc.scimType {
			t.Errorf("%s %s: %s", tc.method, tc.body, a.text)
		}
	}
	if a := b.scim("GET", "/Groups/"+id, ""); a.json["displayName"] != "g" || a.json["externalId"] != "x" {
		t.Error(a.text)
	}
	b.want(204, b.scim("PATCH", "/Groups/"+id, patch(`{"op":"remove","path":"externalId"}`)))
	if a := b.scim("GET", "/Groups/"+id, ""); a.json["externalId"] != nil {
		t.Error(a.text)
	}
	b.want(200, b.scim("PUT", "/Groups/"+id, `{"displayName":"h","externalId":"y"}`))
	b.want(200, b.scim("PUT", "/Groups/"+id, `{"displayName":"h"}`))
	if a := b.scim("GET", "/Groups/"+id, ""); a.json["externalId"] != nil {
		t.Error(a.text)
	}
}
