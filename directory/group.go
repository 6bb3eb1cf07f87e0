package directory

import "time"

// Group is a named set of users and groups, owned by one channel of one
// connection, or local. Its identity within a connection is its external id;
// equal names never merge. Members are stored one per key, apart from it.
type Group struct {
	ID          ID
	Org         string
	Source      Source // Connection "" and Channel Local for a local group
	ExternalID  string // the connection's id; for a group seen in assertions the value itself
	DisplayName string
	// Known are earlier names by which rules named the group when it was renamed,
	// one per line: rules go on meaning it.
	Known    string
	Created  time.Time
	Modified time.Time // of name and external id; members do not touch it
}

// Member is one member of a group.
type Member struct {
	ID    ID
	Group bool // the member is itself a group
}

// GroupRef is one group of a user, as seen from the user.
type GroupRef struct {
	ID       ID     `json:"id"`
	Name     string `json:"name"`
	Source   Source `json:"source"`
	Indirect bool   `json:"indirect,omitempty"` // through a nested group
	Known    string `json:"-"`                  // Group.Known
}
