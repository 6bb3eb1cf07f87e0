package main

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/jit/saml"
)

// lockedBuffer is what a command prints, readable while it runs.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// startDemo runs the demo until the test ends and returns what it printed.
func startDemo(t *testing.T) string {
	t.Helper()
	return startDemoOn(t, "127.0.0.1:0")
}

func startDemoOn(t *testing.T, address string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var out, log lockedBuffer
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failed = run(ctx, []string{"demo", "--listen", address}, func(string) string { return "" }, strings.NewReader(""), &out, &log)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		if failed != nil {
			t.Errorf("demo ended with %v", failed)
		}
		if t.Failed() {
			t.Logf("the demo said:\n%s", log.String())
		}
		folder := regexp.MustCompile(`Everything is in (\S+) `).FindStringSubmatch(out.String())
		if folder == nil {
			t.Fatal("no scratch folder was named")
		}
		if _, err := os.Stat(folder[1]); !os.IsNotExist(err) {
			t.Errorf("%s was left behind: %v", folder[1], err)
		}
	})
	for range 600 {
		if text := out.String(); strings.Contains(text, "link 2 works again") && strings.HasSuffix(text, "'\n") {
			return text
		}
		select {
		case <-ended:
			t.Fatal("the demo ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("the demo did not come up:\n%s\n%s", out.String(), log.String())
	return ""
}

// browser is a client that keeps cookies and follows redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second}
}

// page is one answer.
type page struct {
	status int
	url    *url.URL
	text   string
}

func take(t *testing.T, response *http.Response, err error) page {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{response.StatusCode, response.Request.URL, string(text)}
}

func open(t *testing.T, b *http.Client, address string) page {
	t.Helper()
	response, err := b.Get(address)
	return take(t, response, err)
}

// choose presses the button of a person on the test IdP's page.
func choose(t *testing.T, b *http.Client, p page, name string) page {
	t.Helper()
	if !strings.Contains(p.text, "Test IdP: who do you want to be?") {
		t.Fatalf("%s is not the test IdP's page: %d %s", p.url, p.status, p.text)
	}
	for form := range strings.SplitSeq(p.text, "<form ") {
		if !strings.Contains(form, ">"+name+"</button>") {
			continue
		}
		action := html.UnescapeString(regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(form)[1])
		values := url.Values{}
		for _, input := range regexp.MustCompile(`name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
			values.Set(input[1], html.UnescapeString(input[2]))
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, action, strings.NewReader(values.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", p.url.Scheme+"://"+p.url.Host) // what browsers say
		request.Header.Set("Sec-Fetch-Site", "same-site")
		response, err := b.Do(request)
		return take(t, response, err)
	}
	t.Fatalf("no button for %s on the page", name)
	return page{}
}

// me asks who is signed in, as JSON.
func me(t *testing.T, b *http.Client, address string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := b.Do(request)
	p := take(t, response, err)
	var answer map[string]any
	if err := json.Unmarshal([]byte(p.text), &answer); err != nil {
		t.Fatalf("/me: %d %s", p.status, p.text)
	}
	return p.status, answer
}

// curl does what a printed command line would.
func curl(t *testing.T, line string) page {
	t.Helper()
	words := regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1)
	method, content, address, header := http.MethodGet, "", "", http.Header{}
	for i := 1; i < len(words); i++ {
		word := func() string { i++; return strings.Trim(words[i], "'") }
		switch words[i] {
		case "-sS":
		case "-X":
			method = word()
		case "-H":
			name, value, _ := strings.Cut(word(), ": ")
			header.Set(name, value)
		case "-d":
			content = word()
		default:
			address = strings.Trim(words[i], "'")
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	return take(t, response, err)
}

// usersIn are the user names in a SCIM list.
func usersIn(t *testing.T, p page) map[string]map[string]any {
	t.Helper()
	var list struct{ Resources []map[string]any }
	if err := json.Unmarshal([]byte(p.text), &list); err != nil || p.status != http.StatusOK {
		t.Fatalf("%d %s", p.status, p.text)
	}
	found := map[string]map[string]any{}
	for _, r := range list.Resources {
		found[r["userName"].(string)] = r
	}
	return found
}

func TestEveryLinkAndCommandOfTheDemoWorks(t *testing.T) {
	text := startDemo(t)
	var links, curls []string
	for line := range strings.Lines(text) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "http://"):
			links = append(links, line)
		case strings.HasPrefix(line, "curl "):
			curls = append(curls, line)
		}
	}
	if len(links) != 4 || len(curls) != 3 {
		t.Fatalf("%d links and %d curl lines, want four and three:\n%s", len(links), len(curls), text)
	}
	if welcome := open(t, browser(t), links[3]); welcome.status != http.StatusOK || !strings.Contains(welcome.text, "You are the first administrator") {
		t.Errorf("the administrator's link: %d %s", welcome.status, welcome.text)
	}
	list, deactivate, activate := curls[0], curls[1], curls[2]

	before := usersIn(t, curl(t, list))
	if len(before) != 2 || before["sam@acme.example"] == nil || before["lena@emea.acme.example"] == nil {
		t.Fatalf("the pushes made %v", before)
	}

	newcomer := browser(t)
	landed := choose(t, newcomer, open(t, newcomer, links[0]), "Nia Newcomer")
	if landed.status != http.StatusOK || landed.url.String() != links[2] || !strings.Contains(landed.text, "Nia Newcomer") {
		t.Fatalf("Nia landed at %s: %d %s", landed.url, landed.status, landed.text)
	}
	after := usersIn(t, curl(t, list))
	created := after["nia@acme.example"]
	if created == nil || !strings.Contains(marshalled(t, created), `"value":"full"`) {
		t.Errorf("Nia was not created with a full licence: %v", after)
	}

	pushed := browser(t)
	landed = choose(t, pushed, open(t, pushed, links[1]), "Lena Fischer")
	if landed.status != http.StatusOK {
		t.Fatalf("Lena landed at %s: %d %s", landed.url, landed.status, landed.text)
	}
	status, profile := me(t, pushed, links[2])
	if status != http.StatusOK || profile["id"] != before["lena@emea.acme.example"]["id"] {
		t.Errorf("Lena's sign-in found %d %v, want the pushed user %v", status, profile, before["lena@emea.acme.example"])
	}
	if people := usersIn(t, curl(t, list)); len(people) != 3 {
		t.Errorf("%d people after Lena's sign-in, want 3", len(people))
	}

	if answer := curl(t, deactivate); answer.status != http.StatusOK {
		t.Fatalf("deactivate: %d %s", answer.status, answer.text)
	}
	if status, answer := me(t, pushed, links[2]); status == http.StatusOK {
		t.Errorf("Lena's session outlived her deactivation: %v", answer)
	}
	if refused := choose(t, pushed, open(t, pushed, links[1]), "Lena Fischer"); refused.status != http.StatusForbidden || !strings.Contains(refused.text, "suspended") {
		t.Errorf("Lena signed in while deactivated: %d %s", refused.status, refused.text)
	}
	if status, _ := me(t, newcomer, links[2]); status != http.StatusOK {
		t.Errorf("Nia's session ended with Lena's: %d", status)
	}

	if answer := curl(t, activate); answer.status != http.StatusOK {
		t.Fatalf("activate: %d %s", answer.status, answer.text)
	}
	if landed := choose(t, pushed, open(t, pushed, links[1]), "Lena Fischer"); landed.status != http.StatusOK {
		t.Errorf("Lena was not let in again: %d %s", landed.status, landed.text)
	}
	if landed := choose(t, pushed, open(t, pushed, links[0]), "Lena Fischer"); landed.status != http.StatusForbidden {
		t.Errorf("another connection's person was let in: %d %s", landed.status, landed.url)
	}
}

func marshalled(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheTestIdPAnswersItsOwnDemoOnly(t *testing.T) {
	text := startDemo(t)
	address := regexp.MustCompile(`A test IdP listens on (\S+)\.`).FindStringSubmatch(text)[1]
	for _, query := range []string{"", "?SAMLRequest=x"} {
		if answer := open(t, browser(t), "http://"+address+"/sso"+query); answer.status != http.StatusBadRequest {
			t.Errorf("/sso%s: %d", query, answer.status)
		}
	}
	idp, err := saml.ParseMetadata([]byte(open(t, browser(t), "http://"+address+"/metadata").text), saml.MetadataOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stranger := saml.ServiceProvider{EntityID: "https://else.example", ACSURL: "https://else.example/c/acme-okta/saml/acs", IdP: idp}
	request, err := stranger.AuthnRequest("", saml.AuthnOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if answer := open(t, browser(t), request.URL); answer.status != http.StatusBadRequest {
		t.Errorf("somebody else's server: %d %s", answer.status, answer.text)
	}
}

func TestTheDemoRefusesToListenForOthers(t *testing.T) {
	err := run(t.Context(), []string{"demo", "--listen", "0.0.0.0:0"}, os.Getenv, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "loopback addresses only") {
		t.Errorf("%v", err)
	}
}
