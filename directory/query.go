package directory

import (
	"context"
	"iter"
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

// User returns what the viewer sees of one user; the Profile may be shared and
// must not be changed. ErrNotFound for a stranger, a tombstone, and an id of
// another organisation.
func (d *Directory) User(ctx context.Context, v Viewer, id ID) (*Profile, error) {
	return d.user(ctx, v, id)
}

// Users lists users in the order of their creation.
func (d *Directory) Users(ctx context.Context, v Viewer, q Query) (Page[*Profile], error) {
	return d.users(ctx, v, q)
}

// Group returns one group that the viewer owns, or, for an application, any.
func (d *Directory) Group(ctx context.Context, v Viewer, id ID) (*Group, error) {
	return d.group(ctx, v, id)
}

// Groups lists groups in the order of their creation.
func (d *Directory) Groups(ctx context.Context, v Viewer, q Query) (Page[*Group], error) {
	return d.groups(ctx, v, q)
}

// Members yields the members of a group in the order of their ids, without
// ever holding all of them. A fault is yielded once, last.
func (d *Directory) Members(ctx context.Context, v Viewer, group ID) iter.Seq2[Member, error] {
	return d.members(ctx, v, group)
}
