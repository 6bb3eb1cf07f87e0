package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/jit/saml/samltest"
)

// TestMain makes this test binary be muster where it is called by that name, in scripts and in tests that need a
// process to kill.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"muster": main})
}

func TestScripts(t *testing.T) {
	metadata := idpMetadata(t)
	s := &scripted{servers: map[*testscript.TestScript]*process{}}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.WriteFile(filepath.Join(env.WorkDir, "okta.xml"), metadata, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": s.serve, "halt": s.halt, "printed": s.printed, "http": s.request,
		},
	})
}

func idpMetadata(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	idp, err := samltest.NewIdP(samltest.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	return idp.Metadata()
}

// scripted are the servers of the scripts that run now.
type scripted struct {
	mu      sync.Mutex
	servers map[*testscript.TestScript]*process
}

func (s *scripted) of(ts *testscript.TestScript) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[ts]
}

// serve ARG... starts `muster serve ARG...` on a free port, with $SERVER_ENV in its environment, and puts its URL into
// $BASE. The server ends, gracefully, with `stop` or with the script.
func (s *scripted) serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("a server that fails is to be run with exec")
	}
	cmd := exec.Command("muster", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), strings.Fields(ts.Getenv("SERVER_ENV"))...)
	p, err := startProcess(cmd)
	if err != nil {
		ts.Fatalf("serve: %v", err)
	}
	s.mu.Lock()
	s.servers[ts] = p
	s.mu.Unlock()
	ts.Defer(func() { _ = p.stop() })
	ts.Setenv("BASE", p.base)
}

// halt ends the server as an operator does; it must end without an error.
func (s *scripted) halt(ts *testscript.TestScript, neg bool, _ []string) {
	if err := s.of(ts).stop(); (err != nil) != neg {
		ts.Fatalf("the server ended with %v", err)
	}
}

// printed PATTERN checks what the server has printed.
func (s *scripted) printed(ts *testscript.TestScript, neg bool, args []string) {
	text := s.of(ts).output()
	if regexp.MustCompile(args[0]).MatchString(text) == neg {
		ts.Fatalf("the server printed:\n%s", text)
	}
}

// request METHOD URL STATUS [TEXT [TOKEN [FILE]]] sends a request and checks the status and a text in the answer.
func (s *scripted) request(ts *testscript.TestScript, _ bool, args []string) {
	args = append(args, make([]string, max(0, 6-len(args)))...)
	content := ""
	if args[5] != "" {
		content = ts.ReadFile(args[5])
	}
	request, err := http.NewRequest(args[0], args[1], strings.NewReader(content))
	ts.Check(err)
	request.Header.Set("Content-Type", "application/scim+json")
	if args[4] != "" {
		request.Header.Set("Authorization", "Bearer "+args[4])
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	if strconv.Itoa(response.StatusCode) != args[2] || !strings.Contains(string(answer), args[3]) {
		ts.Fatalf("%s %s: %s\n%s", args[0], args[1], response.Status, answer)
	}
}

// process is a muster that serves.
type process struct {
	cmd  *exec.Cmd
	base string
	done chan error
	mu   sync.Mutex
	out  bytes.Buffer
}

// startProcess starts a server and waits until it says where it listens.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan error, 1)}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.out.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if base, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				listening <- base
			}
		}
		p.done <- cmd.Wait()
	}()
	select {
	case p.base = <-listening:
		return p, nil
	case err := <-p.done:
		return nil, &startError{err, log.String()}
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		<-p.done
		return nil, &startError{os.ErrDeadlineExceeded, log.String()}
	}
}

// startError is a server that ended instead of listening.
type startError struct {
	err error
	log string
}

func (e *startError) Error() string { return e.err.Error() + "\n" + e.log }

// output is what the process has printed so far.
func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// stop ends the process as an operator does, and waits. A process that has ended is no error.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); errors.Is(err, os.ErrProcessDone) {
		return nil
	} else if err != nil {
		return err
	}
	return <-p.done
}

// kill ends the process without a word, and waits.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	<-p.done
	return nil
}
