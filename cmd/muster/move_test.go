package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"muster/directory/engine/postgres/postgrestest"
)

// A directory moves to PostgreSQL and back, each step by a command of its own, and is the same at the end.
func TestADirectoryMovesToPostgreSQLAndBack(t *testing.T) {
	database := postgrestest.Start(t)
	if database == nil {
		return
	}
	command := func(args ...string) string {
		t.Helper()
		var out, log strings.Builder
		if err := run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &out, &log); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, log.String())
		}
		if strings.Contains(out.String()+log.String(), postgrestest.Password) {
			t.Errorf("%s shows the password", args)
		}
		return out.String()
	}
	file := func(name string) string { return "bolt://" + filepath.Join(t.TempDir(), name) }
	digest := func(text string) string {
		t.Helper()
		found := regexp.MustCompile(`[0-9]+ keys, [0-9]+ bytes, digest [0-9a-f]{16}`).FindString(text)
		if found == "" {
			t.Fatalf("no digest in %q", text)
		}
		return found
	}
	first, last := file("first.db"), file("last.db")
	apply := filepath.Join(t.TempDir(), "muster.yaml")
	const wanted = "orgs: [{id: acme, name: Acme, connections: [{id: idp, write: {scim: create}}]}]"
	if err := os.WriteFile(apply, []byte(wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	command("apply", "-f", apply, "--store", first)
	there := digest(command("copy", "--from", first, "--to", database.URL("postgres")))
	if got := command("check", "--store", database.URL("postgres")); !strings.Contains(got, "no problem found") {
		t.Error(got)
	}
	other := digest(command("copy", "--from", database.URL("postgres"), "--to", database.URL("postgres", "schema=other")))
	back := digest(command("copy", "--from", database.URL("postgres", "schema=other"), "--to", last))
	if there != other || other != back {
		t.Errorf("%s; %s; %s", there, other, back)
	}
	if got := command("apply", "-f", apply, "--store", last); !strings.Contains(got, "nothing to change") {
		t.Error(got)
	}
	kept := filepath.Join(t.TempDir(), "kept.backup")
	command("backup", "--store", database.URL("postgres"), kept)
	if got := digest(command("restore", "--store", database.URL("postgres", "schema=restored"), kept)); got != there {
		t.Errorf("restored: %s", got)
	}
	var log strings.Builder
	args := []string{"copy", "--from", first, "--to", database.URL("postgres")}
	if err := run(t.Context(), args, func(string) string { return "" }, strings.NewReader(""), &log, &log); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("over something: %v", err)
	}
}
