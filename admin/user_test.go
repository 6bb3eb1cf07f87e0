package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/directory"
)

// person makes somebody with a title that SCIM supplies, and an administrator who looks at them.
func (sc *scene) person() (page string, admin *http.Cookie) {
	sc.Helper()
	r, err := sc.directory.Apply(sc.Context(), directory.Change{
		Org: "acme", Connection: "acme-okta", Channel: directory.SCIM, Verb: directory.VerbCreate, Request: "push-0001",
		Attributes: directory.Attributes{
			{Name: "displayName", Value: directory.Text("Ada <Lovelace>")},
			{Name: directory.ExternalID, Value: directory.Text("00u1")},
			{Name: "title", Value: directory.Text("Analyst")},
			{Name: directory.UserName, Value: directory.Text("ada@acme.example")},
		},
	})
	sc.must(err)
	_, admin = sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	return "/admin/o/acme/users/" + r.User.ID.String(), admin
}

// effective is what the world sees of a user.
func (sc *scene) effective(page, name string) string {
	sc.Helper()
	id, _ := directory.ParseID(page[strings.LastIndex(page, "/")+1:])
	p, err := sc.directory.User(sc.Context(), directory.Viewer{Org: "acme"}, id)
	sc.must(err)
	return p.Attributes.Text(name)
}

func TestThePageOfAUserTellsWhoSaidWhat(t *testing.T) {
	sc := newScene(t)
	page, admin := sc.person()
	got := sc.ask(get, page, admin)
	for _, want := range []string{"Ada &lt;Lovelace&gt;", "scim/acme-okta", "push-0001", "Analyst", "counts", "00u1", "Home: acme-okta"} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if list := sc.ask(get, "/admin/o/acme/users?q=ada", admin); !strings.Contains(list.text, page) {
		t.Error("the list does not lead to the page")
	}
	if got := sc.ask(get, page+"/story", admin); !strings.Contains(got.text, "Created by acme-okta (SCIM)") {
		t.Errorf("the story: %s", got.text)
	}
	if got := sc.ask(get, "/admin/o/acme/users/0197f8a0-0000-7000-8000-000000000001/story", admin); got.StatusCode != http.StatusNotFound {
		t.Errorf("the story of nobody: %d", got.StatusCode)
	}
}

func TestAnAdministratorLocksAndTheHelpDeskUnlocks(t *testing.T) {
	sc := newScene(t)
	page, admin := sc.person()
	if got := sc.ask(post, page+"/lock", admin, url.Values{}); got.StatusCode != http.StatusSeeOther || sc.effective(page, directory.Active) != "false" {
		t.Fatalf("lock: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, page, admin); !strings.Contains(got.text, "Locked by local") {
		t.Error("the lock is not shown")
	}
	_, help := sc.administrator("hal", directory.Grant{Role: directory.HelpDesk, Org: "acme"})
	if got := sc.ask(post, page+"/unlock", help, url.Values{}); got.StatusCode != http.StatusSeeOther || sc.effective(page, directory.Active) == "false" {
		t.Fatalf("unlock: %d %s", got.StatusCode, got.text)
	}
}

func TestAnOwnedValueIsChangedByAPinAndComesBackWhenItIsReleased(t *testing.T) { // CONFLICTS 63, 64
	sc := newScene(t)
	page, admin := sc.person()
	title := page + "/attributes/title"
	if got := sc.ask(get, title, admin); !strings.Contains(got.text, "scim/acme-okta supplies this value") {
		t.Errorf("the form names no owner: %s", got.text)
	}
	got := sc.ask(post, title, admin, url.Values{"value": {"Countess"}})
	if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, "pin") || !strings.Contains(got.text, `value="Countess"`) {
		t.Errorf("a plain edit of an owned value: %d %s", got.StatusCode, got.text)
	}
	got = sc.ask(post, title, admin, url.Values{"value": {"Countess"}, "pin": {"yes"}})
	if got.StatusCode != http.StatusUnprocessableEntity || got.first(`id="fault-(reason)"`) == "" {
		t.Errorf("a pin without a reason: %d %s", got.StatusCode, got.text)
	}
	got = sc.ask(post, title, admin, url.Values{"value": {"Countess"}, "pin": {"yes"}, "reason": {"HR 17"}, "until": {"tomorrow"}})
	if got.StatusCode != http.StatusUnprocessableEntity || got.first(`id="fault-(until)"`) == "" {
		t.Errorf("a pin until no date: %d", got.StatusCode)
	}
	if sc.effective(page, "title") != "Analyst" {
		t.Error("a refused form changed the value")
	}
	sc.ask(post, title, admin, url.Values{"value": {"Countess"}, "pin": {"yes"}, "reason": {"HR 17"}, "until": {"2027-01-31"}})
	if sc.effective(page, "title") != "Countess" {
		t.Error("the pin does not count")
	}
	sc.ask(post, title+"/release", admin, url.Values{})
	if sc.effective(page, "title") != "Analyst" {
		t.Error("the released pin still counts")
	}
}

func TestWhatNobodySuppliesIsEditedPlainly(t *testing.T) {
	sc := newScene(t)
	page, admin := sc.person()
	got := sc.ask(post, page+"/attributes/phoneNumbers", admin, url.Values{"value": {"value=+44 20 7946 0000; type=work\n+44 20 7946 0001"}})
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", got.StatusCode, got.text)
	}
	form := sc.ask(get, page+"/attributes/phoneNumbers", admin)
	if !strings.Contains(form.text, "type=work") || !strings.Contains(form.text, "7946 0001") {
		t.Errorf("the form shows what was not typed: %s", form.text)
	}
	if got := sc.ask(get, page+"/attributes/noSuchAttribute", admin); got.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown attribute: %d", got.StatusCode)
	}
}

func TestAUserIsDeletedRestoredAndErasedByName(t *testing.T) {
	sc := newScene(t)
	page, admin := sc.person()
	if got := sc.ask(post, page+"/delete", admin, url.Values{"object": {"somebody"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("deleting under another name: %d", got.StatusCode)
	}
	if got := sc.ask(post, page+"/delete", admin, url.Values{"object": {"ada@acme.example"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("delete: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, page, admin); !strings.Contains(got.text, "/restore") {
		t.Errorf("a tombstone has no way back: %s", got.text)
	}
	if got := sc.ask(post, page+"/restore", admin, url.Values{}); got.StatusCode != http.StatusSeeOther || sc.effective(page, "title") != "Analyst" {
		t.Errorf("restore: %d %s", got.StatusCode, got.text)
	}
	sc.ask(post, page+"/delete", admin, url.Values{"object": {"ada@acme.example"}})
	id := page[strings.LastIndex(page, "/")+1:]
	if got := sc.ask(post, page+"/erase", admin, url.Values{"object": {id}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("erase: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, page, admin); strings.Contains(got.text, "Analyst") || strings.Contains(got.text, "Lovelace") {
		t.Error("an erased user still shows")
	}
}
