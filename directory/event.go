package directory

import "time"

// Event is one committed change. Events of an organisation are numbered
// without gaps from 1, and are never rewritten: audit trail, change feed,
// webhooks and SCIM events all read them. What is about the instance itself
// stands in the events of organisation "".
type Event struct {
	Seq uint64 `json:"seq"`
	ID  ID     `json:"id"`
	// Time is when it happened, and later than the user's event before it.
	Time  time.Time `json:"time"`
	Type  EventType `json:"type"`
	User  ID        `json:"user,omitzero"` // NoID when it is not about a user
	Group ID        `json:"group,omitzero"`
	// Other is the user who was merged into User.
	Other ID `json:"other,omitzero"`
	// Case is the one that this resolved, or that was opened or closed.
	Case   ID          `json:"case,omitzero"`
	Source EventSource `json:"source"`
	// Changes are encrypted at rest under the user's key; after erasure they
	// read as empty.
	Changes []AttributeChange `json:"changes,omitempty"`
}

// EventType names what happened.
type EventType string

// The event types.
const (
	UserCreated   EventType = "user.created"
	UserUpdated   EventType = "user.updated"
	UserInvited   EventType = "user.invited" // an administrator permits one link through a connection
	UserAdopted   EventType = "user.adopted" // an existing user was linked to a connection
	UserLocked    EventType = "user.locked"
	UserUnlocked  EventType = "user.unlocked"
	UserDeleted   EventType = "user.deleted"
	UserRestored  EventType = "user.restored"
	UserErased    EventType = "user.erased"
	UserReleased  EventType = "user.released" // its home connection left; nobody's but the organisation's now
	UserMoved     EventType = "user.moved"    // to another home connection, by a table
	GroupCreated  EventType = "group.created"
	GroupUpdated  EventType = "group.updated"
	GroupDeleted  EventType = "group.deleted"
	GroupReleased EventType = "group.released" // its connection left; local now
	UserMerged    EventType = "user.merged"    // Other became User
	UserUnmerged  EventType = "user.unmerged"  // and is on its own again
	CaseOpened    EventType = "case.opened"
	CaseResolved  EventType = "case.resolved"       // an administrator decided
	CaseClosed    EventType = "case.closed"         // its cause is gone
	SessionsEnded EventType = "user.sessions_ended" // by an administrator
	ConfigSet     EventType = "config.changed"
	GuardAlert    EventType = "guard.tripped" // once in a window
	TaskDone      EventType = "task.finished"
	GuardOpened   EventType = "guard.opened" // an administrator lets through, or shuts again

	TokenSet     EventType = "token.set"
	TokenRevoked EventType = "token.revoked"

	AdminAdded     EventType = "administrator.added"
	AdminUpdated   EventType = "administrator.updated"
	AdminRemoved   EventType = "administrator.removed"
	AdminInvited   EventType = "administrator.invited"
	AdminSignedIn  EventType = "administrator.signed-in"
	AdminSignedOut EventType = "administrator.signed-out"
	AdminRefused   EventType = "administrator.refused" // a sign-in that failed
	DelegationSet  EventType = "delegation.changed"
)

// EventTypes are all event types.
func EventTypes() []EventType {
	return []EventType{
		UserCreated, UserUpdated, UserAdopted, UserLocked, UserUnlocked, UserDeleted, UserRestored, UserErased,
		UserReleased, UserMoved, GroupCreated, GroupUpdated, GroupDeleted, GroupReleased, UserMerged, UserUnmerged,
		CaseOpened, CaseResolved, CaseClosed, SessionsEnded, ConfigSet, GuardAlert, TaskDone, GuardOpened, TokenSet,
		TokenRevoked, AdminAdded, AdminUpdated, AdminRemoved, AdminInvited, AdminSignedIn, AdminSignedOut,
		AdminRefused, DelegationSet,
	}
}

// EventSource is who caused an event.
type EventSource struct {
	Connection string  `json:"connection,omitempty"`
	Channel    Channel `json:"channel,omitempty"`
	Actor      string  `json:"actor,omitempty"`
	Request    string  `json:"request,omitempty"`
}

// AttributeChange is one attribute before and after.
type AttributeChange struct {
	Attribute string `json:"attribute"`
	// Layer is the channel whose word now counts, or, for a shadowed change,
	// the one that was written.
	Layer Channel `json:"layer,omitempty"`
	// Rule is 1 + the index of the rule that set it, 0 when no rule did.
	Rule   int   `json:"rule,omitempty"`
	Before Value `json:"before,omitempty"`
	After  Value `json:"after,omitempty"`
	// Shadowed: the layer changed, the effective value did not.
	Shadowed bool `json:"shadowed,omitempty"`
}
