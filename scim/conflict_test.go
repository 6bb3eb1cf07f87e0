package scim

import (
	"context"
	"strings"
	"testing"

	"muster/directory"
)

// signedIn lets a person come in by SSO and returns the id.
func (b *bed) signedIn(connection, subject, userName string) string {
	b.t.Helper()
	var a directory.Attributes
	a.Set(directory.UserName, directory.Text(userName))
	a.Set(directory.GivenName, directory.Text("Given"))
	a.Set(directory.FamilyName, directory.Text("Family"))
	a.Set(directory.Emails, directory.Value{directory.NewElement(directory.Field{Name: "value", Text: userName}, directory.Field{Name: "primary", Text: "true"})})
	r, err := b.d.Apply(context.Background(), directory.Change{Org: "acme", Connection: connection, Channel: directory.SSO, Verb: directory.VerbSignIn,
		Issuer: "https://idp.example", Subject: subject, SubjectName: "NameID", Attributes: a})
	if err != nil {
		b.t.Fatal(err)
	}
	return r.User.ID.String()
}

func (b *bed) cases() int {
	b.t.Helper()
	list, err := b.d.Cases(context.Background(), "acme", directory.CaseQuery{})
	if err != nil {
		b.t.Fatal(err)
	}
	return len(list.Cases)
}

// withSSO opens the other door of a connection as well.
func withSSO(c directory.Connection) directory.Connection {
	c.Write.SSO = directory.Create
	c.SAML = &directory.SAMLTrust{EntityID: "https://idp.example", Metadata: []byte("<EntityDescriptor/>")}
	return c
}

// bothDoors is a bed whose first connection takes both doors for
// acme.example, and whose second signs people in without a domain of its own.
func bothDoors(t *testing.T) *bed {
	own, other := withSSO(connectionFor("generic")), withSSO(connectionFor("generic"))
	own.Domains = []string{"acme.example"}
	other.ID, other.Write.SCIM = "other", directory.Off
	return newBed(t, own, other)
}

func TestConflict(t *testing.T) {
	t.Run("2 JIT created the user, then SCIM POST arrives", func(t *testing.T) {
		b := bothDoors(t)
		id := b.signedIn("idp", "s1", "babs@acme.example")
		a := b.want(201, b.scim("POST", "/Users", `{"userName":"Babs@acme.example","title":"T"}`))
		if a.json["id"] != id || a.json["title"] != "T" {
			t.Errorf("not adopted: %s", a.text)
		}
	})
	t.Run("2 another connection's user is not taken over", func(t *testing.T) {
		b := bothDoors(t)
		b.signedIn("other", "s1", "babs@elsewhere.example")
		a := b.want(403, b.scim("POST", "/Users", `{"userName":"babs@elsewhere.example"}`))
		if !strings.Contains(a.text, "domain_not_allowed") {
			t.Error(a.text)
		}
		c := withSSO(connectionFor("generic"))
		configure(t, b.d, testOrg(), c)
		a = b.want(409, b.scim("POST", "/Users", `{"userName":"babs@elsewhere.example"}`))
		if a.json["scimType"] != "uniqueness" || !strings.Contains(a.text, "link_required") || !strings.Contains(a.text, "(case ") || b.cases() != 1 {
			t.Errorf("%s, %d cases", a.text, b.cases())
		}
		if n := b.total("/Users"); n != 0 {
			t.Errorf("%d users are listed", n)
		}
	})
	t.Run("3 what makes POST answer 409 is found by a filter on that attribute", func(t *testing.T) {
		b := newBed(t, connectionFor("okta"))
		b.make("/Users", `{"userName":"Babs","externalId":"E1"}`)
		for attribute, body := range map[string]string{
			"userName": `{"userName":"bABS","externalId":"E2"}`, "externalId": `{"userName":"other","externalId":"E1"}`,
		} {
			a := b.want(409, b.scim("POST", "/Users", body))
			if a.json["scimType"] != "uniqueness" || !strings.Contains(a.text, attribute) {
				t.Error(a.text)
			}
		}
		for _, filter := range []string{`userName EQ "bABS"`, `externalId eq "E1"`} {
			if n := b.total("/Users?filter=" + filter); n != 1 {
				t.Errorf("%s finds %d", filter, n)
			}
		}
	})
	t.Run("4 a list shows who came by SCIM, a filter also who can be adopted", func(t *testing.T) {
		b := bothDoors(t)
		id := b.signedIn("idp", "s1", "babs@acme.example")
		if n := b.total("/Users"); n != 0 {
			t.Errorf("%d are listed", n)
		}
		a := b.want(200, b.scim("GET", `/Users?filter=userName eq "babs@acme.example"`, ""))
		found, _ := at(a.json, []any{"Resources", 0.0}).(map[string]any)
		if found["id"] != id || found["userName"] != "babs@acme.example" || found["active"] != true || found["name"] != nil {
			t.Error(a.text)
		}
	})
	t.Run("5 PATCH on a found user is an attempt at adoption", func(t *testing.T) {
		b := bothDoors(t)
		id := b.signedIn("idp", "s1", "babs@acme.example")
		a := b.want(200, b.scim("PATCH", "/Users/"+id, `{"Operations":[{"op":"add","path":"title","value":"T"}]}`))
		if a.json["title"] != "T" || b.total("/Users") != 1 {
			t.Error(a.text)
		}
	})
	t.Run("5 a refused adoption writes nothing", func(t *testing.T) {
		b := bothDoors(t)
		c := withSSO(connectionFor("generic"))
		c.Link, c.Domains = directory.LinkNever, []string{"acme.example"}
		configure(t, b.d, testOrg(), c)
		id := b.signedIn("idp", "s1", "babs@acme.example")
		for method, body := range map[string]string{"PATCH": `{"Operations":[{"op":"add","path":"title","value":"T"}]}`, "PUT": `{"userName":"babs@acme.example"}`} {
			a := b.want(403, b.scim(method, "/Users/"+id, body))
			if !strings.Contains(a.text, "link_required") {
				t.Error(a.text)
			}
		}
		if n := b.total("/Users"); n != 0 {
			t.Errorf("%d are listed", n)
		}
	})
	t.Run("19 an update-only connection does not create", func(t *testing.T) {
		c := connectionFor("generic")
		b := newBed(t, c)
		id := b.make("/Users", `{"userName":"babs"}`)
		c.Write.SCIM = directory.Update
		configure(t, b.d, testOrg(), c)
		a := b.want(403, b.scim("POST", "/Users", `{"userName":"new"}`))
		if !strings.Contains(a.text, "not_provisioned") {
			t.Error(a.text)
		}
		b.want(200, b.scim("PUT", "/Users/"+id, `{"userName":"babs","title":"x"}`))
	})
	t.Run("25 PUT clears what it omits, but not the lock", func(t *testing.T) {
		b := newBed(t)
		id := b.make("/Users", `{"userName":"babs","title":"T","active":false}`)
		a := b.want(200, b.scim("PUT", "/Users/"+id, `{"userName":"babs"}`))
		if a.json["title"] != nil || a.json["active"] != false {
			t.Error(a.text)
		}
	})
	t.Run("54 an unknown member fails the whole request", func(t *testing.T) {
		b := newBed(t)
		fill := b.resources()
		a := b.want(400, b.scim("PATCH", fill.Replace("/Groups/{group1}"), fill.Replace(`{"Operations":[{"op":"replace","path":"displayName","value":"X"},
			{"op":"add","path":"members","value":[{"value":"{user2}"},{"value":"00000000-0000-7000-8000-000000000000"}]}]}`)))
		if a.json["scimType"] != "invalidValue" || !strings.Contains(a.text, "members") {
			t.Error(a.text)
		}
		if a := b.scim("GET", fill.Replace("/Groups/{group1}"), ""); a.json["displayName"] != "Group One" || len(a.json["members"].([]any)) != 2 {
			t.Error(a.text)
		}
	})
	t.Run("79 POST with active=false creates locked, and adopts and locks", func(t *testing.T) {
		b := bothDoors(t)
		if a := b.want(201, b.scim("POST", "/Users", `{"userName":"new@acme.example","active":"False"}`)); a.json["active"] != false {
			t.Error(a.text)
		}
		id := b.signedIn("idp", "s1", "babs@acme.example")
		a := b.want(201, b.scim("POST", "/Users", `{"userName":"babs@acme.example","active":false}`))
		if a.json["id"] != id || a.json["active"] != false {
			t.Error(a.text)
		}
	})
}
