package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

const oktaPage = "/admin/o/acme/connections/acme-okta"

func TestConnectionsTellWhatTheyDoAndWhatIsAmiss(t *testing.T) { // JC-19
	sc := newScene(t)
	_, auditor := sc.administrator("aud", directory.Grant{Role: directory.Auditor, Org: "acme"})
	_, err := sc.directory.SetToken(sc.Context(), directory.Token{Org: "acme", Connection: "acme-okta", Name: "push", Kind: directory.SCIMToken,
		Expires: sc.clock.Add(10 * 24 * time.Hour)}, "secret-of-the-push-token")
	sc.must(err)
	got := sc.ask(get, "/admin/o/acme/connections", auditor)
	for _, want := range []string{oktaPage, ">SCIM<", "push expires 2026-05-14", "no sign-in"} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the list lacks %q: %s", want, got.text)
		}
	}
	if strings.Contains(got.text, "other-okta") || strings.Contains(got.text, "new-connection") {
		t.Error("an auditor is shown another organisation's connection, or offered to make one")
	}
	page := sc.ask(get, oktaPage, auditor)
	for _, want := range []string{"A user is created", "if the account is its own", "Restored", "link_required"} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page lacks %q: %s", want, page.text)
		}
	}
	if strings.Contains(page.text, "/pause") || strings.Contains(page.text, "/tokens") {
		t.Error("an auditor is offered to change it")
	}
	sc.want(http.StatusNotFound, sc.ask(get, "/admin/o/acme/connections/other-okta", auditor))
}

func TestAConnectionIsPausedAndTakenUpAgain(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/pause", admin))
	if got := sc.ask(get, oktaPage, admin); !strings.Contains(got.text, "Paused: pushes are answered 503") || !strings.Contains(got.text, "connection_paused") {
		t.Errorf("paused: %s", got.text)
	}
	sc.want(http.StatusNotFound, sc.ask(post, "/admin/o/acme/connections/other-okta/pause", admin))
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/resume", admin))
	sc.user("acme", "ada") // pushes are taken again
}

func TestAPushTokenIsShownOnceAndRotated(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	made := sc.ask(post, oktaPage+"/tokens", admin, url.Values{"name": {"first"}, "days": {"30"}})
	sc.want(http.StatusOK, made)
	secret := made.first(`shown-once">([^<]+)<`)
	token, err := sc.directory.Authenticate(sc.Context(), secret)
	if err != nil || token.Connection != "acme-okta" || token.By != "eve@muster.example" || !token.Expires.Equal(sc.clock.Add(30*24*time.Hour)) {
		t.Fatalf("%+v %v", token, err)
	}
	if got := sc.ask(get, oktaPage, admin); strings.Contains(got.text, secret) || !strings.Contains(got.text, "first") {
		t.Error("the secret is shown again, or the token is not listed")
	}
	for _, bad := range []url.Values{{"name": {""}}, {"name": {"first"}}, {"name": {"x"}, "days": {"0"}}, {"name": {"x"}, "days": {"soon"}}} {
		if got := sc.ask(post, oktaPage+"/tokens", admin, bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `class="fault"`) {
			t.Errorf("%v: %d", bad, got.StatusCode)
		}
	}
	sc.want(http.StatusOK, sc.ask(post, oktaPage+"/tokens", admin, url.Values{"name": {"second"}}))
	third := sc.ask(post, oktaPage+"/tokens", admin, url.Values{"name": {"third"}})
	if third.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(third.text, "already has 2 SCIM tokens") || !strings.Contains(third.text, `value="third"`) {
		t.Errorf("a third token: %d %s", third.StatusCode, third.text)
	}
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/tokens/revoke", admin, url.Values{"name": {"first"}}))
	if _, err := sc.directory.Authenticate(sc.Context(), secret); err == nil {
		t.Error("a revoked token still opens")
	}
	sc.want(http.StatusNotFound, sc.ask(post, oktaPage+"/tokens/revoke", admin, url.Values{"name": {"first"}}))
	sc.want(http.StatusOK, sc.ask(post, oktaPage+"/tokens", admin, url.Values{"name": {"third"}}))
}

func TestRetiringCountsAndAsksForTheName(t *testing.T) { // CONFLICTS 75
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	ada := sc.user("acme", "ada")
	page := sc.ask(get, oktaPage+"/leave", admin)
	if !strings.Contains(page.text, "home of 1 users") || page.first(`name="count" value="(\d+)"`) != "1" {
		t.Fatalf("the plan: %s", page.text)
	}
	good := url.Values{"users": {"finalise"}, "remove": {"yes"}, "object": {"acme-okta"}, "count": {"1"}}
	for field, wrong := range map[string]string{"users": "keep", "object": "other-okta", "count": "2"} {
		bad := url.Values{}
		for name := range good {
			bad[name] = good[name]
		}
		bad[field] = []string{wrong}
		sc.want(http.StatusUnprocessableEntity, sc.ask(post, oktaPage+"/leave", admin, bad))
	}
	sc.want(http.StatusUnprocessableEntity, sc.ask(post, oktaPage+"/leave", admin, url.Values{}))
	sc.want(http.StatusOK, sc.ask(get, oktaPage, admin))
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/leave", admin, good))
	for more := true; more; {
		var err error
		more, err = sc.directory.Work(sc.Context())
		sc.must(err)
	}
	if p, err := sc.directory.User(sc.Context(), directory.Viewer{Org: "acme"}, ada); err != nil || p.Attributes.Text(directory.UserName) != "ada" {
		t.Errorf("finalised: %+v %v", p, err)
	}
	sc.want(http.StatusNotFound, sc.ask(get, oktaPage, admin))
}

func TestAConnectionThatIsOnlyRetiredIsTakenUpAgain(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/leave", admin, url.Values{"users": {"keep"}, "object": {"acme-okta"}, "count": {"0"}}))
	if got := sc.ask(get, oktaPage, admin); !strings.Contains(got.text, "Retired: nothing comes") || strings.Contains(got.text, `name="days"`) {
		t.Errorf("retired: %s", got.text)
	}
	sc.want(http.StatusSeeOther, sc.ask(post, oktaPage+"/resume", admin))
	sc.user("acme", "ada")
}
