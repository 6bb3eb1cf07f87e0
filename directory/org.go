package directory

import (
	"slices"
	"time"
)

// Org is one customer: a border that nothing crosses. It holds what is decided
// about attributes, whoever writes them.
type Org struct {
	ID         string                     `json:"id"`
	Name       string                     `json:"name,omitempty"`
	Attributes map[string]AttributePolicy `json:"attributes,omitempty"`
	Rules      []Rule                     `json:"rules,omitempty"`
	Defaults   []Default                  `json:"defaults,omitempty"`
	Protected  Protection                 `json:"protected"`
	Sessions   SessionPolicy              `json:"sessions,omitzero"`
	// ReturnOrigins are the applications, such as https://app.example, to which
	// people may be sent after they signed in. This server's own paths always are.
	ReturnOrigins []string `json:"returnOrigins,omitempty"`
	// Retention is how long a tombstone keeps its identifiers and can be
	// restored; zero means 30 days.
	Retention time.Duration `json:"retention,omitempty"`
}

// AttributePolicy says what one attribute of an organisation may hold and whose
// word counts. A custom attribute is declared by having one.
type AttributePolicy struct {
	// Type and Multi declare a custom attribute; empty means string, single.
	// They must be empty or equal for an attribute the directory already has.
	Type     Type     `json:"type,omitempty"`
	Multi    bool     `json:"multi,omitempty"`
	Required Required `json:"required,omitempty"`
	// Values is the closed list of allowed values, compared exactly.
	Values []string `json:"values,omitempty"`
	// Unique: no two users of the organisation hold the same value.
	Unique bool `json:"unique,omitempty"`
	// Key names the field by which a multi-valued attribute keeps one element
	// per key, the highest layer's.
	Key     string  `json:"key,omitempty"`
	Resolve Resolve `json:"resolve,omitempty"`
	// Sources is the order in which layers are asked; a source that is missing
	// cannot supply the attribute. Empty means DefaultSources.
	Sources []Channel `json:"sources,omitempty"`
}

// Required says when an attribute must have a value.
type Required string

// The choices of Required. Unset means RequiredNo, but RequiredCreate for
// userName and, for creation by sign-in, the given and family name.
const (
	RequiredNo     Required = "no"
	RequiredCreate Required = "create"
	RequiredAlways Required = "always"
)

// Resolve says how the layers of one attribute become its effective value.
type Resolve string

// The choices of Resolve.
const (
	First Resolve = "first" // the highest layer that has an entry
	Union Resolve = "union" // all layers together
	All   Resolve = "all"   // active only: active unless somebody holds a lock
)

// Channel is the way a value came in, and with that the kind of its layer.
type Channel string

// The channels, in the default order of precedence.
const (
	Pin    Channel = "pin"   // an administrator's override
	SCIM   Channel = "scim"  // an identity provider's push
	SSO    Channel = "sso"   // an identity provider's assertion
	ByRule Channel = "rule"  // computed from the organisation's rules, never stored
	Local  Channel = "local" // an administrator's edit, and the defaults given at creation
)

// DefaultSources is the order of layers of an attribute without one.
func DefaultSources() []Channel { return []Channel{Pin, SCIM, SSO, ByRule, Local} }

// Default seeds the local layer of a new user, once, when creation gave no value.
type Default struct {
	Attribute string  `json:"attribute"`
	Value     Value   `json:"value"`
	Door      Channel `json:"door,omitempty"` // SCIM, SSO, or "" for any
}

// Protection names whom and what no connection may touch.
type Protection struct {
	// Users by id or userName: no connection may soft-link, lock or delete them.
	Users []string `json:"users,omitempty"`
	// Roles that only a pin, the local layer or a rule naming them may grant.
	Roles []string `json:"roles,omitempty"`
}

const defaultRetention = 30 * 24 * time.Hour

func (o *Org) retention() time.Duration {
	if o.Retention == 0 {
		return defaultRetention
	}
	return o.Retention
}

// protects says whether no connection may soft-link, lock or delete the user.
func (o *Org) protects(u *User) bool {
	return len(o.Protected.Users) > 0 && (slices.Contains(o.Protected.Users, u.ID.String()) ||
		slices.ContainsFunc(o.Protected.Users, func(name string) bool {
			return NormalName(name) == NormalName(u.Effective.Text(UserName))
		}))
}
