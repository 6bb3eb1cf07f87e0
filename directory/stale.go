package directory

import (
	"fmt"
	"strings"
	"time"
)

// Saved tells of one change of an organisation's configuration.
type Saved struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"`
	Changed []string  `json:"changed"` // one line for each object
}

// StaleError: the configuration is another one by now than the change was made
// from. Nothing was changed. It is ErrVersion.
type StaleError struct {
	Revision uint64 // as it is now, 0 when there is no such organisation
	Saved    Saved  // the newest change
}

func (e *StaleError) Error() string {
	if e.Revision == 0 {
		return "there is no such organisation any more"
	}
	return fmt.Sprintf("%s changed the configuration at %s (%s); it is at revision %d now",
		orSomebody(e.Saved.By), instant(e.Saved.At), strings.Join(e.Saved.Changed, ", "), e.Revision)
}

// Is makes errors.Is(err, ErrVersion) hold.
func (e *StaleError) Is(target error) bool { return target == ErrVersion }

func orSomebody(name string) string {
	if name == "" {
		return "somebody"
	}
	return name
}

// unchangedSince holds a revision as it was read against the policy now; a nil
// policy is of an organisation that is not there.
func (p *Policy) unchangedSince(revision *uint64) error {
	switch {
	case revision == nil, p == nil && *revision == 0, p != nil && *revision == p.Revision:
		return nil
	case p == nil:
		return &StaleError{}
	}
	return &StaleError{p.Revision, p.Saved}
}
