package scim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

// listed are the userNames and displayNames of a list.
func listed(a answer) string {
	var names []string
	list, _ := a.json["Resources"].([]any)
	for _, r := range list {
		m, _ := r.(map[string]any)
		name, ok := m["userName"].(string)
		if !ok {
			name, _ = m["displayName"].(string)
		}
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

func (b *bed) someUsersAndGroups() {
	for _, name := range []string{"carl", "Anna", "bob"} {
		b.make("/Users", `{"userName":"`+name+`","displayName":"Name of `+name+`","emails":[{"value":"z@acme.example"},{"value":"`+name+`@acme.example","primary":true}],"title":"`+name[:1]+`"}`)
	}
	b.make("/Groups", `{"displayName":"staff","externalId":"g2"}`)
	b.make("/Groups", `{"displayName":"Board","externalId":"g1"}`)
}

func TestSorting(t *testing.T) { // RFC 7644 §3.4.2.3
	b := newBed(t)
	b.someUsersAndGroups()
	for query, want := range map[string]string{
		"/Users?sortBy=userName":                                                "Anna bob carl",
		"/Users?sortBy=userName&sortOrder=descending":                           "carl bob Anna",
		"/Users?SORTBY=emails&SortOrder=Descending":                             "carl bob Anna",
		"/Users?sortBy=emails.value&count=2":                                    "Anna bob",
		"/Users?sortBy=title":                                                   "Anna bob carl",
		"/Users?sortBy=meta.lastModified&sortOrder=descending":                  "bob Anna carl",
		"/Users?sortBy=" + enterpriseURN + ":department":                        "carl Anna bob",
		"/Users?sortBy=unknown&sortOrder=ascending":                             "carl Anna bob",
		"/Users?sortOrder=descending":                                           "carl Anna bob",
		"/Users?sortBy=&sortOrder=":                                             "carl Anna bob",
		"/Users?sortBy=userName&startIndex=2&count=1":                           "bob",
		`/Users?sortBy=userName&filter=title co "a" or title co "c"`:            "Anna carl",
		"/Groups?sortBy=displayName":                                            "Board staff",
		"/Groups?sortBy=externalId&sortOrder=descending&attributes=displayName": "staff Board",
		"/?sortBy=displayName":                                                  "Board Anna bob carl staff",
		"/?sortBy=displayName&sortOrder=descending&startIndex=2&count=3":        "carl bob Anna",
	} {
		a := b.want(200, b.scim("GET", query, ""))
		if got := listed(a); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	for query, part := range map[string]string{"sortBy=name": "sortBy", "sortBy=addresses": "sortBy", "sortBy=meta": "sortBy", "sortBy=a[b": "sortBy", "sortBy=userName&sortOrder=up": "sortOrder"} {
		a := b.want(400, b.scim("GET", "/Users?"+query, ""))
		if detail, _ := a.json["detail"].(string); a.json["scimType"] != "invalidValue" || !strings.HasPrefix(detail, part) {
			t.Errorf("%s: %s", query, a.text)
		}
	}
}

func TestTheRootListsEveryType(t *testing.T) { // RFC 7644 §3.4.2.1
	b := newBed(t)
	b.someUsersAndGroups()
	search := func(body string) answer { return b.scim("POST", "/.search", body) }
	for _, tc := range []struct {
		a     answer
		total float64
		want  string
	}{
		{b.scim("GET", "", ""), 5, "carl Anna bob staff Board"},
		{b.scim("GET", "/?startIndex=3&count=2", ""), 5, "bob staff"},
		{b.scim("GET", "/?startIndex=5", ""), 5, "Board"},
		{b.scim("GET", "/?count=0", ""), 5, ""},
		{b.scim("GET", `?filter=displayName sw "s"`, ""), 1, "staff"},
		{b.scim("GET", `?filter=meta.resourceType eq "Group"`, ""), 2, "staff Board"},
		{b.scim("GET", `?filter=meta.resourceType eq "User" and title eq "b" or externalId eq "g1"`, ""), 2, "bob Board"},
		{search(`{"filter":"not (userName pr)","sortBy":"displayName"}`), 2, "Board staff"},
		{search(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"displayName pr","attributes":["displayName","userName"],"count":4}`), 5, "carl Anna bob staff"},
	} {
		b.want(200, tc.a)
		if got := listed(tc.a); got != tc.want || tc.a.json["totalResults"] != tc.total {
			t.Errorf("%s of %v: %s", got, tc.a.json["totalResults"], tc.a.text)
		}
	}
	a := b.scim("GET", "/?attributes=members,emails.value", "")
	if strings.Contains(a.text, "displayName") || !strings.Contains(a.text, `"emails"`) || !strings.Contains(a.text, groupURN) {
		t.Error(a.text)
	}
	app := b.want(200, b.send("GET", "/o/acme/scim/v2/", "", "Authorization", "Bearer "+appToken))
	if app.json["totalResults"] != 5.0 {
		t.Error(app.text)
	}
	b.want(400, b.scim("GET", "?filter=active gt true", ""))
}

func TestCursors(t *testing.T) { // RFC 9865
	b := newBed(t)
	for i := range 7 {
		b.make("/Users", fmt.Sprintf(`{"userName":"u%d"}`, i))
	}
	for _, query := range []string{"", "&sortBy=userName", `&filter=userName co "u"`} {
		got, cursor := []string{}, ""
		for page := 0; page == 0 || cursor != ""; page++ {
			a := b.want(200, b.scim("GET", "/Users?count=3&cursor="+cursor+query, ""))
			got = append(got, listed(a))
			cursor, _ = a.json["nextCursor"].(string)
			if a.json["startIndex"] != nil || a.json["previousCursor"] != nil {
				t.Error(a.text)
			}
			if total, told := a.json["totalResults"]; told && total != 7.0 || !told && query != `&filter=userName co "u"` {
				t.Errorf("%s: total %v", query, total)
			}
		}
		if want := "u0 u1 u2/u3 u4 u5/u6"; strings.Join(got, "/") != want {
			t.Errorf("%s: %v", query, got)
		}
	}
	first := b.want(200, b.scim("GET", "/Users?cursor&count=2", ""))
	cursor, _ := first.json["nextCursor"].(string)
	searched := b.want(200, b.scim("POST", "/Users/.search", `{"cursor":"`+cursor+`","count":2}`))
	if listed(searched) != "u2 u3" {
		t.Error(searched.text)
	}
	if a := b.want(200, b.scim("GET", "/Users?count=1000&cursor", "")); listed(a) != "u0 u1 u2 u3 u4 u5 u6" || a.json["nextCursor"] != nil {
		t.Error(a.text)
	}
	if a := b.want(200, b.scim("GET", "/Users?count=2", "")); a.json["nextCursor"] != nil || a.json["startIndex"] != 1.0 {
		t.Errorf("by index unless asked: %s", a.text)
	}
	root := b.want(200, b.scim("GET", "?cursor=&count=5", ""))
	if next, _ := root.json["nextCursor"].(string); listed(b.want(200, b.scim("GET", "?count=5&cursor="+next, ""))) != "u5 u6" {
		t.Error(root.text)
	}
	for query, scimType := range map[string]string{
		"/Users?cursor=x&count=2": "invalidCursor", "/Groups?cursor=" + cursor: "invalidCursor", "/Users?filter=title+pr&cursor=" + cursor: "invalidCursor",
		"/Users?cursor=" + cursor[:len(cursor)-2]: "invalidCursor", "/?cursor=" + cursor: "invalidCursor",
		"/Users?cursor&count=0": "invalidCount", "/Users?cursor&count=-1": "invalidCount", "/Users?cursor&count=many": "invalidCount",
	} {
		if a := b.want(400, b.scim("GET", query, "")); a.json["scimType"] != scimType {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	app := b.send("GET", "/o/acme/scim/v2/Users?cursor="+cursor, "", "Authorization", "Bearer "+appToken)
	if b.want(400, app); app.json["scimType"] != "invalidCursor" {
		t.Errorf("another view: %s", app.text)
	}
	b.serve(Options{CursorLife: time.Nanosecond})
	if a := b.want(400, b.scim("GET", "/Users?count=2&cursor="+cursor, "")); a.json["scimType"] != "expiredCursor" {
		t.Error(a.text)
	}
}

func TestAListBeyondItsBudget(t *testing.T) {
	b := newBed(t)
	b.serve(Options{MaxScan: 20})
	for i := range 40 {
		b.make("/Users", fmt.Sprintf(`{"userName":"u%02d","title":"t"}`, i))
	}
	for _, query := range []string{`filter=title eq "t"`, "sortBy=title", `filter=title eq "t"&sortBy=title&cursor`} {
		if a := b.want(400, b.scim("GET", "/Users?"+query, "")); a.json["scimType"] != "tooMany" {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	for _, query := range []string{"", "count=5&sortBy=userName", `filter=userName sw "u0" and title pr&count=2`, `filter=title eq "t"&cursor`} {
		b.want(200, b.scim("GET", "/Users?count=5&"+query, ""))
	}
}

// What is shown of a list does not change the versions in it.
func TestVersionsInListsAreThoseOfTheResources(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	etag := b.scim("GET", fill.Replace("/Users/{user1}"), "").header.Get("ETag")
	for _, query := range []string{"", "&excludedAttributes=groups", "&attributes=meta", "&attributes=meta.version,userName", `&filter=userName sw "USER-ONE"`, `&filter=title pr or displayName co "user-one"`} {
		a := b.want(200, b.scim("GET", "/Users?count=1"+query, ""))
		if at(a.json, []any{"Resources", 0.0, "meta", "version"}) != etag {
			t.Errorf("%s: %s", query, a.text)
		}
	}
}

func TestMembersCanBeFilteredByType(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	b.make("/Groups", fill.Replace(`{"displayName":"outer","members":["{group1}"]}`))
	for filter, want := range map[string]string{
		`members.type eq "Group"`: "outer", `members.type eq "user"`: "Group One", fill.Replace(`members[value eq "{user1}" and type eq "User"]`): "Group One",
		fill.Replace(`members[value eq "{user1}" and type eq "Group"]`): "",
	} {
		if got := listed(b.want(200, b.scim("GET", "/Groups?filter="+filter, ""))); got != want {
			t.Errorf("%s: %s", filter, got)
		}
	}
}

// A schema that changes while the server runs is served at once.
func TestSchemasChangeAtRunTime(t *testing.T) {
	b := newBed(t)
	const urn = "urn:muster:params:scim:schemas:acme:2.0:User"
	id := b.make("/Users", `{"userName":"babs","`+urn+`":{"desk":"7","location":"Berlin"}}`)
	if a := b.scim("GET", "/Users/"+id, ""); at(a.json, []any{urn, "desk"}) != nil {
		t.Error(a.text)
	}
	org := testOrg()
	org.Attributes["desk"] = directory.AttributePolicy{}
	configure(t, b.d, org)
	if a := b.want(200, b.scim("GET", "/Schemas/"+urn, "")); !strings.Contains(a.text, `"desk"`) {
		t.Error(a.text)
	}
	b.want(200, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"add","path":"`+urn+`:desk","value":"8"}]}`))
	if a := b.want(200, b.scim("GET", "/Users?filter="+urn+`:desk eq "8"`, "")); a.json["totalResults"] != 1.0 {
		t.Error(a.text)
	}
}
