package jit

import (
	"strings"
	"time"

	"muster/directory"
	"muster/jit/saml"
)

// Names of the protocols' own subjects, as Subjects.SSO lists them.
const (
	NameID = "NameID" // SAML
	Sub    = "sub"    // OpenID Connect
)

// Assertion is what is left of a sign-in when the protocol is gone: who vouched, for whom, with which claims. All of
// it has been verified.
type Assertion struct {
	Issuer  string
	ID      string // unique for the issuer; spent once
	Subject Subject
	// Claims in the order they were made, each name once.
	Claims []Claim
	// GroupsOverage: the person is in more groups than the assertion names.
	GroupsOverage bool
	EmailVerified directory.Verified
	IssuedAt      time.Time
	Expires       time.Time // when ID may be forgotten
	SessionIndex  string
	AuthnContext  string
}

// Subject is the protocol's own identifier of the person.
type Subject struct {
	Name      string // NameID or Sub
	Value     string
	Format    string // SAML's, "" otherwise
	Transient bool   // another one at each sign-in, so it identifies nobody
}

// Claim is one named statement. No values at all, or only empty ones, say that the person has none.
type Claim struct {
	Name   string
	Alias  string // SAML's FriendlyName, "" if none
	Values []string
}

const transientFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

// assertionFromSAML takes the protocol off.
func assertionFromSAML(f *saml.Facts) Assertion {
	a := Assertion{
		Issuer: f.Issuer,
		ID:     f.AssertionID,
		Subject: Subject{
			Name:      NameID,
			Value:     f.NameID.Value,
			Format:    f.NameID.Format,
			Transient: f.NameID.Format == transientFormat,
		},
		Claims:       joinClaims(f.Attributes),
		IssuedAt:     f.IssueInstant,
		Expires:      f.NotOnOrAfter,
		SessionIndex: f.SessionIndex,
		AuthnContext: f.AuthnContext,
	}
	a.GroupsOverage = overage(a.Claims)
	a.EmailVerified = verified(a.Claims)
	return a
}

// joinClaims makes repeated attributes one claim: Keycloak sends one Attribute element for each value.
func joinClaims(attributes []saml.Attribute) []Claim {
	claims := make([]Claim, 0, len(attributes))
	at := make(map[string]int, len(attributes))
	for _, attribute := range attributes {
		i, seen := at[attribute.Name]
		if !seen {
			i = len(claims)
			at[attribute.Name] = i
			claims = append(claims, Claim{Name: attribute.Name})
		}
		claims[i].Values = append(claims[i].Values, attribute.Values...)
		if claims[i].Alias == "" {
			claims[i].Alias = attribute.FriendlyName
		}
	}
	return claims
}

// Entra ID's ways to say that the groups did not fit: a link in SAML (over 150), a distributed claim or a flag in OIDC
// (over 200). The link is never followed.
const (
	groupsLink = "http://schemas.microsoft.com/claims/groups.link"
	claimNames = "_claim_names"
	hasGroups  = "hasgroups"
)

// overage says whether a claim tells that groups were left out. An adapter gives the names inside _claim_names as that
// claim's values.
func overage(claims []Claim) bool {
	for _, c := range claims {
		switch c.Name {
		case groupsLink:
			return true
		case claimNames:
			for _, v := range c.Values {
				if v == "groups" {
					return true
				}
			}
		case hasGroups:
			if strings.EqualFold(first(c.Values), "true") {
				return true
			}
		}
	}
	return false
}

// verified is the provider's word about the address. Saying nothing is neutral: Entra ID never says anything.
func verified(claims []Claim) directory.Verified {
	for _, c := range claims {
		if c.Name != "email_verified" {
			continue
		}
		switch strings.ToLower(first(c.Values)) {
		case "true", "1":
			return directory.VerifiedYes
		case "":
			return directory.VerifiedUnsaid
		}
		return directory.VerifiedNo
	}
	return directory.VerifiedUnsaid
}

// first value that is not blank, trimmed.
func first(values []string) string {
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}
