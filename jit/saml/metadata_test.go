package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/jit/saml"
)

var when = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestRealMetadataIsRead(t *testing.T) {
	metadata, err := saml.ParseMetadata(read(t, filepath.Join(fixtures, "npm-saml-idp/idp-metadata.xml")), saml.MetadataOptions{Now: when})
	if err != nil {
		t.Fatal(err)
	}
	want := []saml.Endpoint{
		{Binding: saml.BindingRedirect, Location: "http://127.0.0.1:7000/saml/sso"},
		{Binding: saml.BindingPOST, Location: "http://127.0.0.1:7000/saml/sso"},
	}
	if diff := cmp.Diff(want, metadata.SingleSignOn); diff != "" {
		t.Error(diff)
	}
	if metadata.EntityID != "urn:lab:saml-idp" || len(metadata.Certificates) != 1 || metadata.WantAuthnRequestsSigned || !metadata.ValidUntil.IsZero() {
		t.Errorf("%+v", metadata)
	}
}

// described is a document about a provider, with an edit.
func described(t *testing.T, old, replacement string) []byte {
	t.Helper()
	s := newScene(t)
	document := string(s.idp.Metadata())
	if !strings.Contains(document, old) {
		t.Fatalf("no %q in %s", old, document)
	}
	return []byte(strings.ReplaceAll(document, old, replacement))
}

func TestMetadataVariantsAreRead(t *testing.T) {
	const entity = "<md:EntityDescriptor "
	for name, document := range map[string][]byte{
		"keys without a use":     described(t, ` use="signing"`, ""),
		"comments":               described(t, "<md:KeyDescriptor", "<!-- a key --><md:KeyDescriptor"),
		"a stylesheet":           append([]byte(`<?xml version="1.0"?><?xml-stylesheet href="x"?>`), described(t, "", "")...),
		"another role beside":    described(t, "<md:IDPSSODescriptor", `<md:SPSSODescriptor protocolSupportEnumeration="x"/><md:IDPSSODescriptor`),
		"two protocols":          described(t, `Enumeration="`, `Enumeration="urn:oasis:names:tc:SAML:1.1:protocol `),
		"valid for a while":      described(t, entity, entity+`validUntil="2026-11-22T12:00:01Z" `),
		"another binding beside": described(t, "<md:SingleSignOnService ", `<md:SingleSignOnService Binding="urn:mace:x" Location="javascript:x"/><md:SingleSignOnService `),
		"inside EntitiesDescriptor": []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><EntitiesDescriptor>` +
			string(described(t, "", "")) + `</EntitiesDescriptor></EntitiesDescriptor>`),
	} {
		t.Run(name, func(t *testing.T) {
			metadata, err := saml.ParseMetadata(document, saml.MetadataOptions{Now: when})
			if err != nil {
				t.Fatal(err)
			}
			if metadata.EntityID != "https://idp.example/metadata" || len(metadata.SingleSignOn) != 2 || len(metadata.Certificates) != 1 {
				t.Errorf("%+v", metadata)
			}
		})
	}
}

func TestFaultyMetadataIsRefusedWithTheFault(t *testing.T) {
	const entity = "<md:EntityDescriptor "
	for name, c := range map[string]struct {
		document []byte
		want     string
	}{
		"75 a javascript location":             {described(t, "https://idp.example/sso", "javascript:alert(1)"), `Location: "javascript:alert(1)" is no http or https URL`},
		"75 a javascript location with a host": {described(t, "https://idp.example/sso", "javascript://idp.example/%0aalert(1)"), "is no http or https URL"},
		"a relative location":                  {described(t, "https://idp.example/sso", "/sso"), `Location: "/sso"`},
		"ran out":                              {described(t, entity, entity+`validUntil="2026-11-22T12:00:00Z" `), "ran out at 2026-11-22T12:00:00Z"},
		"ran out for the role":                 {described(t, "<md:IDPSSODescriptor ", `<md:IDPSSODescriptor validUntil="2020-01-01T00:00:00Z" `), "ran out at 2020"},
		"an end that is none":                  {described(t, entity, entity+`validUntil="soon" `), `validUntil: "soon"`},
		"no entity ID":                         {described(t, ` entityID="https://idp.example/metadata"`, ""), "no entityID"},
		"no certificate":                       {described(t, `use="signing"`, `use="encryption"`), "no KeyDescriptor with a signing certificate"},
		"a broken certificate":                 {described(t, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA"), "certificate 1: not an X.509 certificate"},
		"no base64":                            {described(t, "<ds:X509Certificate>", "<ds:X509Certificate>*"), "certificate 1: not base64"},
		"no endpoint":                          {described(t, "bindings:HTTP-", "bindings:X-"), "no SingleSignOnService"},
		"a service provider":                   {described(t, "IDPSSODescriptor", "SPSSODescriptor"), "no identity provider in the document"},
		"SAML 1.1":                             {described(t, `Enumeration="urn:oasis:names:tc:SAML:2.0`, `Enumeration="urn:oasis:names:tc:SAML:1.1`), "no identity provider in the document"},
		"a DOCTYPE":                            {append([]byte("<!DOCTYPE x>"), described(t, "", "")...), "document type"},
		"not XML":                              {[]byte("hello"), "not XML"},
		"HTML":                                 {[]byte("<html/>"), "root element is html"},
		"72 too large":                         {[]byte(strings.Repeat(" ", saml.MaxMessage+1)), "bytes, at most"},
		"cut off":                              {[]byte("<a>"), "not XML"},
		"nothing":                              {nil, "not XML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := saml.ParseMetadata(c.document, saml.MetadataOptions{Now: when})
			if err == nil || !strings.HasPrefix(err.Error(), "saml metadata: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestOneOfSeveralProvidersMustBeChosen(t *testing.T) {
	const other = "https://other.example"
	document := fmt.Appendf(nil, `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">%s%s%s</EntitiesDescriptor>`,
		described(t, "", ""), described(t, "https://idp.example/metadata", other),
		`<EntityDescriptor entityID="urn:sp"><SPSSODescriptor/></EntityDescriptor>`)
	for chosen, want := range map[string]string{
		"":       "saml metadata: the document describes 2 identity providers; choose one by its entityID: https://idp.example/metadata, https://other.example",
		"urn:sp": `saml metadata: no identity provider "urn:sp" in the document; it describes: https://idp.example/metadata, https://other.example`,
	} {
		_, err := saml.ParseMetadata(document, saml.MetadataOptions{EntityID: chosen})
		choice, ok := errors.AsType[*saml.ChoiceError](err)
		if !ok || err.Error() != want || len(choice.EntityIDs) != 2 {
			t.Errorf("%q: got %v", chosen, err)
		}
	}
	metadata, err := saml.ParseMetadata(document, saml.MetadataOptions{EntityID: other})
	if err != nil || metadata.EntityID != other {
		t.Errorf("got %+v, %v", metadata, err)
	}
	twice := fmt.Appendf(nil, `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">%s%s</EntitiesDescriptor>`, described(t, "", ""), described(t, "", ""))
	if _, err := saml.ParseMetadata(twice, saml.MetadataOptions{EntityID: "https://idp.example/metadata"}); err == nil {
		t.Error("one entity ID twice was accepted")
	}
}

func TestSeveralSigningCertificatesAreKeptOnce(t *testing.T) {
	s := newScene(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	descriptor := func(document []byte) string {
		begin, end := strings.Index(string(document), "<md:KeyDescriptor"), strings.Index(string(document), "<md:SingleSignOn")
		return string(document[begin:end])
	}
	first, second := descriptor(s.idp.Metadata()), descriptor(s.provider(t, "", key).Metadata())
	document := strings.Replace(string(s.idp.Metadata()), first, first+second+first, 1)
	metadata, err := saml.ParseMetadata([]byte(document), saml.MetadataOptions{})
	if err != nil || len(metadata.Certificates) != 2 {
		t.Fatalf("%+v, %v", metadata, err)
	}
	if got := saml.Fingerprint(metadata.Certificates[0]); len(got) != 32*3-1 || strings.Count(got, ":") != 31 {
		t.Errorf("fingerprint %q", got)
	}
}
