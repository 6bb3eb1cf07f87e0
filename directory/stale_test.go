package directory_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"muster/directory"
	"muster/directory/engine/memory"
)

func TestAnEditInBetweenIsToldAndNeverOverwritten(t *testing.T) {
	d, err := directory.Open(t.Context(), memory.New(memory.Options{}), directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	save := func(by, name string, revision *uint64) error {
		_, err := d.Configure(context.Background(), directory.EventSource{Channel: directory.Local, Actor: by},
			[]directory.Setup{{Org: directory.Org{ID: "acme", Name: name}, Revision: revision}})
		return err
	}
	name := func() string {
		p, err := d.Policy(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		return p.Org.Name
	}
	none := uint64(0)
	if err := save("ada", "Acme", &none); err != nil {
		t.Fatal(err)
	}
	stale, ok := errors.AsType[*directory.StaleError](save("bo", "New", &none))
	if !ok || stale.Revision != 1 || stale.Saved.By != "ada" || !errors.Is(stale, directory.ErrVersion) {
		t.Errorf("making what is there: %v", stale)
	}
	first := uint64(1)
	if err := save("ada", "Acme Corp", &first); err != nil {
		t.Fatal(err)
	}
	err = save("bo", "Acme Ltd", &first)
	if stale, ok := errors.AsType[*directory.StaleError](err); !ok || stale.Revision != 2 || !strings.Contains(err.Error(), "ada changed the configuration") ||
		!strings.Contains(err.Error(), "org acme updated") {
		t.Errorf("an edit in between: %v", err)
	}
	if name() != "Acme Corp" {
		t.Errorf("overwritten: %s", name())
	}
	if err := save("bo", "Acme Ltd", nil); err != nil || name() != "Acme Ltd" {
		t.Errorf("without a revision: %v", err)
	}
}
