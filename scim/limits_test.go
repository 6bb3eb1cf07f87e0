package scim

import (
	"fmt"
	"strings"
	"testing"

	"muster/directory/filter"
)

func TestEveryLimitHasItsError(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	b.serve(Options{MaxBody: 2000, MaxGroupBody: 3000, MaxBulkBody: 2500, MaxBulkOperations: 2, MaxOperations: 3, PageSize: 1, MaxResults: 2,
		Filters: filter.Limits{Bytes: 60, Depth: 3, Terms: 2}, MaxScan: 2})
	operations := strings.TrimSuffix(strings.Repeat(`{"op":"replace","path":"displayName","value":"x"},`, 4), ",")
	removal := `{"method":"DELETE","path":"/Users/x"}`
	for _, tc := range []struct {
		method, path, body string
		status             int
		scimType           any
	}{
		{"POST", "/Users", `{"userName":"` + strings.Repeat("x", 2000) + `"}`, 413, nil},
		{"POST", "/Groups", `{"displayName":"` + strings.Repeat("x", 3000) + `"}`, 413, nil},
		{"POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","data":{"userName":"` + strings.Repeat("x", 2500) + `"}}]}`, 413, nil},
		{"POST", "/Bulk", `{"Operations":[` + removal + `,` + removal + `,` + removal + `]}`, 413, nil},
		{"PATCH", "/Users/{user1}", patchOf(operations), 413, nil},
		{"PATCH", "/Groups/{group1}", patchOf(operations), 413, nil},
		{"GET", `/Users?filter=userName eq "` + strings.Repeat("x", 60) + `"`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=((((title pr))))`, "", 400, "invalidFilter"},
		{"GET", `/Users?filter=title pr or title pr or title pr`, "", 400, "invalidFilter"},
		{"GET", `/Groups?filter=((((displayName pr))))`, "", 400, "invalidFilter"},
		{"POST", `/.search`, `{"filter":"title pr or title pr or title pr"}`, 400, "invalidFilter"},
		{"GET", `/Users?filter=title pr`, "", 400, "tooMany"},
		// and within them
		{"GET", `/Users?filter=(((userName eq "x")))`, "", 200, nil},
		{"POST", "/Bulk", `{"Operations":[` + removal + `,` + removal + `]}`, 200, nil},
		{"PATCH", "/Users/{user1}", patchOf(operations[:strings.LastIndex(operations, ",{")]), 200, nil},
	} {
		a := b.want(tc.status, b.scim(tc.method, fill.Replace(tc.path), fill.Replace(tc.body)))
		if a.json["scimType"] != tc.scimType {
			t.Errorf("%s %s: %s", tc.method, tc.path, a.text)
		}
	}
	for query, items := range map[string]float64{"": 1, "?count=2": 2, "?count=100": 2, "?count=100&cursor": 2} {
		if a := b.want(200, b.scim("GET", "/Users"+query, "")); a.json["itemsPerPage"] != items {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	config := b.scim("GET", "/ServiceProviderConfig", "")
	for path, want := range map[string]any{"bulk.maxOperations": 2.0, "bulk.maxPayloadSize": 2500.0, "filter.maxResults": 2.0, "pagination.defaultPageSize": 1.0, "pagination.maxPageSize": 2.0} {
		if at(config.json, path) != want {
			t.Errorf("%s is %v", path, at(config.json, path))
		}
	}
}

// Each of these ended, or held for minutes, a server that reads them with the
// libraries of this one.
func TestInputsThatStoppedOthers(t *testing.T) {
	b := newBed(t)
	user := "/Users/" + b.make("/Users", `{"userName":"babs","emails":["x"],"urn:muster:params:scim:schemas:acme:2.0:User":{"seats":7}}`)
	patch := func(path string) answer {
		return b.scim("PATCH", user, patchOf(fmt.Sprintf(`{"op":"replace","path":%s,"value":"x"}`, appendString(nil, path))))
	}
	for what, tc := range map[string]struct {
		a      answer
		status int
	}{
		"100,000 brackets":            {b.scim("GET", "/Users?filter="+strings.Repeat("(", 100_000), ""), 400},
		"80,000 broken bytes":         {b.scim("GET", `/Users?filter=userName eq "`+strings.Repeat("%FF", 80_000), ""), 400},
		"40,000 replacement signs":    {patch(strings.Repeat("\ufffd", 40_000)), 400},
		"brackets in a path":          {patch("emails" + strings.Repeat("[", 8_000)), 400},
		"a complex attribute":         {b.scim("GET", `/Users?filter=emails eq "x"`, ""), 200},
		"an integer":                  {b.scim("GET", `/Users?filter=urn:muster:params:scim:schemas:acme:2.0:User:seats gt 5`, ""), 200},
		"a filter on the schemas":     {b.scim("GET", `/Schemas?filter=attributes eq "x"`, ""), 403},
		"emails.value":                {b.scim("GET", `/Users?filter=emails.value eq "x"`, ""), 200},
		"an escape":                   {b.scim("GET", `/Users?filter=userName eq "\u0062abs"`, ""), 200},
		"three terms in a path":       {b.scim("GET", `/Users?filter=emails[value eq "x" and not (type pr) and not (primary pr)]`, ""), 200},
		"brackets in brackets in one": {b.scim("GET", `/Users?filter=emails[((value eq "x"))]`, ""), 200},
	} {
		if tc.a.status != tc.status || tc.status == 200 && tc.a.json["totalResults"] != 1.0 {
			t.Errorf("%s: %d %.300s", what, tc.a.status, tc.a.text)
		}
	}
}
