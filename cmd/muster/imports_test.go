package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed is the architecture: what each package may import besides the standard library, muster's own packages by
// path, others by module. The direction is strictly down: cmd, then the doors, then directory, then the engine. The
// doors do not know each other, and nobody but cmd names a concrete engine.
func allowed() map[string][]string {
	const (
		echo      = "github.com/labstack/echo/v4"
		text      = "golang.org/x/text"
		crewjam   = "github.com/crewjam/saml"
		dsig      = "github.com/russellhaering/goxmldsig"
		etree     = "github.com/beevik/etree"
		pgx       = "github.com/jackc/pgx/v5"
		jose      = "github.com/go-jose/go-jose/v4"
		validator = "github.com/go-playground/validator/v10"
		crypto    = "golang.org/x/crypto"
	)
	return map[string][]string{
		"muster/cmd/muster": {
			"muster/admin", "muster/cmd/muster/applyfile", "muster/cmd/muster/postman", "muster/cmd/muster/yamlfile", "muster/directory", "muster/directory/filter", "muster/directory/engine",
			"muster/directory/engine/bolt", "muster/directory/engine/etcd", "muster/directory/engine/memory", "muster/directory/engine/postgres", "muster/directory/projection",
			"muster/jit", "muster/jit/fetch", "muster/jit/saml",
			"muster/jit/saml/samltest", "muster/scim", echo, "github.com/spf13/cobra", "github.com/spf13/pflag",
			"github.com/prometheus/client_golang",
			"filippo.io/age",
		},
		"muster/cmd/muster/applyfile": {"muster/cmd/muster/yamlfile", "muster/directory", "muster/jit", "muster/jit/saml", validator},
		"muster/cmd/muster/postman":   {"muster/directory", "github.com/wneessen/go-mail"},
		"muster/cmd/muster/yamlfile":  {"github.com/goccy/go-yaml"},

		"muster/admin": {
			"muster/directory", "muster/directory/filter", echo, text, validator, crypto, "github.com/danielgtaylor/huma/v2",
			"github.com/go-webauthn/webauthn", "github.com/pquerna/otp",
		},

		"muster/scim": {"muster/directory", "muster/directory/filter", echo, "github.com/elimity-com/scim", "github.com/scim2/filter-parser/v2"},

		"muster/jit":               {"muster/directory", "muster/jit/fetch", "muster/jit/oidc", "muster/jit/saml", echo},
		"muster/jit/fetch":         {},
		"muster/jit/oidc":          {"github.com/coreos/go-oidc/v3", jose, "golang.org/x/oauth2"},
		"muster/jit/oidc/oidctest": {jose},
		"muster/jit/saml":          {crewjam, dsig, etree},
		"muster/jit/saml/samltest": {"muster/jit/saml", crewjam, dsig, etree},

		"muster/directory":                   {"muster/directory/engine", "muster/directory/filter", text, "golang.org/x/net"}, // idna
		"muster/directory/directorytest":     {"muster/directory", "muster/directory/engine/memory", "golang.org/x/tools"},
		"muster/directory/filter":            {"github.com/scim2/filter-parser/v2", text},
		"muster/directory/engine":            {},
		"muster/directory/engine/enginetest": {"muster/directory/engine", "github.com/google/go-cmp"},
		"muster/directory/engine/memory":     {"muster/directory/engine"},
		"muster/directory/engine/bolt":       {"muster/directory/engine", "go.etcd.io/bbolt"},
		"muster/directory/engine/etcd": {"muster/directory/engine", "go.etcd.io/etcd/api/v3", "go.etcd.io/etcd/client/v3",
			"google.golang.org/grpc", "go.uber.org/zap"}, // zap: to tell the client library to be silent
		"muster/directory/engine/postgres": {"muster/directory/engine", pgx},

		"muster/directory/engine/etcd/etcdtest":         {},
		"muster/directory/engine/postgres/postgrestest": {pgx},
		"muster/directory/projection":                   {"muster/directory", pgx},
		"muster/directory/projection/projectiontest":    {"muster/directory", "github.com/google/go-cmp", pgx},
	}
}

// listed is what the go tool says of a package.
type listed struct {
	ImportPath string
	Imports    []string
}

func TestEveryPackageImportsOnlyWhatTheArchitectureAllows(t *testing.T) {
	table := allowed()
	packages := packagesOf(t)
	for _, p := range packages {
		line, ok := table[p.ImportPath]
		if !ok {
			t.Errorf("%s has no line in the table: decide what it may import", p.ImportPath)
			continue
		}
		for _, violation := range violations(p, line) {
			t.Error(violation)
		}
		delete(table, p.ImportPath)
	}
	for path := range table {
		t.Errorf("%s has a line in the table and is no package", path)
	}
}

func TestAnImportAgainstTheDirectionIsFound(t *testing.T) {
	p := listed{"muster/scim", []string{"errors", "net/http", "muster/directory", "muster/jit", "github.com/labstack/echo/v4/middleware", "github.com/labstack/echo"}}
	got := violations(p, allowed()["muster/scim"])
	want := []string{"muster/scim may not import muster/jit", "muster/scim may not import github.com/labstack/echo"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// violations are the imports of p that its line does not name.
func violations(p listed, line []string) []string {
	var found []string
	for _, path := range p.Imports {
		if !isStandard(path) && !slices.ContainsFunc(line, func(entry string) bool { return covers(entry, path) }) {
			found = append(found, fmt.Sprintf("%s may not import %s", p.ImportPath, path))
		}
	}
	return found
}

// covers says whether an entry of the table permits an import: muster's packages one by one, modules whole.
func covers(entry, path string) bool {
	return entry == path || !strings.HasPrefix(entry, "muster/") && strings.HasPrefix(path, entry+"/")
}

// isStandard tells the standard library: no dot in the first element, and not ours.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && first != "muster"
}

func packagesOf(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-buildvcs=false", "-json=ImportPath,Imports", "muster/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
