package scim

import (
	"fmt"
	"strings"
	"testing"
)

// bulk sends operations and returns the answers.
func (b *bed) bulk(status int, operations string) []any {
	b.t.Helper()
	a := b.want(status, b.scim("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+operations+`]}`))
	list, _ := a.json["Operations"].([]any)
	if status == 200 && at(a.json, []any{"schemas", 0.0}) != "urn:ietf:params:scim:api:messages:2.0:BulkResponse" {
		b.t.Errorf("schemas of %s", a.text)
	}
	return list
}

func statuses(list []any) string {
	var all []string
	for _, op := range list {
		all = append(all, fmt.Sprint(at(op, "status")))
	}
	return strings.Join(all, " ")
}

// idOf is the id at the end of an operation's location.
func idOf(op any) string {
	location, _ := at(op, "location").(string)
	return location[strings.LastIndexByte(location, '/')+1:]
}

func TestABulkRunsOneOperationAfterAnother(t *testing.T) { // RFC 7644 §3.7.3
	b := newBed(t)
	fill := b.resources()
	etag := b.scim("GET", fill.Replace("/Users/{user2}"), "").header.Get("ETag")
	list := b.bulk(200, fill.Replace(`
		{"method":"POST","path":"/Users","bulkId":"qwerty","data":{"userName":"Alice"}},
		{"method":"PUT","path":"/Users/{user1}","data":{"userName":"User-One@acme.example","title":"PUT"}},
		{"method":"patch","path":"Users/{user2}/","version":`+strings.ReplaceAll(string(appendString(nil, etag)), "/", `\/`)+`,"data":{"Operations":[{"op":"replace","path":"title","value":"PATCH"}]}},
		{"method":"DELETE","path":"https://muster.example/c/idp/scim/v2/Users/{manager}"},
		{"method":"PATCH","path":"/Groups/{group1}","data":{"Operations":[{"op":"replace","path":"displayName","value":"New"}]}}`))
	if got := statuses(list); got != "201 200 200 204 204" {
		t.Fatalf("%s: %v", got, list)
	}
	for i, want := range []string{"qwerty", "", "", "", ""} {
		op, _ := list[i].(map[string]any)
		location, _ := op["location"].(string)
		if id, _ := op["bulkId"].(string); id != want || !strings.HasPrefix(location, "https://muster.example/c/idp/scim/v2/") || op["response"] != nil {
			t.Errorf("%d: %v", i, op)
		}
		if (op["version"] != nil) != (i != 3) || op["method"] != strings.Fields("POST PUT PATCH DELETE PATCH")[i] {
			t.Errorf("%d: %v", i, op)
		}
	}
	if a := b.want(200, b.scim("GET", "/Users/"+idOf(list[0]), "")); a.json["userName"] != "Alice" || a.header.Get("ETag") != at(list[0], "version") {
		t.Error(a.text)
	}
	if a := b.scim("GET", fill.Replace("/Users/{user2}"), ""); a.json["title"] != "PATCH" || a.header.Get("ETag") != at(list[2], "version") {
		t.Error(a.text)
	}
	b.want(404, b.scim("GET", fill.Replace("/Users/{manager}"), ""))
}

func TestBulkIDsStandForWhatIsMade(t *testing.T) { // RFC 7644 §3.7.2
	const alice = `{"method":"POST","path":"/Users","bulkId":"al","data":{"userName":"alice"}}`
	const tours = `{"method":"POST","path":"/Groups","bulkId":"to","data":{"displayName":"tours","members":[{"type":"User","value":"bulkId:al"}]}}`
	for name, operations := range map[string]string{"backward": alice + "," + tours, "forward": tours + "," + alice} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			list := b.bulk(200, operations)
			if got := statuses(list); got != "201 201" {
				t.Fatal(list)
			}
			user, group := idOf(list[0]), idOf(list[1])
			if name == "forward" {
				user, group = group, user
			}
			a := b.want(200, b.scim("GET", "/Groups/"+group, ""))
			if at(a.json, []any{"members", 0.0, "value"}) != user {
				t.Error(a.text)
			}
		})
	}
	t.Run("in paths, references and value filters", func(t *testing.T) {
		b := newBed(t)
		fill := b.resources()
		list := b.bulk(200, fill.Replace(`
			{"method":"PATCH","path":"/Users/bulkId:al","data":{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":"BULKID:bo","$ref":"../Users/bulkId:bo"}}]}},
			`+alice+`,{"method":"POST","path":"/Users","bulkId":"bo","data":{"userName":"bob","displayName":"say \"bulkId:nobody\"","title":"my bulkId:al"}},
			{"method":"PATCH","path":"/Groups/{group1}","data":{"Operations":[{"op":"add","path":"members","value":[{"$ref":"https://muster.example/c/idp/scim/v2/Users/bulkId:al"},{"value":"bulkId:bo"}]},
				{"op":"remove","path":"members[value eq \"bulkId:bo\"]"}]}}`))
		if got := statuses(list); got != "200 201 201 204" {
			t.Fatal(list)
		}
		al, bo := idOf(list[1]), idOf(list[2])
		a := b.scim("GET", "/Users/"+al, "")
		manager, _ := at(a.json, []any{enterpriseURN, "manager"}).(map[string]any)
		if manager["value"] != bo || manager["$ref"] != "../Users/"+bo || idOf(list[0]) != al {
			t.Error(a.text)
		}
		if a := b.scim("GET", "/Users/"+bo, ""); a.json["displayName"] != `say "bulkId:nobody"` || a.json["title"] != "my bulkId:al" {
			t.Error(a.text)
		}
		a = b.scim("GET", fill.Replace("/Groups/{group1}"), "")
		if !strings.Contains(a.text, al) || strings.Contains(a.text, bo) {
			t.Error(a.text)
		}
	})
	t.Run("in a circle", func(t *testing.T) {
		b := newBed(t)
		const manager = enterprise + `:{"department":"D","manager":{"value":"bulkId:%s"}}`
		list := b.bulk(200, `
			{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"a",`+fmt.Sprintf(manager, "b")+`}},
			{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"b","roles":["r","bulkId:c"],`+fmt.Sprintf(manager, "c")+`}},
			{"method":"POST","path":"/Users","bulkId":"c","data":{"userName":"c",`+fmt.Sprintf(manager, "a")+`}},
			{"method":"POST","path":"/Users","bulkId":"d","data":{"userName":"d",`+fmt.Sprintf(manager, "d")+`}}`)
		if got := statuses(list); got != "201 201 201 201" {
			t.Fatal(list)
		}
		for i, of := range []int{1, 2, 0, 3} {
			a := b.want(200, b.scim("GET", "/Users/"+idOf(list[i]), ""))
			if at(a.json, []any{enterpriseURN, "manager", "value"}) != idOf(list[of]) || at(a.json, []any{enterpriseURN, "department"}) != "D" || a.header.Get("ETag") != at(list[i], "version") {
				t.Errorf("%v: %s", list[i], a.text)
			}
			if i == 1 && at(a.json, []any{"roles", 1.0, "value"}) != idOf(list[2]) {
				t.Error(a.text)
			}
		}
	})
	t.Run("groups in a circle are refused", func(t *testing.T) {
		b := newBed(t)
		list := b.bulk(200, `
			{"method":"POST","path":"/Groups","bulkId":"a","data":{"displayName":"a","members":[{"value":"bulkId:b"}]}},
			{"method":"POST","path":"/Groups","bulkId":"b","data":{"displayName":"b","members":[{"value":"bulkId:a"}]}}`)
		if got := statuses(list); got != "201 400" || at(list[1], "response.scimType") != "invalidValue" || at(list[1], "location") == nil {
			t.Error(list)
		}
	})
}

func TestOperationsOfABulkFailByThemselves(t *testing.T) {
	b := newBed(t)
	fill := b.resources()
	list := b.bulk(200, fill.Replace(`
		{"method":"POST","path":"/Users","bulkId":"1","data":{"userName":"USER-ONE@acme.example"}},
		{"method":"POST","path":"/Groups","bulkId":"2","data":{"displayName":"g","members":[{"value":"bulkId:1"}]}},
		{"method":"POST","path":"/Users","bulkId":"3","data":{"userName":7}},
		{"method":"PUT","path":"/Users/{user1}","version":"W/\"old\"","data":{"userName":"x"}},
		{"method":"DELETE","path":"/Users/nobody"},
		{"method":"GET","path":"/Users/{user1}"},
		{"method":"POST","path":"/Roles","data":{}},
		{"method":"POST","path":"/Users/{user1}","data":{}},
		{"method":"POST","path":"/Users"},
		{"method":"PATCH","path":"/Users/{user1}","data":{"Operations":[{"op":"replace","path":"title","value":"bulkId:none"}]}},
		{"method":"POST","path":"/Bulk","data":{"Operations":[]}},
		{"path":"/Users","data":{"userName":"y"}},
		{"method":"POST","path":"/Users","data":{"userName":"fine"}},
		{"method":"PUT","path":"/Users/{user2}","data":[]}`))
	if got := statuses(list); got != "409 409 400 412 404 405 404 405 400 400 404 405 201 400" {
		t.Fatalf("%s: %v", got, list)
	}
	for i, want := range []any{"uniqueness", nil, "invalidValue", nil, nil, nil, nil, nil, "invalidSyntax", "invalidValue"} {
		op, _ := list[i].(map[string]any)
		if at(op, "response.scimType") != want || at(op, "response.status") != op["status"] || at(op, []any{"response", "schemas", 0.0}) != "urn:ietf:params:scim:api:messages:2.0:Error" {
			t.Errorf("%d: %v", i, op)
		}
		if (op["location"] == nil) != (op["method"] == "POST") {
			t.Errorf("%d: location %v", i, op)
		}
	}
}

func TestABulkStopsAfterSoManyErrors(t *testing.T) { // RFC 7644 §3.7.3
	for most, want := range map[string]string{"": "201 400 201 400 201", `"failOnErrors":1,`: "201 400", `"failOnErrors":2,`: "201 400 201 400", `"failOnErrors":9,`: "201 400 201 400 201"} {
		b := newBed(t)
		a := b.want(200, b.scim("POST", "/Bulk", `{`+most+`"Operations":[{"method":"POST","path":"/Users","data":{"userName":"a"}},{"method":"POST","path":"/Users","data":{}},
			{"method":"POST","path":"/Users","data":{"userName":"c"}},{"method":"POST","path":"/Users","data":{}},{"method":"POST","path":"/Users","data":{"userName":"e"}}]}`))
		if got := statuses(a.json["Operations"].([]any)); got != want {
			t.Errorf("%s %s", most, got)
		}
		if n := b.total("/Users"); n != strings.Count(want, "201") {
			t.Errorf("%s left %d users", most, n)
		}
	}
}

func TestABulkThatIsNoneIsRefusedWhole(t *testing.T) {
	b := newBed(t)
	b.serve(Options{MaxBulkOperations: 3, MaxBulkBody: 1000})
	const one = `{"method":"POST","path":"/Users","bulkId":"%s","data":{"userName":"%s"}}`
	for body, status := range map[string]int{
		``: 400, `{}`: 400, `{"Operations":[]}`: 400, `{"Operations":{}}`: 400, `{"Operations":[1]}`: 400, `{"Operations":[{"method":7}]}`: 400,
		`{"failOnErrors":"x","Operations":[` + fmt.Sprintf(one, "a", "a") + `]}`:                             400,
		`{"failOnErrors":0,"Operations":[` + fmt.Sprintf(one, "a", "a") + `]}`:                               400,
		`{"Operations":[` + fmt.Sprintf(one, "a", "a") + `,` + fmt.Sprintf(one, "a", "b") + `]}`:             400,
		`{"Operations":[` + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(one, "", "a")+",", 4), ",") + `]}`: 413,
		`{"Operations":[` + fmt.Sprintf(one, "a", strings.Repeat("a", 1000)) + `]}`:                          413,
	} {
		b.want(status, b.scim("POST", "/Bulk", body))
	}
	if n := b.total("/Users"); n != 0 {
		t.Errorf("%d users were made", n)
	}
	b.want(415, b.scim("POST", "/Bulk", `{}`, "Content-Type", "text/plain"))
	b.want(501, b.send("POST", "/o/acme/scim/v2/Bulk", `{}`, "Authorization", "Bearer "+appToken))
	b.bulk(200, fmt.Sprintf(one, "a", "a"))
}

// A long chain of references is followed, and each operation runs once.
func TestALongChainOfReferences(t *testing.T) {
	b := newBed(t)
	var operations []string
	for i := range 1000 {
		operations = append(operations, fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"u%d",%s:{"manager":"bulkId:%d"}}}`, i, i, enterprise, (i+1)%1000))
	}
	list := b.bulk(200, strings.Join(operations, ","))
	if len(list) != 1000 || strings.Trim(statuses(list), "201 ") != "" {
		t.Fatal(statuses(list))
	}
	for _, i := range []int{0, 500, 999} {
		a := b.scim("GET", "/Users/"+idOf(list[i]), "")
		if at(a.json, []any{enterpriseURN, "manager", "value"}) != idOf(list[(i+1)%1000]) {
			t.Error(a.text)
		}
	}
	if n := b.total("/Users"); n != 1000 {
		t.Errorf("%d users", n)
	}
}
