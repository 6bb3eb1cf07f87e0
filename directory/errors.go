package directory

import (
	"errors"
	"fmt"
	"strings"

	"muster/directory/engine"
)

// ErrNotFound: the id, organisation, connection or session names nothing that
// the asker may see.
var ErrNotFound = errors.New("not found")

// ErrUnauthorized: the token or session is unknown, expired or revoked.
var ErrUnauthorized = errors.New("unauthorized")

// ErrVersion: If-Match or If-None-Match does not hold for the resource.
var ErrVersion = errors.New("version mismatch")

// ErrSpent: the one-time value was used before, has expired or never existed.
var ErrSpent = errors.New("already used")

// ErrTooLarge: the change writes more than one transaction of the store holds.
// Nothing happened; send it in parts.
var ErrTooLarge = engine.ErrTooLarge

// ErrUnknown: the store cannot say whether the change was committed. Sending
// it again is safe.
var ErrUnknown = engine.ErrUnknown

// ErrUnavailable: the store cannot be reached now. Nothing happened; the same
// call may succeed later.
var ErrUnavailable = engine.ErrUnavailable

// Code names one reason to refuse a change. The codes are stable API: they are
// shown to people, logged, and answered by every transport.
type Code string

// The refusal codes.
const (
	NotProvisioned     Code = "not_provisioned"            // unknown, and this door does not create
	LinkRequired       Code = "link_required"              // an account exists; linking it is not permitted by itself
	Ambiguous          Code = "ambiguous"                  // the keys point to several people
	Suspended          Code = "suspended"                  // the user, or this connection's link, is locked
	Deprovisioned      Code = "deprovisioned"              // the subject belongs to a deleted user
	Reserved           Code = "reserved"                   // the identifier belongs to a tombstone
	DomainNotAllowed   Code = "domain_not_allowed"         // an address this connection may not speak for
	AttributeMissing   Code = "required_attribute_missing" // a required attribute has no value
	InvalidValue       Code = "invalid_value"              // wrong type or not one of the allowed values
	InvalidIdentifier  Code = "invalid_identifier"         // an identifier with disallowed characters
	Uniqueness         Code = "uniqueness"                 // somebody else has the value
	Protected          Code = "protected"                  // no connection may do this to that user or role
	GuardTripped       Code = "guard_tripped"              // too many people would lose access at once
	RuleDenied         Code = "rule_denied"                // a deny rule applies
	StaleAssertion     Code = "stale_assertion"            // older than what is known, replayed or expired
	ConnectionPaused   Code = "connection_paused"          // the connection is paused
	ChannelOff         Code = "channel_off"                // the door is off, or the connection is retired
	Owned              Code = "owned"                      // another source owns the attribute; only a pin overrides it
	NoTarget           Code = "no_target"                  // a path that selects nothing (SCIM noTarget)
	MutabilityViolated Code = "mutability"                 // a read-only or immutable attribute would change
)

// Refusal is the error of a change that the rules refuse. Nothing was written
// except, where Case is set, that case.
type Refusal struct {
	Code      Code
	Attribute string // the attribute at fault, "" when none
	Detail    string // one sentence for the administrator; may name configuration
	Case      ID     // the open case that waits for an administrator, NoID when none
	// Confirm lists connections: by signing in through one of them the person may
	// prove that the existing account is theirs ([Directory.OfferProof]).
	Confirm []string
	// Evidence is what the case keeps: the users concerned and the values compared.
	Evidence Evidence
	// waiting is the operation that a guard holds back.
	waiting *Waiting
	// kind is that of the case it waits in.
	kind CaseKind
}

func (r *Refusal) Error() string {
	if r.Attribute == "" {
		return fmt.Sprintf("%s: %s", r.Code, r.Detail)
	}
	return fmt.Sprintf("%s: %s: %s", r.Code, r.Attribute, r.Detail)
}

// waits says whether an administrator is to decide: the refusal opens a case.
func (r *Refusal) waits() bool { return r.Evidence.Values != nil }

// refuse makes a Refusal without an attribute.
func refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// on names the attribute at fault.
func (r *Refusal) on(attribute string) *Refusal {
	r.Attribute = attribute
	return r
}

// invalid refuses a value.
func invalid(attribute, format string, args ...any) *Refusal {
	return refuse(InvalidValue, format, args...).on(attribute)
}

// RefusalCode returns the code of a refusal, "" for any other error.
func RefusalCode(err error) Code {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Code
	}
	return ""
}

// Fault is one error in a configuration: where, what, and what is allowed.
type Fault struct {
	Path    string   // dotted path below the object, such as "rules[2].when"
	Detail  string   // one sentence
	Allowed []string // the allowed values, when they can be listed
}

func (f Fault) String() string {
	s := f.Path + ": " + f.Detail
	if len(f.Allowed) > 0 {
		s += " (allowed: " + strings.Join(f.Allowed, ", ") + ")"
	}
	return s
}

// ConfigError lists every fault of a configuration. Nothing of it was applied.
type ConfigError struct{ Faults []Fault }

func (e *ConfigError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
