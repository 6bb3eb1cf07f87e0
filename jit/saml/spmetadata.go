package saml

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// RequestedAttribute is one that the identity provider is asked to include.
type RequestedAttribute struct {
	Name         string
	FriendlyName string
	Required     bool
}

// Metadata describes this side to the identity provider. It states no end, because it is true for as long as it is
// served, and many consoles read it once and never again. displayName is what the provider may show to people.
func (sp *ServiceProvider) Metadata(displayName string, requested []RequestedAttribute) ([]byte, error) {
	if err := sp.configuredAlone(); err != nil {
		return nil, err
	}
	entity := etree.NewElement("md:EntityDescriptor")
	entity.CreateAttr("xmlns:md", nsMetadata)
	entity.CreateAttr("entityID", sp.EntityID)
	role := entity.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", strconv.FormatBool(sp.SignRequests))
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	sp.describeKeys(role)
	role.CreateElement("md:NameIDFormat").SetText("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified")
	acs := role.CreateElement("md:AssertionConsumerService")
	acs.CreateAttr("Binding", string(BindingPOST))
	acs.CreateAttr("Location", sp.ACSURL)
	acs.CreateAttr("index", "0")
	acs.CreateAttr("isDefault", "true")
	describeAttributes(role, displayName, requested)
	document := etree.NewDocumentWithRoot(entity)
	document.Indent(2)
	if sp.SignMetadata {
		entity.CreateAttr("ID", sp.newID())
		if err := sp.signMetadata(entity); err != nil {
			return nil, err
		}
	}
	return document.WriteToBytes()
}

// describeKeys publishes every key for both uses: a provider that is to check or to encrypt finds what it needs, and the
// next key before anything depends on it.
func (sp *ServiceProvider) describeKeys(role *etree.Element) {
	for _, use := range []string{"signing", "encryption"} {
		for _, key := range sp.keys() {
			descriptor := role.CreateElement("md:KeyDescriptor")
			descriptor.CreateAttr("use", use)
			info := descriptor.CreateElement("ds:KeyInfo")
			info.CreateAttr("xmlns:ds", nsSignature)
			certificate := info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate")
			certificate.SetText(base64.StdEncoding.EncodeToString(key.Certificate.Raw))
			if use == "encryption" {
				describeMethods(descriptor)
			}
		}
	}
}

// describeMethods lists those that Verify opens, the strongest first.
func describeMethods(descriptor *etree.Element) {
	for _, method := range []string{
		nsEncryption11 + "aes256-gcm", nsEncryption11 + "aes128-gcm", nsEncryption + "aes256-cbc",
		nsEncryption + "aes128-cbc", nsEncryption + "rsa-oaep-mgf1p", nsEncryption11 + "rsa-oaep",
	} {
		descriptor.CreateElement("md:EncryptionMethod").CreateAttr("Algorithm", method)
	}
}

// signMetadata puts an enveloped signature in front, where the schema wants it.
func (sp *ServiceProvider) signMetadata(entity *etree.Element) error {
	context, err := dsig.NewSigningContext(sp.Key.Private, [][]byte{sp.Key.Certificate.Raw})
	if err != nil {
		return fmt.Errorf("saml: sign the metadata: %w", err)
	}
	context.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if err := context.SetSignatureMethod(dsig.RSASHA256SignatureMethod); err != nil {
		return fmt.Errorf("saml: sign the metadata: %w", err)
	}
	signature, err := context.ConstructSignature(entity, true)
	if err != nil {
		return fmt.Errorf("saml: sign the metadata: %w", err)
	}
	entity.InsertChildAt(0, signature)
	return nil
}

func describeAttributes(role *etree.Element, displayName string, requested []RequestedAttribute) {
	if len(requested) == 0 {
		return
	}
	service := role.CreateElement("md:AttributeConsumingService")
	service.CreateAttr("index", "0")
	name := service.CreateElement("md:ServiceName")
	name.CreateAttr("xml:lang", "en")
	name.SetText(displayName)
	for _, attribute := range requested {
		el := service.CreateElement("md:RequestedAttribute")
		el.CreateAttr("Name", attribute.Name)
		el.CreateAttr("NameFormat", nameFormat(attribute.Name))
		if attribute.FriendlyName != "" {
			el.CreateAttr("FriendlyName", attribute.FriendlyName)
		}
		el.CreateAttr("isRequired", strconv.FormatBool(attribute.Required))
	}
}

// nameFormat is the one that belongs to a name by its looks: a URI or a plain word.
func nameFormat(name string) string {
	if strings.Contains(name, ":") {
		return "urn:oasis:names:tc:SAML:2.0:attrname-format:uri"
	}
	return "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
}
