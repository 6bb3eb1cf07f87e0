package admin

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
)

// counting is an engine that counts what is read.
type counting struct {
	engine.Engine
	reads *atomic.Int64
}

func (e counting) View(ctx context.Context, fn func(engine.ReadTx) error) error {
	return e.Engine.View(ctx, func(tx engine.ReadTx) error { return fn(countingTx{tx, e.reads}) })
}

type countingTx struct {
	engine.ReadTx
	reads *atomic.Int64
}

func (t countingTx) Get(key []byte) ([]byte, error) {
	t.reads.Add(1)
	return t.ReadTx.Get(key)
}

func (t countingTx) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		for pair, err := range t.ReadTx.Scan(from, to) {
			t.reads.Add(1)
			if !yield(pair, err) {
				return
			}
		}
	}
}

func TestReadsOfAPageDoNotGrowWithTheDirectory(t *testing.T) {
	var reads atomic.Int64
	sc := newSceneOn(t, func(e engine.Engine) engine.Engine { return counting{e, &reads} })
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	seen := map[string]int64{}
	there := 0
	for _, users := range []int{1_100, 4_000} {
		for ; there < users; there++ {
			sc.user("acme", fmt.Sprintf("u%05d", there))
		}
		for _, page := range []string{"", "/users", "/users?q=u00", "/users?size=200"} {
			sc.ask(get, "/admin/o/acme"+page, admin)
			reads.Store(0)
			got := sc.ask(get, "/admin/o/acme"+page, admin)
			now := reads.Load()
			if got.StatusCode != 200 || now == 0 {
				t.Fatalf("%s: %d, %d reads", page, got.StatusCode, now)
			}
			if before := seen[page]; before > 0 && now > before+before/20 {
				t.Errorf("%q reads %d of the engine with few users and %d with many", page, before, now)
			}
			seen[page] = now
		}
	}
}

func TestTheDashboardTellsWhatNeedsLooking(t *testing.T) {
	sc := newScene(t)
	_, admin := sc.administrator("eve", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	page, _, _ := sc.swapCase(admin)
	if page == "" {
		t.Fatal("no case")
	}
	if got := sc.ask(get, "/admin/o/acme", admin); strings.Contains(got.text, "silent for too long") || strings.Contains(got.text, "Token push") {
		t.Errorf("all is well: %s", got.text)
	}
	_, err := sc.directory.SetToken(t.Context(), directory.Token{Org: "acme", Connection: "acme-okta", Kind: directory.SCIMToken, Name: "push", Expires: sc.clock.AddDate(0, 0, 20)}, "a secret of twenty bytes")
	sc.must(err)
	*sc.clock = sc.clock.Add(26 * time.Hour)
	_, admin = sc.administrator("eva", directory.Grant{Role: directory.OrgAdmin, Org: "acme"})
	got := sc.ask(get, "/admin/o/acme", admin)
	for _, want := range []string{"silent for too long", "Token push of acme-okta", "within 30 days", `href="/admin/o/acme/cases">1<`} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the dashboard does not tell %q: %s", want, got.text)
		}
	}
}

func TestEventsAreCountedByHourAndDoor(t *testing.T) {
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	at := func(back time.Duration, ch directory.Channel) directory.Event {
		return directory.Event{Time: now.Add(-back), Source: directory.EventSource{Channel: ch}}
	}
	rows := hoursOf([]directory.Event{at(40*time.Hour, directory.SCIM), at(23*time.Hour, directory.SSO), at(time.Hour, directory.SCIM), at(0, directory.SCIM),
		at(0, directory.Local), at(-time.Hour, directory.SCIM)}, now)
	last := len(rows) - 1
	if len(rows) != hoursShown || rows[0].SSO != 1 || rows[0].SCIM != 0 || rows[last-1].SCIM != 1 || rows[last].SCIM != 1 || rows[last].Here != 1 {
		t.Errorf("%+v", rows)
	}
}
