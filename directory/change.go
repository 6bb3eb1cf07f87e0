package directory

import (
	"slices"
	"time"
)

// Change is one request to write, whichever door it came through. It is data;
// Edit alone is a function, and a pure one.
type Change struct {
	Org        string
	Connection string // "" for administrators
	Channel    Channel
	Actor      string // who within the source: a token's or administrator's name
	Request    string // correlation id
	Verb       Verb
	// Resource says whether the change is about a user (the zero value) or a group.
	Resource Resource

	// ID is the user or group that the request's path names; NoID otherwise.
	ID ID
	// Subject and Issuer are who the identity provider says this is. For SCIM,
	// leave them empty: the connection's subject attribute is read from Attributes.
	Subject string
	Issuer  string
	// SubjectName is what the subject was called at the source ("NameID",
	// "objectidentifier"), for explanations.
	SubjectName string

	// Former is the earlier subject of the same person, where the assertion
	// carries both; it counts in the window of Subjects.FormerUntil.
	Former string

	// Attributes by the directory's names. Missing is ABSENT, no element is
	// EMPTY. The attribute "active" with the text "false" locks and "true" lifts
	// this source's lock, through any channel; "externalId" is the connection's.
	Attributes Attributes
	// Edit, for VerbEdit, turns the writer's own attributes ("active" and
	// "externalId" included) into what they shall be. It may run several times
	// and its error comes back unchanged.
	Edit func(own Attributes) (Attributes, error)

	// Groups is what an assertion says about the person's groups.
	Groups GroupClaim
	// Members changes a group's members.
	Members MemberChange

	// EmailVerified is the assertion's word about its address.
	EmailVerified Verified
	// IfMatch lists acceptable versions of the writer's own view, as Profile.Version
	// gives them; nil accepts any. "*" accepts any existing one.
	IfMatch []string
	// IfNoneMatch lists versions that the writer's own view must not have; nil
	// lists none. "*" means that nothing may be there yet.
	IfNoneMatch []string
	// AssertedAt is when the identity provider made the assertion; zero for SCIM.
	AssertedAt time.Time

	// Invitation goes with VerbInvite.
	Invitation *UserInvitation

	// Reason and Until go with a pin.
	Reason string
	Until  time.Time
}

// holds says whether the conditions hold for what has this version.
func (c *Change) holds(version string) bool {
	names := func(list []string) bool { return slices.Contains(list, "*") || slices.Contains(list, version) }
	return (c.IfMatch == nil || names(c.IfMatch)) && !names(c.IfNoneMatch)
}

// Verb is what a Change asks for.
type Verb string

// The verbs. SCIM's POST, PUT, PATCH and DELETE are the first four.
const (
	VerbCreate  Verb = "create"
	VerbReplace Verb = "replace"
	VerbEdit    Verb = "edit"
	VerbDelete  Verb = "delete"
	VerbSignIn  Verb = "sign-in" // find or create by subject, merge attributes
	VerbMerge   Verb = "merge"   // set the given attributes of the own layer, keep the others
	VerbRestore Verb = "restore" // an administrator lifts a tombstone
	VerbInvite  Verb = "invite"  // find or create by address, and permit one link: see Directory.InviteUser
	VerbErase   Verb = "erase"   // an administrator removes the personal data of a tombstone
)

// Resource is what a Change is about.
type Resource int

// The resources.
const (
	UserResource Resource = iota
	GroupResource
)

// GroupClaim is what an assertion says about groups.
type GroupClaim struct {
	State GroupState
	Names []string // trimmed, without duplicates
}

// GroupState tells a missing statement from an empty one.
type GroupState int

// The group states.
const (
	GroupsAbsent  GroupState = iota
	GroupsPartial            // the identity provider said that there are more: only add
	GroupsSet                // exactly these, perhaps none
)

// MemberChange changes the members of a group: first, with Replace, all that
// are not in Add go; then Remove go; then Add come.
type MemberChange struct {
	Replace bool
	Add     []ID
	Remove  []ID
}

// Verified is the assertion's word about an address.
type Verified int

// The three answers.
const (
	VerifiedUnsaid Verified = iota
	VerifiedYes
	VerifiedNo
)

// Result is what a Change did.
type Result struct {
	Outcome Outcome
	// User is the writer's view of the user, nil when the change was about a group.
	User  *Profile
	Group *Group
	// Warnings tell what was left out and why; the change went through without it.
	Warnings []Warning
	// Event is the last one that the change caused, NoID when nothing changed.
	Event ID
	// Changes are what changed, Others how many other users changed with it; a
	// job's are not counted.
	Changes []AttributeChange
	Others  int
}

// Outcome of a Change.
type Outcome string

// The outcomes.
const (
	Created   Outcome = "created"
	Adopted   Outcome = "adopted"  // an existing user is now linked to the connection
	Restored  Outcome = "restored" // a tombstone or locked user came back under its id
	Updated   Outcome = "updated"
	Unchanged Outcome = "unchanged"
	Deleted   Outcome = "deleted"
)

// Warning is one thing a sign-in could not write.
type Warning struct {
	Code      Code
	Attribute string
	Detail    string
}
