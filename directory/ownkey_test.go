package directory_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
)

// ring spells keys by their public parts, the signing one first.
func ring(keys []directory.OwnKey) string {
	var names []string
	for _, k := range keys {
		names = append(names, string(k.Public)+"="+string(k.Private))
	}
	return fmt.Sprint(names)
}

func ownKey(name string) directory.OwnKey {
	return directory.OwnKey{Public: []byte(name), Private: []byte("private " + name)}
}

func TestANewKeyIsPublishedBeforeItSignsAndTheOldOneWhileItMayBeNeeded(t *testing.T) {
	w := newWorld(t, nil)
	by := directory.EventSource{Channel: directory.Local, Actor: "root"}
	now := func() string {
		t.Helper()
		keys, err := w.OwnKeys(t.Context(), "idp", "oidc")
		if err != nil {
			t.Fatal(err)
		}
		return ring(keys)
	}
	expect := func(when, want string) {
		t.Helper()
		if got := now(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	expect("at first", "[]")
	for _, name := range []string{"a", "b"} { // the second one finds the first
		if keys, err := w.FirstOwnKey(t.Context(), "idp", "oidc", ownKey(name)); err != nil || ring(keys) != "[a=private a]" {
			t.Errorf("%s, %v", ring(keys), err)
		}
	}
	if _, err := w.RollOwnKey(t.Context(), by, "idp", "oidc", ownKey("b"), time.Hour); err != nil {
		t.Fatal(err)
	}
	expect("published", "[a=private a b=private b]")
	w.now = w.now.Add(time.Hour)
	expect("signs", "[b=private b a=private a]")
	w.now = w.now.Add(time.Hour)
	expect("alone", "[b=private b]")
	if _, err := w.RollOwnKey(t.Context(), by, "idp", "oidc", ownKey("c"), 0); err != nil {
		t.Fatal(err)
	}
	expect("after a theft", "[c=private c]")
	if keys, err := w.OwnKeys(t.Context(), "idp", "saml"); err != nil || len(keys) != 0 {
		t.Errorf("for another use: %s, %v", ring(keys), err)
	}
	if _, err := w.FirstOwnKey(t.Context(), "nobody", "oidc", ownKey("d")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown connection: %v", err)
	}
	events, err := w.Events(t.Context(), "acme", 1, 10)
	if err != nil || len(events) != 3 || events[1].Source.Actor != "root" {
		t.Errorf("events: %+v, %v", events, err)
	}
}

func TestAKeyThatWasPublishedInVainIsReplaced(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := w.FirstOwnKey(t.Context(), "idp", "oidc", ownKey("a")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "c"} {
		if _, err := w.RollOwnKey(t.Context(), directory.EventSource{}, "idp", "oidc", ownKey(name), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := w.OwnKeys(t.Context(), "idp", "oidc")
	if err != nil || ring(keys) != "[a=private a c=private c]" {
		t.Errorf("%s, %v", ring(keys), err)
	}
}

func TestAPrivateKeyIsSealedInTheStore(t *testing.T) {
	e := newStore(t)
	defer e.Close()
	d, err := directory.Open(t.Context(), e, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	setup := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp"}}}
	if _, err := d.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.FirstOwnKey(t.Context(), "idp", "oidc", ownKey("a")); err != nil {
		t.Fatal(err)
	}
	err = e.View(t.Context(), func(r engine.ReadTx) error {
		for pair, err := range r.Scan(nil, []byte{0xff}) {
			if err != nil {
				return err
			}
			if bytes.Contains(pair.Value, []byte("private a")) || bytes.Contains(pair.Value, []byte("cHJpdmF0ZSBh")) {
				t.Errorf("%q holds it in clear", pair.Key)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
