package admin

import (
	"net/http"
	"sync"
	"time"
)

// throttle bounds how often sign-in may fail, per address and per account. It forgets with time; when it is full it
// forgets what is oldest, so that its memory is bounded whoever knocks.
type throttle struct {
	mu    sync.Mutex
	now   func() time.Time
	tries map[string]tries
}

// tries are the failures of one address or account within a window.
type tries struct {
	count int
	since time.Time
}

const (
	throttleWindow  = 15 * time.Minute
	throttleSize    = 20_000
	accountFailures = 10
	// Behind a proxy all of an office, or everybody, is one address.
	addressFailures = 100
)

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, tries: map[string]tries{}}
}

// admit refuses when one of the keys has failed too often. Keys are made by accountKey and addressKey.
func (t *throttle) admit(keys ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if x, ok := t.tries[key]; ok && x.count >= limitOf(key) && t.now().Sub(x.since) < throttleWindow {
			return refuse(http.StatusTooManyRequests, "too_many_attempts", "Too many attempts. Wait a quarter of an hour, or use another way to sign in.")
		}
	}
	return nil
}

// failed counts a failure for each key.
func (t *throttle) failed(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, key := range keys {
		x := t.tries[key]
		if now.Sub(x.since) >= throttleWindow {
			x = tries{since: now}
			t.makeRoom(now)
		}
		x.count++
		t.tries[key] = x
	}
}

// succeeded forgets the failures of an account, not those of an address.
func (t *throttle) succeeded(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, key)
}

// makeRoom drops what is over, and where that is not enough the oldest.
func (t *throttle) makeRoom(now time.Time) {
	if len(t.tries) < throttleSize {
		return
	}
	oldest, at := "", now
	for key, x := range t.tries {
		if now.Sub(x.since) >= throttleWindow {
			delete(t.tries, key)
		} else if !x.since.After(at) {
			oldest, at = key, x.since
		}
	}
	if len(t.tries) >= throttleSize {
		delete(t.tries, oldest)
	}
}

func accountKey(name string) string { return "account " + name }
func addressKey(ip string) string   { return "address " + ip }

func limitOf(key string) int {
	if key[:7] == "account" {
		return accountFailures
	}
	return addressFailures
}
