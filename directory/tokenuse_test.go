package directory_test

import (
	"errors"
	"testing"
	"time"

	"muster/directory"
)

func TestATokenTellsWhenItWasUsedAndWhenItNeedsCare(t *testing.T) { // CONFLICTS 72, 73
	w := newWorld(t, func(s *directory.Setup) { s.Connections[0].StaleAfter = 3 * time.Hour })
	ctx := t.Context()
	set := func(name, secret string, expires time.Time) {
		t.Helper()
		if _, err := w.SetToken(ctx, directory.Token{Org: "acme", Connection: "idp", Name: name, Kind: directory.SCIMToken, Expires: expires}, secret); err != nil {
			t.Fatal(err)
		}
	}
	start := w.now
	set("first", "first-secret", start.Add(100*24*time.Hour))
	set("second", "second-secret", time.Time{})
	admit := func(secret string, want error) {
		t.Helper()
		if _, _, err := w.Admit(ctx, secret); !errors.Is(err, want) {
			t.Errorf("%s: %v", secret, err)
		}
	}
	used := func(name string, want time.Time) {
		t.Helper()
		tokens, err := w.Tokens(ctx, "acme")
		if err != nil {
			t.Fatal(err)
		}
		for _, tok := range tokens {
			if tok.Name == name && !tok.Used.Equal(want) {
				t.Errorf("%s was used at %s, want %s", name, tok.Used, want)
			}
		}
	}
	stale := func(want bool) {
		t.Helper()
		list, err := w.Health(ctx, "acme")
		if err != nil || len(list) != 1 || list[0].Stale != want {
			t.Errorf("stale: %+v, %v", list, err)
		}
	}
	warned := func(want ...int) {
		t.Helper()
		list, err := w.TokenWarnings(ctx, "acme")
		if err != nil || len(list) != len(want) {
			t.Fatalf("%+v, %v", list, err)
		}
		for i, x := range list {
			if x.Days != want[i] {
				t.Errorf("warning %d: %+v", i, x)
			}
		}
	}
	used("first", time.Time{})
	admit("first-secret", nil)
	admit("second-secret", nil)
	used("first", start)
	w.now = start.Add(59 * time.Minute)
	admit("first-secret", nil)
	used("first", start)
	w.now = start.Add(2 * time.Hour)
	admit("first-secret", nil)
	used("first", w.now)
	used("second", start)
	stale(false)
	w.now = w.now.Add(4 * time.Hour)
	stale(true)
	warned()
	for _, step := range []struct{ days, mark int }{{11, 90}, {71, 30}, {94, 7}} {
		w.now = start.Add(time.Duration(step.days) * 24 * time.Hour)
		warned(step.mark)
	}
	w.now = start.Add(101 * 24 * time.Hour)
	warned(0)
	admit("first-secret", directory.ErrUnauthorized)
	admit("second-secret", nil)
	stale(false)
	w.now = start.Add(366 * 24 * time.Hour)
	warned(0, 0)
	if err := w.RevokeToken(ctx, directory.Token{Org: "acme", Connection: "idp", Name: "second", Kind: directory.SCIMToken}); err != nil {
		t.Fatal(err)
	}
	admit("second-secret", directory.ErrUnauthorized)
}
