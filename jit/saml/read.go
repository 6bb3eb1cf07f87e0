package saml

import (
	"strings"
	"time"

	"github.com/beevik/etree"
)

// envelope is what is judged of a response besides its assertion.
type envelope struct {
	version      string
	issuer       string // "" if not stated
	issued       time.Time
	destination  string
	inResponseTo string
	signed       bool
}

// assertion is what is judged and believed of an assertion.
type assertion struct {
	id            string
	version       string
	issuer        string
	issued        time.Time
	nameID        NameID
	confirmations []confirmation
	conditions    *conditions // nil if there is not exactly one
	sessionIndex  string
	authnContext  string
	authnInstant  time.Time
	attributes    []Attribute
}

// confirmation is one SubjectConfirmation with its data.
type confirmation struct {
	method       string
	hasData      bool
	recipient    string
	inResponseTo string
	window
}

type conditions struct {
	window
	audiences [][]string // one list per restriction
	others    []string   // what is not understood
}

// window is a stretch of time; a zero end is not stated.
type window struct{ notBefore, notOnOrAfter time.Time }

func readEnvelope(el *etree.Element, signed bool) (*envelope, error) {
	issued, err := instant(el, "IssueInstant")
	if err != nil {
		return nil, err
	}
	issuer, _ := child(el, nsAssertion, "Issuer")
	return &envelope{
		version:      attribute(el, "Version"),
		issuer:       trimmed(issuer),
		issued:       issued,
		destination:  attribute(el, "Destination"),
		inResponseTo: attribute(el, "InResponseTo"),
		signed:       signed,
	}, nil
}

func readAssertion(el *etree.Element) (*assertion, error) {
	issued, err := instant(el, "IssueInstant")
	if err != nil {
		return nil, err
	}
	read := &assertion{
		id:      attribute(el, "ID"),
		version: attribute(el, "Version"),
		issuer:  trimmed(only(el, nsAssertion, "Issuer")),
		issued:  issued,
	}
	if err := read.subject(only(el, nsAssertion, "Subject")); err != nil {
		return nil, err
	}
	if err := read.condition(only(el, nsAssertion, "Conditions")); err != nil {
		return nil, err
	}
	if err := read.authentication(el); err != nil {
		return nil, err
	}
	return read, read.attribute(el)
}

func (read *assertion) subject(el *etree.Element) error {
	if el == nil {
		return nil
	}
	if encrypted, _ := child(el, nsAssertion, "EncryptedID"); encrypted != nil {
		return refuse(ReasonEncrypted, "the NameID is encrypted on its own; encrypt the whole assertion instead")
	}
	if name := only(el, nsAssertion, "NameID"); name != nil {
		read.nameID = NameID{
			Value:           trimmed(name),
			Format:          attribute(name, "Format"),
			NameQualifier:   attribute(name, "NameQualifier"),
			SPNameQualifier: attribute(name, "SPNameQualifier"),
		}
	}
	for el := range children(el, nsAssertion, "SubjectConfirmation") {
		confirmation := confirmation{method: attribute(el, "Method")}
		if data := only(el, nsAssertion, "SubjectConfirmationData"); data != nil {
			window, err := readWindow(data)
			if err != nil {
				return err
			}
			confirmation.hasData, confirmation.window = true, window
			confirmation.recipient = attribute(data, "Recipient")
			confirmation.inResponseTo = attribute(data, "InResponseTo")
		}
		read.confirmations = append(read.confirmations, confirmation)
	}
	return nil
}

func (read *assertion) condition(el *etree.Element) error {
	if el == nil {
		return nil
	}
	window, err := readWindow(el)
	if err != nil {
		return err
	}
	read.conditions = &conditions{window: window}
	for _, el := range el.ChildElements() {
		switch {
		case is(el, nsAssertion, "AudienceRestriction"):
			var audiences []string
			for audience := range children(el, nsAssertion, "Audience") {
				audiences = append(audiences, trimmed(audience))
			}
			read.conditions.audiences = append(read.conditions.audiences, audiences)
		case is(el, nsAssertion, "OneTimeUse"), is(el, nsAssertion, "ProxyRestriction"):
			// Every assertion is used once, and none is passed on.
		default:
			read.conditions.others = append(read.conditions.others, el.Tag)
		}
	}
	return nil
}

func (read *assertion) authentication(el *etree.Element) (err error) {
	statement, _ := child(el, nsAssertion, "AuthnStatement")
	if statement == nil {
		return nil
	}
	read.sessionIndex = attribute(statement, "SessionIndex")
	if context := only(statement, nsAssertion, "AuthnContext"); context != nil {
		read.authnContext = trimmed(only(context, nsAssertion, "AuthnContextClassRef"))
	}
	read.authnInstant, err = instant(statement, "AuthnInstant")
	return err
}

func (read *assertion) attribute(el *etree.Element) error {
	for statement := range children(el, nsAssertion, "AttributeStatement") {
		if encrypted, _ := child(statement, nsAssertion, "EncryptedAttribute"); encrypted != nil {
			return refuse(ReasonEncrypted, "an attribute is encrypted on its own; encrypt the whole assertion instead")
		}
		for el := range children(statement, nsAssertion, "Attribute") {
			read.attributes = append(read.attributes, readAttribute(el))
		}
	}
	return nil
}

func readAttribute(el *etree.Element) Attribute {
	read := Attribute{
		Name:         attribute(el, "Name"),
		FriendlyName: attribute(el, "FriendlyName"),
		NameFormat:   attribute(el, "NameFormat"),
	}
	for value := range children(el, nsAssertion, "AttributeValue") {
		read.Values = append(read.Values, text(value))
	}
	return read
}

func readWindow(el *etree.Element) (read window, err error) {
	if read.notBefore, err = instant(el, "NotBefore"); err != nil {
		return read, err
	}
	read.notOnOrAfter, err = instant(el, "NotOnOrAfter")
	return read, err
}

// instant reads a time, zero if it is not stated.
func instant(el *etree.Element, name string) (time.Time, error) {
	stated := attribute(el, name)
	if strings.TrimSpace(stated) == "" {
		return time.Time{}, nil
	}
	read, err := parseInstant(stated)
	if err != nil {
		return time.Time{}, refuse(ReasonStructure, "%s/@%s is no time: %.60q", el.Tag, name, stated)
	}
	return read, nil
}
