package directory

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Type says how the text of an attribute or field is read (RFC 7643 §2.3).
type Type string

// The attribute types.
const (
	String    Type = "string"
	Boolean   Type = "boolean"
	Integer   Type = "integer"
	Decimal   Type = "decimal"
	DateTime  Type = "dateTime"
	Reference Type = "reference"
	Binary    Type = "binary"
	Complex   Type = "complex"
)

// Definition says what an attribute is, whoever writes it.
type Definition struct {
	// Name is the directory's name: the SCIM path within its schema
	// ("userName", "name.givenName", "department", "costCentre").
	Name  string
	Type  Type
	Multi bool
	// Exact: values that differ in case differ (RFC 7643 caseExact).
	Exact bool
	// Fields of a Complex attribute, and of every multi-valued one.
	Fields map[string]Type
	// Origin says which schema serves the attribute.
	Origin Origin
}

// Origin is the schema an attribute belongs to.
type Origin int

// The origins.
const (
	Core       Origin = iota // urn:ietf:params:scim:schemas:core:2.0:User
	Enterprise               // urn:ietf:params:scim:schemas:extension:enterprise:2.0:User
	Custom                   // declared by the organisation
	Internal                 // served in a form of its own: license, externalId
)

// Names with a meaning of their own in the rules.
const (
	UserName    = "userName"
	ExternalID  = "externalId"
	Active      = "active"
	Emails      = "emails"
	GivenName   = "name.givenName"
	FamilyName  = "name.familyName"
	DisplayName = "displayName"
	Roles       = "roles"
	Groups      = "groups"
	License     = "license"
	Members     = "members"
)

func plural(extra ...string) map[string]Type {
	fields := map[string]Type{"value": String, "display": String, "type": String, "primary": Boolean}
	for _, name := range extra {
		fields[name] = String
	}
	return fields
}

// Definitions returns the attributes every organisation has, by name. The map
// is the caller's.
func Definitions() map[string]Definition {
	defs := map[string]Definition{}
	add := func(origin Origin, t Type, names ...string) {
		for _, n := range names {
			defs[n] = Definition{Name: n, Type: t, Origin: origin}
		}
	}
	add(Core, String, UserName, "name.formatted", FamilyName, GivenName, "name.middleName", "name.honorificPrefix",
		"name.honorificSuffix", DisplayName, "nickName", "title", "userType", "preferredLanguage", "locale", "timezone")
	add(Core, Boolean, Active)
	add(Core, Reference, "profileUrl")
	add(Enterprise, String, "employeeNumber", "costCenter", "organization", "division", "department")
	add(Internal, String, License, ExternalID)
	multi := func(name string, fields map[string]Type) {
		defs[name] = Definition{Name: name, Type: Complex, Multi: true, Fields: fields}
	}
	for _, name := range []string{Emails, "phoneNumbers", "ims", "entitlements", Roles} {
		multi(name, plural())
	}
	multi("photos", map[string]Type{"value": Reference, "display": String, "type": String, "primary": Boolean})
	multi("x509Certificates", map[string]Type{"value": Binary, "display": String, "type": String, "primary": Boolean})
	multi("addresses", map[string]Type{"formatted": String, "streetAddress": String, "locality": String, "region": String,
		"postalCode": String, "country": String, "type": String, "primary": Boolean})
	defs["manager"] = Definition{Name: "manager", Type: Complex, Origin: Enterprise,
		Fields: map[string]Type{"value": String, "$ref": Reference, "displayName": String}}
	for _, name := range []string{ExternalID, "profileUrl"} {
		d := defs[name]
		d.Exact = true
		defs[name] = d
	}
	return defs
}

// aliases are the short names that configuration may use.
var aliases = map[string]string{
	"givenName": GivenName, "familyName": FamilyName, "middleName": "name.middleName", "formatted": "name.formatted",
	"honorificPrefix": "name.honorificPrefix", "honorificSuffix": "name.honorificSuffix",
	"firstName": GivenName, "lastName": FamilyName,
	"email": Emails, "emails.value": Emails, "role": Roles, "group": Groups, "licence": License, "phoneNumber": "phoneNumbers",
	"entitlement": "entitlements", "manager.value": "manager", "address": "addresses",
}

const enterpriseURN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:"
const coreURN = "urn:ietf:params:scim:schemas:core:2.0:User:"

// CanonicalName turns what an administrator may write for an attribute (the
// name itself, its full SCIM path, or a common short form) into the
// directory's name. Unknown names come back unchanged.
func CanonicalName(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, enterpriseURN), coreURN)
	if full, ok := aliases[name]; ok {
		return full
	}
	return name
}

// Check returns a refusal when v is no value of this attribute. The text of
// booleans and numbers must already be canonical.
func (d Definition) Check(v Value) error {
	if len(v) > 1 && !d.Multi {
		return invalid(d.Name, "has one value, %d were given", len(v))
	}
	if len(v) > maxElements {
		return invalid(d.Name, "has %d values; at most %d are kept", len(v), maxElements)
	}
	for _, e := range v {
		for _, f := range e {
			t, ok := d.fieldType(f.Name)
			if !ok {
				return invalid(d.Name, "has no field %q (allowed: %s)", f.Name, strings.Join(slices.Sorted(maps.Keys(d.Fields)), ", "))
			}
			if !t.reads(f.Text) {
				return invalid(d.Name, "%.100q is not of type %s, or is longer than %d bytes", f.Text, t, maxText)
			}
		}
	}
	return nil
}

// maxElements and maxText bound one attribute of one source.
const (
	maxElements = 2000
	maxText     = 64 << 10
)

func (d Definition) fieldType(name string) (Type, bool) {
	if d.Fields == nil {
		return d.Type, name == "value"
	}
	t, ok := d.Fields[name]
	return t, ok
}

// reads says whether text is a canonical value of t.
func (t Type) reads(text string) bool {
	if len(text) > maxText {
		return false
	}
	switch t {
	case Boolean:
		return text == "true" || text == "false"
	case Integer:
		_, err := strconv.ParseInt(text, 10, 64)
		return err == nil
	case Decimal:
		_, ok := new(big.Float).SetString(text)
		return ok && len(text) <= 64
	case DateTime:
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	}
	return true
}
