package admin

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

func TestAnAdministratorIsInvitedByALinkThatIsShownOnce(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	list := "/admin/o/acme/administrators"
	for field, bad := range map[string]url.Values{
		"email": {"name": {"Bob kept"}, "email": {"nonsense"}, "role": {"auditor"}},
		"role":  {"name": {"Bob kept"}, "email": {"bob@muster.example"}, "role": {"operator"}},
		"name":  {"name": {""}, "email": {"Bob kept"}, "role": {"auditor"}},
	} {
		if got := sc.ask(post, list+"/new", admin, bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-`+field) || !strings.Contains(got.text, "Bob kept") {
			t.Errorf("%s: %d %s", field, got.StatusCode, got.text)
		}
	}
	got := sc.ask(post, list+"/new", admin, url.Values{"name": {"Bob"}, "email": {"bob@muster.example"}, "role": {"helpdesk"}})
	link := html.UnescapeString(got.first(`id="secret">` + testBase + `([^<]+)<`))
	if got.StatusCode != http.StatusOK || link == "" {
		t.Fatalf("inviting: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, list, admin); !strings.Contains(got.text, "bob@muster.example") || strings.Contains(got.text, link) {
		t.Errorf("the list: %s", got.text)
	}
	secret := link[strings.Index(link, "link=")+5:]
	if got := sc.ask(post, "/admin/welcome", url.Values{"link": {secret}}); got.cookie() == nil {
		t.Fatalf("coming by the link: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(post, "/admin/welcome", url.Values{"link": {secret}}); got.cookie() != nil {
		t.Error("the link counts twice")
	}
}

func TestGrantsChangeWhereTheVisitorReachesAndTheRestStays(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	bob, _ := sc.administrator("bob", directory.Grant{Role: directory.Auditor, Org: "acme"}, directory.Grant{Role: directory.Auditor, Org: "other"})
	foreign, _ := sc.administrator("zoe", directory.Grant{Role: directory.Auditor, Org: "other"})
	page := "/admin/o/acme/administrators/" + bob.String()
	got := sc.ask(get, page, admin)
	if strings.Contains(got.text, "other") {
		t.Error("a role in another organisation is shown")
	}
	form := url.Values{"name": {"bob"}, "email": {"bob@muster.example"}, "role": {"helpdesk"}, "revision": {got.first(`name="revision" value="(\d+)"`)}}
	if got := sc.ask(post, page, admin, form); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving: %d %s", got.StatusCode, got.text)
	}
	a, _, err := sc.directory.Administrator(t.Context(), bob)
	sc.must(err)
	if !a.Grants.May(directory.HelpDesk, "acme") || a.Grants.May(directory.OrgAdmin, "acme") || !a.Grants.May(directory.Auditor, "other") {
		t.Errorf("grants: %v", a.Grants)
	}
	if got := sc.ask(post, page, admin, form); got.StatusCode != http.StatusConflict || !strings.Contains(got.text, "in between") {
		t.Errorf("an edit of what was shown before: %d", got.StatusCode)
	}
	form.Set("revision", "2")
	form.Set("name", "not bob")
	if got := sc.ask(post, page, admin, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, "not bob") {
		t.Errorf("renaming whom another organisation has, too: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, "/admin/o/acme/administrators/"+foreign.String(), admin); got.StatusCode != http.StatusNotFound {
		t.Errorf("another organisation's administrator: %d", got.StatusCode)
	}
	if got := sc.ask(post, page+"/remove", admin, url.Values{"object": {"bob"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("removing under another name: %d", got.StatusCode)
	}
	if got := sc.ask(post, page+"/remove", admin, url.Values{"object": {"bob@muster.example"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("removing: %d %s", got.StatusCode, got.text)
	}
	a, _, err = sc.directory.Administrator(t.Context(), bob)
	sc.must(err)
	if a.Grants.Sees("acme") || !a.Grants.Sees("other") {
		t.Errorf("after the removal here: %v", a.Grants)
	}
}

func TestTheLastOperatorStaysAndThePageSaysWhy(t *testing.T) { // CONFLICTS 47
	sc := newScene(t)
	root, operator := sc.administrator("root", directory.Grant{Role: directory.Operator})
	second, _ := sc.administrator("second", directory.Grant{Role: directory.Operator})
	able := func(id directory.ID) {
		_, err := sc.directory.EditAdministrator(t.Context(), directory.Itself("test"), id, func(_ *directory.Administrator, c *directory.Credentials) error {
			c.Passkeys = []directory.Passkey{{ID: id[:], Name: "key"}}
			return nil
		})
		sc.must(err)
	}
	able(root)
	page := "/admin/administrators/" + root.String()
	revision := sc.ask(get, page, operator).first(`name="revision" value="(\d+)"`)
	form := url.Values{"name": {"root"}, "email": {"root@muster.example"}, "grants": {"admin acme"}, "revision": {revision}}
	if got := sc.ask(post, page, operator, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, "last operator") || !strings.Contains(got.text, "admin acme") {
		t.Errorf("giving up the last role: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(post, page+"/remove", operator, url.Values{"object": {"root@muster.example"}}); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, "last operator") {
		t.Errorf("removing the last operator: %d %s", got.StatusCode, got.text)
	}
	form.Set("grants", "nonsense acme")
	if got := sc.ask(post, page, operator, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-grants"`) {
		t.Errorf("a role that there is not: %d %s", got.StatusCode, got.text)
	}
	able(second)
	if got := sc.ask(post, page+"/remove", operator, url.Values{"object": {"root@muster.example"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("removing one of two operators: %d %s", got.StatusCode, got.text)
	}
}

func TestADelegationIsAddedByTheNameOfItsGroupAndRemoved(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	_, other := sc.administrator("zoe", directory.Grant{Role: directory.OrgAdmin, Org: "other"})
	_, err := sc.directory.Apply(t.Context(), directory.Change{Org: "acme", Connection: "acme-okta", Channel: directory.SCIM, Verb: directory.VerbCreate,
		Resource: directory.GroupResource, Attributes: directory.Attributes{{Name: "displayName", Value: directory.Text(`The "best"`)}}})
	sc.must(err)
	add := "/admin/o/acme/delegations"
	for _, bad := range []url.Values{
		{"connection": {"acme-okta"}, "group": {"no such group"}, "role": {"auditor"}},
		{"connection": {"other-okta"}, "group": {`The "best"`}, "role": {"auditor"}},
		{"connection": {"acme-okta"}, "group": {`The "best"`}, "role": {"operator"}},
	} {
		if got := sc.ask(post, add, admin, bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `value="`+strings.ReplaceAll(bad.Get("group"), `"`, "&#34;")) {
			t.Errorf("%v: %d %s", bad, got.StatusCode, got.text)
		}
	}
	if got := sc.ask(post, add, admin, url.Values{"connection": {"acme-okta"}, "group": {`The "best"`}, "role": {"auditor"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("adding: %d %s", got.StatusCode, got.text)
	}
	end := sc.ask(get, "/admin/o/acme/administrators", admin).first(`action="/admin/o/acme(/delegations/[^"]+/end)"`)
	if end == "" {
		t.Fatal("the rule is not listed")
	}
	if got := sc.ask(post, "/admin/o/other"+end, other); got.StatusCode != http.StatusNotFound {
		t.Errorf("removing another organisation's rule: %d", got.StatusCode)
	}
	if got := sc.ask(post, "/admin/o/acme"+end, admin); got.StatusCode != http.StatusSeeOther {
		t.Errorf("removing: %d", got.StatusCode)
	}
	if list, err := sc.directory.Delegations(t.Context(), "acme"); err != nil || len(list) != 0 {
		t.Errorf("left: %v %v", list, err)
	}
}

func TestATokenIsMadeShownOnceWarnedOfAndRevoked(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	page := "/admin/o/acme/tokens"
	for field, bad := range map[string]url.Values{
		"name": {"name": {""}, "kind": {"app"}, "days": {"77"}},
		"kind": {"name": {"x"}, "kind": {"scim"}, "days": {"77"}},
		"role": {"name": {"x"}, "kind": {"admin"}, "role": {"operator"}, "days": {"77"}},
		"days": {"name": {"77"}, "kind": {"app"}, "days": {"0"}},
	} {
		if got := sc.ask(post, page, admin, bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-`+field) || !strings.Contains(got.text, `value="77"`) {
			t.Errorf("%s: %d %s", field, got.StatusCode, got.text)
		}
	}
	form := url.Values{"name": {"A/B crm?"}, "kind": {"app"}, "days": {"30"}}
	got := sc.ask(post, page, admin, form)
	secret := got.first(`id="secret">([^<]+)<`)
	if token, err := sc.directory.Authenticate(t.Context(), secret); err != nil || token.Kind != directory.AppToken || token.Org != "acme" || token.By != "eve@muster.example" {
		t.Fatalf("the token: %v %v, answered %d %s", token, err, got.StatusCode, got.text)
	}
	if got := sc.ask(post, page, admin, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-name"`) {
		t.Errorf("a second token of the name: %d", got.StatusCode)
	}
	list := sc.ask(get, page, admin)
	if !strings.Contains(list.text, "within 30 days") || strings.Contains(list.text, secret) {
		t.Errorf("the list: %s", list.text)
	}
	*sc.clock = sc.clock.Add(31 * time.Minute)
	revoke := html.UnescapeString(list.first(`href="(/admin/o/acme/tokens/revoke[^"]+)"`))
	if got := sc.ask(get, revoke, admin); got.StatusCode != http.StatusOK || !strings.Contains(got.text, "A/B crm?") {
		t.Errorf("the confirmation: %d %s", got.StatusCode, got.text)
	}
	confirm := url.Values{"name": {"A/B crm?"}, "kind": {"app"}, "object": {"crm"}}
	if got := sc.ask(post, page+"/revoke", admin, confirm); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("revoking under another name: %d", got.StatusCode)
	}
	confirm.Set("object", "A/B crm?")
	if got := sc.ask(post, page+"/revoke", admin, confirm); got.StatusCode != http.StatusSeeOther {
		t.Errorf("revoking: %d %s", got.StatusCode, got.text)
	}
	if _, err := sc.directory.Authenticate(t.Context(), secret); err == nil {
		t.Error("a revoked token counts")
	}
	if got := sc.ask(post, page+"/revoke", admin, confirm); got.StatusCode != http.StatusNotFound {
		t.Errorf("revoking again: %d", got.StatusCode)
	}
}

func TestAnOperatorMakesTokensOfTheInstance(t *testing.T) {
	sc := newScene(t)
	_, operator := sc.administrator("root", directory.Grant{Role: directory.Operator})
	got := sc.ask(post, "/admin/tokens", operator, url.Values{"name": {"ci"}, "days": {""}})
	token, err := sc.directory.Authenticate(t.Context(), got.first(`id="secret">([^<]+)<`))
	if err != nil || token.Role != directory.Operator || token.Org != "" || !token.Expires.IsZero() {
		t.Errorf("%v %v: %s", token, err, got.text)
	}
}
