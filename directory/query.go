package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/directory/filter"
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
	// Filters bounds the filter further than the package does.
	Filters filter.Limits
	// SortBy is the SCIM path of the attribute whose values order the answer,
	// "" for the order of creation. Of several values the primary one counts, of
	// a long one its beginning; a resource without a value comes last.
	SortBy string
	// Order turns the whole order of SortBy round; without SortBy it says nothing.
	Order Order
	// Limit is how many matches to return.
	Limit int
	// Offset is how many matches to pass over, unless Paging is ByCursor.
	Offset int
	// Paging says how one page leads to the next.
	Paging Paging
	// Cursor is Page.Next of the page before, "" for the first page.
	Cursor string
	// CursorLife is for how long a cursor is good; 0 is DefaultCursorLife.
	CursorLife time.Duration
	// MaxScan is how many records the query may look at; 0 is DefaultMaxScan. Long
	// records count as several, and so do those of users with many groups where
	// groups are looked at.
	MaxScan int
	// SkipGroups leaves Profile.Groups empty, for readers that show neither them
	// nor the version.
	SkipGroups bool
}

// Order of a sorted answer.
type Order int

// The orders.
const (
	Ascending Order = iota
	Descending
)

// Paging is how pages follow each other.
type Paging int

// The ways to page. A cursor names the last resource of its page, so that pages
// neither overlap nor leave out what was there all the time, whatever is written
// between them. A scan that reaches its budget ends a page early by cursor, and
// is refused by offset, which needs the total.
const (
	ByOffset Paging = iota
	ByCursor
)

// What a Query may cost and how long a cursor lives, unless it says so.
const (
	DefaultMaxScan    = 200_000
	DefaultCursorLife = time.Hour
)

// Page is one answer to a Query.
type Page[T any] struct {
	// Total is the number of matches, -1 when a page by cursor did not count them.
	Total int
	Items []T // may be fewer than the limit when they are large
	// Next is the cursor of the next page, "" on the last one.
	Next string
}

// Found is one match: a user or a group, the other one nil.
type Found struct {
	User  *Profile
	Group *Group
}

// ErrCursor: the cursor is none of this viewer, filter and order.
// ErrCursorExpired: it was once.
var (
	ErrCursor        = errors.New("not a cursor of this query")
	ErrCursorExpired = errors.New("the cursor has expired")
)

// errTooMany: the query would look at more records than it may.
var errTooMany = errors.New("too many records to scan; filter on an indexed attribute")

// IsTooMany says whether a query was refused because it would scan too much
// (scimType tooMany, RFC 7644 §3.12).
func IsTooMany(err error) bool { return errors.Is(err, errTooMany) }

// SortError says why an answer cannot be sorted by what SortBy names.
type SortError struct{ Path, Detail string }

func (e *SortError) Error() string { return fmt.Sprintf("sortBy %.100q: %s", e.Path, e.Detail) }

// compileFilter returns a *filter.Error when the text cannot be read.
func compileFilter(text string, within filter.Limits, schema filter.Schema) (*filter.Matcher, error) {
	tree, err := within.Parse(text)
	if err != nil {
		return nil, err
	}
	return filter.Compile(tree, schema, filter.Options{})
}

// Users lists users, in the order of their creation unless the query sorts.
func (d *Directory) Users(ctx context.Context, v Viewer, q Query) (Page[*Profile], error) {
	all, err := d.Search(ctx, v, q, UserResource)
	return only(all, func(f Found) *Profile { return f.User }), err
}

// Groups lists groups.
func (d *Directory) Groups(ctx context.Context, v Viewer, q Query) (Page[*Group], error) {
	all, err := d.Search(ctx, v, q, GroupResource)
	return only(all, func(f Found) *Group { return f.Group }), err
}

// only keeps what each match is.
func only[T any](all Page[Found], of func(Found) T) Page[T] {
	page := Page[T]{Total: all.Total, Next: all.Next, Items: make([]T, len(all.Items))}
	for i, f := range all.Items {
		page.Items[i] = of(f)
	}
	return page
}

// User returns what the viewer sees of one user; the Profile may be shared and
// must not be changed. ErrNotFound for a stranger, a tombstone, and an id of
// another organisation.
func (d *Directory) User(ctx context.Context, v Viewer, id ID) (p *Profile, err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		policy, err := r.viewerPolicy(v)
		if err != nil {
			return err
		}
		p, err = r.sight(policy, v, id)
		return err
	})
	return p, err
}

// Group returns one group that the viewer owns, or, for an application, any.
func (d *Directory) Group(ctx context.Context, v Viewer, id ID) (g *Group, err error) {
	err = d.view(ctx, v.Org, func(r reading) error {
		if _, err := r.viewerPolicy(v); err != nil {
			return err
		}
		if g, err = r.groupByID(id); err != nil {
			return err
		}
		if g == nil || !v.seesGroup(g) {
			return ErrNotFound
		}
		return nil
	})
	return g, err
}

// viewerPolicy loads the policy and refuses an unknown connection.
func (r reading) viewerPolicy(v Viewer) (*Policy, error) {
	p, err := r.policy()
	if err == nil && v.Connection != "" && p.Connection(v.Connection) == nil {
		err = ErrNotFound
	}
	return p, err
}

// closedTo: the connection deleted its own link and sees the user no more.
func (u *User) closedTo(connection string) bool {
	if connection == "" {
		return false
	}
	l := u.link(connection, SCIM)
	return l != nil && l.State == LinkDeleted
}

// seesGroup: a connection sees what it pushed, an application every group.
func (v Viewer) seesGroup(g *Group) bool {
	return v.Connection == "" || g.Source == Source{v.Connection, SCIM}
}
