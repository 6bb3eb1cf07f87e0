package scim

import (
	"net/http"
	"sync"
	"time"
)

// rates bounds how much each token may ask. A token has a bucket that holds one
// second's worth of requests, or Burst of them, and fills up again at Rate. What
// a bulk asks for beyond that is a debt, which later requests wait for.
type rates struct {
	rate, burst float64 // no rate: no bounds
	now         func() time.Time
	mu          sync.Mutex
	buckets     map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

// maxBuckets bounds memory: beyond it, full buckets are forgotten, which says
// the same.
const maxBuckets = 10_000

func newRates(rate float64, burst int, now func() time.Time) *rates {
	return &rates{rate: rate, burst: max(float64(burst), rate, 1), now: now, buckets: map[string]bucket{}}
}

// take takes n requests of a token. When there is none left it says how long to
// wait for the next.
func (r *rates) take(token string, n int) (wait time.Duration, ok bool) {
	if r.rate <= 0 {
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	b, known := r.buckets[token]
	if !known {
		r.forget(now)
		b.left = r.burst
	}
	if known {
		b.left = min(r.burst, b.left+r.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.left < 1 {
		r.buckets[token] = b
		return time.Duration((1 - b.left) / r.rate * float64(time.Second)), false
	}
	b.left -= float64(n)
	r.buckets[token] = b
	return 0, true
}

// forget drops the buckets that filled up, once there are many.
func (r *rates) forget(now time.Time) {
	if len(r.buckets) < maxBuckets {
		return
	}
	for token, b := range r.buckets {
		if b.left+r.rate*now.Sub(b.at).Seconds() >= r.burst {
			delete(r.buckets, token)
		}
	}
	for token := range r.buckets { // all are in use: somebody gets a new one
		if len(r.buckets) < maxBuckets {
			return
		}
		delete(r.buckets, token)
	}
}

// within refuses a request of a caller who asked too much lately.
func (c *call) within(caller string) error {
	return c.charge(c.viewer.Org+"/"+c.viewer.Connection+"/"+caller, 1)
}

func (c *call) charge(account string, n int) error {
	c.account = account
	wait, ok := c.s.rates.take(account, n)
	if ok {
		return nil
	}
	c.wait = wait
	return fault{Status: http.StatusTooManyRequests, Detail: "too many requests with this token; wait as long as Retry-After says"}
}
