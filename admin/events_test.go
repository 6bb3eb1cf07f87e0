package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"muster/directory"
)

func TestEventsAreReadBackwardsFilteredAndExported(t *testing.T) {
	sc := newScene(t)
	_, auditor := sc.administrator("aud", directory.Grant{Role: directory.Auditor, Org: "acme"})
	for i := range 70 {
		sc.user("acme", "u"+string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	first := sc.ask(get, "/admin/o/acme/events?type=user.created&connection=acme-okta&channel=scim", auditor)
	next := first.first(`href="(\?[^"]*before=[^"]+)"`)
	if n := strings.Count(first.text, "Created by acme-okta (SCIM)"); n != 50 || next == "" {
		t.Fatalf("%d events on the first page, next %q", n, next)
	}
	last := sc.ask(get, "/admin/o/acme/events"+strings.ReplaceAll(next, "&amp;", "&"), auditor)
	if n := strings.Count(last.text, "Created by acme-okta (SCIM)"); n != 20 {
		t.Errorf("%d events on the last page", n)
	}
	if got := sc.ask(get, "/admin/o/acme/events?type=user.erased", auditor); strings.Contains(got.text, "Created by") {
		t.Error("the filter lets others through")
	}
	export := sc.ask(get, "/admin/o/acme/events/export?type=user.created", auditor)
	lines := strings.Split(strings.TrimSpace(export.text), "\n")
	var e struct {
		Seq  uint64
		Type string
	}
	if len(lines) != 70 || json.Unmarshal([]byte(lines[69]), &e) != nil || e.Type != "user.created" || export.StatusCode != http.StatusOK {
		t.Errorf("%d lines, the last %s", len(lines), lines[len(lines)-1])
	}
}
