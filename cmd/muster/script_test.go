package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.WriteFile(filepath.Join(env.WorkDir, "okta.xml"), metadata, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"serve": serveInScript},
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

// serveInScript is the script command `serve ARG...`: it starts `muster serve ARG...` on a free port, puts its URL
// into $BASE, and ends it, gracefully, with the script. `! serve` is not meant.
func serveInScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("a server that fails is to be run with exec")
	}
	cmd := exec.Command("muster", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), strings.Split(ts.Getenv("SERVER_ENV"), " ")...)
	p, err := startProcess(cmd)
	if err != nil {
		ts.Fatalf("serve: %v", err)
	}
	ts.Defer(func() { _ = p.stop() })
	ts.Setenv("BASE", p.base)
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

// stop ends the process as an operator does, and waits.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
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

// waitFor returns the first submatch of pattern in the output.
func (p *process) waitFor(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for range 300 {
		if m := re.FindStringSubmatch(p.output()); m != nil {
			return m[1]
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("nothing like %s in:\n%s", pattern, p.output())
	return ""
}
