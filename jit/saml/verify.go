package saml

import (
	"encoding/base64"

	"github.com/beevik/etree"
)

// Expect says which responses are awaited. The zero value awaits none.
type Expect struct {
	// RequestIDs are the requests of this browser to this connection that are still open.
	RequestIDs []string
	// Unsolicited permits a response that answers no request, where the service provider allows it.
	Unsolicited bool
}

// Verify judges the SAMLResponse parameter of a post to the ACS. Every error is an *Error.
//
// It does not know whether the assertion was seen before: the caller spends Facts.AssertionID until Facts.NotOnOrAfter.
func (sp *ServiceProvider) Verify(samlResponse string, expect Expect) (*Facts, error) {
	if err := sp.configured(); err != nil {
		return nil, err
	}
	root, filter, err := receive(samlResponse)
	if err != nil {
		return nil, err
	}
	if err := structured(root); err != nil {
		return nil, err
	}
	trusted, err := sp.trust(root, filter)
	if err != nil {
		return nil, err
	}
	response, err := readEnvelope(trusted.response, trusted.signed)
	if err != nil {
		return nil, err
	}
	assertion, err := readAssertion(trusted.assertion)
	if err != nil {
		return nil, err
	}
	if err := sp.check(response, assertion, expect); err != nil {
		return nil, err
	}
	if err := sp.secondOpinion(response, assertion, expect); err != nil {
		return nil, err
	}
	return sp.facts(assertion), nil
}

// receive decodes, prefilters and parses. The filter goes on to see the plaintext of an encrypted assertion.
func receive(samlResponse string) (*etree.Element, *prefilter, error) {
	if len(samlResponse) > 2*MaxMessage {
		return nil, nil, refuse(ReasonTooLarge, "%d characters of base64", len(samlResponse))
	}
	document, err := base64.StdEncoding.DecodeString(compact(samlResponse))
	if err != nil {
		return nil, nil, refuse(ReasonMalformed, "not base64: %v", err)
	}
	filter := &prefilter{}
	if document, err = filter.prefiltered(document); err != nil {
		return nil, nil, err
	}
	root, err := parse(document)
	return root, filter, err
}

// structured checks that the document is a response, a successful one, with exactly one assertion anywhere in it, and
// that signatures stand only where they sign what is around them. Elements count by their local name: whoever puts an
// assertion of another namespace into a response is up to something.
func structured(root *etree.Element) error {
	if !is(root, nsProtocol, "Response") {
		return refuse(ReasonMalformed, "the root element is %.100q in %.100q, no SAML 2.0 Response", root.Tag, root.NamespaceURI())
	}
	if err := succeeded(root); err != nil {
		return err
	}
	assertions := 0
	for el := range elements(root) {
		switch el.Tag {
		case "Assertion", "EncryptedAssertion":
			assertions++
			if el.Parent() != root || el.NamespaceURI() != nsAssertion {
				return refuse(ReasonStructure, "an assertion that is not directly in the response")
			}
		case "Signature":
			if parent := el.Parent(); parent != root && parent.Tag != "Assertion" {
				return refuse(ReasonSignature, "a signature inside %.100q instead of the response or the assertion", parent.Tag)
			}
		}
	}
	if assertions != 1 {
		return refuse(ReasonStructure, "%d assertions, exactly one is accepted", assertions)
	}
	return nil
}

// succeeded is also the answer to people who cancel at their provider: such a response has no assertion.
func succeeded(response *etree.Element) error {
	const success = "urn:oasis:names:tc:SAML:2.0:status:Success"
	status := only(response, nsProtocol, "Status")
	if status == nil {
		return refuse(ReasonStatus, "the response has no status")
	}
	code := only(status, nsProtocol, "StatusCode")
	if code == nil {
		return refuse(ReasonStatus, "the response has no status code")
	}
	if attribute(code, "Value") == success {
		return nil
	}
	second, _ := child(code, nsProtocol, "StatusCode")
	message, _ := child(status, nsProtocol, "StatusMessage")
	detail := attribute(code, "Value")
	if second != nil {
		detail += " / " + attribute(second, "Value")
	}
	return refuse(ReasonStatus, "the identity provider reports %.200q, message %.200q", detail, trimmed(message))
}

// Inspect reads a response, or an assertion alone, without believing it: no signature, time, audience or request is
// looked at. It is for administrators who hold a document in their hands; nobody may be signed in by what it returns.
func Inspect(document []byte) (*Facts, error) {
	filter := &prefilter{comments: true}
	document, err := filter.prefiltered(document)
	if err != nil {
		return nil, err
	}
	root, err := parse(document)
	if err != nil {
		return nil, err
	}
	el := root
	if is(root, nsProtocol, "Response") {
		if el = only(root, nsAssertion, "Assertion"); el == nil {
			return nil, refuse(ReasonStructure, "not exactly one assertion in clear in the response")
		}
	}
	if !is(el, nsAssertion, "Assertion") {
		return nil, refuse(ReasonMalformed, "the root element is %.100q, neither a Response nor an Assertion", root.Tag)
	}
	read, err := readAssertion(el)
	if err != nil {
		return nil, err
	}
	return &Facts{Issuer: read.issuer, NameID: read.nameID, Attributes: read.attributes, AssertionID: read.id, IssueInstant: read.issued,
		SessionIndex: read.sessionIndex, AuthnContext: read.authnContext, AuthnInstant: read.authnInstant}, nil
}
