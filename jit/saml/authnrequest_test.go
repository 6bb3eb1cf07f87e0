package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"
	dsig "github.com/russellhaering/goxmldsig"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

func requested(t *testing.T, s *scene, options saml.AuthnOptions) *saml.Request {
	t.Helper()
	request, err := s.sp.AuthnRequest("state &=+", options)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// message reads a request as the identity provider would.
func message(t *testing.T, request *saml.Request) *etree.Element {
	t.Helper()
	var document []byte
	if request.Binding == saml.BindingPOST {
		document = decoded(t, request.Fields[0].Value)
	} else {
		location, err := url.Parse(request.URL)
		if err != nil {
			t.Fatal(err)
		}
		document, err = io.ReadAll(flate.NewReader(bytes.NewReader(decoded(t, location.Query().Get("SAMLRequest")))))
		if err != nil {
			t.Fatal(err)
		}
	}
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(document); err != nil {
		t.Fatal(err)
	}
	return tree.Root()
}

func decoded(t *testing.T, value string) []byte {
	t.Helper()
	document, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestARequestAsksForASignIn(t *testing.T) {
	s := newScene(t)
	s.sp.NewID = func() string { return "id-fixed" }
	for _, binding := range []saml.Binding{"", saml.BindingRedirect, saml.BindingPOST} {
		request := requested(t, s, saml.AuthnOptions{Binding: binding, ForceAuthn: true, AuthnContext: "urn:mfa"})
		root := message(t, request)
		got := map[string]string{}
		for _, a := range root.Attr {
			if a.Space != "xmlns" {
				got[a.Key] = a.Value
			}
		}
		want := map[string]string{
			"ID": "id-fixed", "Version": "2.0", "IssueInstant": "2026-11-22T12:00:00Z", "ForceAuthn": "true",
			"Destination": "https://idp.example/sso", "AssertionConsumerServiceURL": s.sp.ACSURL,
			"ProtocolBinding": string(saml.BindingPOST),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", binding, diff)
		}
		if root.FindElement("./Issuer").Text() != s.sp.EntityID || root.FindElement("./NameIDPolicy").SelectAttr("Format") != nil {
			t.Errorf("%s: issuer or name policy", binding)
		}
		if got := root.FindElement("./RequestedAuthnContext/AuthnContextClassRef").Text(); got != "urn:mfa" || request.ID != "id-fixed" {
			t.Errorf("%s: context %q, id %q", binding, got, request.ID)
		}
	}
}

func TestTheTestProviderReadsRequests(t *testing.T) {
	s := newScene(t)
	for _, binding := range []saml.Binding{saml.BindingRedirect, saml.BindingPOST} {
		request := requested(t, s, saml.AuthnOptions{Binding: binding})
		var parameter string
		if binding == saml.BindingPOST {
			parameter = request.Fields[0].Value
		} else {
			location, err := url.Parse(request.URL)
			if err != nil {
				t.Fatal(err)
			}
			parameter = location.Query().Get("SAMLRequest")
		}
		got, err := samltest.ReadRequest(parameter)
		if err != nil {
			t.Fatal(err)
		}
		s.request = got
		response, err := s.idp.Respond(got, s.person, samltest.Bend{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.sp.Verify(response, saml.Expect{RequestIDs: []string{request.ID}}); err != nil {
			t.Errorf("%s: %v", binding, err)
		}
	}
	for _, faulty := range []string{"", "*", "AAAA", encoded([]byte("<x/>")), encoded([]byte(`<AuthnRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`))} {
		if _, err := samltest.ReadRequest(faulty); err == nil {
			t.Errorf("%q was read", faulty)
		}
	}
}

func TestRelayStateIsEscapedAndBounded(t *testing.T) {
	s := newScene(t)
	location, err := url.Parse(requested(t, s, saml.AuthnOptions{}).URL)
	if err != nil || location.Query().Get("RelayState") != "state &=+" {
		t.Errorf("%v, %v", location, err)
	}
	if fields := requested(t, s, saml.AuthnOptions{Binding: saml.BindingPOST}).Fields; fields[1] != (saml.Field{Name: "RelayState", Value: "state &=+"}) {
		t.Errorf("%v", fields)
	}
	if _, err := s.sp.AuthnRequest(strings.Repeat("x", 80), saml.AuthnOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := s.sp.AuthnRequest(strings.Repeat("x", 81), saml.AuthnOptions{}); err == nil {
		t.Error("81 bytes were taken")
	}
}

func TestARedirectIsSignedOverItsOwnParameters(t *testing.T) {
	for _, c := range []struct{ sso, wantPrefix string }{
		{"https://idp.example/sso", "https://idp.example/sso?SAMLRequest="},
		{"https://idp.example/sso?tenant=a%20b", "https://idp.example/sso?tenant=a%20b&SAMLRequest="},
		{"https://idp.example/sso?", "https://idp.example/sso?SAMLRequest="},
		{"https://idp.example/sso?a=b&", "https://idp.example/sso?a=b&SAMLRequest="},
		{"https://idp.example/sso#top", "https://idp.example/sso?SAMLRequest="},
	} {
		s := newScene(t)
		withOwnKey(t, s)
		s.sp.SignRequests = true
		s.sp.IdP.SingleSignOn = []saml.Endpoint{{Binding: saml.BindingRedirect, Location: c.sso}}
		got := requested(t, s, saml.AuthnOptions{}).URL
		if !strings.HasPrefix(got, c.wantPrefix) {
			t.Errorf("%s: %s", c.sso, got)
		}
		signed, signature, found := strings.Cut(got[strings.Index(got, "SAMLRequest="):], "&Signature=")
		value, err := url.QueryUnescape(signature)
		if err != nil || !found || !strings.Contains(signed, "&RelayState=state+%26%3D%2B&SigAlg=") {
			t.Fatalf("%s: %s, %v", c.sso, got, err)
		}
		digest := sha256.Sum256([]byte(signed))
		if err := rsa.VerifyPKCS1v15(&ownKey().PublicKey, crypto.SHA256, digest[:], decoded(t, value)); err != nil {
			t.Errorf("%s: %v", c.sso, err)
		}
	}
}

func TestAPostIsSignedInside(t *testing.T) {
	s := newScene(t)
	if message(t, requested(t, s, saml.AuthnOptions{Binding: saml.BindingPOST})).SelectElement("Signature") != nil {
		t.Error("signed without being asked to")
	}
	withOwnKey(t, s)
	s.sp.SignRequests = true
	root := message(t, requested(t, s, saml.AuthnOptions{Binding: saml.BindingPOST, AuthnContext: "urn:mfa", Comparison: "minimum"}))
	context := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: s.sp.IdP.Certificates[:0]})
	context.CertificateStore = &dsig.MemoryX509CertificateStore{Roots: append(s.sp.IdP.Certificates[:0:0], s.sp.Key.Certificate)}
	context.Clock = dsig.NewFakeClockAt(s.now)
	if _, err := context.Validate(root); err != nil {
		t.Error(err)
	}
}

func TestRequestsNeedAConfiguration(t *testing.T) {
	for name, spoil := range map[string]func(sp *saml.ServiceProvider){
		"no entity ID":            func(sp *saml.ServiceProvider) { sp.EntityID = "" },
		"no ACS":                  func(sp *saml.ServiceProvider) { sp.ACSURL = "" },
		"an ACS that is no URL":   func(sp *saml.ServiceProvider) { sp.ACSURL = "acs" },
		"no provider":             func(sp *saml.ServiceProvider) { sp.IdP = nil },
		"no certificate":          func(sp *saml.ServiceProvider) { sp.IdP.Certificates = nil },
		"signing without a key":   func(sp *saml.ServiceProvider) { sp.SignRequests = true },
		"a key without the other": func(sp *saml.ServiceProvider) { sp.Key = &saml.KeyPair{} },
	} {
		s := newScene(t)
		spoil(s.sp)
		if _, err := s.sp.AuthnRequest("", saml.AuthnOptions{}); saml.ReasonOf(err) != saml.ReasonMisconfigured {
			t.Errorf("%s, request: %v", name, err)
		}
		if _, err := s.sp.Verify("", saml.Expect{}); saml.ReasonOf(err) != saml.ReasonMisconfigured {
			t.Errorf("%s, response: %v", name, err)
		}
	}
	s := newScene(t)
	s.sp.IdP.SingleSignOn = s.sp.IdP.SingleSignOn[:1]
	if _, err := s.sp.AuthnRequest("", saml.AuthnOptions{Binding: saml.BindingPOST}); saml.ReasonOf(err) != saml.ReasonMisconfigured {
		t.Errorf("a binding that is not offered: %v", err)
	}
}

func TestTheOwnMetadataSaysWhatIsNeeded(t *testing.T) {
	s := newScene(t)
	s.sp.IdP = nil // not known yet
	document, err := s.sp.Metadata("Muster & Co", []saml.RequestedAttribute{
		{Name: "email", Required: true}, {Name: "urn:oid:2.5.4.42", FriendlyName: "givenName"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://muster.example/c/acme/saml/metadata">
  <md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://muster.example/c/acme/saml/acs" index="0" isDefault="true"/>
    <md:AttributeConsumingService index="0">
      <md:ServiceName xml:lang="en">Muster &amp; Co</md:ServiceName>
      <md:RequestedAttribute Name="email" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic" isRequired="true"/>
      <md:RequestedAttribute Name="urn:oid:2.5.4.42" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" FriendlyName="givenName" isRequired="false"/>
    </md:AttributeConsumingService>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
`
	if diff := cmp.Diff(want, string(document)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	withOwnKey(t, s)
	s.sp.SignRequests = true
	document, err = s.sp.Metadata("Muster", nil)
	if err != nil || strings.Count(string(document), "<ds:X509Certificate>") != 2 || !strings.Contains(string(document), `AuthnRequestsSigned="true"`) {
		t.Errorf("%s, %v", document, err)
	}
}
