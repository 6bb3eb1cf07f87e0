package saml

import "time"

// Facts is what the identity provider vouched for: every field comes from bytes that a signature covers.
type Facts struct {
	Issuer       string
	NameID       NameID
	Attributes   []Attribute // in document order; a repeated name is kept
	AssertionID  string
	IssueInstant time.Time
	// NotOnOrAfter is when the assertion has ceased to be acceptable, clock skew included: it must be remembered as
	// spent until then.
	NotOnOrAfter time.Time
	SessionIndex string
	AuthnContext string    // class reference, "" if not stated
	AuthnInstant time.Time // when the person proved who they are, zero if not stated
	InResponseTo string    // "" if unsolicited
}

// NameID is the subject's identifier as sent, except for white space around Value.
type NameID struct {
	Value           string
	Format          string
	NameQualifier   string
	SPNameQualifier string
}

// Attribute is one Attribute element. Values holds one string per AttributeValue: its whole text, untrimmed, and ""
// for an empty or nil one. No values at all is an empty Values, which is not the same as no Attribute.
type Attribute struct {
	Name         string
	FriendlyName string
	NameFormat   string
	Values       []string
}
