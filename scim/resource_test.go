package scim

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

func TestUserComesBackAsItWasSent(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	text := `{"userName":"babs","active":true,"externalId":"e1","name":{"formatted":"B J","givenName":"B\"ärbel","familyName":"J"},
		"displayName":"B","nickName":"n","profileUrl":"https://x.example/","title":"t","userType":"u","preferredLanguage":"de","locale":"de-DE","timezone":"Europe/Berlin",
		"emails":[{"value":"b@a.example","type":"work","primary":true,"display":"d"}],"phoneNumbers":[{"value":"1"}],"ims":[{"value":"i"}],"photos":[{"value":"https://x.example/p"}],
		"addresses":[{"formatted":"f","streetAddress":"s","locality":"l","region":"r","postalCode":"p","country":"DE","type":"work","primary":true}],
		"entitlements":[{"value":"e"},{"value":"full","type":"license"}],"roles":[{"value":"r","type":"t"}],"x509Certificates":[{"value":"AAEC"}],
		` + enterprise + `:{"employeeNumber":"1","costCenter":"2","organization":"3","division":"4","department":"5","manager":{"value":"m","$ref":"../Users/m","displayName":"M"}},
		"urn:muster:params:scim:schemas:acme:2.0:User":{"seats":7,"ratio":0.5,"since":"2024-01-01T00:00:00Z","remote":true,"location":"Berlin","tags":[{"value":"a"},{"value":"b","type":"t"}]}}`
	own := created(t, x, text)
	if diff := cmp.Diff(parsed(t, text), asJSON(t, x, own)); diff != "" {
		t.Error(diff)
	}
	if got := own.Text(directory.License); got != "full" {
		t.Errorf("license is %q", got)
	}
}

func TestUserDialects(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	cases := map[string]struct{ body, want string }{
		"nulls and empty lists are unset":  {`{"userName":"b","title":null,"roles":[],"addresses":[{"country":null,"type":"other","primary":false}],"name":{"honorificPrefix":null,"familyName":"F"}}`, `{"userName":"b","name":{"familyName":"F"}}`},
		"names in any case":                {`{"USERNAME":"b","Emails":[{"Primary":true,"VALUE":"x@a.example"}],` + enterprise + `:{"Department":"d","Manager":{"Value":"m"}}}`, `{"userName":"b","emails":[{"primary":true,"value":"x@a.example"}],` + enterprise + `:{"department":"d","manager":{"value":"m"}}}`},
		"booleans as strings":              {`{"userName":"b","active":"TRUE","emails":[{"value":"x","primary":"False"}]}`, `{"userName":"b","active":true,"emails":[{"value":"x","primary":false}]}`},
		"booleans as digits in strings":    {`{"userName":"b","active":"0"}`, `{"userName":"b","active":false}`},
		"one object instead of a list":     {`{"userName":"b","emails":{"value":"x"}}`, `{"userName":"b","emails":[{"value":"x"}]}`},
		"bare values instead of objects":   {`{"userName":"b","emails":["x","y"],"roles":"r"}`, `{"userName":"b","emails":[{"value":"x"},{"value":"y"}],"roles":[{"value":"r"}]}`},
		"SCIM 1.1 extension":               {`{"userName":"b","urn:scim:schemas:extension:enterprise:1.0":{"department":"d","manager":{"managerId":"m","displayName":" "}}}`, `{"userName":"b",` + enterprise + `:{"department":"d","manager":{"value":"m"}}}`},
		"extension in any case":            {`{"userName":"b","URN:IETF:PARAMS:SCIM:SCHEMAS:EXTENSION:ENTERPRISE:2.0:USER":{"department":"d"}}`, `{"userName":"b",` + enterprise + `:{"department":"d"}}`},
		"an extension attribute by itself": {`{"userName":"b","department":"d"}`, `{"userName":"b",` + enterprise + `:{"department":"d"}}`},
		"dotted keys":                      {`{"userName":"b","name.givenName":"g","emails[type eq \"work\"].value":"x"}`, `{"userName":"b","name":{"givenName":"g"},"emails":[{"type":"work","value":"x"}]}`},
		"unknown and read-only attributes": {`{"userName":"b","id":null,"meta":{"a":1},"groups":[{"value":"g"}],"password":"p","shoe":{"size":[1]},"urn:x:1.0":{"a":1},"a b":1,"emails":[{"value":"x","y":{}}]}`, `{"userName":"b","emails":[{"value":"x"}]}`},
		"two primaries":                    {`{"userName":"b","emails":[{"value":"x","primary":true},{"value":"y","primary":true}]}`, `{"userName":"b","emails":[{"value":"x","primary":true},{"value":"y","primary":false}]}`},
		"a date-time without a colon":      {`{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"since":"2024-04-10T00:00:00+0000"}}`, `{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"since":"2024-04-10T00:00:00Z"}}`},
		"numbers in strings":               {`{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"seats":"7"}}`, `{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"seats":7}}`},
		"bare values of a custom list":     {`{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"tags":["x"]}}`, `{"userName":"b","urn:muster:params:scim:schemas:acme:2.0:User":{"tags":[{"value":"x"}]}}`},
		"base64 for URLs":                  {`{"userName":"b","x509Certificates":[{"value":"-_8"}]}`, `{"userName":"b","x509Certificates":[{"value":"+/8="}]}`},
	}
	for name, tc := range cases {
		if diff := cmp.Diff(parsed(t, tc.want), asJSON(t, x, created(t, x, tc.body))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestUserOfWrongTypesIsRefused(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	for _, body := range []string{
		`{"userName":7}`, `{"userName":["a"]}`, `{"userName":{"a":1}}`, `{"userName":true}`, `{"active":7}`, `{"active":"maybe"}`, `{"active":[true]}`,
		`{"name":"x"}`, `{"name":["x"]}`, `{"emails":7}`, `{"emails":[[1]]}`, `{"emails":[{"value":{"a":1}}]}`, `{"emails":[{"primary":"x","value":"y"}]}`,
		`{` + enterprise + `:"x"}`, `{` + enterprise + `:{"manager":[{"value":"a"},{"value":"b"}]}}`,
		`{"urn:muster:params:scim:schemas:acme:2.0:User":{"seats":1.5}}`, `{"urn:muster:params:scim:schemas:acme:2.0:User":{"seats":"x"}}`,
		`{"urn:muster:params:scim:schemas:acme:2.0:User":{"ratio":"x"}}`, `{"urn:muster:params:scim:schemas:acme:2.0:User":{"since":"yesterday"}}`,
		`{"urn:muster:params:scim:schemas:acme:2.0:User":{"remote":"x"}}`, `{"urn:muster:params:scim:schemas:acme:2.0:User":{"seats":99999999999999999999}}`,
	} {
		p := newProgram(x, 16, nil)
		err := p.readUser(rootOf(t, body))
		if f, ok := errors.AsType[fault](err); !ok || f.ScimType != "invalidValue" || f.Status != 400 {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestProjection(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	own := created(t, x, someone)
	profile := &directory.Profile{Attributes: own, Groups: []directory.GroupRef{{Name: "g"}}}
	cases := []struct {
		only, without string
		want          []string // top-level names, and field names after a dot
	}{
		{"userName", "", []string{"userName"}},
		{"USERNAME, name.givenName ,nonsense", "", []string{"name", "name.givenName", "userName"}},
		{"emails.value", "", []string{"emails", "emails.value"}},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "", []string{enterpriseURN, enterpriseURN + ".department"}},
		{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "", []string{enterpriseURN, enterpriseURN + ".department", enterpriseURN + ".manager"}},
		{"nonsense", "", nil},
		{"groups,meta", "", []string{"groups", "groups.$ref", "groups.display", "groups.type", "groups.value", "meta", "meta.location", "meta.resourceType"}},
		{"", "id,schemas,groups,meta,emails,name,roles,externalId,displayName,active,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", []string{"userName"}},
		{"", "emails.primary,emails.type,groups,meta,name.familyName,roles,externalId,displayName,active,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", []string{"emails", "emails.value", "name", "name.givenName", "userName"}},
	}
	for _, tc := range cases {
		m := parsed(t, string(view{x: x, show: x.project(tc.only, tc.without)}.user(nil, profile)))
		if m["id"] == nil || m["schemas"] == nil {
			t.Errorf("%v: id or schemas is missing", tc)
		}
		delete(m, "id")
		delete(m, "schemas")
		if diff := cmp.Diff(tc.want, namesIn(m)); diff != "" {
			t.Errorf("attributes=%s excluded=%s: %s", tc.only, tc.without, diff)
		}
	}
}

// Every attribute of the directory is served, and everything served is one of
// the directory's; but for what is left out on purpose.
func TestSchemasAndDirectoryKnowTheSameAttributes(t *testing.T) {
	x := newUserIndex(testPolicy(t))
	served := map[string]*attribute{}
	for _, s := range append([]*space{x.core, x.name}, x.order...) {
		for _, a := range s.list {
			served[a.Name] = a
		}
	}
	for name := range directory.Definitions() {
		if served[name] == nil && name != directory.License { // an entitlement in SCIM
			t.Errorf("the directory's %s is not served", name)
		}
	}
	left := map[string]bool{"groups": true, "name": true} // read-only; flattened
	for _, s := range x.schemas[:2] {
		for _, a := range s.Attributes {
			if x.find(s.ID, a.Name(), "") == (place{}) {
				t.Errorf("%s: %s is not to be found", s.ID, a.Name())
			}
			has := served[a.Name()]
			if left[a.Name()] {
				continue
			}
			if has == nil {
				t.Errorf("%s: the directory has no %s", s.ID, a.Name())
				continue
			}
			if string(has.Type) != a.AttributeType() || has.Multi != a.MultiValued() {
				t.Errorf("%s is %s in the directory, %s in the schema", a.Name(), has.Type, a.AttributeType())
			}
			for _, sub := range a.SubAttributes() {
				if string(has.Fields[sub.Name()]) != sub.AttributeType() {
					t.Errorf("%s.%s is %q in the directory, %s in the schema", a.Name(), sub.Name(), has.Fields[sub.Name()], sub.AttributeType())
				}
			}
		}
	}
}
