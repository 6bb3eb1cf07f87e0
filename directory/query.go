package directory

import (
	"time"
)

// Viewer is who reads: a connection sees its own layer, an application
// (Connection "") the effective view.
type Viewer struct {
	Org        string
	Connection string
}

// Profile is what one viewer sees of one user.
type Profile struct {
	ID  ID
	Org string
	// Attributes, "active" and, for a connection, "externalId" included.
	Attributes Attributes
	Groups     []GroupRef
	Created    time.Time
	Modified   time.Time
	// Minimal: the viewer is not linked to this user; it sees the id, userName
	// and active, so that it can adopt the user or learn what blocks it.
	Minimal bool
	// Version changes exactly when what the viewer sees changes.
	Version string
}

// Query selects users or groups.
type Query struct {
	// Filter is a SCIM filter, "" for all. Its attribute names are SCIM paths.
	Filter string
	// Offset is how many matches to pass over, Limit how many to return.
	Offset, Limit int
	// SkipGroups leaves Profile.Groups empty, for readers that do not show them.
	SkipGroups bool
}

// Page is one answer to a Query.
type Page[T any] struct {
	Total int
	Items []T // may be fewer than the limit when they are large
}
