package saml

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// secondOpinion has crewjam/saml judge the same claims: a response made of the parts that were verified, without
// attributes. It can only refuse; nothing that it returns is believed.
func (sp *ServiceProvider) secondOpinion(response *envelope, assertion *assertion, expect Expect) error {
	acs, err := url.Parse(sp.ACSURL)
	if err != nil {
		return refuse(ReasonMisconfigured, "the ACS URL is no URL: %v", err)
	}
	slim, err := etree.NewDocumentWithRoot(sp.slim(response, assertion)).WriteToBytes()
	if err != nil {
		return refuse(ReasonSecondOpinion, "the claims cannot be written: %v", err)
	}
	trusted := base64.StdEncoding.EncodeToString(sp.IdP.Certificates[0].Raw)
	judge := crewjam.ServiceProvider{
		EntityID:          sp.EntityID,
		AcsURL:            *acs,
		IDPMetadata:       &crewjam.EntityDescriptor{EntityID: sp.IdP.EntityID},
		IDPCertificate:    &trusted,
		SignatureVerifier: verifiedBefore{},
	}
	// AllowIDPInitiated would switch the check off for everybody; the empty request ID permits the unsolicited alone.
	requests := slices.Clone(expect.RequestIDs)
	if expect.Unsolicited && sp.AllowIDPInitiated {
		requests = append(requests, "")
	}
	if _, err := judge.ParseXMLResponse(slim, requests, *acs); err != nil {
		if invalid, ok := errors.AsType[*crewjam.InvalidResponseError](err); ok {
			err = invalid.PrivateErr
		}
		return refuse(ReasonSecondOpinion, "crewjam/saml: %.300s", err.Error())
	}
	return nil
}

// verifiedBefore answers for the signature of the slim response: its parts were verified one by one.
type verifiedBefore struct{}

func (verifiedBefore) VerifySignature(*dsig.ValidationContext, *etree.Element) error { return nil }

func (sp *ServiceProvider) slim(response *envelope, assertion *assertion) *etree.Element {
	restated := restatement{offset: crewjam.TimeNow().Sub(sp.now()), skew: sp.skew()}
	slim := crewjam.Response{
		ID:           "response",
		Version:      response.version,
		InResponseTo: response.inResponseTo,
		Destination:  response.destination,
		IssueInstant: restated.issued(response.issued),
		Issuer:       &crewjam.Issuer{Value: assertion.issuer},
		Signature:    etree.NewElement("ds:Signature"),
		Status:       crewjam.Status{StatusCode: crewjam.StatusCode{Value: crewjam.StatusSuccess}},
		Assertion:    sp.slimAssertion(assertion, restated),
	}
	slim.Signature.CreateAttr("xmlns:ds", nsSignature)
	if response.destination == "" {
		slim.Destination = sp.ACSURL // it is not needed on an unsigned response, and this one looks signed
	}
	return slim.Element()
}

// slimAssertion names of several audiences the one that counts: crewjam/saml would look at the last alone.
func (sp *ServiceProvider) slimAssertion(assertion *assertion, restated restatement) *crewjam.Assertion {
	confirmed := assertion.confirmations[0]
	conditions := &crewjam.Conditions{
		NotBefore:    restated.begin(assertion.conditions.notBefore),
		NotOnOrAfter: restated.end(assertion.conditions.notOnOrAfter),
	}
	for _, audiences := range assertion.conditions.audiences {
		ours := crewjam.Audience{Value: audiences[slices.Index(audiences, sp.EntityID)]}
		conditions.AudienceRestrictions = append(conditions.AudienceRestrictions, crewjam.AudienceRestriction{Audience: ours})
	}
	return &crewjam.Assertion{
		ID:           "assertion",
		Version:      assertion.version,
		IssueInstant: restated.issued(assertion.issued),
		Issuer:       crewjam.Issuer{Value: assertion.issuer},
		Conditions:   conditions,
		Subject: &crewjam.Subject{
			NameID: &crewjam.NameID{Value: assertion.nameID.Value},
			SubjectConfirmations: []crewjam.SubjectConfirmation{{
				Method: confirmed.method,
				SubjectConfirmationData: &crewjam.SubjectConfirmationData{
					Recipient:    confirmed.recipient,
					InResponseTo: confirmed.inResponseTo,
					NotOnOrAfter: restated.end(confirmed.notOnOrAfter),
				},
			}},
		},
	}
}

// restatement tells our times on the clock of crewjam/saml, which is a global of that package, as are the differences
// and ages that it tolerates: told so, they mean the same there as here. A second goes to the time that judging takes
// and to rounding; the own checks were exact.
type restatement struct{ offset, skew time.Duration }

const leeway = time.Second

func (r restatement) issued(stated time.Time) time.Time {
	return stated.Add(r.offset + MaxAge + r.skew - crewjam.MaxIssueDelay + leeway)
}

func (r restatement) begin(stated time.Time) time.Time {
	if stated.IsZero() {
		return stated
	}
	return stated.Add(r.offset - r.skew + crewjam.MaxClockSkew - leeway)
}

func (r restatement) end(stated time.Time) time.Time {
	return stated.Add(r.offset + r.skew - crewjam.MaxClockSkew + leeway)
}
