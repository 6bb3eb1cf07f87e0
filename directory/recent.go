package directory

import (
	"slices"
	"sync"
)

// recent remembers what was made lately, within a bound of memory: what was
// used since the younger half filled up last stays, the rest is forgotten. The
// zero value is ready. It knows nothing of what is true now: whoever asks
// compares what it remembers with the store.
type recent struct {
	mu         sync.Mutex
	young, old map[sight]*glance
	bytes      int // of records in young
}

// recentBytes bounds each half by the records seen; what is made of one takes a
// few times its size.
const recentBytes = 4 << 20

// sight is one viewer looking at one user.
type sight struct {
	user       ID
	connection string
}

// glance is what a viewer saw of a user, with all that it was made of.
type glance struct {
	record  string
	policy  *Policy
	groups  []groupPath
	profile *Profile
}

// is holds when the same would be made of what the store says now.
func (s *glance) is(record []byte, p *Policy, groups []groupPath) bool {
	return s != nil && s.record == string(record) && s.policy == p && slices.EqualFunc(s.groups, groups, groupPath.equal)
}

func (g groupPath) equal(o groupPath) bool {
	return g.GroupRef == o.GroupRef && slices.Equal(g.through, o.through)
}

// at returns what was remembered last, nil for nothing.
func (r *recent) at(k sight) *glance {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.young[k]; s != nil {
		return s
	}
	s := r.old[k]
	if s != nil {
		r.put(k, s)
	}
	return s
}

func (r *recent) remember(k sight, s *glance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(k, s)
}

func (r *recent) put(k sight, s *glance) {
	if before := r.young[k]; before != nil {
		r.bytes -= len(before.record)
	}
	if r.bytes += len(s.record); r.young == nil || r.bytes > recentBytes {
		r.old, r.young, r.bytes = r.young, map[sight]*glance{}, len(s.record)
	}
	r.young[k] = s
}
