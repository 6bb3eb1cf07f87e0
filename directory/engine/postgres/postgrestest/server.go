package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role and Password are the superuser's.
const (
	Role     = "muster"
	Password = "of-tests-only"
)

const startTimeout = 30 * time.Second

// Server is one server. Its methods fail the test when they cannot do what
// they say.
type Server struct {
	t        testing.TB
	bin      string
	data     string
	port     int
	user     *syscall.Credential // nil: the test's own
	settings []string
	process  *os.Process
	ended    chan struct{}
	log      string
}

// Start makes a database cluster and starts a server on it, which ends with the
// test. Settings are such as "max_connections=20". It returns nil where tests
// that need servers are left out.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	if os.Getenv("MUSTER_TEST_SERVERS") != "1" {
		t.Logf("left out: %s needs PostgreSQL (set MUSTER_TEST_SERVERS=1)", t.Name())
		return nil
	}
	s := newServer(t, settings)
	password := filepath.Join(filepath.Dir(s.data), "password")
	if err := os.WriteFile(password, []byte(Password), 0o644); err != nil {
		t.Fatal(err)
	}
	s.command("initdb", "-D", s.data, "-U", Role, "-A", "md5", "--pwfile", password,
		"-E", "UTF8", "--no-locale", "--no-sync")
	s.Start()
	return s
}

func newServer(t testing.TB, settings []string) *Server {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	user, err := unprivileged()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, bin: bin, user: user, port: freePort(t), settings: settings}
	dir := t.TempDir()
	s.data, s.log = filepath.Join(dir, "data"), filepath.Join(dir, "log")
	if user != nil {
		err = errors.Join(os.Chmod(filepath.Dir(dir), 0o711), os.Chown(dir, int(user.Uid), int(user.Gid)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// binaries is the folder of initdb and postgres, the newest where there are
// several.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed (on Debian: apt-get install postgresql): %w", err)
	}
	return filepath.Dir(path), nil
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// command runs one of PostgreSQL's programs to its end.
func (s *Server) command(name string, arguments ...string) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), arguments...)
	cmd.Dir = filepath.Dir(s.data)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+Password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Start starts a server that was stopped or killed, on its old port, and waits
// until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.launch(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			_ = conn.Close(ctx)
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.ended:
			s.t.Fatalf("PostgreSQL did not start: %s", s.Log())
		case <-ctx.Done():
			s.t.Fatalf("PostgreSQL does not answer: %v\n%s", err, s.Log())
		}
	}
}

// launch starts the process. The kernel ends it with the thread that started
// it, which therefore waits for it.
func (s *Server) launch() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	arguments := []string{"-D", s.data, "-p", fmt.Sprint(s.port), "-h", "127.0.0.1", "-k", "", "-c", "fsync=off", "-c", "shared_buffers=32MB"}
	for _, setting := range s.settings {
		arguments = append(arguments, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), arguments...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Dir(s.data), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user, Pdeathsig: syscall.SIGQUIT}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer log.Close()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = cmd.Process, ended
	return nil
}

// Stop ends the server in order: clients are cut off, and what it knows is
// written.
func (s *Server) Stop() { s.signal(syscall.SIGINT) }

// Kill ends the server as a crash would.
func (s *Server) Kill() { s.signal(syscall.SIGQUIT) }

func (s *Server) signal(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(signal)
	select {
	case <-s.ended:
	case <-time.After(startTimeout):
		_ = s.process.Kill()
		<-s.ended
	}
	s.process = nil
}

// Log is what the server wrote.
func (s *Server) Log() string {
	log, _ := os.ReadFile(s.log)
	return string(log)
}

// Address is host and port.
func (s *Server) Address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// URL names a database of the server, with the superuser's password; parameters
// are such as "schema=a".
func (s *Server) URL(database string, parameters ...string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(Role, Password), Host: s.Address(), Path: "/" + database,
		RawQuery: strings.Join(append(parameters, "sslmode=disable"), "&"),
	}
	return u.String()
}

// Exec runs statements as the superuser.
func (s *Server) Exec(statements ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			s.t.Fatalf("%s: %v", statement, err)
		}
	}
}
