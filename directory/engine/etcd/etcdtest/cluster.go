package etcdtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Required is the variable that makes a missing server a failure.
const Required = "MUSTER_TEST_SERVERS"

// Options of Start. The zero value is one member without encryption.
type Options struct {
	Members int // one when zero
	// TLS are files; with CA set, members ask clients for certificates of it.
	CA, Cert, Key string
	// Flags are given to every member in addition.
	Flags []string
}

// Cluster is a running cluster. It ends with its test.
type Cluster struct {
	t       testing.TB
	options Options
	Members []*Member
}

// Member is one process of the cluster.
type Member struct {
	Name string
	// Door is the proxy through which clients reach the member.
	Door *Proxy
	// Gate is the proxy through which the other members reach it.
	Gate *Proxy

	cluster *Cluster
	client  string // host:port behind Door
	peer    string // host:port behind Gate
	metrics string
	dir     string
	process *exec.Cmd
	exited  chan struct{}
}

// Start starts a cluster and waits until it has a leader. It returns false,
// and says so in the log, where there is no etcd and none is required.
func Start(t testing.TB, o Options) (*Cluster, bool) {
	t.Helper()
	if _, err := exec.LookPath("etcd"); err != nil {
		if os.Getenv(Required) != "" {
			t.Fatalf("etcd is required (%s) and missing: install etcd-server", Required)
		}
		t.Logf("left out: there is no etcd here (Debian: apt-get install etcd-server)")
		return nil, false
	}
	c := &Cluster{t: t, options: o}
	for i := range max(o.Members, 1) {
		m := &Member{Name: fmt.Sprint("m", i), cluster: c, client: freeAddress(t), peer: freeAddress(t),
			metrics: freeAddress(t), dir: filepath.Join(t.TempDir(), "data")}
		m.Door, m.Gate = NewProxy(t, m.client), NewProxy(t, m.peer)
		c.Members = append(c.Members, m)
	}
	t.Cleanup(c.stop)
	for _, m := range c.Members {
		m.Start()
	}
	for _, m := range c.Members {
		m.WaitHealthy()
	}
	return c, true
}

// Endpoints are the addresses of all members, through their doors.
func (c *Cluster) Endpoints() []string {
	var all []string
	for _, m := range c.Members {
		all = append(all, m.Door.Address())
	}
	return all
}

// Leader is the member that leads now. It waits until there is one.
func (c *Cluster) Leader() *Member {
	c.t.Helper()
	for range 100 {
		for _, m := range c.Members {
			if strings.Contains(m.page("/metrics"), "\netcd_server_is_leader 1\n") {
				return m
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatal("the cluster has no leader")
	return nil
}

// Followers are the other members.
func (c *Cluster) Followers() (all []*Member) {
	leader := c.Leader()
	for _, m := range c.Members {
		if m != leader {
			all = append(all, m)
		}
	}
	return all
}

// Control runs etcdctl as the test's administrator.
func (c *Cluster) Control(arguments ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var direct []string
	for _, m := range c.Members {
		direct = append(direct, c.scheme()+m.client)
	}
	flags := []string{"--endpoints=" + strings.Join(direct, ",")}
	if c.options.CA != "" {
		flags = append(flags, "--cacert="+c.options.CA, "--cert="+c.options.Cert, "--key="+c.options.Key)
	}
	cmd := exec.CommandContext(ctx, "etcdctl", append(flags, arguments...)...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("etcdctl %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return string(out)
}

func (c *Cluster) scheme() string {
	if c.options.CA != "" {
		return "https://"
	}
	return "http://"
}

func (c *Cluster) stop() {
	for _, m := range c.Members {
		m.Kill()
	}
}

// Start starts the process, the first time or again on its data.
func (m *Member) Start() {
	t := m.cluster.t
	t.Helper()
	scheme := m.cluster.scheme()
	var initial []string
	for _, other := range m.cluster.Members {
		initial = append(initial, other.Name+"=http://"+other.Gate.Address())
	}
	flags := []string{
		"--name=" + m.Name, "--data-dir=" + m.dir, "--log-level=error",
		"--listen-client-urls=" + scheme + m.client, "--advertise-client-urls=" + scheme + m.client,
		"--listen-peer-urls=http://" + m.peer, "--initial-advertise-peer-urls=http://" + m.Gate.Address(),
		"--initial-cluster=" + strings.Join(initial, ","),
		"--listen-metrics-urls=http://" + m.metrics, "--heartbeat-interval=100", "--election-timeout=1000",
	}
	if o := m.cluster.options; o.CA != "" {
		flags = append(flags, "--trusted-ca-file="+o.CA, "--cert-file="+o.Cert, "--key-file="+o.Key, "--client-cert-auth")
	}
	m.process = exec.Command("etcd", append(flags, m.cluster.options.Flags...)...)
	log, err := os.OpenFile(m.dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	m.process.Stdout, m.process.Stderr = log, log
	if err := m.process.Start(); err != nil {
		t.Fatal(err)
	}
	m.exited = make(chan struct{})
	go func(process *exec.Cmd, exited chan struct{}) {
		_ = process.Wait()
		close(exited)
	}(m.process, m.exited)
}

// Kill ends the process at once, as a crash does, and waits until it is gone.
func (m *Member) Kill() {
	if m.process == nil || m.process.Process == nil {
		return
	}
	_ = m.process.Process.Signal(syscall.SIGCONT)
	_ = m.process.Process.Kill()
	<-m.exited
}

// Pause stops the process where it is, as a long hang does, until Continue.
func (m *Member) Pause() { _ = m.process.Process.Signal(syscall.SIGSTOP) }

// Continue lets a paused process go on.
func (m *Member) Continue() { _ = m.process.Process.Signal(syscall.SIGCONT) }

// Isolate cuts the member off the others and off its clients, both ways, until
// Rejoin.
func (m *Member) Isolate() { m.isolate((*Proxy).Cut, (*Proxy).CutFrom) }

// Rejoin ends Isolate.
func (m *Member) Rejoin() { m.isolate((*Proxy).Restore, (*Proxy).RestoreFrom) }

func (m *Member) isolate(whole func(*Proxy), from func(*Proxy, string)) {
	id := m.id()
	whole(m.Door)
	whole(m.Gate)
	for _, other := range m.cluster.Members {
		if other != m {
			from(other.Gate, id)
		}
	}
}

// page is what the member says on its page for monitoring, nothing when it
// does not answer.
func (m *Member) page(path string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.metrics+path, nil)
	if err != nil {
		return ""
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// id is the name by which the member calls itself towards the others.
func (m *Member) id() string {
	m.cluster.t.Helper()
	_, rest, found := strings.Cut(m.page("/metrics"), `etcd_server_id{server_id="`)
	id, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		m.cluster.t.Fatalf("etcd member %s does not tell its id", m.Name)
	}
	return id
}

// WaitHealthy waits until the member serves and knows a leader.
func (m *Member) WaitHealthy() {
	t := m.cluster.t
	t.Helper()
	for range 300 {
		if strings.Contains(m.page("/health"), `"health":"true"`) {
			return
		}
		select {
		case <-m.exited:
			log, _ := os.ReadFile(m.dir + ".log")
			t.Fatalf("etcd member %s ended:\n%s", m.Name, log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	log, _ := os.ReadFile(m.dir + ".log")
	t.Fatalf("etcd member %s does not become healthy:\n%s", m.Name, log)
}

// freeAddress is one that nobody listens on. Between now and its use somebody
// might, which fails the test loudly.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
