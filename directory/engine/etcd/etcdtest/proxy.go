package etcdtest

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes TCP connections on to one address. What is cut is held back,
// not refused, as in a network that loses every packet; it goes on when the
// cut ends.
type Proxy struct {
	target   string
	listener net.Listener
	mu       sync.Mutex
	changed  *sync.Cond
	cut      bool
	mute     bool            // answers are held back
	from     map[string]bool // members that are cut off
	delay    time.Duration
	open     map[net.Conn]struct{}
	closed   bool
	running  sync.WaitGroup
}

// NewProxy starts a proxy that ends with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: listener, from: map[string]bool{}, open: map[net.Conn]struct{}{}}
	p.changed = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Cut holds everything back.
func (p *Proxy) Cut() { p.set(func() { p.cut = true }) }

// Restore ends Cut.
func (p *Proxy) Restore() { p.set(func() { p.cut = false }) }

// Mute holds back what comes back from the target: requests arrive, answers
// are lost.
func (p *Proxy) Mute() { p.set(func() { p.mute = true }) }

// Unmute ends Mute.
func (p *Proxy) Unmute() { p.set(func() { p.mute = false }) }

// CutFrom holds back what comes from, and goes to, the etcd member with an id.
func (p *Proxy) CutFrom(member string) { p.set(func() { p.from[member] = true }) }

// RestoreFrom ends CutFrom.
func (p *Proxy) RestoreFrom(member string) { p.set(func() { delete(p.from, member) }) }

// Delay makes everything take longer, each way.
func (p *Proxy) Delay(by time.Duration) { p.set(func() { p.delay = by }) }

// Reset breaks all connections off. New ones are accepted.
func (p *Proxy) Reset() {
	p.set(func() {
		for conn := range p.open {
			_ = conn.Close()
		}
	})
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.set(func() {
		p.closed = true
		for conn := range p.open {
			_ = conn.Close()
		}
	})
	p.running.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		if p.keep(conn) {
			p.running.Go(func() { p.serve(conn) })
		}
	}
}

// keep notes a connection, or closes it when the proxy has ended.
func (p *Proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return false
	}
	p.open[conn] = struct{}{}
	return true
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(p.open, conn)
	}
}

func (p *Proxy) serve(caller net.Conn) {
	c := &carriage{proxy: p}
	if !c.pass(request) {
		p.forget(caller)
		return
	}
	called, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(called) {
		p.forget(caller)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.copy(called, caller, request); p.forget(caller, called) })
	both.Go(func() { c.copy(caller, called, answer); p.forget(caller, called) })
	both.Wait()
}

// carriage is one connection.
type carriage struct {
	proxy  *Proxy
	member string // the etcd member that called, once it has said so
}

// way is the direction in which something is carried.
type way int

const (
	request way = iota
	answer
)

func (c *carriage) copy(to, from net.Conn, w way) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c.learn(buffer[:n])
			if !c.pass(w) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// learn reads who calls from the header that members send each other.
func (c *carriage) learn(chunk []byte) {
	_, rest, found := bytes.Cut(chunk, []byte("X-Server-From: "))
	if !found {
		return
	}
	member, _, _ := bytes.Cut(rest, []byte("\r\n"))
	c.proxy.mu.Lock()
	defer c.proxy.mu.Unlock()
	c.member = string(member)
}

// pass waits until what has come may go on, and says no when the proxy ends.
func (c *carriage) pass(w way) bool {
	p := c.proxy
	p.mu.Lock()
	delay := p.delay
	p.mu.Unlock()
	time.Sleep(delay)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed && (p.cut || p.from[c.member] || p.mute && w == answer) {
		p.changed.Wait()
	}
	return !p.closed
}
