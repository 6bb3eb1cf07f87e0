package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/directory"
)

// swapCase makes two people of whom one wants the other's name, and returns the case's address.
func (sc *scene) swapCase(admin *http.Cookie) (page string, ada, bob directory.ID) {
	sc.Helper()
	ada, bob = sc.user("acme", "ada"), sc.user("acme", "bob")
	_, err := sc.directory.Apply(sc.Context(), directory.Change{
		Org: "acme", Connection: "acme-okta", Channel: directory.SCIM, Verb: directory.VerbReplace, ID: bob,
		Attributes: directory.Attributes{
			{Name: directory.ExternalID, Value: directory.Text("ext-bob")},
			{Name: directory.UserName, Value: directory.Text("ada")},
		},
	})
	if directory.RefusalCode(err) != directory.Uniqueness {
		sc.Fatalf("taking a name: %v", err)
	}
	page = sc.ask(get, "/admin/o/acme/cases", admin).first(`href="(/admin/o/acme/cases/[0-9a-f-]+)"`)
	return page, ada, bob
}

func TestACaseIsListedExplainedAndResolved(t *testing.T) { // CONFLICTS 35, 36
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	_, auditor := sc.administrator("aud", directory.Grant{Role: directory.Auditor, Org: "acme"})
	page, ada, bob := sc.swapCase(admin)
	if page == "" {
		t.Fatal("the case is not listed")
	}
	got := sc.ask(get, page, admin)
	for _, want := range []string{"name taken", ada.String(), bob.String(), "way-means", `value="swap"`} {
		if want != "way-means" && !strings.Contains(got.text, want) || want == "way-means" && strings.Contains(got.text, want) {
			t.Errorf("the page of the case and %q: %s", want, got.text)
		}
	}
	if got := sc.ask(get, page, auditor); strings.Contains(got.text, `name="resolution"`) {
		t.Error("an auditor is offered to resolve")
	}
	for _, bad := range []string{"restore", "", "nonsense"} {
		if got := sc.ask(post, page, admin, url.Values{"resolution": {bad}, "note": {"kept"}}); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `value="kept"`) {
			t.Errorf("resolving by %q: %d %s", bad, got.StatusCode, got.text)
		}
	}
	if got := sc.ask(post, page, admin, url.Values{"resolution": {"swap"}, "note": {"they asked"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("swap: %d %s", got.StatusCode, got.text)
	}
	if name := sc.effective("/"+bob.String(), directory.UserName); name != "ada" {
		t.Errorf("after the swap bob is %q", name)
	}
	if got := sc.ask(get, "/admin/o/acme/cases", admin); strings.Contains(got.text, page) {
		t.Error("a resolved case is still open")
	}
	if got := sc.ask(get, "/admin/o/acme/cases?state=closed&kind=name+taken&connection=acme-okta", admin); !strings.Contains(got.text, page) {
		t.Error("a resolved case is not found among the closed ones")
	}
	if got := sc.ask(get, page, admin); !strings.Contains(got.text, "they asked") || strings.Contains(got.text, `name="resolution"`) {
		t.Error("the closed case does not tell how it ended")
	}
}

func TestGroupsShowTheirMembersPageByPage(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	var add []directory.ID
	for i := range pageSize + 1 {
		add = append(add, sc.user("acme", "member"+string(rune('a'+i/26))+string(rune('a'+i%26))))
	}
	r, err := sc.directory.Apply(sc.Context(), directory.Change{
		Org: "acme", Connection: "acme-okta", Channel: directory.SCIM, Verb: directory.VerbCreate, Resource: directory.GroupResource,
		Attributes: directory.Attributes{{Name: "displayName", Value: directory.Text("R&D")}}, Members: directory.MemberChange{Add: add},
	})
	sc.must(err)
	if got := sc.ask(get, "/admin/o/acme/groups?q=R", admin); !strings.Contains(got.text, "R&amp;D") {
		t.Fatalf("the group is not found: %s", got.text)
	}
	if got := sc.ask(get, "/admin/o/acme/groups?q=displayName+xx", admin); got.StatusCode == http.StatusInternalServerError {
		t.Errorf("a broken filter: %d", got.StatusCode)
	}
	page := "/admin/o/acme/groups/" + r.Group.ID.String()
	first := sc.ask(get, page, admin)
	next := first.first(`href="(\?after=[^"]+)"`)
	if n := strings.Count(first.text, "/admin/o/acme/users/"); n != pageSize || next == "" {
		t.Fatalf("%d members on the first page, next %q", n, next)
	}
	if n := strings.Count(sc.ask(get, page+next, admin).text, "/admin/o/acme/users/"); n != 1 {
		t.Errorf("%d members on the last page", n)
	}
	if got := sc.ask(get, page+"/story", admin); !strings.Contains(got.text, "Group created") {
		t.Errorf("the story: %s", got.text)
	}
}

func TestAGuardIsOpenedAndARunUndone(t *testing.T) { // CONFLICTS 46
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	lock := func(id directory.ID) error {
		_, err := sc.directory.Apply(sc.Context(), directory.Change{
			Org: "acme", Connection: "acme-okta", Channel: directory.SCIM, Verb: directory.VerbMerge, ID: id,
			Attributes: directory.Attributes{{Name: directory.Active, Value: directory.Text("false")}},
		})
		return err
	}
	var refused error
	var people []directory.ID
	for i := range 12 {
		people = append(people, sc.user("acme", "p"+string(rune('a'+i))))
	}
	for _, id := range people {
		if err := lock(id); err != nil {
			refused = err
		}
	}
	if directory.RefusalCode(refused) != directory.GuardTripped {
		t.Fatalf("the guard let everything pass: %v", refused)
	}
	if got := sc.ask(get, "/admin/o/acme/guard", admin); !strings.Contains(got.text, "held back") || !strings.Contains(got.text, people[11].String()) {
		t.Errorf("what waits is not shown: %s", got.text)
	}
	for _, bad := range []url.Values{{"hours": {"0"}}, {"hours": {"x"}}, {"hours": {"1"}, "operations": {"-1"}}} {
		if got := sc.ask(post, "/admin/o/acme/guard/acme-okta/let", admin, bad); got.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, got.StatusCode)
		}
	}
	if got := sc.ask(post, "/admin/o/acme/guard/acme-okta/let", admin, url.Values{"hours": {"1"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("letting through: %d %s", got.StatusCode, got.text)
	}
	sc.must(lock(people[11]))
	if got := sc.ask(post, "/admin/o/acme/guard/acme-okta/undo", admin, url.Values{"hours": {"1"}, "object": {"another"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("undoing under another name: %d", got.StatusCode)
	}
	if got := sc.ask(post, "/admin/o/acme/guard/acme-okta/undo", admin, url.Values{"hours": {"1"}, "object": {"acme-okta"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("undo: %d %s", got.StatusCode, got.text)
	}
	for more := true; more; {
		var err error
		more, err = sc.directory.Work(sc.Context())
		sc.must(err)
	}
	if sc.effective("/"+people[11].String(), directory.Active) == "false" {
		t.Error("the undo left somebody locked")
	}
	if got := sc.ask(get, "/admin/o/acme/guard", admin); !strings.Contains(got.text, "undo") {
		t.Error("the undo is not among the long work")
	}
}
