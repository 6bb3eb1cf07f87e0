package scim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fixture is one request of a client; see testdata/scim/README.md.
type fixture struct {
	Client, Purpose, Method, Path string
	Headers                       map[string]string
	Body                          json.RawMessage
	Expect                        any `json:"expect_status"`
	Check                         *struct {
		Self   bool
		Get    string
		Status int
		Test   [][]any
	}
}

func fixtures(t testing.TB, file string) []fixture {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []fixture
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var f fixture
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

// Every request of every client gets its answer and has its effect, on a
// connection of that client's preset and on resources of its own.
func TestRequestsOfClients(t *testing.T) {
	files, err := filepath.Glob("../testdata/scim/*/requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		client := filepath.Base(filepath.Dir(file))
		for i, f := range fixtures(t, file) {
			count++
			t.Run(fmt.Sprintf("%s/%d %s", client, i+1, f.Purpose), func(t *testing.T) { replay(t, client, f) })
		}
	}
	if count != 76 {
		t.Errorf("%d requests were found", count)
	}
}

func replay(t *testing.T, client string, f fixture) {
	b := newBed(t, connectionFor(client))
	fill := b.resources()
	var headers []string
	for name, value := range f.Headers {
		headers = append(headers, name, fill.Replace(value))
	}
	body := ""
	if len(f.Body) > 0 && string(f.Body) != "null" {
		body = fill.Replace(string(f.Body))
	}
	before := b.total("/Users") + b.total("/Groups")
	a := b.scim(f.Method, fill.Replace(f.Path), body, headers...)
	if !expected(f.Expect, a.status) {
		t.Fatalf("answered %d %s", a.status, a.text)
	}
	if after := b.total("/Users") + b.total("/Groups"); a.status >= 400 && after != before {
		t.Error("a refused request has an effect")
	}
	if f.Check == nil {
		return
	}
	if !f.Check.Self {
		a = b.scim("GET", fill.Replace(f.Check.Get), "")
		if want := max(f.Check.Status, 200); f.Check.Status != 0 && a.status != want {
			t.Errorf("afterwards %d %s", a.status, a.text)
		}
	}
	for _, test := range f.Check.Test {
		if fault := verify(a.json, test, fill); fault != "" {
			t.Errorf("%s in %s", fault, a.text)
		}
	}
}

// resources makes what the placeholders stand for.
func (b *bed) resources() *strings.Replacer {
	user := func(name string) string {
		return b.make("/Users", `{"userName":"`+name+`@acme.example","externalId":"ext-`+name+`","displayName":"`+name+`","active":true,
			"name":{"givenName":"Test","familyName":"User"},"emails":[{"value":"`+name+`.mail@acme.example","type":"work","primary":true}]}`)
	}
	user1, user2, manager := user("User-One"), user("user-two"), user("manager")
	group1 := b.make("/Groups", `{"displayName":"Group One","externalId":"g1","members":[{"value":"`+user1+`"},{"value":"`+manager+`"}]}`)
	return strings.NewReplacer("{user1}", user1, "{user2}", user2, "{manager}", manager, "{group1}", group1,
		"{userName1}", "User-One@acme.example", "{USERNAME1}", "USER-ONE@ACME.EXAMPLE", "{email1}", "User-One.mail@acme.example",
		"{ext1}", "ext-User-One", "{groupName}", "Group One", "{uniq}", "u7")
}

func expected(want any, status int) bool {
	if list, ok := want.([]any); ok {
		return slices.ContainsFunc(list, func(w any) bool { return w == float64(status) })
	}
	return want == float64(status)
}

// verify runs one test of a fixture and says what is wrong.
func verify(doc map[string]any, test []any, fill *strings.Replacer) string {
	got := at(doc, test[0])
	op, _ := test[1].(string)
	var want any
	if len(test) > 2 {
		text, _ := json.Marshal(test[2])
		if err := json.Unmarshal([]byte(fill.Replace(string(text))), &want); err != nil {
			return err.Error()
		}
	}
	list, _ := got.([]any)
	has := slices.ContainsFunc(list, func(m any) bool { o, _ := m.(map[string]any); return o["value"] == want })
	ok := false
	switch op {
	case "eq":
		ok = reflect.DeepEqual(got, want)
	case "oneof":
		ok = slices.Contains(want.([]any), got)
	case "absent":
		ok = got == nil
	case "has":
		ok = has
	case "hasnot":
		ok = !has
	case "len":
		ok = float64(len(list)) == want
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("%v is %v, not %s %v", test[0], got, op, want)
}

// at follows a path: names joined by dots, or a list of names, positions and
// objects that an element must contain.
func at(doc any, path any) any {
	steps, ok := path.([]any)
	if !ok {
		for _, name := range strings.Split(path.(string), ".") {
			steps = append(steps, name)
		}
	}
	for _, step := range steps {
		list, _ := doc.([]any)
		switch step := step.(type) {
		case string:
			object, _ := doc.(map[string]any)
			doc = object[step]
		case float64:
			if doc = nil; int(step) < len(list) {
				doc = list[int(step)]
			}
		case map[string]any:
			doc = nil
			for _, e := range list {
				if o, _ := e.(map[string]any); doc == nil && contains(o, step) {
					doc = e
				}
			}
		}
	}
	return doc
}

func contains(o, part map[string]any) bool {
	for name, v := range part {
		if o[name] != v {
			return false
		}
	}
	return o != nil
}
