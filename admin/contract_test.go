package admin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/directory"
)

// placed fills the parameters of a path: an organisation, and ids of nothing.
func placed(path, org string) string {
	for name, value := range map[string]string{"org": org} {
		path = strings.NewReplacer(":"+name, value, "{"+name+"}", value).Replace(path)
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") || strings.HasPrefix(part, "{") {
			parts[i] = "0197f8a0-0000-7000-8000-000000000001"
		}
	}
	return strings.Join(parts, "/")
}

// below is the role under another, "" for the lowest.
func below(role directory.AdminRole) directory.AdminRole {
	at := slices.Index(directory.AdminRoles(), role)
	if at <= 0 {
		return ""
	}
	return directory.AdminRoles()[at-1]
}

func TestEveryPageIsRefusedToWhomItsRowDoesNotName(t *testing.T) {
	sc := newScene(t)
	cookies := map[directory.AdminRole]*http.Cookie{}
	for _, role := range []directory.AdminRole{directory.Auditor, directory.HelpDesk, directory.OrgAdmin} {
		_, cookies[role] = sc.administrator("acme-"+string(role), directory.Grant{Role: role, Org: "acme"})
	}
	_, stranger := sc.administrator("other-admin", directory.Grant{Role: directory.OrgAdmin, Org: "other"})
	for _, p := range sc.server.pages() {
		row := p.method + " " + p.path
		address := placed(p.path, "acme")
		if p.need == anybody {
			continue
		}
		switch got := sc.ask(p.method, address); {
		case p.method == post && got.StatusCode != http.StatusUnauthorized,
			p.method == get && (got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), "/admin/sign-in")):
			t.Errorf("%s without a session: %d", row, got.StatusCode)
		}
		if p.need == somebody {
			continue
		}
		want := http.StatusNotFound
		if !p.isAboutOrg() {
			want = http.StatusForbidden
		}
		if got := sc.ask(p.method, address, stranger); got.StatusCode != want {
			t.Errorf("%s for another organisation's administrator: %d, want %d", row, got.StatusCode, want)
		}
		if lower := below(p.need); lower != "" {
			if got := sc.ask(p.method, address, cookies[lower]); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s for the role %s: %d", row, lower, got.StatusCode)
			}
		}
		if cookie := cookies[p.need]; cookie != nil {
			if got := sc.ask(p.method, address, cookie); got.StatusCode == http.StatusForbidden || got.StatusCode == http.StatusUnauthorized || got.StatusCode >= 500 {
				t.Errorf("%s for the role %s: %d %s", row, p.need, got.StatusCode, got.text)
			}
		}
	}
}

func TestEveryPageForbidsScriptsOfOthersAndFrames(t *testing.T) {
	sc := newScene(t)
	_, operator := sc.administrator("root", directory.Grant{Role: directory.Operator})
	for _, p := range sc.server.pages() {
		if p.method != get {
			continue
		}
		got := sc.ask(get, placed(p.path, "acme"), operator)
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", p.path, policy)
		}
		for _, bad := range []string{"<script>", " style=\"", " onclick", "hx-on", "javascript:", "js:"} {
			if strings.Contains(got.text, bad) {
				t.Errorf("%s holds %q", p.path, bad)
			}
		}
		if got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", p.path)
		}
	}
}

// documented is one operation of the OpenAPI document.
type documented struct {
	method, path, role string
}

// operations reads the document as a client does.
func (sc *scene) operations() (list []documented) {
	sc.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Role string `json:"x-muster-role"`
		}
	}
	got := sc.ask(get, "/admin/api/openapi.json")
	sc.must(json.Unmarshal([]byte(got.text), &doc))
	for path, item := range doc.Paths {
		for method, op := range item {
			list = append(list, documented{strings.ToUpper(method), path, op.Role})
		}
	}
	return list
}

func TestEveryOperationIsRefusedToWhomItDoesNotName(t *testing.T) {
	sc := newScene(t)
	list := sc.operations()
	if len(list) < 4 {
		t.Fatalf("%d operations", len(list))
	}
	stranger := sc.token(directory.OrgAdmin, "other")
	for _, op := range list {
		row := op.method + " " + op.path
		address := apiRoot + placed(op.path, "acme")
		need := directory.AdminRole(op.role)
		if need != somebody && slices.Index(directory.AdminRoles(), need) < 0 {
			t.Errorf("%s names no role: %q", row, op.role)
			continue
		}
		var body []byte
		if op.method != http.MethodGet {
			body = []byte("{}")
		}
		for name, secret := range map[string]string{"nobody": "", "an unknown token": "no-such-token"} {
			got := sc.ask(op.method, address, secret, body)
			if got.StatusCode != http.StatusUnauthorized || got.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s for %s: %d %s", row, name, got.StatusCode, got.text)
			}
		}
		if need == somebody {
			continue
		}
		want := http.StatusForbidden
		if strings.Contains(op.path, "{org}") {
			want = http.StatusNotFound
		}
		if got := sc.ask(op.method, address, stranger, body); got.StatusCode != want || strings.Contains(got.text, "ACME") {
			t.Errorf("%s for another organisation's token: %d %s", row, got.StatusCode, got.text)
		}
		if lower := below(need); lower != "" {
			if got := sc.ask(op.method, address, sc.token(lower, "acme"), body); got.StatusCode != http.StatusForbidden {
				t.Errorf("%s for the role %s: %d", row, lower, got.StatusCode)
			}
		}
		org := "acme"
		if need == directory.Operator {
			org = ""
		}
		got := sc.ask(op.method, address, sc.token(need, org), body)
		if got.StatusCode == http.StatusForbidden || got.StatusCode == http.StatusUnauthorized || got.StatusCode >= 500 {
			t.Errorf("%s for the role %s: %d %s", row, need, got.StatusCode, got.text)
		}
	}
}
