package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

// asJSON is what a user with these attributes looks like to a client, without
// id, schemas and meta.
func asJSON(t *testing.T, x *index, own directory.Attributes) map[string]any {
	t.Helper()
	text := view{x: x}.user(nil, &directory.Profile{Attributes: own})
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, name := range []string{"id", "schemas", "meta"} {
		delete(m, name)
	}
	return m
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

func rootOf(t *testing.T, text string) node {
	t.Helper()
	doc, err := readJSON(text, nil)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return node{doc, 0}
}

// created is a resource as POST makes it.
func created(t *testing.T, x *index, text string) directory.Attributes {
	t.Helper()
	p := newProgram(x, 16, nil)
	if err := p.readUser(rootOf(t, text)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	own, err := p.run(nil, true)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return own
}

// patched applies operations; scimType is what refuses them, "" when they work.
func patched(t *testing.T, x *index, own directory.Attributes, operations string, create bool) (directory.Attributes, string) {
	t.Helper()
	before := own.Clone()
	p := newProgram(x, 16, nil)
	err := p.readPatch(rootOf(t, `{"Operations":[`+operations+`]}`))
	if err == nil {
		out, err2 := p.run(own, create)
		again, err3 := p.run(own, create)
		if !out.Equal(again) || (err2 == nil) != (err3 == nil) {
			t.Errorf("%s: the second run gives something else", operations)
		}
		err, own = err2, out
	}
	if !before.Equal(before) {
		t.Errorf("%s changed its input", operations)
	}
	if f, ok := errors.AsType[fault](err); ok {
		return nil, string(f.ScimType)
	}
	if err != nil {
		t.Fatalf("%s: %v", operations, err)
	}
	return own, ""
}

const someone = `{"userName":"babs","active":true,"externalId":"e1","displayName":"Babs","name":{"givenName":"Barbara","familyName":"Jensen"},
	"emails":[{"value":"w@a.example","type":"work","primary":true},{"value":"h@a.example","type":"home"}],
	"roles":[{"value":"reader"}],
	"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Tools","manager":{"value":"m1","displayName":"Max"}}}`

const enterprise = `"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`

var patches = []struct {
	name, operations string
	// want are the attributes that differ from someone; null means gone.
	want, scimType string
	create         bool
}{
	// RFC 7644 §3.5.2.1
	{name: "add sets a missing attribute", operations: `{"op":"add","path":"nickName","value":"B"}`, want: `{"nickName":"B"}`},
	{name: "add replaces a single value", operations: `{"op":"add","path":"displayName","value":"B"}`, want: `{"displayName":"B"}`},
	{name: "add without path adds each attribute", operations: `{"op":"add","value":{"nickName":"B","title":"T","roles":[{"value":"writer"}]}}`,
		want: `{"nickName":"B","title":"T","roles":[{"value":"reader"},{"value":"writer"}]}`},
	{name: "add appends to a list", operations: `{"op":"add","path":"roles","value":[{"value":"writer"}]}`, want: `{"roles":[{"value":"reader"},{"value":"writer"}]}`},
	{name: "add of a present value changes nothing", operations: `{"op":"add","path":"roles","value":[{"value":"reader"}]}`, want: `{}`},
	{name: "add of a new primary takes the mark from the old", operations: `{"op":"add","path":"emails","value":{"value":"n@a.example","type":"other","primary":true}}`,
		want: `{"emails":[{"value":"w@a.example","type":"work","primary":false},{"value":"h@a.example","type":"home"},{"value":"n@a.example","type":"other","primary":true}]}`},
	{name: "add to name keeps its other parts", operations: `{"op":"add","path":"name","value":{"middleName":"J"}}`,
		want: `{"name":{"givenName":"Barbara","familyName":"Jensen","middleName":"J"}}`},
	{name: "add of nothing changes nothing", operations: `{"op":"add","path":"displayName","value":null},{"op":"add","path":"roles","value":[]}`, want: `{}`},
	{name: "add to selected elements", operations: `{"op":"add","path":"emails[type eq \"work\"]","value":{"display":"W"}}`,
		want: `{"emails":[{"value":"w@a.example","type":"work","primary":true,"display":"W"},{"value":"h@a.example","type":"home"}]}`},
	{name: "add to a selected element that is not there makes it", operations: `{"op":"Add","path":"phoneNumbers[type eq \"mobile\"].value","value":"555"}`,
		want: `{"phoneNumbers":[{"type":"mobile","value":"555"}]}`},
	{name: "add to an address that is not there makes it", operations: `{"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"Main St"}`,
		want: `{"addresses":[{"type":"work","formatted":"Main St"}]}`},
	{name: "add cannot make an element from a filter that is no equality", operations: `{"op":"add","path":"emails[type co \"x\"].value","value":"a"}`, scimType: "noTarget"},
	// RFC 7644 §3.5.2.2
	{name: "remove an attribute", operations: `{"op":"remove","path":"displayName"}`, want: `{"displayName":null}`},
	{name: "remove a list", operations: `{"op":"remove","path":"emails"}`, want: `{"emails":null}`},
	{name: "remove a part of the name", operations: `{"op":"remove","path":"name.givenName"}`, want: `{"name":{"familyName":"Jensen"}}`},
	{name: "remove the name", operations: `{"op":"remove","path":"name"}`, want: `{"name":null}`},
	{name: "remove a selected element", operations: `{"op":"remove","path":"emails[type eq \"home\"]"}`, want: `{"emails":[{"value":"w@a.example","type":"work","primary":true}]}`},
	{name: "remove the last selected element", operations: `{"op":"remove","path":"roles[value eq \"reader\"]"}`, want: `{"roles":null}`},
	{name: "remove a field of a selected element", operations: `{"op":"remove","path":"emails[type eq \"work\"].primary"}`,
		want: `{"emails":[{"value":"w@a.example","type":"work"},{"value":"h@a.example","type":"home"}]}`},
	{name: "an element without its value goes", operations: `{"op":"Remove","path":"emails[type eq \"work\"].value","value":"other@example.org"}`,
		want: `{"emails":[{"value":"h@a.example","type":"home"}]}`},
	{name: "remove of nothing succeeds", operations: `{"op":"remove","path":"nickName"},{"op":"remove","path":"ims[type eq \"x\"].type"}`, want: `{}`},
	{name: "remove with a list takes only those", operations: `{"op":"remove","path":"emails","value":[{"value":"h@a.example"}]}`,
		want: `{"emails":[{"value":"w@a.example","type":"work","primary":true}]}`},
	{name: "remove with a bare value takes only that", operations: `{"op":"remove","path":"emails","value":"w@a.example"}`, want: `{"emails":[{"value":"h@a.example","type":"home"}]}`},
	{name: "remove without a path", operations: `{"op":"remove"}`, scimType: "noTarget"},
	{name: "remove an extension", operations: `{"op":"remove","path":` + enterprise + `}`, want: `{` + enterprise + `:null}`},
	// RFC 7644 §3.5.2.3
	{name: "replace a value", operations: `{"op":"replace","path":"userName","value":"b"}`, want: `{"userName":"b"}`},
	{name: "replace a missing value adds it", operations: `{"op":"replace","path":"title","value":"T"}`, want: `{"title":"T"}`},
	{name: "replace a list", operations: `{"op":"replace","path":"emails","value":[{"value":"n@a.example"}]}`, want: `{"emails":[{"value":"n@a.example"}]}`},
	{name: "replace keeps the other parts of a name", operations: `{"op":"replace","path":"name","value":{"familyName":"Doe"}}`, want: `{"name":{"givenName":"Barbara","familyName":"Doe"}}`},
	{name: "replace a field of a selected element", operations: `{"op":"Replace","path":"emails[type eq \"work\"].value","value":"n@a.example"}`,
		want: `{"emails":[{"value":"n@a.example","type":"work","primary":true},{"value":"h@a.example","type":"home"}]}`},
	{name: "replace a selected element keeps what selects it", operations: `{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"n@a.example"}}`,
		want: `{"emails":[{"value":"n@a.example","type":"work"},{"value":"h@a.example","type":"home"}]}`},
	{name: "replace moves the primary mark", operations: `{"op":"replace","path":"emails[type eq \"home\"].primary","value":true}`,
		want: `{"emails":[{"value":"w@a.example","type":"work","primary":false},{"value":"h@a.example","type":"home","primary":true}]}`},
	{name: "replace of nothing selected", operations: `{"op":"replace","path":"emails[type eq \"other\"].value","value":"n@a.example"}`, scimType: "noTarget"},
	{name: "replace of nothing selected, for Entra ID", create: true, operations: `{"op":"Replace","path":"emails[type eq \"other\"].value","value":"n@a.example"}`,
		want: `{"emails":[{"value":"w@a.example","type":"work","primary":true},{"value":"h@a.example","type":"home"},{"value":"n@a.example","type":"other"}]}`},
	{name: "replace with null unsets", operations: `{"op":"replace","path":"displayName","value":null}`, want: `{"displayName":null}`},
	{name: "replace with an empty list unsets", operations: `{"op":"replace","path":"roles","value":[]}`, want: `{"roles":null}`},
	{name: "replace with an empty string unsets", operations: `{"op":"replace","path":"displayName","value":""}`, want: `{"displayName":null}`},
	{name: "a boolean compared as a string selects", operations: `{"op":"replace","path":"emails[primary eq \"True\"].value","value":"n@a.example"}`,
		want: `{"emails":[{"value":"n@a.example","type":"work","primary":true},{"value":"h@a.example","type":"home"}]}`},
	{name: "roles by a boolean filter, for Entra ID", create: true, operations: `{"op":"add","path":"roles[primary eq \"True\"].value","value":"admin"}`,
		want: `{"roles":[{"value":"reader"},{"primary":true,"value":"admin"}]}`},
	{name: "operations work one after another", operations: `{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":[{"value":"n@a.example"}]},{"op":"replace","path":"emails[value eq \"n@a.example\"].type","value":"work"}`,
		want: `{"emails":[{"value":"n@a.example","type":"work"}]}`},
	// dialects
	{name: "op in any case", operations: `{"op":"REPLACE","path":"displayName","value":"B"}`, want: `{"displayName":"B"}`},
	{name: "names in any case", operations: `{"op":"replace","path":"NAME.GIVENNAME","value":"B"},{"op":"replace","path":"URN:IETF:params:scim:schemas:extension:ENTERPRISE:2.0:User:Department","value":"D"}`,
		want: `{"name":{"givenName":"B","familyName":"Jensen"},` + enterprise + `:{"department":"D","manager":{"value":"m1","displayName":"Max"}}}`},
	{name: "keys that are paths", operations: `{"op":"replace","value":{"name.givenName":"K","emails[type eq \"work\"].value":"n@a.example","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"7"}}`,
		want: `{"name":{"givenName":"K","familyName":"Jensen"},"emails":[{"value":"n@a.example","type":"work","primary":true},{"value":"h@a.example","type":"home"}],` + enterprise + `:{"department":"Tools","employeeNumber":"7","manager":{"value":"m1","displayName":"Max"}}}`},
	{name: "an extension as a key", operations: `{"op":"add","value":{` + enterprise + `:{"department":"D","costCenter":"9"}}}`,
		want: `{` + enterprise + `:{"department":"D","costCenter":"9","manager":{"value":"m1","displayName":"Max"}}}`},
	{name: "an extension as a path", operations: `{"op":"add","path":` + enterprise + `,"value":{"department":"D"}}`,
		want: `{` + enterprise + `:{"department":"D","manager":{"value":"m1","displayName":"Max"}}}`},
	{name: "active as a string", operations: `{"op":"Replace","path":"active","value":"False"}`, want: `{"active":false}`},
	{name: "active without a path", operations: `{"op":"replace","value":{"active":"false"}}`, want: `{"active":false}`},
	{name: "manager as a string", operations: `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"m2"}`,
		want: `{` + enterprise + `:{"department":"Tools","manager":{"value":"m2"}}}`},
	{name: "manager as a list", operations: `{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":[{"$ref":"../Users/m2","value":"m2"}]}`,
		want: `{` + enterprise + `:{"department":"Tools","manager":{"value":"m2","$ref":"../Users/m2"}}}`},
	{name: "manager by its id", operations: `{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"managerId":"m2"}}`,
		want: `{` + enterprise + `:{"department":"Tools","manager":{"value":"m2"}}}`},
	{name: "an empty manager goes", operations: `{"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":""}`, want: `{` + enterprise + `:{"department":"Tools"}}`},
	{name: "an empty manager object goes", operations: `{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":{"value":""}}`, want: `{` + enterprise + `:{"department":"Tools"}}`},
	{name: "manager.value", operations: `{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value","value":"m2"}`,
		want: `{` + enterprise + `:{"department":"Tools","manager":{"value":"m2"}}}`},
	{name: "a list as one object", operations: `{"op":"replace","path":"emails","value":{"value":"n@a.example","type":"work","primary":true}}`, want: `{"emails":[{"value":"n@a.example","type":"work","primary":true}]}`},
	{name: "a list of bare values", operations: `{"op":"replace","path":"roles","value":["a","b"]}`, want: `{"roles":[{"value":"a"},{"value":"b"}]}`},
	{name: "one operation instead of a list", operations: `{"op":"replace","value":{"displayName":"B"}}`, want: `{"displayName":"B"}`},
	{name: "unknown attributes are ignored", operations: `{"op":"replace","path":"favouriteColour","value":"red"},{"op":"add","path":"urn:x:y:2.0:User:tag","value":"z"},{"op":"replace","value":{"x":1,"emails.foo":2}}`, want: `{}`},
	{name: "read-only members of a value are ignored", operations: `{"op":"replace","value":{"id":"x","meta":{},"groups":[],"schemas":[],"displayName":"B"}}`, want: `{"displayName":"B"}`},
	{name: "password is dropped", operations: `{"op":"replace","path":"password","value":"x"}`, want: `{}`},
	{name: "a licence is an entitlement", operations: `{"op":"add","path":"entitlements","value":[{"type":"license","value":"full"},{"value":"e"}]},{"op":"add","path":"entitlements","value":{"type":"license","value":"lite"}}`,
		want: `{"entitlements":[{"value":"e"},{"type":"license","value":"lite"}]}`},
	{name: "a licence goes by its filter", operations: `{"op":"add","path":"entitlements","value":{"type":"license","value":"full"}},{"op":"remove","path":"entitlements[type eq \"license\"]"}`, want: `{}`},
	// refusals
	{name: "an unknown op", operations: `{"op":"move","path":"displayName"}`, scimType: "invalidSyntax"},
	{name: "a missing op", operations: `{"path":"displayName","value":"x"}`, scimType: "invalidSyntax"},
	{name: "an operation that is no object", operations: `"replace"`, scimType: "invalidSyntax"},
	{name: "a path that is none", operations: `{"op":"replace","path":"emails[","value":"x"}`, scimType: "invalidPath"},
	{name: "a path that is no string", operations: `{"op":"replace","path":7,"value":"x"}`, scimType: "invalidPath"},
	{name: "a value filter on a single value", operations: `{"op":"replace","path":"displayName[value eq \"x\"]","value":"x"}`, scimType: "invalidPath"},
	{name: "a value that is no object without a path", operations: `{"op":"replace","value":"x"}`, scimType: "invalidValue"},
	{name: "a read-only path", operations: `{"op":"replace","path":"id","value":"x"}`, scimType: "mutability"},
	{name: "a read-only path in parts", operations: `{"op":"replace","path":"meta.created","value":"x"}`, scimType: "mutability"},
	{name: "groups of a user", operations: `{"op":"add","path":"groups","value":[{"value":"x"}]}`, scimType: "mutability"},
	{name: "a number for a string", operations: `{"op":"replace","path":"displayName","value":7}`, scimType: "invalidValue"},
	{name: "an object for a string", operations: `{"op":"replace","path":"displayName","value":{"a":"b"}}`, scimType: "invalidValue"},
	{name: "a string for a boolean", operations: `{"op":"replace","path":"active","value":"yes"}`, scimType: "invalidValue"},
	{name: "a string for a name", operations: `{"op":"replace","path":"name","value":"Babs"}`, scimType: "invalidValue"},
	{name: "a number for an e-mail", operations: `{"op":"replace","path":"emails","value":[7]}`, scimType: "invalidValue"},
	{name: "two licences", operations: `{"op":"replace","path":"entitlements","value":[{"type":"license","value":"a"},{"type":"License","value":"b"}]}`, scimType: "invalidValue"},
	{name: "no base64", operations: `{"op":"replace","path":"x509Certificates","value":[{"value":"***"}]}`, scimType: "invalidValue"},
	{name: "a later operation fails the earlier ones", operations: `{"op":"replace","path":"displayName","value":"B"},{"op":"replace","path":"emails[type eq \"x\"].value","value":"x"}`, scimType: "noTarget"},
}

func TestPatch(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	for _, tc := range patches {
		t.Run(tc.name, func(t *testing.T) {
			before := created(t, x, someone)
			own, scimType := patched(t, x, before, tc.operations, tc.create)
			if scimType != tc.scimType {
				t.Fatalf("refused by %q, not %q", scimType, tc.scimType)
			}
			if scimType != "" {
				return
			}
			want := asJSON(t, x, before)
			for name, value := range parsed(t, tc.want) {
				want[name] = value
				if value == nil {
					delete(want, name)
				}
			}
			if diff := cmp.Diff(want, asJSON(t, x, own)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPatchBoundsItsWork(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	own := created(t, x, someone)
	list := ""
	for i := range 1500 {
		list += `,{"value":"r` + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + `"}`
	}
	own, _ = patched(t, x, own, `{"op":"add","path":"roles","value":[`+list[1:]+`]}`, false)
	operations := ""
	for range 600 {
		operations += `,{"op":"remove","path":"roles[value eq \"a\" or value eq \"b\" or value eq \"c\" or value eq \"d\" or value eq \"e\"]"}`
	}
	if _, scimType := patched(t, x, own, operations[1:], false); scimType != "tooMany" {
		t.Errorf("refused by %q", scimType)
	}
	if _, scimType := patched(t, x, own, `{"op":"replace","path":"ims","value":[`+list[1:]+list+`]}`, false); scimType != "invalidValue" {
		t.Errorf("more values than are kept are refused by %q", scimType)
	}
}

func profileOf(own directory.Attributes) *directory.Profile {
	return &directory.Profile{Attributes: own}
}

// Each body is of an allowed size. Compared pair by pair the first alone kept
// one transaction, and with it every writer of the store, for two minutes.
func TestNoBodyCostsMoreThanItsSize(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	some := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ",")
	}
	full, _ := patched(t, x, created(t, x, someone), `{"op":"replace","path":"roles","value":[`+some(maxValues, `"r%d"`)+`]}`, false)
	if v, _ := full.Get("roles"); len(v) != maxValues {
		t.Fatalf("%d roles were kept", len(v))
	}
	for name, tc := range map[string]struct{ operations, scimType string }{
		"bare values":        {`{"op":"add","path":"emails","value":[` + some(100_000, `"%d"`) + `]}`, "invalidValue"},
		"primary values":     {`{"op":"add","path":"emails","value":[` + some(25_000, `{"value":"%d","primary":true}`) + `]}`, "invalidValue"},
		"values to remove":   {`{"op":"remove","path":"roles","value":[` + some(100_000, `"%d"`) + `]}`, "invalidValue"},
		"values on top":      {`{"op":"add","path":"roles","value":[` + some(maxValues, `"x%d"`) + `]}`, "invalidValue"},
		"the same again":     {some(200, `{"op":"add","path":"roles","value":"r%d"}`), ""},
		"all marked primary": {some(10_000, `{"op":"replace","path":"roles.primary","value":"true","n":%d}`), "tooMany"},
	} {
		start := time.Now()
		if _, scimType := patched(t, x, full, tc.operations, false); scimType != tc.scimType {
			t.Errorf("%s: refused by %q, not %q", name, scimType, tc.scimType)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %s", name, took)
		}
	}
}

func TestManyValuesAreAddedAsFewAre(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	own := created(t, x, someone)
	values := []string{`{"value":"1","type":"home"}`, `{"value":"1","type":"home","display":"one"}`, `{"value":"1"}`, `{"value":"2","primary":true}`,
		`{"value":"1","display":"bare"}`, `{"display":"no value"}`, `{"display":"no value"}`, `{"value":"2","primary":true}`}
	together, _ := patched(t, x, own, `{"op":"add","path":"ims","value":[`+strings.Join(values, ",")+`]}`, false)
	apart := ""
	for _, v := range values {
		apart += `,{"op":"add","path":"ims","value":` + v + `}`
	}
	one, _ := patched(t, x, own, apart[1:], false)
	if diff := cmp.Diff(asJSON(t, x, one), asJSON(t, x, together)); diff != "" || len(values) <= fewValues {
		t.Error(diff)
	}
}
