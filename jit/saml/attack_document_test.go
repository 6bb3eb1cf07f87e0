package saml_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// openSAML signs el as OpenSAML does (Shibboleth, Okta, Ping): with a list of prefixes that count although nothing but
// the text of a type uses them.
func openSAML(t *testing.T, s *scene, el *etree.Element) {
	t.Helper()
	if err := s.idp.Sign(el, ""); err != nil {
		t.Fatal(err)
	}
	alone := el.Copy()
	alone.RemoveChild(alone.SelectElement("Signature"))
	for _, a := range el.Parent().Attr {
		if a.Space == "xmlns" && a.Key != "saml" {
			alone.CreateAttr(a.FullKey(), a.Value)
		}
	}
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("xs").Canonicalize(alone)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(canonical)
	resign(el, func(info *etree.Element) {
		list := info.FindElement("./Reference/Transforms/Transform[2]").CreateElement("ec:InclusiveNamespaces")
		list.CreateAttr("xmlns:ec", "http://www.w3.org/2001/10/xml-exc-c14n#")
		list.CreateAttr("PrefixList", "xs")
		info.FindElement("./Reference/DigestValue").SetText(base64.StdEncoding.EncodeToString(digest[:]))
	})
}

func TestSignaturesOverListedPrefixesAreAccepted(t *testing.T) {
	for _, sign := range []samltest.Signing{samltest.SignNothing, samltest.SignResponse} {
		s := newScene(t)
		document := s.document(t, samltest.Bend{Sign: sign, Before: func(response *etree.Element) {
			openSAML(t, s, assertionIn(response))
		}})
		s.accepted(t, document)
		s.refused(t, replaced(`xmlns:xs="http://www.w3.org/2001/XMLSchema"`, `xmlns:xs="urn:x"`)(document), saml.ReasonSignature)
	}
}

// prefixed puts something in front of the document.
func prefixed(prefix string) func([]byte) []byte {
	return func(document []byte) []byte { return append([]byte(prefix), document...) }
}

func suffixed(suffix string) func([]byte) []byte {
	return func(document []byte) []byte { return append(document, suffix...) }
}

func replaced(old, replacement string) func([]byte) []byte {
	return func(document []byte) []byte {
		if !bytes.Contains(document, []byte(old)) {
			panic("the attack changes nothing: no " + old)
		}
		return bytes.Replace(document, []byte(old), []byte(replacement), 1)
	}
}

func TestDocumentsThatSAMLDoesNotNeedAreRefused(t *testing.T) {
	const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]>`
	inNameID := func(token etree.Token) func(*scene, *etree.Element) {
		return func(_ *scene, response *etree.Element) {
			name := response.FindElement(".//NameID")
			name.SetText("root@corp.example")
			name.AddChild(token)
			name.CreateText(".evil.example")
		}
	}
	runAttacks(t, []attack{
		{name: "11 a comment in the signed NameID", reason: saml.ReasonComment, before: inNameID(etree.NewComment("x"))},
		{name: "11 a comment put into the NameID", reason: saml.ReasonComment, bytes: replaced("ada@corp", "ada@<!---->corp")},
		{name: "11 a comment in an attribute", reason: saml.ReasonComment, bytes: replaced("Engineering", "Eng<!-- -->ineering")},
		{name: "11 a comment before the root", reason: saml.ReasonComment, bytes: prefixed("<!-- -->")},
		{name: "13 a processing instruction in the NameID", reason: saml.ReasonProcessingInstruction, before: inNameID(etree.NewProcInst("x", "y"))},
		{name: "13 a processing instruction before the root", reason: saml.ReasonProcessingInstruction, bytes: prefixed(`<?xml-stylesheet href="x"?>`)},
		{name: "13 a second XML declaration", reason: saml.ReasonProcessingInstruction, bytes: prefixed(`<?xml version="1.0"?><?xml version="1.0"?>`)},
		{name: "28 an empty DOCTYPE", reason: saml.ReasonDoctype, bytes: prefixed(`<!DOCTYPE x>`)},
		{name: "28 a DOCTYPE after the root", reason: saml.ReasonDoctype, bytes: suffixed(`<!DOCTYPE x>`)},
		{name: "29 an external entity", reason: saml.ReasonDoctype, bytes: prefixed(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`)},
		{name: "29 an entity that is not declared", reason: saml.ReasonMalformed, bytes: replaced("Engineering", "&e;")},
		{name: "30 billion laughs", reason: saml.ReasonDoctype, bytes: prefixed(laughs)},
		{name: "31 UTF-16", reason: saml.ReasonMalformed, bytes: func([]byte) []byte { return []byte("\xff\xfe<\x00R\x00") }},
		{name: "31 another encoding declared", reason: saml.ReasonMalformed, bytes: prefixed(`<?xml version="1.0" encoding="ISO-8859-1"?>`)},
		{name: "31 bytes that are not UTF-8", reason: saml.ReasonMalformed, bytes: replaced("Engineering", "\xc3\x28")},
		{name: "31 a control character", reason: saml.ReasonMalformed, bytes: replaced("Engineering", "a\x00b")},
		{name: "32 a second root", reason: saml.ReasonMalformed, bytes: suffixed("<x/>")},
		{name: "32 the document twice", reason: saml.ReasonMalformed, bytes: func(d []byte) []byte { return append(d, d...) }},
		{name: "32 text after the root", reason: saml.ReasonMalformed, bytes: suffixed("x")},
		{name: "32 text before the root", reason: saml.ReasonMalformed, bytes: prefixed("x")},
		{name: "a document that is cut off", reason: saml.ReasonMalformed, bytes: func(d []byte) []byte { return d[:len(d)-1] }},
		{name: "tags that cross", reason: saml.ReasonMalformed, bytes: suffixed("<a><b></a></b>")},
		{name: "nothing", reason: saml.ReasonMalformed, bytes: func([]byte) []byte { return nil }},
		{name: "no XML", reason: saml.ReasonMalformed, bytes: func([]byte) []byte { return []byte("hello") }},
		{name: "63 the assertion alone", reason: saml.ReasonMalformed, bytes: func(d []byte) []byte {
			begin, end := bytes.Index(d, []byte("<saml:Assertion")), bytes.Index(d, []byte("</samlp:Response>"))
			return d[begin:end]
		}},
		{name: "63 a Response of another protocol", reason: saml.ReasonMalformed, after: func(_ *scene, response *etree.Element) {
			response.CreateAttr("xmlns:samlp", "urn:oasis:names:tc:SAML:1.0:protocol")
		}},
		{name: "63 a LogoutResponse", reason: saml.ReasonMalformed, after: func(_ *scene, response *etree.Element) { response.Tag = "LogoutResponse" }},
		{name: "24 one ID on two elements", reason: saml.ReasonMalformed, before: func(_ *scene, response *etree.Element) {
			response.CreateAttr("ID", assertionIn(response).SelectAttrValue("ID", ""))
		}},
		{name: "24 one ID as ID and as Id", reason: saml.ReasonMalformed, before: func(_ *scene, response *etree.Element) {
			response.FindElement(".//Subject").CreateAttr("Id", response.SelectAttrValue("ID", ""))
		}},
		{name: "25 the ID attribute twice", reason: saml.ReasonMalformed, bytes: replaced(`<saml:Assertion `, `<saml:Assertion ID="_x" `)},
		{name: "25 a prefixed ID attribute", reason: saml.ReasonMalformed, bytes: replaced(`<saml:Assertion `, `<saml:Assertion samlp:ID="_x" `)},
		{name: "25 xml:id", reason: saml.ReasonMalformed, bytes: replaced(`<saml:Assertion `, `<saml:Assertion xml:id="_x" `)},
		{name: "25 any attribute twice", reason: saml.ReasonMalformed, bytes: replaced(`Name="email"`, `Name="email" Name="mail"`)},
		{name: "27 a relative namespace", reason: saml.ReasonMalformed, before: func(_ *scene, response *etree.Element) { response.CreateAttr("xmlns:x", "1") }},
		{name: "a reserved prefix", reason: saml.ReasonMalformed, after: func(_ *scene, response *etree.Element) { response.CreateAttr("xmlns:xml", "urn:x") }},
		{name: "names with two colons", reason: saml.ReasonMalformed, bytes: replaced(`Name="email"`, `x:y:z="" Name="email"`)},
	})
}

func TestMessagesBeyondTheLimitsAreRefused(t *testing.T) {
	inside := func(content string) func([]byte) []byte {
		return replaced("</samlp:Response>", content+"</samlp:Response>")
	}
	namespaces := func(from, count int) (declarations string) {
		for i := range count {
			declarations += fmt.Sprintf(` xmlns:n%d="urn:n"`, from+i)
		}
		return declarations
	}
	nested := func(depth int) string { return strings.Repeat("<x>", depth) + strings.Repeat("</x>", depth) }
	runAttacks(t, []attack{
		{name: "33 more than a mebibyte", reason: saml.ReasonTooLarge, bytes: suffixed(strings.Repeat(" ", saml.MaxMessage))},
		{name: "33 far more than a mebibyte", reason: saml.ReasonTooLarge, bytes: suffixed(strings.Repeat(" ", 4*saml.MaxMessage))},
		{name: "34 deeper than 32", reason: saml.ReasonLimit, bytes: inside(nested(32))},
		{name: "34 200 KB of nesting", reason: saml.ReasonLimit, bytes: inside(nested(28_000))},
		{name: "35 20,000 elements", reason: saml.ReasonLimit, bytes: inside(strings.Repeat("<x/>", 20_000))},
		{name: "35 33 attributes", reason: saml.ReasonLimit, bytes: inside("<x" + strings.ReplaceAll(namespaces(0, 33), "xmlns:", "") + "/>")},
		{name: "35 namespaces in scope", reason: saml.ReasonLimit, bytes: inside("<x" + namespaces(0, 30) + "><x" + namespaces(30, 30) + "><x" + namespaces(60, 5) + "/></x></x>")},
		{name: "35 16,385 namespaces", reason: saml.ReasonLimit, bytes: inside(strings.Repeat("<x"+namespaces(0, 10)+"/>", 1_639))},
	})
	for _, hostile := range []string{"<x/>", `<x a="1" b="2"/>`, "<x" + namespaces(0, 1) + "/>", nested(20)} {
		s := newScene(t)
		padding := strings.Repeat(hostile, 15_000/strings.Count(hostile, "<x"))
		document := inside(padding)(s.document(t, samltest.Bend{}))
		start := time.Now()
		s.accepted(t, document) // outside the signed assertion: harmless, but it must not cost
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d bytes like %.30s took %s", len(document), hostile, took)
		}
	}
}

func TestBrokenMessagesAreToldFromRefusedAssertions(t *testing.T) {
	s := newScene(t)
	for input, broken := range map[string]bool{
		"!":                        true,
		"":                         true,
		strings.Repeat("A", 3<<20): true,
		base64.StdEncoding.EncodeToString([]byte("<a/>")):                                           true,
		base64.StdEncoding.EncodeToString(s.document(t, samltest.Bend{Sign: samltest.SignNothing})): false,
		base64.StdEncoding.EncodeToString(s.document(t, samltest.Bend{Issuer: "urn:x"})):            false,
	} {
		_, err := s.sp.Verify(input, s.expect())
		refusal, ok := err.(*saml.Error)
		if !ok || refusal.Broken() != broken {
			t.Errorf("%.40s: %v, want broken %t", input, err, broken)
		}
	}
}

func TestHarmlessFormsAreAccepted(t *testing.T) {
	s := newScene(t)
	document := s.document(t, samltest.Bend{})
	for name, form := range map[string]string{
		"folded base64":       folded(document),
		"a byte order mark":   base64.StdEncoding.EncodeToString(prefixed("\ufeff")(document)),
		"an XML declaration":  base64.StdEncoding.EncodeToString(prefixed("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")(document)),
		"white space outside": base64.StdEncoding.EncodeToString(suffixed("\n \r\n")(document)),
	} {
		if _, err := s.sp.Verify(form, s.expect()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func folded(document []byte) string {
	var lines strings.Builder
	encoded := base64.StdEncoding.EncodeToString(document)
	for len(encoded) > 76 {
		lines.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	return lines.String() + encoded
}

func TestWholeValuesAreRead(t *testing.T) {
	s := newScene(t)
	document := s.document(t, samltest.Bend{Before: func(response *etree.Element) {
		name := response.FindElement(".//NameID")
		name.SetText("ada@corp.example")
		values := response.FindElement(".//Attribute[@Name='email']")
		values.Child = nil
		mixed := values.CreateElement("saml:AttributeValue")
		mixed.CreateText("a")
		mixed.CreateElement("x").SetText("<&>")
		mixed.CreateText("]]")
		mixed.CreateText(" 測試 ")
		null := values.CreateElement("saml:AttributeValue")
		null.CreateAttr("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
		null.CreateAttr("xsi:nil", "true")
	}})
	document = replaced("測試", "&#x6e2c;&#35430;")(document)
	document = replaced("]]", "<![CDATA[]]]]>")(document)
	document = replaced("ada@corp.example</saml:NameID>", "ada@<![CDATA[corp]]>.example</saml:NameID>")(document)
	facts, err := s.verify(document)
	if err != nil {
		t.Fatal(err)
	}
	if facts.NameID.Value != "ada@corp.example" {
		t.Errorf("NameID %q", facts.NameID.Value)
	}
	want := []string{"a<&>]] 測試 ", ""}
	if diff := cmp.Diff(want, facts.Attributes[0].Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestRebindingAPrefixOutsideTheSignedPartChangesNoFact(t *testing.T) {
	s := newScene(t)
	s.accepted(t, s.document(t, samltest.Bend{After: func(response *etree.Element) {
		response.CreateAttr("xmlns:xs", "urn:evil")
		response.CreateAttr("xmlns", "urn:evil")
	}}))
	s.refused(t, s.document(t, samltest.Bend{After: func(response *etree.Element) {
		assertionIn(response).CreateAttr("xmlns:saml", "urn:evil")
	}}), saml.ReasonStructure)
}

func TestFiveThousandGroupsSignIn(t *testing.T) {
	for _, sign := range []samltest.Signing{samltest.SignAssertion, samltest.SignResponse, samltest.SignBoth} {
		s := newScene(t)
		groups := make([]string, 5000)
		for i := range groups {
			groups[i] = fmt.Sprintf("Group %d", i)
		}
		s.person.Attributes = []saml.Attribute{{Name: "groups", Values: groups}}
		document := s.document(t, samltest.Bend{Sign: sign})
		start := time.Now()
		s.accepted(t, document)
		t.Logf("%d bytes in %s", len(document), time.Since(start))
	}
}
