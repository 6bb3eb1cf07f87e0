package directory

import "time"

// Case is a refused conflict that waits for an administrator. The same
// conflict met again is the same case with a higher count.
type Case struct {
	ID          ID           `json:"id"`
	Org         string       `json:"org"`
	Code        Code         `json:"code"`
	Source      Source       `json:"source"`
	Detail      string       `json:"detail"`
	Evidence    Evidence     `json:"evidence"`
	Resolutions []Resolution `json:"resolutions"`
	Opened      time.Time    `json:"opened"`
	Last        time.Time    `json:"last"`
	Count       int          `json:"count"`
	// Closed is when and by whom; zero while it waits.
	Closed   time.Time `json:"closed,omitzero"`
	ClosedBy string    `json:"closedBy,omitempty"`
}

// Evidence is what a case was opened on.
type Evidence struct {
	Users   []ID              `json:"users,omitempty"`
	Subject string            `json:"subject,omitempty"`
	Values  map[string]string `json:"values,omitempty"` // what was compared, by name
}

// Resolution is one permitted way to close a case.
type Resolution string

// The resolutions.
const (
	ResolveLink    Resolution = "link"     // link the subject to the user
	ResolveRepoint Resolution = "re-point" // move the existing link to the subject
	ResolveSwap    Resolution = "swap"     // exchange the names
	ResolveRestore Resolution = "restore"  // restore the tombstone
	ResolveNew     Resolution = "new user" // release the identifier and create
	ResolveMerge   Resolution = "merge"    // join two users, with undo
	ResolveAllow   Resolution = "let through"
	ResolveReject  Resolution = "reject"
	ResolveIgnore  Resolution = "ignore"
)
