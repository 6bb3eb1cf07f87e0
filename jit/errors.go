package jit

import (
	"errors"
	"fmt"
	"net/http"

	"muster/directory"
	"muster/jit/oidc"
	"muster/jit/saml"
)

// Codes of this transport, beside the directory's. They are stable API, too. Whatever is wrong with an assertion gives
// one code, so that nobody can learn from the answers how far a forgery got; the log has saml's own reason.
const (
	invalidAssertion  directory.Code = "invalid_assertion"    // unsigned, forged, or for somebody else
	malformedMessage  directory.Code = "malformed_message"    // no message of the protocol
	messageTooLarge   directory.Code = "message_too_large"    //
	unknownRequest    directory.Code = "unknown_request"      // answers no request of this browser that is still open
	unknownConnection directory.Code = "unknown_connection"   //
	notSignedIn       directory.Code = "unauthorized"         //
	crossOrigin       directory.Code = "cross_origin"         // posted by another site's page
	notFound          directory.Code = "not_found"            //
	notAllowed        directory.Code = "method_not_allowed"   //
	internalError     directory.Code = "internal_error"       //
	unavailable       directory.Code = "unavailable"          // the store cannot be reached
	tooMany           directory.Code = "too_many_requests"    // messages that were not believed
	providerDeclined  directory.Code = "declined_by_provider" // the identity provider reports that it let nobody in

	providerUnavailable directory.Code = "provider_unavailable" // the identity provider's own servers do not answer
)

// problem is a refused request.
type problem struct {
	code      directory.Code
	attribute string             // the attribute at fault
	cause     string             // for the administrator; may name configuration
	kase      directory.ID       // the case that waits
	confirm   *directory.Refusal // one that the person can answer by a proof, nil for others
	broken    error              // the fault behind an internal_error
	trace     *Trace
}

func (p *problem) Error() string { return string(p.code) + ": " + p.cause }

func (p *problem) Unwrap() error { return p.broken }

func refuse(code directory.Code, format string, args ...any) *problem {
	return &problem{code: code, cause: fmt.Sprintf(format, args...)}
}

// problemOf gives every error its code. What it does not know is internal and shows nothing.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*directory.Refusal](err); ok {
		p := &problem{code: r.Code, attribute: r.Attribute, cause: r.Detail, kase: r.Case}
		if len(r.Confirm) > 0 {
			p.confirm = r
		}
		return p
	}
	if s, ok := errors.AsType[*saml.Error](err); ok {
		return &problem{code: samlCode(s), cause: s.Error()}
	}
	if o, ok := errors.AsType[*oidc.Error](err); ok {
		return &problem{code: openIDCode(o), cause: o.Error()}
	}
	if errors.Is(err, directory.ErrUnauthorized) {
		return refuse(notSignedIn, "no live session")
	}
	if errors.Is(err, directory.ErrUnavailable) || errors.Is(err, directory.ErrUnknown) {
		return &problem{code: unavailable, cause: err.Error(), broken: err}
	}
	return &problem{code: internalError, cause: err.Error(), broken: err}
}

// samlCode is what the outside learns. Times and requests are judged after the signature, so telling those apart helps
// people and no forger.
func samlCode(e *saml.Error) directory.Code {
	switch e.Reason {
	case saml.ReasonTooLarge:
		return messageTooLarge
	case saml.ReasonExpired, saml.ReasonNotYetValid:
		return directory.StaleAssertion
	case saml.ReasonInResponseTo, saml.ReasonUnsolicited:
		return unknownRequest
	case saml.ReasonStatus:
		return providerDeclined
	case saml.ReasonMisconfigured:
		return directory.ChannelOff
	}
	if e.Broken() {
		return malformedMessage
	}
	return invalidAssertion
}

// openIDCode is what the outside learns. Which request a token was made for is judged after its signature, too.
func openIDCode(e *oidc.Error) directory.Code {
	switch e.Reason {
	case oidc.ReasonTooLarge:
		return messageTooLarge
	case oidc.ReasonExpired, oidc.ReasonNotYetValid, oidc.ReasonAuthTime:
		return directory.StaleAssertion
	case oidc.ReasonState, oidc.ReasonNonce:
		return unknownRequest
	case oidc.ReasonDeclined:
		return providerDeclined
	case oidc.ReasonMisconfigured, oidc.ReasonDiscovery:
		return directory.ChannelOff
	case oidc.ReasonUnavailable:
		return providerUnavailable
	}
	if e.Broken() {
		return malformedMessage
	}
	return invalidAssertion
}

// answer is what a person gets for a code.
type answer struct {
	status   int
	sentence string
}

// answerTo is the one table from codes to the world.
func answerTo(code directory.Code) answer {
	if a, ok := requestAnswers()[code]; ok {
		return a
	}
	if sentence, ok := refusalSentences()[code]; ok {
		return answer{http.StatusForbidden, sentence}
	}
	return answer{http.StatusInternalServerError, "Something went wrong here. Nothing was changed by halves. Please try again."}
}

// requestAnswers are for requests that could not be judged as a sign-in, and for assertions that are not believed.
func requestAnswers() map[directory.Code]answer {
	return map[directory.Code]answer{
		malformedMessage:    {http.StatusBadRequest, "The message from your organisation's sign-in could not be read. Please start again."},
		messageTooLarge:     {http.StatusRequestEntityTooLarge, "The message from your organisation's sign-in is too large."},
		unknownConnection:   {http.StatusNotFound, "There is no such sign-in here. Check the address, or start from the sign-in page."},
		notSignedIn:         {http.StatusUnauthorized, "You are not signed in."},
		crossOrigin:         {http.StatusForbidden, "This was sent from another site's page and was not done."},
		notFound:            {http.StatusNotFound, "There is nothing at this address."},
		notAllowed:          {http.StatusMethodNotAllowed, "This address does not take that kind of request."},
		invalidAssertion:    {http.StatusForbidden, "Your organisation's sign-in could not be verified. Please start again; if it happens again, tell your administrator."},
		unknownRequest:      {http.StatusForbidden, "This sign-in was not started in this browser, or too long ago. Please start again."},
		tooMany:             {http.StatusTooManyRequests, "Too many messages from where you are could not be verified. Please wait a little, then start again."},
		unavailable:         {http.StatusServiceUnavailable, "This cannot be looked up at the moment. Please try again soon."},
		providerUnavailable: {http.StatusServiceUnavailable, "Your organisation's sign-in does not answer at the moment. Please try again in a little while."},
		providerDeclined:    {http.StatusForbidden, "Your organisation's sign-in did not let you in. Please start again, or ask your administrator."},
	}
}

// refusalSentences are for people whom the rules refuse. They say what is so and who can change it.
func refusalSentences() map[directory.Code]string {
	return map[directory.Code]string{
		directory.NotProvisioned:    "You have no account here, and signing in does not create one. Ask your administrator to add you.",
		directory.LinkRequired:      "An account that may be yours exists, but it is not linked to this sign-in. Ask your administrator to link it.",
		directory.Ambiguous:         "More than one account could be yours. Ask your administrator to decide which one it is.",
		directory.Suspended:         "Your account is suspended. Ask your administrator.",
		directory.Deprovisioned:     "Your account was removed. Ask your administrator.",
		directory.Reserved:          "Your name or address belonged to an account that was removed. Ask your administrator to release it.",
		directory.DomainNotAllowed:  "This sign-in may not be used with your e-mail address. Ask your administrator.",
		directory.AttributeMissing:  "Your organisation's sign-in did not send everything an account needs. Ask your administrator.",
		directory.InvalidValue:      "Your organisation's sign-in sent a value that is not allowed here. Ask your administrator.",
		directory.InvalidIdentifier: "Your organisation's sign-in did not say who you are in a lasting way. Ask your administrator.",
		directory.Uniqueness:        "Somebody else already has your name or address here. Ask your administrator.",
		directory.Protected:         "Your account is protected and cannot be reached by this sign-in. Use the sign-in for administrators.",
		directory.GuardTripped:      "Too many accounts would change at once. Your administrator has to confirm it first.",
		directory.RuleDenied:        "You are not among the people who may sign in here. Ask your administrator for access.",
		directory.StaleAssertion:    "This sign-in is too old, or was used before. Please start again; if it happens again, a clock may be wrong.",
		directory.ConnectionPaused:  "This sign-in is paused. Please try again later, or ask your administrator.",
		directory.ChannelOff:        "This sign-in is switched off. Ask your administrator.",
	}
}

// sentence is what the person reads: the table's, with the attribute that is at fault. Which claim should have carried
// it is the customer's configuration and is not said.
func (p *problem) sentence() string {
	s := answerTo(p.code).sentence
	if p.attribute == "" || p.code != directory.AttributeMissing && p.code != directory.InvalidValue {
		return s
	}
	return s + " It is about: " + label(p.attribute) + " (" + p.attribute + ")."
}

// label is an attribute as people call it.
func label(attribute string) string {
	switch attribute {
	case directory.GivenName:
		return "first name"
	case directory.FamilyName:
		return "last name"
	case "name.formatted":
		return "full name"
	case directory.UserName:
		return "user name"
	case directory.Emails:
		return "e-mail address"
	case "phoneNumbers":
		return "phone number"
	case directory.License:
		return "licence"
	}
	return spaced(attribute)
}
