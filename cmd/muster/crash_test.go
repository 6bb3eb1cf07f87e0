package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/directory"
)

const (
	crashes      = 20
	crashWriters = 32
	crashToken   = "crash-test-token-of-32-characters"
	crashFile    = `orgs: [{id: acme, connections: [{id: push, preset: okta, write: {scim: create}, scim_tokens: [{name: t, secret_env: CRASH_TOKEN}]}]}]`
)

// acknowledged is what the server has said to be done: by user, the number that the last answered write left in
// displayName. The write that was under way when the server died may have happened, too.
type acknowledged map[string]int

// TestEveryAcknowledgedWriteSurvivesAKill kills the server in the middle of 32 writers, twenty times, and looks after
// each restart whether all that any of them was ever told to be done is there.
func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	folder := t.TempDir()
	apply := filepath.Join(folder, "muster.yaml")
	if err := os.WriteFile(apply, []byte(crashFile), 0o600); err != nil {
		t.Fatal(err)
	}
	store := "bolt://" + filepath.Join(folder, "muster.db")
	known := acknowledged{}
	for round := range crashes {
		cmd := exec.Command("muster", "serve", "--listen", "127.0.0.1:0", "--store", store, "--apply", apply)
		cmd.Env = append(os.Environ(), "CRASH_TOKEN="+crashToken)
		p, err := startProcess(cmd)
		if err != nil {
			t.Fatalf("start %d: %v", round+1, err)
		}
		maps.Copy(known, writeUntilKilled(t, p, round))
		survived(t, store, known)
	}
	if len(known) < crashes*crashWriters/2 {
		t.Errorf("only %d users were written: the writers were not in the middle of anything", len(known))
	}
}

// writeUntilKilled lets the writers write, kills the server when a random number of writes was acknowledged, and
// returns what was.
func writeUntilKilled(t *testing.T, p *process, round int) acknowledged {
	t.Helper()
	deadline := int64(100 + rand.IntN(300))
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: crashWriters}}
	defer client.CloseIdleConnections()
	var (
		count   atomic.Int64
		killing sync.Once
		writers sync.WaitGroup
		mu      sync.Mutex
		known   = acknowledged{}
	)
	kill := func() {
		if err := p.kill(); err != nil {
			t.Errorf("kill: %v", err)
		}
	}
	for w := range crashWriters {
		writers.Go(func() {
			own := acknowledged{}
			writeOn(&crashWriter{client: client, base: p.base, name: fmt.Sprintf("r%d-w%d", round, w)}, own, func() {
				if count.Add(1) >= deadline {
					killing.Do(kill)
				}
			})
			killing.Do(kill) // a writer that was refused anything ends the round, and the test by what is missing
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(known, own)
		})
	}
	writers.Wait()
	if count.Load() < deadline {
		t.Fatalf("round %d: the writers stopped after %d writes\n%s", round+1, count.Load(), p.output())
	}
	return known
}

// writeOn makes users and edits them until the server is gone.
func writeOn(w *crashWriter, own acknowledged, acknowledge func()) {
	for n := 1; ; n++ {
		id, ok := w.create(n)
		if !ok {
			return
		}
		own[id] = n
		acknowledge()
		for range 3 {
			n++
			if !w.edit(id, n) {
				return
			}
			own[id] = n
			acknowledge()
		}
	}
}

// crashWriter is one SCIM client.
type crashWriter struct {
	client     *http.Client
	base, name string
}

func (w *crashWriter) create(n int) (id string, ok bool) {
	user := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"%s-%d","externalId":"%[1]s-%[2]d","displayName":"%[2]d"}`, w.name, n)
	answer, ok := w.send(http.MethodPost, "/Users", user, http.StatusCreated)
	var made struct{ ID string }
	if !ok || json.Unmarshal(answer, &made) != nil {
		return "", false
	}
	return made.ID, made.ID != ""
}

func (w *crashWriter) edit(id string, n int) bool {
	patch := fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"%d"}]}`, n)
	_, ok := w.send(http.MethodPatch, "/Users/"+id, patch, http.StatusOK)
	return ok
}

// send reports whether the answer came, whole, with that status.
func (w *crashWriter) send(method, path, content string, status int) ([]byte, bool) {
	request, err := http.NewRequest(method, w.base+"/c/push/scim/v2"+path, strings.NewReader(content))
	if err != nil {
		return nil, false
	}
	request.Header.Set("Authorization", "Bearer "+crashToken)
	request.Header.Set("Content-Type", "application/scim+json")
	response, err := w.client.Do(request)
	if err != nil {
		return nil, false
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return answer, err == nil && response.StatusCode == status
}

// survived opens the store as a restart does, and looks for everything known and for broken invariants.
func survived(t *testing.T, store string, known acknowledged) {
	t.Helper()
	err := withDirectory(t.Context(), store, slog.New(slog.DiscardHandler), func(d *directory.Directory) error {
		for text, atLeast := range known {
			id, _ := directory.ParseID(text)
			user, err := d.User(t.Context(), directory.Viewer{Org: "acme", Connection: "push"}, id)
			if err != nil {
				return fmt.Errorf("user %s: %w", text, err)
			}
			if n, err := strconv.Atoi(user.Attributes.Text(directory.DisplayName)); err != nil || n < atLeast || n > atLeast+1 {
				return fmt.Errorf("user %s has displayName %d (%v), but %d was acknowledged last", text, n, err, atLeast)
			}
		}
		problems, err := d.Check(t.Context())
		for _, p := range problems {
			t.Errorf("%s: %s: %s", p.Org, p.What, p.Detail)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
