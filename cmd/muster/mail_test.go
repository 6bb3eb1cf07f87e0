package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// letterbox is an SMTP server on the loopback interface that passes on what it takes.
type letterbox chan string

func (l letterbox) NewSession(*smtp.Conn) (smtp.Session, error) { return l, nil }
func (l letterbox) Reset()                                      {}
func (l letterbox) Logout() error                               { return nil }
func (l letterbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (l letterbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (l letterbox) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	l <- string(content)
	return err
}

// CONFLICTS 33: the connection that welcomes has its new users written to, the other one does not.
func TestAServerWelcomesWhomAConnectionThatSaysSoCreates(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := make(letterbox, 10)
	mail := smtp.NewServer(box)
	go func() { _ = mail.Serve(listener) }()
	t.Cleanup(func() { _ = mail.Close() })
	file := filepath.Join(t.TempDir(), "muster.yaml")
	if err := os.WriteFile(file, []byte(`
orgs:
  - id: acme
    name: Acme Corp
    connections:
      - {id: loud, write: {scim: create}, welcome: true, scim_tokens: [{name: a, secret_env: LOUD_TOKEN}]}
      - {id: quiet, write: {scim: create}, scim_tokens: [{name: b, secret_env: QUIET_TOKEN}]}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0", "--store", "memory://", "--apply", file, "--mail-from", "Acme <id@acme.example>")
	cmd.Args[0] = "muster"
	cmd.Env = append(os.Environ(), "LOUD_TOKEN=loud-token-0123456789", "QUIET_TOKEN=quiet-token-0123456789", "MUSTER_SMTP_URL=smtp://"+listener.Addr().String())
	p, err := startProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.stop() })
	for connection, name := range map[string]string{"quiet": "quinn", "loud": "lou"} {
		user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"` + name + `","emails":[{"value":"` + name + `@acme.example","primary":true}]}`
		r, err := http.NewRequest(http.MethodPost, p.base+"/c/"+connection+"/scim/v2/Users", strings.NewReader(user))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+connection+"-token-0123456789")
		r.Header.Set("Content-Type", "application/scim+json")
		response, err := http.DefaultClient.Do(r)
		if page := take(t, response, err); page.status != http.StatusCreated {
			t.Fatalf("%d %s", page.status, page.text)
		}
	}
	select {
	case letter := <-box:
		if !strings.Contains(letter, "lou@acme.example") || !strings.Contains(letter, "Welcome to Acme Corp") || !strings.Contains(letter, p.base+"/c/loud/login") {
			t.Errorf("%s", letter)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no letter came")
	}
	select {
	case letter := <-box:
		t.Errorf("a second letter:\n%s", letter)
	case <-time.After(3 * time.Second):
	}
}
