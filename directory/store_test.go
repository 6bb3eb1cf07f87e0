package directory_test

import (
	"context"
	"crypto/rand"
	"os"
	"os/exec"
	"strings"
	"testing"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
	"muster/directory/engine/memory"
	"muster/directory/engine/postgres"
	"muster/directory/engine/postgres/postgrestest"
	"muster/directory/projection"
	"muster/directory/projection/projectiontest"
)

// storeVariable names the server on which newStore makes stores; empty is
// memory.
const storeVariable = "MUSTER_TEST_STORE"

// tester is what newStore needs of a test.
type tester interface {
	Helper()
	Fatal(...any)
	Context() context.Context
}

// newStore is an empty engine, which its test closes: in memory, or on the
// server on which the tests are being run again.
func newStore(t tester) engine.Engine {
	t.Helper()
	url := os.Getenv(storeVariable)
	if url == "" {
		return memory.New(memory.Options{})
	}
	if endpoints, ok := strings.CutPrefix(url, "etcd://"); ok {
		e, err := etcd.Open(etcd.Options{Endpoints: strings.Split(endpoints, ","), Prefix: "/" + rand.Text() + "/"})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e, err := postgres.Open(t.Context(), url+"&pool_max_conns=8&schema=t"+strings.ToLower(rand.Text()), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// projected compares the tables for analysts with the directory that a scenario
// left behind, where that lies on PostgreSQL.
func projected(t *testing.T, d *directory.Directory) {
	t.Helper()
	url := os.Getenv(storeVariable)
	if !strings.HasPrefix(url, "postgres") || t.Failed() {
		return
	}
	schema := "p" + strings.ToLower(rand.Text())
	p, err := projection.Open(t.Context(), url+"&schema="+schema)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.CatchUp(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	projectiontest.Compare(t, url, schema, d)
}

// TestEverythingOnPostgreSQL runs the tests of this package again, the conflict
// scenarios among them, on stores of a real server. The race detector watches
// the same code on the other engines, and would take ten times as long here.
func TestEverythingOnPostgreSQL(t *testing.T) {
	if os.Getenv(storeVariable) != "" {
		return // this is the second run
	}
	if raceDetector {
		t.Log("left out: the second run, under the race detector")
		return
	}
	server := postgrestest.Start(t, "max_connections=2000")
	if server == nil {
		return
	}
	runAgain(t, server.URL("postgres"))
}

// TestConflictsOnEtcd plays the conflict scenarios on an etcd cluster.
func TestConflictsOnEtcd(t *testing.T) {
	if os.Getenv(storeVariable) != "" {
		return // this is the second run
	}
	c, ok := etcdtest.Start(t, etcdtest.Options{})
	if !ok {
		return
	}
	runAgain(t, "etcd://"+strings.Join(c.Endpoints(), ","), "-test.run=^(TestConflict|TestPushThenSignInIsOnePerson)$")
}

// runAgain runs the tests of this package on stores of a server.
func runAgain(t *testing.T, url string, flags ...string) {
	t.Helper()
	again := exec.CommandContext(t.Context(), os.Args[0], append(flags, "-test.timeout=14m", "-rapid.checks=5")...)
	again.Env = append(os.Environ(), storeVariable+"="+url)
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
