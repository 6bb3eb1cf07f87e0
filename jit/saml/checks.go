package saml

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	version = "2.0"
	bearer  = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
)

// check judges what the signatures have vouched for. The order puts what an administrator would look at first in front.
func (sp *ServiceProvider) check(response *envelope, assertion *assertion, expect Expect) error {
	checks := []func() error{
		func() error { return sp.checkOrigin(response, assertion) },
		func() error { return sp.checkParts(assertion) },
		func() error { return sp.checkAudience(assertion.conditions) },
		func() error { return sp.checkDelivery(response, assertion.confirmations[0]) },
		func() error { return sp.checkRequest(response, assertion.confirmations[0], expect) },
		func() error { return sp.checkTimes(response, assertion) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (sp *ServiceProvider) checkOrigin(response *envelope, assertion *assertion) error {
	switch {
	case response.version != version || assertion.version != version:
		return refuse(ReasonVersion, "response version %.20q, assertion version %.20q, expected 2.0", response.version, assertion.version)
	case assertion.issuer != sp.IdP.EntityID:
		return refuse(ReasonIssuer, "the assertion is issued by %.300q, expected %q", assertion.issuer, sp.IdP.EntityID)
	case response.issuer != "" && response.issuer != sp.IdP.EntityID:
		return refuse(ReasonIssuer, "the response is issued by %.300q, expected %q", response.issuer, sp.IdP.EntityID)
	}
	return nil
}

// checkParts refuses an assertion that lacks what the other checks and the facts rely on.
func (sp *ServiceProvider) checkParts(assertion *assertion) error {
	switch {
	case assertion.id == "":
		return refuse(ReasonStructure, "the assertion has no ID")
	case assertion.nameID.Value == "":
		return refuse(ReasonSubject, "the assertion names nobody: no Subject with one NameID")
	case len(assertion.confirmations) != 1:
		return refuse(ReasonConfirmation, "%d subject confirmations, exactly one is accepted", len(assertion.confirmations))
	case assertion.confirmations[0].method != bearer:
		return refuse(ReasonConfirmation, "confirmation method %.100q, expected %s", assertion.confirmations[0].method, bearer)
	case !assertion.confirmations[0].hasData:
		return refuse(ReasonConfirmation, "the subject confirmation has no data")
	case assertion.conditions == nil:
		return refuse(ReasonCondition, "not one Conditions element")
	case len(assertion.conditions.others) > 0:
		return refuse(ReasonCondition, "conditions that are not understood: %.200q", assertion.conditions.others)
	}
	return nil
}

// checkAudience: every restriction must hold, and one holds if any of its audiences is us (core 2.5.1.4).
func (sp *ServiceProvider) checkAudience(conditions *conditions) error {
	if len(conditions.audiences) == 0 {
		return refuse(ReasonAudience, "the assertion has no audience, expected %q", sp.EntityID)
	}
	for _, audiences := range conditions.audiences {
		if !slices.Contains(audiences, sp.EntityID) {
			return refuse(ReasonAudience, "the assertion is for %.300q, expected %q", strings.Join(audiences, ", "), sp.EntityID)
		}
	}
	return nil
}

// checkDelivery: a signed response must say where it was sent (bindings 3.5.5.2); an unsigned one may.
func (sp *ServiceProvider) checkDelivery(response *envelope, confirmation confirmation) error {
	destinationNeeded := response.signed || response.destination != ""
	switch {
	case confirmation.recipient != sp.ACSURL:
		return refuse(ReasonRecipient, "Recipient is %.300q, expected %q", confirmation.recipient, sp.ACSURL)
	case destinationNeeded && response.destination != sp.ACSURL:
		return refuse(ReasonDestination, "Destination is %.300q, expected %q", response.destination, sp.ACSURL)
	}
	return nil
}

func (sp *ServiceProvider) checkRequest(response *envelope, confirmation confirmation, expect Expect) error {
	answered := confirmation.inResponseTo
	switch {
	case answered != response.inResponseTo:
		return refuse(ReasonInResponseTo, "the response answers %.100q, its assertion %.100q", response.inResponseTo, answered)
	case answered == "" && !sp.AllowIDPInitiated:
		return refuse(ReasonUnsolicited, "the response answers no request; sign-in started by the identity provider is off for this connection")
	case answered == "" && !expect.Unsolicited:
		return refuse(ReasonUnsolicited, "the response answers no request, but one was made")
	case answered != "" && !slices.Contains(expect.RequestIDs, answered):
		return refuse(ReasonInResponseTo, "the response answers %.100q, which is no open request of this browser to this connection", answered)
	}
	return nil
}

func (sp *ServiceProvider) checkTimes(response *envelope, assertion *assertion) error {
	clock := clock{now: sp.now(), skew: sp.skew()}
	if err := clock.checkIssued("the response", response.issued); err != nil {
		return err
	}
	if err := clock.checkIssued("the assertion", assertion.issued); err != nil {
		return err
	}
	if err := clock.checkWindow("the conditions", assertion.conditions.window); err != nil {
		return err
	}
	return clock.checkWindow("the subject confirmation", assertion.confirmations[0].window)
}

// clock is one reading of ours, and how far theirs may differ.
type clock struct {
	now  time.Time
	skew time.Duration
}

func (c clock) checkIssued(what string, issued time.Time) error {
	switch {
	case issued.IsZero():
		return refuse(ReasonExpired, "%s does not say when it was issued", what)
	case issued.After(c.now.Add(c.skew)):
		return refuse(ReasonNotYetValid, "%s was issued at %s", what, c.difference(issued))
	case c.now.After(issued.Add(MaxAge + c.skew)):
		return refuse(ReasonExpired, "%s was issued at %s; it is accepted for %s", what, c.difference(issued), MaxAge)
	}
	return nil
}

func (c clock) checkWindow(what string, window window) error {
	switch {
	case window.notOnOrAfter.IsZero():
		return refuse(ReasonExpired, "%s have no end (NotOnOrAfter)", what)
	case window.notBefore.After(c.now.Add(c.skew)):
		return refuse(ReasonNotYetValid, "%s: NotBefore is %s", what, c.difference(window.notBefore))
	case !c.now.Before(window.notOnOrAfter.Add(c.skew)):
		return refuse(ReasonExpired, "%s: NotOnOrAfter is %s", what, c.difference(window.notOnOrAfter))
	}
	return nil
}

// difference tells a time so that a wrong clock shows.
func (c clock) difference(stated time.Time) string {
	const layout = "2006-01-02T15:04:05Z"
	direction := "ahead of"
	if stated.Before(c.now) {
		direction = "behind"
	}
	return fmt.Sprintf("%s, %s %s our clock %s (%s are tolerated)", stated.Format(layout),
		stated.Sub(c.now).Abs().Round(time.Second), direction, c.now.Format(layout), c.skew)
}

// facts says until when the assertion must be remembered: its earliest end, skew included.
func (sp *ServiceProvider) facts(assertion *assertion) *Facts {
	end := assertion.issued.Add(MaxAge)
	for _, stated := range []time.Time{assertion.conditions.notOnOrAfter, assertion.confirmations[0].notOnOrAfter} {
		if stated.Before(end) {
			end = stated
		}
	}
	return &Facts{
		Issuer:       assertion.issuer,
		NameID:       assertion.nameID,
		Attributes:   assertion.attributes,
		AssertionID:  assertion.id,
		IssueInstant: assertion.issued,
		NotOnOrAfter: end.Add(sp.skew()),
		SessionIndex: assertion.sessionIndex,
		AuthnContext: assertion.authnContext,
		AuthnInstant: assertion.authnInstant,
		InResponseTo: assertion.confirmations[0].inResponseTo,
	}
}
