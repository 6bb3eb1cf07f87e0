package saml_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"

	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// signedMetadata is a provider's metadata, signed by a publisher.
func signedMetadata(t testing.TB, publisher *samltest.IdP, of *samltest.IdP) *etree.Document {
	t.Helper()
	document := etree.NewDocument()
	if err := document.ReadFromBytes(of.Metadata()); err != nil {
		t.Fatal(err)
	}
	document.Root().CreateAttr("ID", "_metadata")
	if err := publisher.Sign(document.Root(), ""); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestMetadataThatMustBeSignedIsReadFromWhatTheSignatureCovers(t *testing.T) {
	s := newScene(t)
	publisher := s.provider(t, "https://federation.example", ownKey())
	options := saml.MetadataOptions{SignedBy: publisher.Certificate.Raw}
	parse := func(d *etree.Document) error {
		b, err := d.WriteToBytes()
		if err != nil {
			t.Fatal(err)
		}
		_, err = saml.ParseMetadata(b, options)
		return err
	}
	good := signedMetadata(t, publisher, s.idp)
	if err := parse(good); err != nil {
		t.Fatal(err)
	}
	changed := good.Copy()
	changed.FindElement("//SingleSignOnService").CreateAttr("Location", "https://evil.example/sso")
	wrapped := etree.NewDocumentWithRoot(etree.NewElement("md:EntitiesDescriptor"))
	wrapped.Root().CreateAttr("xmlns:md", "urn:oasis:names:tc:SAML:2.0:metadata")
	wrapped.Root().AddChild(good.Root().Copy())
	for name, document := range map[string]*etree.Document{
		"by another publisher": signedMetadata(t, s.idp, s.idp),
		"changed afterwards":   changed,
		"a signed part of it":  wrapped,
	} {
		if err := parse(document); err == nil {
			t.Errorf("%s: it was read", name)
		}
	}
	_, err := saml.ParseMetadata(s.idp.Metadata(), options)
	if err == nil || !strings.Contains(err.Error(), "the document is not signed; it must be, with certificate "+saml.Fingerprint(publisher.Certificate)) {
		t.Errorf("unsigned: %v", err)
	}
	options.SignedBy = nil
	if err := parse(changed); err != nil {
		t.Errorf("without a certificate the signature counts: %v", err)
	}
}

func TestOurSignedMetadataVerifies(t *testing.T) {
	s := newScene(t)
	withOwnKey(t, s)
	s.sp.SignMetadata = true
	document, err := s.sp.Metadata("Muster", []saml.RequestedAttribute{{Name: "email", Required: true}})
	if err != nil {
		t.Fatal(err)
	}
	// It is no identity provider's, so the reader gets past the signature and no further.
	_, err = saml.ParseMetadata(document, saml.MetadataOptions{SignedBy: s.sp.Key.Certificate.Raw})
	if err == nil || !strings.Contains(err.Error(), "no identity provider in the document") {
		t.Errorf("got %v", err)
	}
	broken := strings.Replace(string(document), "email", "other", 1)
	_, err = saml.ParseMetadata([]byte(broken), saml.MetadataOptions{SignedBy: s.sp.Key.Certificate.Raw})
	if err == nil || strings.Contains(err.Error(), "no identity provider in the document") {
		t.Errorf("changed: got %v", err)
	}
}
