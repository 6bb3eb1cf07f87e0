package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

// call makes a request of the API and reads the answer.
func (sc *scene) call(method, path, token string, body string, extra ...any) (reply, map[string]any) {
	sc.Helper()
	args := []any{token}
	if body != "" {
		args = append(args, []byte(body))
	}
	got := sc.ask(method, apiRoot+path, append(args, extra...)...)
	var content map[string]any
	if got.text != "" {
		if err := json.Unmarshal([]byte(got.text), &content); err != nil {
			sc.Fatalf("%s %s: %d %q: %v", method, path, got.StatusCode, got.text, err)
		}
	}
	return got, content
}

// want fails unless the answer has a status.
func (sc *scene) want(status int, got reply) {
	sc.Helper()
	if got.StatusCode != status {
		sc.Errorf("%d, want %d: %s", got.StatusCode, status, got.text)
	}
}

func TestASecondAdministratorsEditInBetweenIsToldAndNotOverwritten(t *testing.T) {
	sc := newScene(t)
	token := sc.token(directory.OrgAdmin, "acme")
	first, content := sc.call("GET", "/orgs/acme", token, "")
	sc.want(200, first)
	if content["org"].(map[string]any)["name"] != "ACME" || len(content["connections"].([]any)) != 1 {
		t.Fatalf("%v", content)
	}
	tag := http.Header{"If-Match": {first.Header.Get("ETag")}}
	got, _ := sc.call("PATCH", "/orgs/acme", token, `{"org":{"id":"acme","name":"Acme One"}}`, tag)
	sc.want(200, got)
	got, content = sc.call("PATCH", "/orgs/acme", token, `{"org":{"id":"acme","name":"Acme Two"}}`, tag)
	sc.want(http.StatusPreconditionFailed, got)
	conflict, _ := content["conflict"].(map[string]any)
	if conflict == nil || !strings.HasPrefix(fmt.Sprint(conflict["by"]), "token ") || conflict["revision"] != float64(2) ||
		!strings.Contains(fmt.Sprint(conflict["changed"]), "org acme updated") {
		t.Errorf("%v", content)
	}
	_, content = sc.call("GET", "/orgs/acme", token, "")
	if name := content["org"].(map[string]any)["name"]; name != "Acme One" {
		t.Errorf("overwritten: %v", name)
	}
	got, _ = sc.call("PATCH", "/orgs/acme", token, `{"org":{"id":"acme"}}`)
	sc.want(http.StatusUnprocessableEntity, got)
}

func TestAConfigurationIsRefusedWholeAndNamesFieldAndAllowedValues(t *testing.T) {
	sc := newScene(t)
	token := sc.token(directory.OrgAdmin, "acme")
	body := `{"org":{"id":"acme","name":"New"},"connections":[{"id":"acme-okta","write":{"scim":"sometimes"}}]}`
	got, content := sc.call("PATCH", "/orgs/acme", token, body, http.Header{"If-Match": {"*"}})
	sc.want(422, got)
	if got.Header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.text, "connections[0].write.scim") ||
		!strings.Contains(got.text, `"allowed":["off","update","create"]`) || content["correlationId"] == "" {
		t.Errorf("%s", got.text)
	}
	_, content = sc.call("GET", "/orgs/acme", token, "")
	if name := content["org"].(map[string]any)["name"]; name != "ACME" {
		t.Errorf("half-saved: %v", name)
	}
	for _, bad := range []string{`{"org":{"id":"acme","nmae":"x"}}`, `{"connections":[{"id":"x","oidc":{"issuer":"nowhere","clientId":"c"}}]}`, `{`, `[]`} {
		got, _ := sc.call("PATCH", "/orgs/acme", token, bad, http.Header{"If-Match": {"*"}})
		if got.StatusCode != 422 && got.StatusCode != 400 || strings.Contains(got.text, "Field validation for") {
			t.Errorf("%s: %d %s", bad, got.StatusCode, got.text)
		}
	}
}

func TestAConfigurationSentBackAsReadChangesNothing(t *testing.T) {
	sc := newScene(t)
	_, err := sc.directory.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{{
		Org: directory.Org{ID: "acme", Name: "Acme", Retention: 48 * time.Hour, Rules: []directory.Rule{{Name: "all", Set: directory.Attributes{{Name: "license", Value: directory.Text("full")}}}},
			Defaults: []directory.Default{{Attribute: "title", Value: directory.Text("Dr"), Door: directory.SSO}}},
		Connections: []directory.Connection{{ID: "acme-okta", Write: directory.Write{SCIM: directory.Create}, Subject: directory.Subjects{SCIM: directory.ExternalID},
			Guard: directory.Guard{Share: 0.2, Min: 5, Per: time.Hour}, OIDC: &directory.OIDCTrust{Issuer: "https://op.example", ClientID: "c", Secret: []byte("s")}}},
	}})
	sc.must(err)
	token := sc.token(directory.OrgAdmin, "acme")
	got, content := sc.call("GET", "/orgs/acme", token, "")
	body, err := json.Marshal(map[string]any{"org": content["org"], "connections": content["connections"]})
	sc.must(err)
	saved, content := sc.call("PATCH", "/orgs/acme", token, string(body), http.Header{"If-Match": {got.Header.Get("ETag")}})
	if sc.want(200, saved); len(content["changed"].([]any)) != 0 {
		t.Errorf("%v", content)
	}
}

func TestADryRunSaysWhatWouldChangeAndSavesNothing(t *testing.T) {
	sc := newScene(t)
	sc.user("acme", "ada@acme.example")
	token := sc.token(directory.OrgAdmin, "acme")
	body := `{"org":{"id":"acme","rules":[{"set":{"license":"full"}}]}}`
	got, content := sc.call("PATCH", "/orgs/acme?dryRun=true", token, body, http.Header{"If-Match": {"*"}})
	sc.want(200, got)
	if preview := content["preview"].(map[string]any); preview["changed"] != float64(1) {
		t.Errorf("%v", content)
	}
	if p, err := sc.directory.Policy(t.Context(), "acme"); err != nil || len(p.Org.Rules) != 0 {
		t.Errorf("saved: %v %v", p.Org.Rules, err)
	}
}

func TestOnlyAnOperatorMaySayThatAConnectionSpeaksForADomain(t *testing.T) {
	sc := newScene(t)
	body := `{"connections":[{"id":"acme-okta","write":{"scim":"create"},"domains":["other.example"]}]}`
	any := http.Header{"If-Match": {"*"}}
	got, _ := sc.call("PATCH", "/orgs/acme", sc.token(directory.OrgAdmin, "acme"), body, any)
	sc.want(http.StatusForbidden, got)
	got, _ = sc.call("PATCH", "/orgs/acme", sc.token(directory.Operator, ""), body, any)
	sc.want(200, got)
	got, _ = sc.call("PATCH", "/orgs/acme", sc.token(directory.OrgAdmin, "acme"), body, any)
	sc.want(200, got)
}

func TestAPostWithAnIdempotencyKeyIsDoneOnce(t *testing.T) {
	sc := newScene(t)
	token := sc.token(directory.OrgAdmin, "acme")
	key := http.Header{"Idempotency-Key": {"order-1"}}
	body := `{"name":"crm","kind":"app"}`
	first, _ := sc.call("POST", "/orgs/acme/tokens", token, body, key)
	sc.want(201, first)
	again, content := sc.call("POST", "/orgs/acme/tokens", token, body, key)
	sc.want(201, again)
	if again.text != first.text || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("another answer: %s and %s", first.text, again.text)
	}
	if _, err := sc.directory.Authenticate(t.Context(), content["secret"].(string)); err != nil {
		t.Errorf("the secret is none: %v", err)
	}
	got, _ := sc.call("POST", "/orgs/acme/tokens", token, `{"name":"other","kind":"app"}`, key)
	sc.want(422, got)
	got, _ = sc.call("POST", "/orgs/other/tokens", sc.token(directory.OrgAdmin, "other"), body, key)
	if sc.want(201, got); got.text == first.text {
		t.Error("another caller's answer was replayed")
	}
	*sc.clock = sc.clock.Add(idempotencyLifetime)
	if later, _ := sc.call("POST", "/orgs/acme/tokens", token, body, key); later.text == first.text {
		t.Error("replayed for ever")
	}
}

func TestASecretIsNeverShownAgainNorRepeated(t *testing.T) {
	sc := newScene(t)
	token := sc.token(directory.Operator, "")
	secret := "a-client-secret-of-ours"
	body := `{"connections":[{"id":"acme-entra","write":{"sso":"create"},"oidc":{"issuer":"https://login.example/v2.0","clientId":"muster","secret":"` + secret + `"}}]}`
	any := http.Header{"If-Match": {"*"}}
	got, _ := sc.call("PATCH", "/orgs/acme", token, body, any)
	sc.want(200, got)
	for _, path := range []string{"/orgs/acme", "/orgs/acme/connections/acme-entra", "/orgs/acme/events", "/orgs/acme/tokens"} {
		if got, _ := sc.call("GET", path, token, ""); got.StatusCode != 200 || strings.Contains(got.text, secret) || strings.Contains(got.text, "sealed:") || strings.Contains(got.text, token) {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.text)
		}
	}
	unsaid := strings.Replace(body, `,"secret":"`+secret+`"`, "", 1)
	got, _ = sc.call("PATCH", "/orgs/acme", token, unsaid, any)
	sc.want(200, got)
	c, _, err := sc.directory.Connection(t.Context(), "acme-entra")
	sc.must(err)
	if plain, err := sc.directory.Unseal(c.OIDC.Secret); err != nil || string(plain) != secret {
		t.Errorf("the secret did not stay: %q %v", plain, err)
	}
	moved := strings.Replace(unsaid, "login.example", "evil.example", 1)
	got, _ = sc.call("PATCH", "/orgs/acme", token, moved, any)
	sc.want(200, got)
	if c, _, _ := sc.directory.Connection(t.Context(), "acme-entra"); len(c.OIDC.Secret) != 0 {
		t.Error("the secret went to another issuer")
	}
	if got, _ := sc.call("PATCH", "/orgs/acme", token, `{"connections":[{"id":"x","oidc":{"issuer":7,"clientId":"c","secret":["`+secret+`"]}}]}`, any); strings.Contains(got.text, secret) {
		t.Errorf("a refusal repeats it: %s", got.text)
	}
}

func TestTheHelpDeskUnlocksAndDoesNotLock(t *testing.T) {
	sc := newScene(t)
	id := sc.user("acme", "ada@acme.example").String()
	desk, chief := sc.token(directory.HelpDesk, "acme"), sc.token(directory.OrgAdmin, "acme")
	got, _ := sc.call("POST", "/orgs/acme/users/"+id+"/lock", desk, "")
	sc.want(http.StatusForbidden, got)
	got, _ = sc.call("POST", "/orgs/acme/users/"+id+"/lock", chief, "")
	sc.want(200, got)
	_, x := sc.call("GET", "/orgs/acme/users/"+id+"/explanation", desk, "")
	if x["state"] != "locked" {
		t.Errorf("%v", x["state"])
	}
	got, _ = sc.call("POST", "/orgs/acme/users/"+id+"/unlock", desk, "")
	sc.want(200, got)
	_, x = sc.call("GET", "/orgs/acme/users/"+id+"/explanation", desk, "")
	if x["state"] != "active" {
		t.Errorf("%v", x["state"])
	}
}

func TestAPinOverridesAndItsReleaseShowsWhatIsBelow(t *testing.T) {
	sc := newScene(t)
	id := sc.user("acme", "ada@acme.example").String()
	token := sc.token(directory.OrgAdmin, "acme")
	at := "/orgs/acme/users/" + id
	got, _ := sc.call("PUT", at+"/pins/title", token, `{"value":"Countess","reason":"by wish"}`)
	sc.want(200, got)
	_, u := sc.call("GET", at, token, "")
	if u["attributes"].(map[string]any)["title"] != "Countess" {
		t.Errorf("%v", u)
	}
	got, _ = sc.call("PATCH", at, token, `{"attributes":{"userName":"eve"}}`)
	if sc.want(http.StatusForbidden, got); !strings.Contains(got.text, `"code":"owned"`) {
		t.Errorf("%s", got.text)
	}
	got, _ = sc.call("DELETE", at+"/pins/title", token, "")
	sc.want(200, got)
	_, u = sc.call("GET", at, token, "")
	if u["attributes"].(map[string]any)["title"] != nil {
		t.Errorf("%v", u)
	}
	_, story := sc.call("GET", at+"/story?limit=2", token, "")
	if len(story["items"].([]any)) != 2 || story["next"] == nil {
		t.Errorf("%v", story)
	}
}

func TestErasureAsksForTheIdAgain(t *testing.T) {
	sc := newScene(t)
	id := sc.user("acme", "ada@acme.example").String()
	token := sc.token(directory.OrgAdmin, "acme")
	at := "/orgs/acme/users/" + id
	got, _ := sc.call("DELETE", at, token, "")
	sc.want(200, got)
	got, _ = sc.call("POST", at+"/erase", token, `{"confirm":"yes"}`)
	sc.want(422, got)
	got, _ = sc.call("POST", at+"/restore", token, "")
	sc.want(200, got)
	got, _ = sc.call("DELETE", at, token, "")
	sc.want(200, got)
	got, _ = sc.call("POST", at+"/erase", token, `{"confirm":"`+id+`"}`)
	sc.want(200, got)
}

func TestListsPageByCursor(t *testing.T) {
	sc := newScene(t)
	for i := range 5 {
		sc.user("acme", fmt.Sprintf("user%d@acme.example", i))
	}
	token := sc.token(directory.Auditor, "acme")
	seen := map[string]bool{}
	after, pages := "", 0
	for {
		_, page := sc.call("GET", "/orgs/acme/users?limit=2&after="+after, token, "")
		for _, item := range page["items"].([]any) {
			id := item.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
		}
		pages++
		if after, _ = page["next"].(string); after == "" || pages > 5 {
			break
		}
	}
	if len(seen) != 5 || pages != 3 {
		t.Errorf("%d users on %d pages", len(seen), pages)
	}
	got, _ := sc.call("GET", "/orgs/acme/users?after=nonsense", token, "")
	sc.want(400, got)
	got, _ = sc.call("GET", "/orgs/acme/users?filter=userName+eq+%22", token, "")
	sc.want(400, got)
	got, _ = sc.call("GET", "/orgs/acme/users?fliter=x", token, "")
	sc.want(422, got)
}

func TestAnOrganisationsAdministratorGivesWhatTheyHaveAndNoMore(t *testing.T) {
	sc := newScene(t)
	_, boss := sc.administrator("boss", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	root, _ := sc.administrator("root", directory.Grant{Role: directory.Operator})
	spread, _ := sc.administrator("spread", directory.Grant{Role: directory.Auditor, Org: "acme"}, directory.Grant{Role: directory.OrgAdmin, Org: "other"})
	as := func(method, path, body string) reply {
		var args []any
		if body != "" {
			args = append(args, []byte(body))
		}
		return sc.ask(method, apiRoot+path, append(args, boss)...)
	}
	made := as("POST", "/administrators", `{"name":"Desk","email":"desk@muster.example","grants":[{"role":"helpdesk","org":"acme"}]}`)
	if sc.want(201, made); made.first(`"link":"([^"]+)"`) == "" {
		t.Errorf("no link: %s", made.text)
	}
	for _, grants := range []string{`[{"role":"operator"}]`, `[{"role":"auditor","org":"other"}]`, `[]`} {
		sc.want(http.StatusForbidden, as("POST", "/administrators", `{"name":"X","email":"x@muster.example","grants":`+grants+`}`))
	}
	sc.want(422, as("POST", "/administrators", `{"name":"X","email":"no address","grants":[{"role":"admin","org":"acme"}]}`))
	for _, path := range []string{"", "/invite", "/sign-out"} {
		method := map[bool]string{true: "GET", false: "POST"}[path == ""]
		sc.want(http.StatusNotFound, as(method, "/administrators/"+root.String()+path, ""))
	}
	if list := as("GET", "/administrators", ""); strings.Contains(list.text, "root@") || strings.Contains(list.text, `"other"`) || !strings.Contains(list.text, "spread@") {
		t.Errorf("%s", list.text)
	}
	sc.want(http.StatusForbidden, as("POST", "/administrators/"+spread.String()+"/invite", ""))
	sc.want(http.StatusForbidden, as("PATCH", "/administrators/"+spread.String(), `{"email":"boss2@muster.example"}`))
	sc.want(200, as("PATCH", "/administrators/"+spread.String(), `{"grants":[]}`))
	a, _, err := sc.directory.Administrator(t.Context(), spread)
	sc.must(err)
	if len(a.Grants) != 1 || a.Grants[0].Org != "other" {
		t.Errorf("what the boss does not see changed, too: %v", a.Grants)
	}
}

func TestATokenGivesNoMoreThanItsMakerHas(t *testing.T) {
	sc := newScene(t)
	token := sc.token(directory.OrgAdmin, "acme")
	got, content := sc.call("POST", "/orgs/acme/tokens", token, `{"name":"report","kind":"admin","role":"auditor","lifetime":"1h"}`)
	sc.want(201, got)
	made := content["secret"].(string)
	got, _ = sc.call("GET", "/orgs/acme/users", made, "")
	sc.want(200, got)
	got, _ = sc.call("GET", "/orgs/acme/tokens", made, "")
	sc.want(http.StatusForbidden, got)
	got, _ = sc.call("GET", "/orgs/other/users", made, "")
	sc.want(http.StatusNotFound, got)
	_, list := sc.call("GET", "/orgs/acme/tokens", token, "")
	if !strings.Contains(fmt.Sprint(list), "used:") {
		t.Errorf("no last use: %v", list)
	}
	*sc.clock = sc.clock.Add(time.Hour)
	got, _ = sc.call("GET", "/orgs/acme/users", made, "")
	sc.want(http.StatusUnauthorized, got)
	for _, body := range []string{`{"name":"x","kind":"admin","role":"operator"}`, `{"name":"x","kind":"admin"}`, `{"name":"x","kind":"scim"}`, `{"name":"x","kind":"scim","connection":"other-okta"}`} {
		if got, _ := sc.call("POST", "/orgs/acme/tokens", token, body); got.StatusCode < 400 || got.StatusCode >= 500 {
			t.Errorf("%s: %d %s", body, got.StatusCode, got.text)
		}
	}
	got, _ = sc.call("DELETE", "/orgs/acme/tokens/admin/report", token, "")
	sc.want(204, got)
}

func TestPeopleAdministerBySingleSignOnWhileARuleSaysSo(t *testing.T) {
	sc := newScene(t)
	ctx := t.Context()
	r, err := sc.directory.Apply(ctx, directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbCreate,
		Attributes: directory.Attributes{{Name: directory.UserName, Value: directory.Text("ada@acme.example")}}})
	sc.must(err)
	g, err := sc.directory.Apply(ctx, directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbCreate, Resource: directory.GroupResource,
		Attributes: directory.Attributes{{Name: directory.DisplayName, Value: directory.Text("Admins")}}, Members: directory.MemberChange{Add: []directory.ID{r.User.ID}}})
	sc.must(err)
	secret, err := sc.directory.StartSession(ctx, directory.Session{Org: "acme", User: r.User.ID, Expires: sc.clock.Add(24 * time.Hour)})
	sc.must(err)
	person := &http.Cookie{Name: "person", Value: secret}
	sc.want(http.StatusForbidden, sc.ask(post, "/admin/sign-in/sso", person))
	rule := directory.Delegation{Org: "acme", Connection: "acme-okta", Group: g.Group.ID, Grant: directory.Grant{Role: directory.Auditor, Org: "acme"}}
	_, err = sc.directory.Delegate(ctx, directory.Itself("test"), rule)
	sc.must(err)
	sc.want(http.StatusForbidden, sc.ask(post, "/admin/sign-in/sso", person)) // signed in through no connection
	link := directory.LinkSetting{Connection: "acme-okta", Channel: directory.SSO, Subject: "ada"}
	sc.must(sc.directory.SetLink(ctx, directory.EventSource{Channel: directory.Local}, "acme", r.User.ID, link))
	secret, err = sc.directory.StartSession(ctx, directory.Session{Org: "acme", User: r.User.ID, Connection: "acme-okta", Subject: "ada", Expires: sc.clock.Add(24 * time.Hour)})
	sc.must(err)
	person.Value = secret
	got := sc.ask(post, "/admin/sign-in/sso", person)
	if sc.want(http.StatusSeeOther, got); got.cookie() == nil {
		t.Fatal("no session")
	}
	sc.want(200, sc.ask(get, "/admin/o/acme", got.cookie()))
	sc.want(http.StatusNotFound, sc.ask(get, "/admin/o/other", got.cookie()))
	_, err = sc.directory.Apply(ctx, directory.Change{Org: "acme", Channel: directory.Local, Verb: directory.VerbMerge, Resource: directory.GroupResource, ID: g.Group.ID,
		Members: directory.MemberChange{Remove: []directory.ID{r.User.ID}}})
	sc.must(err)
	sc.want(http.StatusSeeOther, sc.ask(get, "/admin/o/acme", got.cookie()))
}
