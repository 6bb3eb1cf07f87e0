package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"muster/cmd/muster/applyfile"
	"muster/directory"
	"muster/directory/engine/memory"
)

// The provider's server is down when ours starts: people go on signing in by the metadata of the day before.
func TestAnOutageOfTheProviderIsNoReasonToStayDown(t *testing.T) {
	const content = "orgs: [{id: acme, connections: [{id: corp, saml: {metadata_url: 'https://idp.example/metadata'}}]}]"
	store := memory.New(memory.Options{})
	t.Cleanup(func() { store.Close() })
	d, err := directory.Open(t.Context(), store, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	document, down := idpMetadata(t), true
	apply := func() (*applyfile.File, error) {
		file, err := applyfile.Parse(t.Context(), "muster.yaml", []byte(content), applyfile.Options{Now: time.Now(), Fetch: func(context.Context, string) ([]byte, error) {
			if down {
				return nil, errors.New("no such host")
			}
			return document, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.Apply(t.Context(), d)
		return file, err
	}
	if _, err := apply(); err == nil || !strings.Contains(err.Error(), "muster.yaml:1:51: orgs[0].connections[0].saml.metadata_url:") ||
		!strings.Contains(err.Error(), "no earlier copy is known") {
		t.Errorf("without an earlier copy: %v", err)
	}
	down = false
	if _, err := apply(); err != nil {
		t.Fatal(err)
	}
	down = true
	file, err := apply()
	if err != nil || len(file.Warnings) != 1 || !strings.Contains(file.Warnings[0], "no such host; the last good copy counts") {
		t.Errorf("with an earlier copy: %v, %v", err, file.Warnings)
	}
	c, _, err := d.Connection(t.Context(), "corp")
	if err != nil || string(c.SAML.Metadata) != string(document) {
		t.Errorf("the copy is gone: %v", err)
	}
	if problems, err := d.Check(t.Context()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}
