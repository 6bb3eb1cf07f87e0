package scim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever is sent, the answer is a success or a SCIM Error, never a 500, and
// the directory stays sound.
func FuzzRequest(f *testing.F) {
	files, err := filepath.Glob("../testdata/scim/*/requests.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	b := newBed(f, connectionFor("entra"))
	fill := b.resources()
	for _, file := range files {
		for _, x := range fixtures(f, file) {
			path, query, _ := strings.Cut(x.Path, "?")
			f.Add(x.Method, path, query, string(x.Body))
		}
	}
	f.Add("GET", "/Users", "filter=not (userName eq \"x\") and emails[type eq \"work\" or primary eq true].value co \"a\"&attributes=a,b.c", "")
	f.Add("GET", "/", "sortBy=displayName&sortOrder=descending&cursor&count=2", "")
	f.Add("GET", "/Users", "sortBy=emails.value&cursor=AAAA&startIndex=3", "")
	f.Add("POST", "/.search", "", `{"filter":"displayName pr","sortBy":"id","sortOrder":"descending","cursor":"","count":1}`)
	f.Add("POST", "/Bulk", "", `{"failOnErrors":1,"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"bulkId:a"}}]}`)
	f.Add("PATCH", "/Users/x", "", `{"Operations":[{"op":"add","path":"a[b eq \"c\"].d","value":{"x":[null,1e9,"\ud83d\ude00"]}}]}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		path, query, body = fill.Replace(path), fill.Replace(query), fill.Replace(body)
		r := &http.Request{
			Method: method, URL: &url.URL{Path: "/c/idp/scim/v2" + path, RawQuery: query}, Body: io.NopCloser(strings.NewReader(body)),
			Header: http.Header{"Authorization": {"Bearer " + connToken}, "Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		}
		w := httptest.NewRecorder()
		b.echo.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %q ?%q %q: %d %s\n%s", method, path, query, body, w.Code, w.Body, b.logs)
		}
		if w.Code >= 400 && strings.HasPrefix(path, "/") && !strings.Contains(w.Body.String(), "urn:ietf:params:scim:api:messages:2.0:Error") {
			t.Fatalf("%s %q: %d %s is no SCIM Error", method, path, w.Code, w.Body)
		}
	})
}

// Whatever a bulk has in it, each operation has an answer of its own, what was
// refused left nothing, and the directory stays sound.
func FuzzBulk(f *testing.F) {
	for _, operations := range []string{
		`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a","manager":"bulkId:b"}},{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"b","manager":{"value":"bulkId:a"}}}`,
		`{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"a","members":["bulkId:a",{"value":"{user1}"}]}}`,
		`{"method":"PATCH","path":"/Groups/{group1}","data":{"Operations":[{"op":"remove","path":"members[value eq "bulkId:a"]"}]}},{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a"}}`,
		`{"method":"PUT","path":"/Users/bulkId:a","version":"W/"x"","data":{"userName":"a"}},{"method":"DELETE","path":"/Users/bulkId:a"},{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a"}}`,
		`{"method":"POST","path":"https://muster.example/c/idp/scim/v2/Users?x","data":{"urn:x:1":{"y":["bulkId:","BULKID:z"]}}}`,
	} {
		f.Add(operations, 0)
		f.Add(operations, 1)
	}
	f.Fuzz(func(t *testing.T, operations string, most int) {
		b := newBed(t) // checks the directory in the end
		fill := b.resources()
		body := fmt.Sprintf(`{"Operations":[%s]}`, fill.Replace(operations))
		if most > 0 {
			body = fmt.Sprintf(`{"failOnErrors":%d,"Operations":[%s]}`, most, fill.Replace(operations))
		}
		r := httptest.NewRequest("POST", "/c/idp/scim/v2/Bulk", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+connToken)
		w := httptest.NewRecorder()
		b.echo.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == 200 && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		var answer struct{ Operations []struct{ Status string } }
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		for _, op := range answer.Operations {
			if len(op.Status) != 3 || op.Status >= "500" {
				t.Fatalf("%s: %s", body, w.Body)
			}
		}
	})
}

// A PATCH works whole or not at all, and gives the same when it runs again.
func FuzzPatch(f *testing.F) {
	x := newUserIndex(testPolicy(f))
	for _, tc := range patches {
		f.Add(tc.operations, tc.create)
	}
	doc, err := readJSON(someone, nil)
	if err != nil {
		f.Fatal(err)
	}
	p := newProgram(x, len(doc), nil)
	if err := p.readUser(node{doc, 0}); err != nil {
		f.Fatal(err)
	}
	own, err := p.run(nil, true)
	if err != nil {
		f.Fatal(err)
	}
	before := string(view{x: x}.user(nil, profileOf(own)))
	f.Fuzz(func(t *testing.T, operations string, create bool) {
		doc, err := readJSON(`{"Operations":[`+operations+`]}`, nil)
		if err != nil {
			return
		}
		p := newProgram(x, len(doc), nil)
		if err := p.readPatch(node{doc, 0}); err != nil {
			return
		}
		one, err1 := p.run(own, create)
		two, err2 := p.run(own, create)
		if (err1 == nil) != (err2 == nil) || !one.Equal(two) {
			t.Fatalf("%s: %v %v, then %v %v", operations, one, err1, two, err2)
		}
		if after := string(view{x: x}.user(nil, profileOf(own))); after != before {
			t.Fatalf("%s changed what it was given: %s", operations, after)
		}
	})
}
