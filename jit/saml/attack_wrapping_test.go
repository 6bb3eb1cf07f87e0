package saml_test

import (
	"fmt"
	"testing"

	"github.com/beevik/etree"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// The numbers are those of the eight arrangements in Somorovsky et al., "On Breaking SAML" (USENIX 2012): what was signed
// is kept where its signature finds it, and something forged is put where an application would look.
func TestSignatureWrappingIsRefused(t *testing.T) {
	wrappings := []struct {
		name string
		sign samltest.Signing
		wrap func(response *etree.Element, keepID bool)
	}{
		{"1 a forged response, the original inside its signature", samltest.SignResponse, func(response *etree.Element, keepID bool) {
			original := response.Copy()
			signature := response.SelectElement("Signature")
			become(response, forged(response, keepID))
			original.SelectElement("Signature").Remove()
			signature.AddChild(original)
			response.InsertChildAt(1, signature)
		}},
		{"2 a forged response, the original before the signature", samltest.SignResponse, func(response *etree.Element, keepID bool) {
			original := response.Copy()
			signature := response.SelectElement("Signature")
			become(response, forged(response, keepID))
			original.SelectElement("Signature").Remove()
			response.InsertChildAt(1, original)
			response.InsertChildAt(2, signature)
		}},
		{"3 the forged assertion before the original", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			original := assertionIn(response)
			response.InsertChildAt(original.Index(), forged(original, keepID))
		}},
		{"4 the forged assertion around the original", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			original := assertionIn(response)
			forgery := forged(original, keepID)
			response.AddChild(forgery)
			forgery.AddChild(original)
		}},
		{"5 the signature moved to the forged assertion", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			original := assertionIn(response)
			forgery := forged(original, keepID)
			forgery.InsertChildAt(1, original.SelectElement("Signature"))
			response.InsertChildAt(original.Index(), forgery)
		}},
		{"6 the signature moved, with the original inside", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			original := assertionIn(response)
			forgery := forged(original, keepID)
			signature := original.SelectElement("Signature")
			forgery.InsertChildAt(1, signature)
			response.AddChild(forgery)
			signature.AddChild(original)
		}},
		{"7 the forged assertion in Extensions", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			extensions := etree.NewElement("samlp:Extensions")
			extensions.AddChild(forged(assertionIn(response), keepID))
			response.InsertChildAt(1, extensions)
		}},
		{"8 the original in an Object of its signature", samltest.SignAssertion, func(response *etree.Element, keepID bool) {
			original := assertionIn(response)
			forgery := forged(original, keepID)
			signature := original.SelectElement("Signature")
			response.AddChild(forgery)
			forgery.InsertChildAt(1, signature)
			signature.CreateElement("ds:Object").AddChild(original)
		}},
	}
	for _, wrapping := range wrappings {
		for _, keepID := range []bool{false, true} {
			name := fmt.Sprintf("%s, same ID %t", wrapping.name, keepID)
			reason := saml.ReasonStructure
			if keepID {
				reason = saml.ReasonMalformed
			}
			runAttacks(t, []attack{{name: name, sign: wrapping.sign, reason: reason, after: func(_ *scene, response *etree.Element) {
				wrapping.wrap(response, keepID)
			}}})
		}
	}
}

// become makes el equal to other, in its place.
func become(el, other *etree.Element) {
	for len(el.Child) > 0 {
		el.RemoveChildAt(0)
	}
	for len(other.Child) > 0 {
		el.AddChild(other.Child[0])
	}
	el.CreateAttr("ID", other.SelectAttrValue("ID", ""))
}

func TestMoreThanOneAssertionIsRefused(t *testing.T) {
	another := func(s *scene, response *etree.Element) *etree.Element {
		second := forged(assertionIn(response), false)
		return second
	}
	runAttacks(t, []attack{
		{name: "9 two assertions, the unsigned one first", reason: saml.ReasonStructure, after: func(s *scene, response *etree.Element) {
			response.InsertChildAt(assertionIn(response).Index(), another(s, response))
		}},
		{name: "9 two assertions, the unsigned one last", reason: saml.ReasonStructure, after: func(s *scene, response *etree.Element) {
			response.AddChild(another(s, response))
		}},
		{name: "10 two signed assertions in a signed response", sign: samltest.SignBoth, reason: saml.ReasonStructure, before: func(s *scene, response *etree.Element) {
			second := another(s, response)
			if err := s.idp.Sign(second, ""); err != nil {
				panic(err)
			}
			response.AddChild(second)
		}},
		{name: "36 four hundred signed assertions", reason: saml.ReasonStructure, after: func(_ *scene, response *etree.Element) {
			for i := range 400 {
				second := assertionIn(response).Copy()
				second.CreateAttr("ID", fmt.Sprintf("_%d", i))
				second.FindElement("./Signature/KeyInfo").Remove()
				second.SelectElement("AttributeStatement").Remove()
				response.AddChild(second)
			}
		}},
		{name: "an encrypted one beside the plain one", reason: saml.ReasonStructure, after: func(_ *scene, response *etree.Element) {
			response.CreateElement("saml:EncryptedAssertion")
		}},
		{name: "one in an attribute of a signed one", reason: saml.ReasonStructure, before: func(s *scene, response *etree.Element) {
			inner := another(s, response)
			assertionIn(response).FindElement(".//AttributeValue").AddChild(inner)
		}},
		{name: "one of another namespace", reason: saml.ReasonStructure, before: func(_ *scene, response *etree.Element) {
			response.CreateElement("x:Assertion").CreateAttr("xmlns:x", "urn:x")
		}},
	})
}
