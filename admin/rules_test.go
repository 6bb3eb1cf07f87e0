package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/directory"
)

// typed is a rules form as the page shows it, with changes.
func (sc *scene) typed(admin *http.Cookie, changes url.Values) url.Values {
	sc.Helper()
	got := sc.ask(get, "/admin/o/acme/rules", admin)
	form := url.Values{"revision": {got.first(`name="revision" value="(\d+)"`)}, "count": {"0"}}
	for name, value := range changes {
		form[name] = value
	}
	return form
}

func TestRulesAreArrangedSavedAndRefusedBesideTheirField(t *testing.T) { // MISSION LF-8, LF-9, LF-14
	sc := newScene(t)
	page, admin := sc.person()
	const rules = "/admin/o/acme/rules"
	form := sc.typed(admin, url.Values{"count": {"2"}, "defaults": {"userType=employee @sso"},
		"name-0": {"all"}, "set-0": {"license=lite"}, "name-1": {"analysts"}, "when-1": {`title eq "Analyst"`}, "set-1": {"license=full\nnickName=Countess"}})
	form.Set("arrange", "up 1")
	if got := sc.ask(post, rules, admin, form); got.first(`name="name-0"[^>]*value="([^"]*)"`) != "analysts" || got.StatusCode != http.StatusOK {
		t.Fatalf("moving up: %d %s", got.StatusCode, got.text)
	}
	if sc.effective(page, "nickName") != "" {
		t.Error("arranging saved something")
	}
	form.Del("arrange")
	form.Set("name-0", "analysts")
	form.Set("when-0", `title eq "Analyst"`)
	form.Set("set-0", "nickName=Countess")
	form.Set("name-1", "all")
	form.Set("when-1", "")
	form.Set("set-1", "nickName=Everybody")
	form.Set("do", "preview")
	if got := sc.ask(post, rules, admin, form); !strings.Contains(got.text, "1 of 1 users change") || !strings.Contains(got.text, "Countess") || sc.effective(page, "nickName") != "" {
		t.Fatalf("the preview: %s", got.text)
	}
	form.Set("do", "save")
	for field, bad := range map[string]string{"when-0": "title eq", "set-0": "no equals sign", "defaults": "=x", "max-0": "many"} {
		broken := url.Values{}
		for name, value := range form {
			broken[name] = value
		}
		broken.Set(field, bad)
		got := sc.ask(post, rules, admin, broken)
		if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-`+field+`"`) {
			t.Errorf("%s = %q: %d %s", field, bad, got.StatusCode, got.text)
		}
	}
	if got := sc.ask(post, rules, admin, form); got.StatusCode != http.StatusSeeOther || sc.effective(page, "nickName") != "Countess" {
		t.Fatalf("saving: %d %s", got.StatusCode, got.text)
	}
	again := sc.ask(post, rules, admin, form)
	if again.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(again.text, "eve@muster.example") {
		t.Errorf("saving from an old revision: %d %s", again.StatusCode, again.text)
	}
	shown := sc.ask(get, rules, admin)
	for _, want := range []string{"analysts", "nickName=Countess", "userType=employee @sso"} {
		if !strings.Contains(shown.text, want) {
			t.Errorf("the page does not show %q: %s", want, shown.text)
		}
	}
}

func TestWhatChangesManyPeopleIsSeenBeforeItIsSaved(t *testing.T) { // CONFLICTS 57
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	for i := range previewFrom + 1 {
		sc.user("acme", fmt.Sprintf("u%03d", i))
	}
	form := sc.typed(admin, url.Values{"count": {"1"}, "set-0": {"userType=employee"}, "do": {"save"}})
	got := sc.ask(post, "/admin/o/acme/rules", admin, form)
	seen := got.first(`name="seen" value="([^"]+)"`)
	if got.StatusCode != http.StatusOK || seen == "" || !strings.Contains(got.text, "101 of 101 users change") {
		t.Fatalf("saving unseen: %d %s", got.StatusCode, got.text)
	}
	form.Set("seen", seen)
	form.Set("set-0", "userType=contractor")
	if got := sc.ask(post, "/admin/o/acme/rules", admin, form); got.StatusCode != http.StatusOK {
		t.Errorf("what was seen was something else: %d", got.StatusCode)
	}
	form.Set("set-0", "userType=employee")
	if got := sc.ask(post, "/admin/o/acme/rules", admin, form); got.StatusCode != http.StatusSeeOther {
		t.Errorf("saving what was seen: %d %s", got.StatusCode, got.text)
	}
}
