package admin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"muster/directory"
)

func TestTwoUsersBecomeOneByTypedNameAndPartAgain(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	ada := sc.user("acme", "ada")
	r, err := sc.directory.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbCreate,
		Attributes: directory.Attributes{{Name: directory.UserName, Value: directory.Text("ada2")}}})
	sc.must(err)
	page := "/admin/o/acme/users/" + ada.String()
	gone := "/admin/o/acme/users/" + r.User.ID.String()
	for _, other := range []string{"nobody", "ada", sc.user("other", "zoe").String()} {
		if got := sc.ask(get, page+"/merge?other="+other, admin); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `value="`+other+`"`) {
			t.Errorf("merging %q: %d", other, got.StatusCode)
		}
	}
	if got := sc.ask(get, page+"/merge?other=ada2", admin); !strings.Contains(got.text, r.User.ID.String()) {
		t.Fatalf("the confirmation: %s", got.text)
	}
	form := url.Values{"other": {r.User.ID.String()}, "object": {"ada"}}
	if got := sc.ask(post, page+"/merge", admin, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-object"`) {
		t.Errorf("merging under another name: %d", got.StatusCode)
	}
	form.Set("object", "ada2")
	if got := sc.ask(post, page+"/merge", admin, form); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("merging: %d %s", got.StatusCode, got.text)
	}
	x, err := sc.directory.Explain(t.Context(), "acme", r.User.ID)
	sc.must(err)
	if x.Into != ada || !strings.Contains(sc.ask(get, gone, admin).text, gone+"/unmerge") {
		t.Errorf("merged into %v", x.Into)
	}
	if got := sc.ask(post, gone+"/unmerge", admin, url.Values{"object": {"ada2"}}); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("parting under another name: %d", got.StatusCode)
	}
	if got := sc.ask(post, gone+"/unmerge", admin, url.Values{"object": {"ada"}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("parting: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, gone+"/unmerge", admin); got.StatusCode != http.StatusNotFound {
		t.Errorf("parting again: %d", got.StatusCode)
	}
}

func TestWhomOneConnectionPushesTwiceIsNotMerged(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	ada, bob := sc.user("acme", "ada"), sc.user("acme", "bob")
	got := sc.ask(post, "/admin/o/acme/users/"+ada.String()+"/merge", admin, url.Values{"other": {bob.String()}, "object": {"bob"}})
	if got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, "pushes both users") {
		t.Errorf("%d %s", got.StatusCode, got.text)
	}
}

// signsIn gives the organisation a connection by which people sign in.
func (sc *scene) signsIn() {
	sc.Helper()
	p, err := sc.directory.Policy(sc.Context(), "acme")
	sc.must(err)
	_, err = sc.directory.Configure(sc.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{{Org: *p.Org, Connections: []directory.Connection{{
		ID: "acme-login", Write: directory.Write{SSO: directory.Create},
		OIDC: &directory.OIDCTrust{Issuer: "https://login.example", ClientID: "muster", Secret: []byte("secret")}}}}})
	sc.must(err)
}

func TestSessionsOfAUserAreListedAndEndedByTheHelpDesk(t *testing.T) {
	sc := newScene(t)
	_, desk := sc.administrator("hal", directory.Grant{Role: directory.HelpDesk, Org: "acme"})
	_, auditor := sc.administrator("aud", directory.Grant{Role: directory.Auditor, Org: "acme"})
	ada := sc.user("acme", "ada")
	var secrets []string
	for _, agent := range []string{"Firefox one", "Firefox two", "Firefox three"} {
		secret, err := sc.directory.StartSession(t.Context(), directory.Session{Org: "acme", User: ada, Agent: agent})
		sc.must(err)
		secrets = append(secrets, secret)
	}
	page := "/admin/o/acme/users/" + ada.String()
	got := sc.ask(get, page, desk)
	if !strings.Contains(got.text, "Firefox three") || strings.Contains(sc.ask(get, page, auditor).text, "/sessions/end") {
		t.Errorf("the page: %s", got.text)
	}
	session := got.first(`name="session" value="([0-9a-f-]{36})"`)
	if got := sc.ask(post, page+"/sessions/end", desk, url.Values{"session": {session}}); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("ending one: %d %s", got.StatusCode, got.text)
	}
	for _, bad := range []string{session, "", "nonsense"} {
		if got := sc.ask(post, page+"/sessions/end", desk, url.Values{"session": {bad}}); got.StatusCode != http.StatusNotFound {
			t.Errorf("ending %q: %d", bad, got.StatusCode)
		}
	}
	if left, err := sc.directory.Sessions(t.Context(), "acme", ada); err != nil || len(left) != 2 {
		t.Errorf("after ending one: %d, %v", len(left), err)
	}
	if got := sc.ask(post, page+"/sessions/end", desk, url.Values{"session": {"all"}}); got.StatusCode != http.StatusSeeOther {
		t.Errorf("ending all: %d", got.StatusCode)
	}
	for _, secret := range secrets {
		if _, _, err := sc.directory.Session(t.Context(), secret); err == nil {
			t.Error("an ended session counts")
		}
	}
}

func TestAPersonIsInvitedAndTheInvitationRevoked(t *testing.T) {
	sc := newScene(t)
	sc.signsIn()
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	page := "/admin/o/acme/invitations"
	for field, bad := range map[string]url.Values{
		"days":       {"address": {"ada@kept.example"}, "connection": {"acme-login"}, "days": {"91"}},
		"connection": {"address": {"ada@kept.example"}, "connection": {"other-okta"}, "days": {"14"}},
		"address":    {"address": {"kept.example"}, "connection": {"acme-login"}, "days": {"14"}},
	} {
		if got := sc.ask(post, page, admin, bad); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.text, `id="fault-`+field) || !strings.Contains(got.text, "kept.example") {
			t.Errorf("%s: %d %s", field, got.StatusCode, got.text)
		}
	}
	form := url.Values{"address": {"ada@acme.example"}, "connection": {"acme-login"}, "days": {"14"}, "given": {"Ada"}, "family": {"Lovelace"}}
	if got := sc.ask(post, page, admin, form); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("inviting: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(get, page, admin); !strings.Contains(got.text, "ada@acme.example") {
		t.Errorf("the list: %s", got.text)
	}
	for i, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
		if got := sc.ask(post, page+"/revoke", admin, form); got.StatusCode != want {
			t.Errorf("revoking, time %d: %d", i, got.StatusCode)
		}
	}
}
