package directory

import "context"

// Explanation says why a user is as it is.
type Explanation struct {
	User       ID
	Home       string
	State      string // active, locked, deleted, erased
	Attributes []AttributeStory
	Locks      []LockStory
	Groups     []GroupRef
	Links      []Link
	// Denied names the rule that refuses sign-in, "" when none does.
	Denied string
}

// AttributeStory is one attribute with every word said about it.
type AttributeStory struct {
	Name  string
	Value Value // the effective value
	Told  []Word
}

// Word is what one layer says about one attribute.
type Word struct {
	Source Source
	Value  Value
	Stamp  Stamp
	Wins   bool   // it is, or is part of, the effective value
	Rule   string // "rule NAME" or "rules[n]", for the rule layer
	Note   string // why it does not count, when it does not
}

// LockStory is one lock on the user, or on one connection's link.
type LockStory struct {
	Source Source
	Stamp  Stamp
	// LinkOnly: the connection is not home, so only its own link is locked.
	LinkOnly bool
}

// Explain says, from one snapshot, which source gave each value, when, and
// what it beat.
func (d *Directory) Explain(ctx context.Context, org string, id ID) (*Explanation, error) {
	return d.explain(ctx, org, id)
}

// DryRun takes a change through every step of Apply and writes nothing, not
// even a case.
func (d *Directory) DryRun(ctx context.Context, c Change) (Result, error) { return d.dryRun(ctx, c) }

// Events returns at most limit events after a sequence number, oldest first.
func (d *Directory) Events(ctx context.Context, org string, after uint64, limit int) ([]Event, error) {
	return d.events(ctx, org, after, limit)
}

// History returns the newest events of one user, newest first.
func (d *Directory) History(ctx context.Context, org string, id ID, limit int) ([]Event, error) {
	return d.history(ctx, org, id, limit)
}

// Cases lists the open cases of an organisation, newest first.
func (d *Directory) Cases(ctx context.Context, org string) ([]Case, error) { return d.cases(ctx, org) }

// Problem is one broken invariant that Check found.
type Problem struct {
	Org    string
	What   string // the record at fault, in words
	Detail string
}
