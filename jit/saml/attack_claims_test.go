package saml_test

import (
	"testing"
	"time"

	"github.com/beevik/etree"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

const instant = "2006-01-02T15:04:05Z"

// edited sets an attribute at a path of the response while nothing is signed; "" removes it.
func edited(path, name, value string) func(*scene, *etree.Element) {
	return func(_ *scene, response *etree.Element) {
		el := response
		if path != "" {
			el = response.FindElement(path)
		}
		el.RemoveAttr(name)
		if value != "" {
			el.CreateAttr(name, value)
		}
	}
}

// shifted sets a time relative to the scene's clock.
func shifted(path, name string, by time.Duration) func(*scene, *etree.Element) {
	return func(s *scene, response *etree.Element) {
		edited(path, name, s.now.Add(by).Format(instant))(s, response)
	}
}

func removed(path string) func(*scene, *etree.Element) {
	return func(_ *scene, response *etree.Element) { response.FindElement(path).Remove() }
}

func audiences(restrictions ...[]string) func(*scene, *etree.Element) {
	return func(_ *scene, response *etree.Element) {
		conditions := response.FindElement("./Assertion/Conditions")
		conditions.RemoveChild(conditions.SelectElement("AudienceRestriction"))
		for _, restriction := range restrictions {
			el := conditions.CreateElement("saml:AudienceRestriction")
			for _, audience := range restriction {
				el.CreateElement("saml:Audience").SetText(audience)
			}
		}
	}
}

const (
	conditionsPath   = "./Assertion/Conditions"
	confirmationPath = "./Assertion/Subject/SubjectConfirmation"
	dataPath         = confirmationPath + "/SubjectConfirmationData"
	ours             = "https://muster.example/c/acme/saml/metadata"
	theirs           = "https://muster.example/c/other/saml/metadata"
)

func TestAssertionsForSomebodyElseAreRefused(t *testing.T) {
	runAttacks(t, []attack{
		{name: "40 the audience of another tenant", reason: saml.ReasonAudience, twist: func(s *scene) { s.request.EntityID = theirs }},
		{name: "41 no audience restriction", reason: saml.ReasonAudience, before: audiences()},
		{name: "41 a restriction without audiences", reason: saml.ReasonAudience, before: audiences(nil)},
		{name: "42 ours and another", reason: saml.ReasonAudience, before: audiences([]string{ours}, []string{theirs})},
		{name: "42 another and ours", reason: saml.ReasonAudience, before: audiences([]string{theirs}, []string{ours})},
		{name: "40 a longer audience", reason: saml.ReasonAudience, before: audiences([]string{ours + ".evil.example"})},
		{name: "43 posted to another tenant's ACS", reason: saml.ReasonRecipient, twist: func(s *scene) {
			s.request.ACSURL = "https://muster.example/c/other/saml/acs"
		}},
		{name: "43 from another issuer", reason: saml.ReasonIssuer, before: func(_ *scene, response *etree.Element) {
			response.FindElement("./Assertion/Issuer").SetText("https://other.example")
		}},
		{name: "43 in a response from another issuer", reason: saml.ReasonIssuer, before: func(_ *scene, response *etree.Element) {
			response.FindElement("./Issuer").SetText("https://other.example")
		}},
		{name: "43 without an issuer", reason: saml.ReasonIssuer, before: removed("./Assertion/Issuer")},
		{name: "43 with two issuers", reason: saml.ReasonIssuer, before: func(_ *scene, response *etree.Element) {
			assertionIn(response).AddChild(assertionIn(response).SelectElement("Issuer").Copy())
		}},
		{name: "50 another recipient", reason: saml.ReasonRecipient, before: edited(dataPath, "Recipient", "https://evil.example/acs")},
		{name: "50 no recipient", reason: saml.ReasonRecipient, before: edited(dataPath, "Recipient", "")},
		{name: "51 another destination", reason: saml.ReasonDestination, before: edited("", "Destination", "https://evil.example/acs")},
		{name: "51 another destination, signed", sign: samltest.SignResponse, reason: saml.ReasonDestination, before: edited("", "Destination", "https://evil.example/acs")},
		{name: "52 no destination on a signed response", sign: samltest.SignResponse, reason: saml.ReasonDestination, before: edited("", "Destination", "")},
	})
	s := newScene(t)
	for name, before := range map[string]func(*scene, *etree.Element){
		"another or ours":                        audiences([]string{theirs, ours}),
		"ours or another":                        audiences([]string{ours, theirs}),
		"ours twice, padded":                     audiences([]string{"\n  " + ours + "\n"}, []string{ours}),
		"no destination on an unsigned response": edited("", "Destination", ""),
		"a padded issuer": func(_ *scene, r *etree.Element) {
			r.FindElement("./Assertion/Issuer").SetText(" " + s.idp.EntityID + "\n")
		},
		"no issuer on the response": removed("./Issuer"),
		"OneTimeUse":                func(_ *scene, r *etree.Element) { r.FindElement(conditionsPath).CreateElement("saml:OneTimeUse") },
		"no NotBefore":              edited(conditionsPath, "NotBefore", ""),
		"a NotBefore of the confirmation, gone by":  shifted(dataPath, "NotBefore", -time.Second),
		"no authentication statement":               removed("./Assertion/AuthnStatement"),
		"a time with a zone":                        edited(conditionsPath, "NotOnOrAfter", "2026-11-22T21:34:00.1234567+09:30"),
		"a time without a zone":                     edited(conditionsPath, "NotOnOrAfter", "2026-11-22T12:04:00"),
		"an extension of the response, not ours":    func(_ *scene, r *etree.Element) { r.CreateElement("samlp:Extensions").CreateElement("x") },
		"a proxy restriction, which is for proxies": func(_ *scene, r *etree.Element) { r.FindElement(conditionsPath).CreateElement("saml:ProxyRestriction") },
	} {
		t.Run(name, func(t *testing.T) {
			s.accepted(t, s.document(t, samltest.Bend{Before: func(r *etree.Element) { before(s, r) }}))
		})
	}
}

func TestAssertionsOutOfTimeAreRefused(t *testing.T) {
	const skew = saml.DefaultSkew
	limits := []struct {
		name, path, attribute string
		good, bad             time.Duration
		reason                saml.Reason
	}{
		{"45 expired conditions", conditionsPath, "NotOnOrAfter", time.Second - skew, -skew, saml.ReasonExpired},
		{"45 expired confirmation", dataPath, "NotOnOrAfter", time.Second - skew, -skew, saml.ReasonExpired},
		{"46 conditions from the future", conditionsPath, "NotBefore", skew, skew + time.Second, saml.ReasonNotYetValid},
		{"47 confirmation from the future", dataPath, "NotBefore", skew, skew + time.Second, saml.ReasonNotYetValid},
		{"48 assertion from the future", "./Assertion", "IssueInstant", skew, skew + time.Second, saml.ReasonNotYetValid},
		{"48 response from the future", "", "IssueInstant", skew, skew + time.Second, saml.ReasonNotYetValid},
		{"an old assertion", "./Assertion", "IssueInstant", -skew - saml.MaxAge, -skew - saml.MaxAge - time.Second, saml.ReasonExpired},
		{"an old response", "", "IssueInstant", -skew - saml.MaxAge, -skew - saml.MaxAge - time.Second, saml.ReasonExpired},
	}
	for _, limit := range limits {
		t.Run(limit.name, func(t *testing.T) {
			s := newScene(t)
			at := func(by time.Duration) []byte {
				return s.document(t, samltest.Bend{Sign: samltest.SignBoth, Before: func(response *etree.Element) {
					path := limit.path
					shiftedTo := shifted(path, limit.attribute, by)
					shiftedTo(s, response)
				}})
			}
			s.accepted(t, at(limit.good))
			s.refused(t, at(limit.bad), limit.reason)
		})
	}
	runAttacks(t, []attack{
		{name: "49 conditions without an end", reason: saml.ReasonExpired, before: edited(conditionsPath, "NotOnOrAfter", "")},
		{name: "49 a confirmation without an end", reason: saml.ReasonExpired, before: edited(dataPath, "NotOnOrAfter", "")},
		{name: "48 an assertion without a beginning", reason: saml.ReasonExpired, before: edited("./Assertion", "IssueInstant", "")},
		{name: "48 a response without a beginning", reason: saml.ReasonExpired, before: edited("", "IssueInstant", "")},
		{name: "a time that is none", reason: saml.ReasonStructure, before: edited(conditionsPath, "NotOnOrAfter", "tomorrow")},
	})
}

func TestTheSkewIsThatOfTheConnection(t *testing.T) {
	s := newScene(t)
	for _, skew := range []struct{ configured, tolerated time.Duration }{
		{0, time.Minute}, {-1, 0}, {10 * time.Second, 10 * time.Second}, {5 * time.Minute, 5 * time.Minute}, {time.Hour, 5 * time.Minute},
	} {
		s.sp.Skew = skew.configured
		s.accepted(t, s.document(t, samltest.Bend{Later: skew.tolerated}))
		s.refused(t, s.document(t, samltest.Bend{Later: skew.tolerated + time.Second}), saml.ReasonNotYetValid)
		s.accepted(t, s.document(t, samltest.Bend{Later: -skew.tolerated - 299*time.Second}))
		s.refused(t, s.document(t, samltest.Bend{Later: -skew.tolerated - 301*time.Second}), saml.ReasonExpired)
	}
}

func TestOnlyOpenRequestsAreAnswered(t *testing.T) {
	runAttacks(t, []attack{
		{name: "53 an unknown request", reason: saml.ReasonInResponseTo, twist: func(s *scene) { s.request.ID = "id-2" }},
		{name: "54 on the response alone", reason: saml.ReasonInResponseTo, before: edited(dataPath, "InResponseTo", "")},
		{name: "54 on the assertion alone", reason: saml.ReasonInResponseTo, before: edited("", "InResponseTo", "")},
		{name: "54 two different open requests", reason: saml.ReasonInResponseTo, before: edited("", "InResponseTo", "id-0")},
		{name: "55 unsolicited", reason: saml.ReasonUnsolicited, twist: func(s *scene) { s.request.ID = "" }},
	})
	s := newScene(t)
	solicited := s.document(t, samltest.Bend{})
	s.request.ID = ""
	unsolicited := s.document(t, samltest.Bend{})
	cases := []struct {
		name     string
		document []byte
		allowed  bool
		expect   saml.Expect
		reason   saml.Reason // "": accepted
	}{
		{"solicited", solicited, false, saml.Expect{RequestIDs: []string{"id-1"}}, ""},
		{"solicited, where both are", solicited, true, saml.Expect{RequestIDs: []string{"id-1"}, Unsolicited: true}, ""},
		{"solicited by another, where unsolicited is allowed", solicited, true, saml.Expect{Unsolicited: true}, saml.ReasonInResponseTo},
		{"unsolicited", unsolicited, true, saml.Expect{Unsolicited: true}, ""},
		{"unsolicited, where both are", unsolicited, true, saml.Expect{RequestIDs: []string{"id-1"}, Unsolicited: true}, ""},
		{"unsolicited, not awaited", unsolicited, true, saml.Expect{RequestIDs: []string{"id-1"}}, saml.ReasonUnsolicited},
		{"unsolicited, not allowed", unsolicited, false, saml.Expect{Unsolicited: true}, saml.ReasonUnsolicited},
		{"unsolicited, with an empty request ID", unsolicited, false, saml.Expect{RequestIDs: []string{""}}, saml.ReasonUnsolicited},
		{"nothing awaited", solicited, true, saml.Expect{}, saml.ReasonInResponseTo},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s.sp.AllowIDPInitiated = c.allowed
			_, err := s.sp.Verify(encoded(c.document), c.expect)
			if got := saml.ReasonOf(err); got != c.reason {
				t.Errorf("got %v, want reason %q", err, c.reason)
			}
		})
	}
}

func TestAssertionsWithMissingOrForeignPartsAreRefused(t *testing.T) {
	twice := func(path string) func(*scene, *etree.Element) {
		return func(_ *scene, response *etree.Element) {
			el := response.FindElement(path)
			el.Parent().AddChild(el.Copy())
		}
	}
	runAttacks(t, []attack{
		{name: "59 no Subject", reason: saml.ReasonSubject, before: removed("./Assertion/Subject")},
		{name: "59 two Subjects", reason: saml.ReasonSubject, before: twice("./Assertion/Subject")},
		{name: "59 no NameID", reason: saml.ReasonSubject, before: removed("./Assertion/Subject/NameID")},
		{name: "59 two NameIDs", reason: saml.ReasonSubject, before: twice("./Assertion/Subject/NameID")},
		{name: "59 an empty NameID", reason: saml.ReasonSubject, before: func(_ *scene, r *etree.Element) { r.FindElement(".//NameID").SetText(" \n") }},
		{name: "59 no SubjectConfirmation", reason: saml.ReasonConfirmation, before: removed(confirmationPath)},
		{name: "59 two SubjectConfirmations", reason: saml.ReasonConfirmation, before: twice(confirmationPath)},
		{name: "59 no SubjectConfirmationData", reason: saml.ReasonConfirmation, before: removed(dataPath)},
		{name: "59 no Conditions", reason: saml.ReasonCondition, before: removed(conditionsPath)},
		{name: "59 two Conditions", reason: saml.ReasonCondition, before: twice(conditionsPath)},
		{name: "59 a condition of another kind", reason: saml.ReasonCondition, before: func(_ *scene, r *etree.Element) {
			r.FindElement(conditionsPath).CreateElement("saml:Condition")
		}},
		{name: "60 holder of key", reason: saml.ReasonConfirmation, before: edited(confirmationPath, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")},
		{name: "60 sender vouches", reason: saml.ReasonConfirmation, before: edited(confirmationPath, "Method", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches")},
		{name: "60 no method", reason: saml.ReasonConfirmation, before: edited(confirmationPath, "Method", "")},
		{name: "61 not successful", reason: saml.ReasonStatus, before: edited("./Status/StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")},
		{name: "61 not successful, signed", sign: samltest.SignResponse, reason: saml.ReasonStatus, before: edited("./Status/StatusCode", "Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")},
		{name: "61 no status", reason: saml.ReasonStatus, before: removed("./Status")},
		{name: "61 two statuses", reason: saml.ReasonStatus, before: twice("./Status")},
		{name: "61 no status code", reason: saml.ReasonStatus, before: removed("./Status/StatusCode")},
		{name: "62 a response of version 1.1", reason: saml.ReasonVersion, before: edited("", "Version", "1.1")},
		{name: "62 an assertion of version 1.1", reason: saml.ReasonVersion, before: edited("./Assertion", "Version", "1.1")},
		{name: "no assertion", reason: saml.ReasonStructure, after: func(_ *scene, r *etree.Element) { assertionIn(r).Remove() }},
		{name: "an encrypted NameID", reason: saml.ReasonEncrypted, before: func(_ *scene, r *etree.Element) {
			r.FindElement("./Assertion/Subject").CreateElement("saml:EncryptedID")
		}},
		{name: "an encrypted attribute", reason: saml.ReasonEncrypted, before: func(_ *scene, r *etree.Element) {
			r.FindElement("./Assertion/AttributeStatement").CreateElement("saml:EncryptedAttribute")
		}},
	})
}

func TestARefusalSaysWhatTheProviderReported(t *testing.T) {
	s := newScene(t)
	document := s.document(t, samltest.Bend{Sign: samltest.SignNothing, Before: func(response *etree.Element) {
		assertionIn(response).Remove()
		code := response.FindElement("./Status/StatusCode")
		code.CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		code.CreateElement("samlp:StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")
		response.FindElement("./Status").CreateElement("samlp:StatusMessage").SetText("no\nway")
	}})
	_, err := s.verify(document)
	const want = `saml: status: the identity provider reports "urn:oasis:names:tc:SAML:2.0:status:Responder / ` +
		`urn:oasis:names:tc:SAML:2.0:status:AuthnFailed", message "no\nway"`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
