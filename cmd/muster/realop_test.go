package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// realOP is panva's oidc-provider, on a port of its own.
type realOP struct {
	t      *testing.T
	issuer string
}

const realOPFolder = "../../testdata/oidc/provider"

// startRealOP starts it, or says that it is left out. Where servers are asked for, one that is missing is a failure.
func startRealOP(t *testing.T) *realOP {
	t.Helper()
	if os.Getenv("MUSTER_TEST_SERVERS") != "1" {
		t.Logf("left out: %s needs node and oidc-provider (set MUSTER_TEST_SERVERS=1)", t.Name())
		return nil
	}
	cmd := exec.Command("node", "server.mjs")
	cmd.Dir = realOPFolder
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("oidc-provider: %v (npm ci --prefix testdata/oidc/provider)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the provider said:\n%s", log.String())
		}
	})
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "issuer ") {
		t.Fatalf("oidc-provider does not start (npm ci --prefix testdata/oidc/provider):\n%s", log.String())
	}
	return &realOP{t, strings.TrimPrefix(lines.Text(), "issuer ")}
}

// told sends the provider something that only a test may.
func (op *realOP) told(path string, what map[string]any) {
	op.t.Helper()
	content, err := json.Marshal(what)
	if err != nil {
		op.t.Fatal(err)
	}
	response, err := http.Post(op.issuer+path, "application/json", bytes.NewReader(content))
	if p := take(op.t, response, err); p.status != http.StatusNoContent {
		op.t.Fatalf("%s: %d %s", path, p.status, p.text)
	}
}

// surfer is a browser that keeps cookies and follows redirects.
type surfer struct {
	t *testing.T
	*http.Client
}

func newSurfer(t *testing.T) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &surfer{t, &http.Client{Jar: jar, Timeout: time.Minute}}
}

// submit presses the button of a page's first form, with values for its visible fields.
func (s *surfer) submit(page page, values url.Values) page {
	s.t.Helper()
	action := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(page.text)
	if action == nil {
		s.t.Fatalf("no form at %s (%d):\n%s", page.url, page.status, page.text)
	}
	to, err := page.url.Parse(action[1])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, hidden := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page.text, -1) {
		values.Set(hidden[1], hidden[2])
	}
	response, err := s.PostForm(to.String(), values)
	return take(s.t, response, err)
}

// signIn goes from muster to the provider, says to be ada if it asks, and comes back.
func (s *surfer) signIn(base string) page {
	s.t.Helper()
	page := open(s.t, s.Client, base+"/c/real-op/login")
	if strings.Contains(page.url.Path, "/interaction/") {
		page = s.submit(page, url.Values{"login": {"ada"}, "password": {"any"}})
	}
	return page
}

// in says who a browser is for muster, by the name that a reverse proxy is told and the groups; "" is nobody.
func (s *surfer) in(base string) string {
	s.t.Helper()
	response, err := s.Get(base + "/auth")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return ""
	}
	return fmt.Sprintf("%s (%s) [%s]", response.Header.Get("Remote-Name"), response.Header.Get("Remote-Email"), response.Header.Get("Remote-Groups"))
}

const realOPConfiguration = `
orgs:
  - id: acme
    rules:
      - {when: 'groups eq "Engineering"', set: {license: full}}
    connections:
      - id: real-op
        write: {sso: create}
        oidc: {issuer: "%s", client_id: muster, client_secret_env: OP_SECRET, scopes: [profile, email, groups]}
`

// serveFor starts muster for the provider.
func (op *realOP) serveFor() string {
	op.t.Helper()
	file := filepath.Join(op.t.TempDir(), "muster.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, realOPConfiguration, op.issuer), 0o600); err != nil {
		op.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0", "--store", "memory://", "--allow-private-fetch", "--apply", file)
	cmd.Args[0] = "muster"
	cmd.Env = append(os.Environ(), "OP_SECRET=the-secret-of-the-test-client")
	p, err := startProcess(cmd)
	if err != nil {
		op.t.Fatal(err)
	}
	op.t.Cleanup(func() { _ = p.stop() })
	return p.base
}

// FL-1, LF-1, MISSION nobody 11: sign-in, a change of groups, a second sign-in, new keys, and the provider's own logout.
func TestPeopleComeAndGoByARealOpenIDProvider(t *testing.T) {
	op := startRealOP(t)
	if op == nil {
		return
	}
	base := op.serveFor()
	op.told("/control/start", map[string]any{"base": base})
	ada := map[string]any{"sub": "ada", "name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace",
		"email": "ada@corp.example", "email_verified": true, "groups": []string{"Engineering"}}
	op.told("/control/person", ada)

	browser, other := newSurfer(t), newSurfer(t)
	expect := func(when string, s *surfer, want string) {
		t.Helper()
		if got := s.in(base); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	if page := browser.signIn(base); page.url.Path != "/me" || page.status != http.StatusOK {
		t.Fatalf("the first sign-in ends at %s (%d):\n%s", page.url, page.status, page.text)
	}
	expect("created", browser, "Ada Lovelace (ada@corp.example) [Engineering]")

	ada["groups"], ada["family_name"], ada["name"] = []string{"Sales"}, "King", "Ada King"
	op.told("/control/person", ada)
	expect("before the next sign-in", browser, "Ada Lovelace (ada@corp.example) [Engineering]")
	other.signIn(base)
	expect("updated", other, "Ada King (ada@corp.example) [Sales]")
	expect("for every session of hers", browser, "Ada King (ada@corp.example) [Sales]")

	op.told("/control/start", map[string]any{"base": base}) // with new keys, at once
	third := newSurfer(t)
	third.signIn(base)
	expect("new keys", third, "Ada King (ada@corp.example) [Sales]")

	page := third.submit(open(t, third.Client, op.issuer+"/session/end"), url.Values{"logout": {"yes"}})
	if page.status != http.StatusOK {
		t.Fatalf("the provider's logout ends at %s (%d):\n%s", page.url, page.status, page.text)
	}
	expect("signed out at the provider", third, "")
	expect("another session", other, "Ada King (ada@corp.example) [Sales]")
	if page := third.signIn(base); page.url.Path != "/me" {
		t.Errorf("back again: %s (%d)", page.url, page.status)
	}
}
