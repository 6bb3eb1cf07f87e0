package scim

import (
	"context"
	"slices"
	"testing"

	"muster/directory"
	"muster/directory/engine/memory"
)

// testOrg has custom attributes of every kind.
func testOrg() directory.Org {
	return directory.Org{ID: "acme", Name: "Acme", Attributes: map[string]directory.AttributePolicy{
		"seats": {Type: directory.Integer}, "ratio": {Type: directory.Decimal}, "since": {Type: directory.DateTime},
		"remote": {Type: directory.Boolean}, "location": {Values: []string{"Berlin", "Lagos"}}, "tags": {Multi: true},
		"license": {Values: []string{"full", "lite"}},
	}}
}

func openDirectory(t testing.TB) *directory.Directory {
	t.Helper()
	e := memory.New(memory.Options{})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	d, err := directory.Open(context.Background(), e, directory.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func configure(t testing.TB, d *directory.Directory, org directory.Org, connections ...directory.Connection) {
	t.Helper()
	_, err := d.Configure(context.Background(), directory.EventSource{Channel: directory.Local, Actor: "test"},
		[]directory.Setup{{Org: org, Connections: connections}})
	if err != nil {
		t.Fatal(err)
	}
}

func testPolicy(t testing.TB) *directory.Policy {
	t.Helper()
	d := openDirectory(t)
	configure(t, d, testOrg())
	p, err := d.Policy(context.Background(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// namesIn lists the names of an object and of the objects in it, sorted.
func namesIn(m map[string]any) []string {
	var names []string
	for name, v := range m {
		names = append(names, name)
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		if inner, ok := v.(map[string]any); ok {
			for sub := range inner {
				names = append(names, name+"."+sub)
			}
		}
	}
	slices.Sort(names)
	return names
}
