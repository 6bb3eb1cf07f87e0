package samltest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"muster/jit/saml"
)

// Person is whom the provider vouches for. A zero NameID.Format is unspecified.
type Person struct {
	NameID     saml.NameID
	Attributes []saml.Attribute // in this order
}

// Signing says what carries a signature.
type Signing int

// What can be signed.
const (
	SignAssertion Signing = iota
	SignResponse
	SignBoth
	SignNothing
)

// Bend makes a response unlike the one that Request asks for. The zero value bends nothing; another audience, recipient
// or InResponseTo is a matter of another Request.
type Bend struct {
	Sign            Signing
	SignatureMethod string        // by its URI; "": RSA or ECDSA with SHA-256
	Issuer          string        // "": the provider's EntityID
	AssertionID     string        // "": random
	Status          string        // "": success
	Lifetime        time.Duration // 0: five minutes
	Later           time.Duration // every time in the response is shifted by it; negative makes an old one

	// Before edits the response while nothing is signed yet, After when everything is.
	Before, After func(response *etree.Element)
}

// Respond vouches for person and returns the SAMLResponse parameter to be posted to request.ACSURL.
func (idp *IdP) Respond(request Request, person Person, bend Bend) (string, error) {
	document, err := idp.Document(request, person, bend)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(document), nil
}

// Document is Respond before base64.
func (idp *IdP) Document(request Request, person Person, bend Bend) ([]byte, error) {
	response := idp.response(request, person, bend)
	if bend.Before != nil {
		bend.Before(response)
	}
	if err := idp.sign(response, bend); err != nil {
		return nil, fmt.Errorf("samltest: sign: %w", err)
	}
	if bend.After != nil {
		bend.After(response)
	}
	document, err := etree.NewDocumentWithRoot(response).WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("samltest: write the response: %w", err)
	}
	return document, nil
}

func (idp *IdP) response(request Request, person Person, bend Bend) *etree.Element {
	now := idp.now().UTC().Add(bend.Later)
	issuer := crewjam.Issuer{Value: cmp.Or(bend.Issuer, idp.EntityID)}
	response := crewjam.Response{
		ID:           newID(),
		InResponseTo: request.ID,
		Version:      "2.0",
		IssueInstant: now,
		Destination:  request.ACSURL,
		Issuer:       &issuer,
		Status:       crewjam.Status{StatusCode: crewjam.StatusCode{Value: cmp.Or(bend.Status, crewjam.StatusSuccess)}},
	}
	el := response.Element()
	el.AddChild(assertion(request, person, bend, now, issuer).Element())
	return el
}

func assertion(request Request, person Person, bend Bend, now time.Time, issuer crewjam.Issuer) *crewjam.Assertion {
	end := now.Add(cmp.Or(bend.Lifetime, 5*time.Minute))
	return &crewjam.Assertion{
		ID:           cmp.Or(bend.AssertionID, newID()),
		IssueInstant: now,
		Version:      "2.0",
		Issuer:       issuer,
		Subject: &crewjam.Subject{
			NameID: &crewjam.NameID{
				Format:          cmp.Or(person.NameID.Format, string(crewjam.UnspecifiedNameIDFormat)),
				NameQualifier:   person.NameID.NameQualifier,
				SPNameQualifier: person.NameID.SPNameQualifier,
				Value:           person.NameID.Value,
			},
			SubjectConfirmations: []crewjam.SubjectConfirmation{{
				Method: "urn:oasis:names:tc:SAML:2.0:cm:bearer",
				SubjectConfirmationData: &crewjam.SubjectConfirmationData{
					NotOnOrAfter: end,
					Recipient:    request.ACSURL,
					InResponseTo: request.ID,
				},
			}},
		},
		Conditions: &crewjam.Conditions{
			NotBefore:    now,
			NotOnOrAfter: end,
			AudienceRestrictions: []crewjam.AudienceRestriction{
				{Audience: crewjam.Audience{Value: request.EntityID}},
			},
		},
		AuthnStatements: []crewjam.AuthnStatement{{
			AuthnInstant: now,
			SessionIndex: newID(),
			AuthnContext: crewjam.AuthnContext{AuthnContextClassRef: &crewjam.AuthnContextClassRef{
				Value: "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
			}},
		}},
		AttributeStatements: attributes(person),
	}
}

func attributes(person Person) []crewjam.AttributeStatement {
	if len(person.Attributes) == 0 {
		return nil
	}
	var statement crewjam.AttributeStatement
	for _, given := range person.Attributes {
		attribute := crewjam.Attribute{Name: given.Name, FriendlyName: given.FriendlyName, NameFormat: given.NameFormat}
		for _, value := range given.Values {
			attribute.Values = append(attribute.Values, crewjam.AttributeValue{Type: "xs:string", Value: value})
		}
		statement.Attributes = append(statement.Attributes, attribute)
	}
	return []crewjam.AttributeStatement{statement}
}

func newID() string { return "_" + rand.Text() }
