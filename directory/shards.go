package directory

import (
	"math/rand/v2"
	"sync"
)

// shards are the parts of every counter. Each process uses them in an order of
// its own, the last one given back first: so transactions that run at once
// take different ones, and no more come into being than run at once. The zero
// value has one.
type shards struct {
	mu   sync.Mutex
	free []byte
}

// spread makes 256 of them.
func (s *shards) spread() {
	for _, i := range rand.Perm(256) {
		s.free = append(s.free, byte(i))
	}
}

// take is a shard that nobody else in this process has, as long as there is
// one, and what gives it back.
func (s *shards) take() (shard byte, back func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return 0, func() {}
	}
	shard = s.free[last]
	s.free = s.free[:last]
	return shard, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free = append(s.free, shard)
	}
}
