package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine/postgres/postgrestest"
)

// history is what the writers were told.
type history struct {
	mu    sync.Mutex
	known acknowledged
	names map[string]int // how often a node said that it made the user of that name
}

// TestThreeNodesOnOneDatabaseLoseNothing: three servers write while one of them is killed and the database restarts. No
// acknowledged write is lost, no name is given twice, and a token that is revoked on one node is refused by the others.
func TestThreeNodesOnOneDatabaseLoseNothing(t *testing.T) {
	database := postgrestest.Start(t)
	if database == nil {
		return
	}
	apply := filepath.Join(t.TempDir(), "muster.yaml")
	if err := os.WriteFile(apply, []byte(crashFile), 0o600); err != nil {
		t.Fatal(err)
	}
	var nodes []*process
	for range 3 {
		cmd := exec.Command("muster", "serve", "--listen", "127.0.0.1:0", "--store", database.URL("postgres"), "--apply", apply)
		cmd.Env = append(os.Environ(), "CRASH_TOKEN="+crashToken)
		p, err := startProcess(cmd)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.kill() }()
		nodes = append(nodes, p)
	}
	h := &history{known: acknowledged{}, names: map[string]int{}}
	end := time.Now().Add(6 * time.Second)
	var writers sync.WaitGroup
	for w := range 6 {
		writers.Go(func() { h.write(nodes, w, end) })
	}
	time.Sleep(1500 * time.Millisecond)
	if err := nodes[2].kill(); err != nil {
		t.Error(err)
	}
	time.Sleep(time.Second)
	database.Kill()
	database.Start()
	writers.Wait()
	if len(h.known) < 20 {
		t.Errorf("only %d users were written", len(h.known))
	}
	for name, n := range h.names {
		if n > 1 {
			t.Errorf("%s was given %d times", name, n)
		}
	}
	survived(t, database.URL("postgres"), h.known)
	revokedEverywhere(t, database.URL("postgres"), nodes[:2])
}

// write makes users whose names the other writers want, too, on one node after another, until the end.
func (h *history) write(nodes []*process, writer int, end time.Time) {
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for n := 1; time.Now().Before(end); n++ {
		w := &crashWriter{client: client, base: nodes[(n+writer)%len(nodes)].base, name: fmt.Sprint("pair", writer/2)}
		id, ok := w.create(n)
		if !ok {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		h.mu.Lock()
		h.names[fmt.Sprint(w.name, "-", n)]++
		h.known[id] = n
		h.mu.Unlock()
	}
}

// revokedEverywhere takes the token away as another node does. It counts nowhere from then on.
func revokedEverywhere(t *testing.T, store string, nodes []*process) {
	t.Helper()
	asks := func(p *process) bool {
		_, ok := (&crashWriter{client: http.DefaultClient, base: p.base}).send(http.MethodGet, "/Users?count=1", "", http.StatusOK)
		return ok
	}
	for _, p := range nodes {
		if !asks(p) {
			t.Error("a node does not take its token")
		}
	}
	err := withExisting(t.Context(), store, func(d *directory.Directory) error {
		return d.RevokeToken(t.Context(), directory.Token{Org: "acme", Connection: "push", Kind: directory.SCIMToken, Name: "t"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range nodes {
		if asks(p) {
			t.Error("a node takes a token that was revoked")
		}
	}
}
