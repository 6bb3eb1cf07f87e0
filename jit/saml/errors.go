package saml

import (
	"errors"
	"fmt"
)

// Reason is a stable code for why a message was not accepted.
type Reason string

// Reasons of a message that is none: nothing in it was judged.
const (
	ReasonTooLarge              Reason = "too_large"              // more than MaxMessage bytes
	ReasonMalformed             Reason = "malformed"              // no base64, no XML, no SAML response
	ReasonDoctype               Reason = "doctype"                // a document type declaration of any kind
	ReasonComment               Reason = "comment"                // comments have been used to cut values short
	ReasonProcessingInstruction Reason = "processing_instruction" // none has a place in a SAML message
	ReasonLimit                 Reason = "limit"                  // depth, elements, attributes, namespaces
)

// Reasons of a refused assertion.
const (
	ReasonStructure      Reason = "structure"      // not exactly one assertion, or one of its parts missing
	ReasonStatus         Reason = "status"         // the identity provider reports no success
	ReasonVersion        Reason = "version"        // not SAML 2.0
	ReasonUnsigned       Reason = "unsigned"       // neither response nor assertion carries a signature
	ReasonSignature      Reason = "signature"      // a signature that does not verify, or verifies something else
	ReasonAlgorithm      Reason = "algorithm"      // a signature method that is not allowed
	ReasonCertificate    Reason = "certificate"    // signed by a certificate that is not valid now
	ReasonEncrypted      Reason = "encrypted"      // encrypted, and not to be opened
	ReasonIssuer         Reason = "issuer"         // from another identity provider
	ReasonAudience       Reason = "audience"       // for another service provider
	ReasonRecipient      Reason = "recipient"      // confirmed for another ACS
	ReasonDestination    Reason = "destination"    // sent to another ACS
	ReasonExpired        Reason = "expired"        // too old, or without an end
	ReasonNotYetValid    Reason = "not_yet_valid"  // from the future
	ReasonInResponseTo   Reason = "in_response_to" // answers another request
	ReasonUnsolicited    Reason = "unsolicited"    // answers no request, where that is not allowed
	ReasonConfirmation   Reason = "confirmation"   // not exactly one bearer confirmation
	ReasonSubject        Reason = "subject"        // no NameID
	ReasonCondition      Reason = "condition"      // no conditions, or one that is not understood
	ReasonAuthentication Reason = "authentication" // the person was not authenticated as was asked
	ReasonSecondOpinion  Reason = "second_opinion" // crewjam/saml disagrees
	ReasonMisconfigured  Reason = "misconfigured"  // the service provider's own configuration is unusable
)

// Error says why a message was not accepted.
//
// Detail is for the administrator of the connection: what was found, what was expected, which certificate, by how much
// a clock differs. It holds no secrets but may quote the message, so it is to be escaped where it is shown.
type Error struct {
	Reason Reason
	Detail string
}

func (e *Error) Error() string { return fmt.Sprintf("saml: %s: %s", e.Reason, e.Detail) }

// Broken reports that the message could not be read at all, as opposed to an assertion that was read and refused.
func (e *Error) Broken() bool {
	switch e.Reason {
	case ReasonTooLarge, ReasonMalformed, ReasonDoctype, ReasonComment, ReasonProcessingInstruction, ReasonLimit:
		return true
	}
	return false
}

// ReasonOf returns the Reason in err's chain, or "" when there is none.
func ReasonOf(err error) Reason {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Reason
	}
	return ""
}

// Refuse is for callers who judge what was asked of the provider.
func Refuse(reason Reason, format string, args ...any) *Error { return refuse(reason, format, args...) }

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
