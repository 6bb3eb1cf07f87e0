package postgres

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"muster/directory/engine/postgres/postgrestest"
)

// fate is what happens to the next message of a client.
type fate int

const (
	forward     fate = iota
	loseRequest      // it never arrives, and the connection breaks
	loseAnswer       // it arrives, and the connection breaks after the answer
)

// relay stands between engine and server, and breaks connections.
type relay struct {
	listener net.Listener
	target   string

	mu      sync.Mutex
	fate    fate
	after   bool // connections are accepted after the fate
	refuse  bool
	hanging chan struct{} // nothing goes through until it is closed
}

func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, target: target}
	t.Cleanup(func() {
		_ = l.Close()
		r.goOn()
	})
	go r.accept()
	return r
}

func (r *relay) url(server *postgrestest.Server, parameters ...string) string {
	return strings.Replace(server.URL("postgres", parameters...), r.target, r.listener.Addr().String(), 1)
}

// arm decides about the next message of a connection that does not listen.
func (r *relay) arm(f fate, after bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fate, r.after = f, after
}

func (r *relay) hang() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hanging = make(chan struct{})
}

func (r *relay) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hanging != nil {
		close(r.hanging)
		r.hanging = nil
	}
}

func (r *relay) next() fate {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.fate
	if f != forward {
		r.refuse = !r.after
	}
	r.fate = forward
	return f
}

func (r *relay) wait() (refuse bool) {
	r.mu.Lock()
	hanging, refuse := r.hanging, r.refuse
	r.mu.Unlock()
	if hanging != nil {
		<-hanging
	}
	return refuse
}

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		go r.serve(client)
	}
}

func (r *relay) serve(client net.Conn) {
	defer client.Close()
	if r.wait() {
		return
	}
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	answers := &answers{to: client, answered: make(chan struct{})}
	go func() {
		_, _ = io.Copy(answers, server)
		_ = client.Close()
	}()
	message := make([]byte, 1<<20)
	for listens := false; ; {
		n, err := client.Read(message)
		if err != nil || r.wait() {
			return
		}
		listens = listens || bytes.Contains(message[:n], []byte("listen muster"))
		f := forward
		if !listens {
			f = r.next()
		}
		if f == loseRequest {
			return
		}
		if f == loseAnswer {
			answers.lose()
		}
		if _, err := server.Write(message[:n]); err != nil {
			return
		}
		if f == loseAnswer {
			<-answers.answered
			return
		}
	}
}

// answers goes to the client until it is told to lose what comes.
type answers struct {
	to       net.Conn
	answered chan struct{}
	mu       sync.Mutex
	losing   bool
}

func (a *answers) lose() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.losing = true
}

func (a *answers) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.losing {
		close(a.answered)
		return 0, io.ErrClosedPipe
	}
	return a.to.Write(b)
}
