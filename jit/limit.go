package jit

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
)

// allowance is how many messages that are not believed one side may send: Burst at once, one more Every so often. A
// message that is believed costs nothing, so that a thousand people behind one address sign in at nine o'clock.
type allowance struct {
	Burst int
	Every time.Duration
}

// The allowances. An address is one of the fourth version, or 64 bits of the sixth, which is what one subscriber has.
// The connection's own bounds what many addresses try together.
func perAddress() allowance    { return allowance{300, time.Second / 2} }
func perConnection() allowance { return allowance{3000, time.Second / 20} }

// maxBuckets bounds the memory of one limiter. While that many senders are being slowed, more of them are let through,
// so that nobody is refused because of others; the connection's allowance is left.
const maxBuckets = 10_000

// limiter counts messages by their sender. It belongs to one node: a sender gets as much of each.
type limiter struct {
	allowance
	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time // when those who owe nothing were last forgotten
}

// bucket is when the sender will have nothing owing; a zero one owes nothing.
type bucket struct{ clear time.Time }

func newLimiter(a allowance) *limiter { return &limiter{allowance: a, buckets: map[string]bucket{}} }

// take one message. wait is how long there is none left, zero when it was taken.
func (l *limiter) take(sender string, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear := now
	if b, ok := l.buckets[sender]; ok && b.clear.After(now) {
		clear = b.clear
	}
	clear = clear.Add(l.Every)
	if wait = clear.Sub(now) - time.Duration(l.Burst)*l.Every; wait > 0 {
		return wait
	}
	if l.room(sender, now) {
		l.buckets[sender] = bucket{clear}
	}
	return 0
}

// giveBack takes a message back that was worth its trouble.
func (l *limiter) giveBack(sender string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[sender]
	if !ok {
		return
	}
	if b.clear = b.clear.Add(-l.Every); !b.clear.After(now) {
		delete(l.buckets, sender)
		return
	}
	l.buckets[sender] = b
}

// room says whether the sender can be counted, and forgets those who owe nothing when there are many.
func (l *limiter) room(sender string, now time.Time) bool {
	if _, ok := l.buckets[sender]; ok || len(l.buckets) < maxBuckets {
		return true
	}
	if now.Before(l.swept.Add(time.Second)) {
		return false
	}
	l.swept = now
	for other, b := range l.buckets {
		if !b.clear.After(now) {
			delete(l.buckets, other)
		}
	}
	return len(l.buckets) < maxBuckets
}

// judged runs the judging of one message from outside, at the ACS or the callback. Whoever sends many that are not
// believed has to wait: guessing is slow, and probing an answer bit by bit is hopeless.
func (s *Server) judged(c echo.Context, conn *directory.Connection, judge func() error) error {
	now := s.now()
	senders := []struct {
		limiter *limiter
		name    string
	}{{s.addresses, sender(c)}, {s.connections, conn.ID}}
	for _, from := range senders {
		if wait := from.limiter.take(from.name, now); wait > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
			return refuse(tooMany, "more than %d messages that are not believed, from %q", from.limiter.Burst, from.name)
		}
	}
	err := judge()
	if err == nil || believed(problemOf(err)) {
		for _, from := range senders {
			from.limiter.giveBack(from.name, now)
		}
	}
	return err
}

// believed: the refusal concerns what was vouched for, not the message.
func believed(p *problem) bool {
	switch p.code {
	case invalidAssertion, malformedMessage, messageTooLarge, unknownRequest, providerDeclined, directory.StaleAssertion:
		return false
	}
	return true
}

// sender is the address that counts: what the server's IPExtractor says, and no header that it does not trust.
func sender(c echo.Context) string {
	ip, err := netip.ParseAddr(c.RealIP())
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}
