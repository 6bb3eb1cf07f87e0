package oidc

import (
	"errors"
	"fmt"
)

// Reason is a stable code for why a sign-in or a logout was not accepted.
type Reason string

// Reasons of a message that is none: nothing in it was judged.
const (
	ReasonMalformed Reason = "malformed" // no callback, no JWT, no JSON
	ReasonTooLarge  Reason = "too_large" // more than MaxToken bytes, or parameters out of bounds
	ReasonLimit     Reason = "limit"     // nested too deep
)

// Reasons of a refused sign-in or logout.
const (
	ReasonState         Reason = "state"          // answers another request
	ReasonMixUp         Reason = "mix_up"         // the reply comes from another issuer, or does not say from which
	ReasonDeclined      Reason = "declined"       // the OP reports an error instead of a code
	ReasonExchange      Reason = "exchange"       // the token endpoint refuses the code or the client
	ReasonNoToken       Reason = "no_token"       // the token endpoint answers without an ID token
	ReasonEncrypted     Reason = "encrypted"      // an encrypted token
	ReasonAlgorithm     Reason = "algorithm"      // a signature method that is not allowed
	ReasonType          Reason = "type"           // a token of another kind, or with extensions
	ReasonSignature     Reason = "signature"      // signed by none of the issuer's keys
	ReasonClaims        Reason = "claims"         // a claim of the protocol is missing or of a wrong type
	ReasonIssuer        Reason = "issuer"         // from another OP
	ReasonAudience      Reason = "audience"       // for another client
	ReasonExpired       Reason = "expired"        // too old, or without an end
	ReasonNotYetValid   Reason = "not_yet_valid"  // from the future
	ReasonNonce         Reason = "nonce"          // made for another request
	ReasonSubject       Reason = "subject"        // no usable sub
	ReasonAuthTime      Reason = "auth_time"      // the person authenticated too long ago
	ReasonACR           Reason = "acr"            // the person authenticated in a way that was not asked for
	ReasonAccessToken   Reason = "access_token"   // at_hash belongs to another access token
	ReasonUserInfo      Reason = "userinfo"       // the userinfo endpoint gives no usable answer
	ReasonUserSubject   Reason = "userinfo_sub"   // the userinfo endpoint speaks of somebody else
	ReasonLogoutEvent   Reason = "logout_event"   // a token that is no logout token
	ReasonSecondOpinion Reason = "second_opinion" // coreos/go-oidc disagrees
)

// Reasons that lie with a side and not with a message.
const (
	ReasonDiscovery     Reason = "discovery"     // the discovery document or the key set is unusable
	ReasonUnavailable   Reason = "unavailable"   // the OP does not answer
	ReasonMisconfigured Reason = "misconfigured" // the relying party's own configuration is unusable
)

// Error says why a message was not accepted.
//
// Detail is for the administrator of the connection: what was found, what was expected, by how much a clock differs.
// It holds no secrets but may quote the message, so it is to be escaped where it is shown.
type Error struct {
	Reason Reason
	Detail string

	cause error
}

func (e *Error) Error() string { return fmt.Sprintf("oidc: %s: %s", e.Reason, e.Detail) }

// Unwrap returns what failed underneath, if anything: a request that was cancelled, a body that was too large.
func (e *Error) Unwrap() error { return e.cause }

// Broken reports that the message could not be read at all, as opposed to a token that was read and refused.
func (e *Error) Broken() bool {
	switch e.Reason {
	case ReasonMalformed, ReasonTooLarge, ReasonLimit:
		return true
	}
	return false
}

// Unavailable reports that the OP could not be asked: the same sign-in may succeed later.
func (e *Error) Unavailable() bool { return e.Reason == ReasonUnavailable }

// ReasonOf returns the Reason in err's chain, or "" when there is none.
func ReasonOf(err error) Reason {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.Reason
	}
	return ""
}

func refuse(reason Reason, format string, args ...any) *Error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// because keeps the error that a refusal comes from. Its text is cut, for some of it is the other side's.
func because(reason Reason, cause error, what string) *Error {
	return &Error{reason, fmt.Sprintf("%s: %.400s", what, cause.Error()), cause}
}
