package saml_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

func signatureOf(response *etree.Element) *etree.Element {
	return assertionIn(response).SelectElement("Signature")
}

// method returns an attack that signs the assertion properly, but with a SignedInfo that names another algorithm.
func method(name, path, algorithm string) attack {
	return attack{name: name, reason: saml.ReasonAlgorithm, after: func(_ *scene, response *etree.Element) {
		resign(assertionIn(response), func(info *etree.Element) {
			info.FindElement(path).CreateAttr("Algorithm", algorithm)
		})
	}}
}

func TestAssertionsWithoutAProperSignatureAreRefused(t *testing.T) {
	moved := func(to func(response *etree.Element) *etree.Element) func(*scene, *etree.Element) {
		return func(_ *scene, response *etree.Element) { to(response).AddChild(signatureOf(response)) }
	}
	resigned := func(edit func(info *etree.Element)) func(*scene, *etree.Element) {
		return func(_ *scene, response *etree.Element) { resign(assertionIn(response), edit) }
	}
	runAttacks(t, []attack{
		{name: "14 no signature", reason: saml.ReasonUnsigned, after: func(_ *scene, response *etree.Element) {
			signatureOf(response).Remove()
		}},
		{name: "14 a signature that is none", reason: saml.ReasonUnsigned, after: func(_ *scene, response *etree.Element) {
			signatureOf(response).CreateAttr("xmlns:ds", "urn:x")
		}},
		{name: "15 the signature in the Subject", reason: saml.ReasonSignature, after: moved(func(response *etree.Element) *etree.Element {
			return assertionIn(response).SelectElement("Subject")
		})},
		{name: "15 the signature of the assertion on the response", reason: saml.ReasonSignature, after: moved(func(response *etree.Element) *etree.Element {
			return response
		})},
		{name: "15 the signature of the response on the assertion", sign: samltest.SignResponse, reason: saml.ReasonSignature, after: func(_ *scene, response *etree.Element) {
			assertionIn(response).AddChild(response.SelectElement("Signature"))
		}},
		{name: "two signatures on one assertion", reason: saml.ReasonSignature, after: func(_ *scene, response *etree.Element) {
			assertionIn(response).AddChild(signatureOf(response).Copy())
		}},
		{name: "a broken signature in a properly signed response", sign: samltest.SignResponse, reason: saml.ReasonSignature, before: func(s *scene, response *etree.Element) {
			if err := s.idp.Sign(assertionIn(response), ""); err != nil {
				panic(err)
			}
			signatureOf(response).SelectElement("SignatureValue").SetText("AAAA")
		}},
		{name: "18 the Reference is to the whole document", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.SelectElement("Reference").CreateAttr("URI", "")
		})},
		{name: "18 the Reference is to another element", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.SelectElement("Reference").CreateAttr("URI", "#_another")
		})},
		{name: "18 the Reference has no URI", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.SelectElement("Reference").RemoveAttr("URI")
		})},
		{name: "19 a second Reference", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.AddChild(info.SelectElement("Reference").Copy())
		})},
		{name: "19 a second Reference of another namespace", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			second := info.SelectElement("Reference").Copy()
			second.Space = "saml"
			info.AddChild(second)
		})},
		{name: "something more in SignedInfo", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.CreateElement("ds:Object")
		})},
		{name: "a second SignedInfo", reason: saml.ReasonSignature, after: func(_ *scene, response *etree.Element) {
			signatureOf(response).AddChild(signatureOf(response).SelectElement("SignedInfo").Copy())
		}},
		{name: "a digest of something else", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.FindElement("./Reference/DigestValue").SetText(base64.StdEncoding.EncodeToString(make([]byte, 32)))
		})},
		{name: "27 a digest of nothing", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			nothing := sha256.Sum256(nil)
			info.FindElement("./Reference/DigestValue").SetText(base64.StdEncoding.EncodeToString(nothing[:]))
		})},
		{name: "27 an empty digest", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.FindElement("./Reference/DigestValue").SetText("")
		})},
		{name: "a prefixed twin of an algorithm attribute", reason: saml.ReasonAlgorithm, after: resigned(func(info *etree.Element) {
			info.SelectElement("SignatureMethod").CreateAttr("saml:Algorithm", dsig.RSASHA1SignatureMethod)
		})},
		{name: "a prefixed twin of the URI", reason: saml.ReasonSignature, after: resigned(func(info *etree.Element) {
			info.SelectElement("Reference").CreateAttr("saml:URI", "#_another")
		})},
		{name: "no transform", reason: saml.ReasonAlgorithm, after: resigned(func(info *etree.Element) {
			transforms := info.FindElement("./Reference/Transforms")
			transforms.RemoveChild(transforms.SelectElements("Transform")[1])
		})},
	})
}

func TestAlgorithmsThatAreNotListedAreRefused(t *testing.T) {
	const transform = "./Reference/Transforms/Transform[2]"
	runAttacks(t, []attack{
		method("20 XSLT", transform, "http://www.w3.org/TR/1999/REC-xslt-19991116"),
		method("20 XPath", transform, "http://www.w3.org/TR/1999/REC-xpath-19991116"),
		method("20 XPath filter", transform, "http://www.w3.org/2002/06/xmldsig-filter2"),
		method("20 base64", transform, "http://www.w3.org/2000/09/xmldsig#base64"),
		method("20 unknown transform", transform, "urn:x"),
		method("21 RSA with SHA-1", "./SignatureMethod", dsig.RSASHA1SignatureMethod),
		method("21 a SHA-1 digest", "./Reference/DigestMethod", "http://www.w3.org/2000/09/xmldsig#sha1"),
		method("22 HMAC", "./SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
		method("23 RSA with MD5", "./SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"),
		method("23 an MD5 digest", "./Reference/DigestMethod", "http://www.w3.org/2001/04/xmldsig-more#md5"),
		method("23 an unknown method", "./SignatureMethod", "urn:x"),
		method("23 no method", "./SignatureMethod", ""),
		method("an unknown canonicalization", "./CanonicalizationMethod", "urn:x"),
	})
	t.Run("22 HMAC with the certificate as key", func(t *testing.T) {
		s := newScene(t)
		s.accepted(t, s.document(t, samltest.Bend{}))
		s.refused(t, s.document(t, samltest.Bend{After: func(response *etree.Element) {
			info := signatureOf(response).SelectElement("SignedInfo")
			info.SelectElement("SignatureMethod").CreateAttr("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
			canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(withNamespace(info.Copy()))
			if err != nil {
				t.Fatal(err)
			}
			mac := hmac.New(sha256.New, s.idp.Certificate.Raw)
			mac.Write(canonical)
			signatureOf(response).SelectElement("SignatureValue").SetText(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}}), saml.ReasonAlgorithm)
	})
}

func withNamespace(el *etree.Element) *etree.Element {
	el.CreateAttr("xmlns:ds", dsig.Namespace)
	return el
}

func TestSHA1SignaturesAreAcceptedWhereTheConnectionAllowsThem(t *testing.T) {
	s := newScene(t)
	bend := samltest.Bend{Sign: samltest.SignBoth, SignatureMethod: dsig.RSASHA1SignatureMethod}
	s.refused(t, s.document(t, bend), saml.ReasonAlgorithm)
	s.sp.InsecureAllowSHA1 = true
	s.accepted(t, s.document(t, bend))
}

func TestOnlyTheKeysOfTheConnectionAreTrusted(t *testing.T) {
	s := newScene(t)
	attacker := s.provider(t, s.idp.EntityID, attackerKey())
	byAttacker := func(bend samltest.Bend) []byte {
		document, err := attacker.Document(s.request, s.person, bend)
		if err != nil {
			t.Fatal(err)
		}
		return document
	}
	t.Run("16 the attacker's key and certificate", func(t *testing.T) {
		s.accepted(t, s.document(t, samltest.Bend{}))
		s.refused(t, byAttacker(samltest.Bend{}), saml.ReasonSignature)
	})
	t.Run("17 the attacker's key and the trusted certificate", func(t *testing.T) {
		s.refused(t, byAttacker(samltest.Bend{After: func(response *etree.Element) {
			certificate := base64.StdEncoding.EncodeToString(s.idp.Certificate.Raw)
			signatureOf(response).FindElement(".//X509Certificate").SetText(certificate)
		}}), saml.ReasonSignature)
	})
	t.Run("the trusted key without any KeyInfo, or with a foreign one", func(t *testing.T) {
		s.accepted(t, s.document(t, samltest.Bend{After: func(response *etree.Element) {
			signatureOf(response).SelectElement("KeyInfo").Remove()
		}}))
		s.accepted(t, s.document(t, samltest.Bend{After: func(response *etree.Element) {
			certificate := base64.StdEncoding.EncodeToString(attacker.Certificate.Raw)
			signatureOf(response).FindElement(".//X509Certificate").SetText(certificate)
		}}))
	})
	t.Run("44 another connection with the same entity ID trusts its own keys", func(t *testing.T) {
		other := *s.sp
		other.IdP = trustIn(t, attacker)
		if _, err := other.Verify(base64.StdEncoding.EncodeToString(byAttacker(samltest.Bend{})), s.expect()); err != nil {
			t.Fatal(err)
		}
		_, err := other.Verify(base64.StdEncoding.EncodeToString(s.document(t, samltest.Bend{})), s.expect())
		wantReason(t, err, saml.ReasonSignature)
	})
}
