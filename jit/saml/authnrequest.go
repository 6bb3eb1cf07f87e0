package saml

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
)

// maxRelayState is what every identity provider must carry back (bindings 3.4.3).
const maxRelayState = 80

// AuthnOptions says what to ask of the identity provider. The zero value asks for nothing in particular.
type AuthnOptions struct {
	Binding      Binding // "": Redirect where offered, else POST
	ForceAuthn   bool    // the person must authenticate anew
	NameIDFormat string  // "": the provider decides
	// AuthnContext is the class reference that is required, "" for any; Comparison is "exact" ("" too), "minimum",
	// "maximum" or "better".
	AuthnContext string
	Comparison   string
}

// Request is an authentication request, ready for the browser to carry.
type Request struct {
	ID      string // what the response must answer
	Binding Binding
	URL     string  // Redirect: where to send the browser. POST: where to post Fields
	Fields  []Field // POST only, in order
}

// Field is one hidden input of a form.
type Field struct{ Name, Value string }

// AuthnRequest builds a request for a person to sign in. relayState comes back beside the response, unprotected: let
// it be an opaque token, never an address. At most 80 bytes.
func (sp *ServiceProvider) AuthnRequest(relayState string, options AuthnOptions) (*Request, error) {
	if err := sp.configured(); err != nil {
		return nil, err
	}
	if len(relayState) > maxRelayState {
		return nil, fmt.Errorf("saml: a relay state of %d bytes, at most %d are carried back", len(relayState), maxRelayState)
	}
	binding, location, err := sp.IdP.route(options.Binding)
	if err != nil {
		return nil, err
	}
	message := sp.authnRequest(location, options)
	if binding == BindingPOST {
		return sp.post(message, relayState)
	}
	return sp.redirect(message, relayState)
}

// route picks the binding to use and where it leads.
func (m *Metadata) route(wanted Binding) (Binding, string, error) {
	for _, binding := range []Binding{BindingRedirect, BindingPOST} {
		if location := m.location(binding); location != "" && (wanted == "" || wanted == binding) {
			return binding, location, nil
		}
	}
	return "", "", refuse(ReasonMisconfigured, "%s takes no requests over binding %q", m.EntityID, wanted)
}

func (sp *ServiceProvider) authnRequest(destination string, options AuthnOptions) *crewjam.AuthnRequest {
	allowCreate := true
	message := &crewjam.AuthnRequest{
		ID:                          sp.newID(),
		Version:                     "2.0",
		IssueInstant:                sp.now(),
		Destination:                 destination,
		Issuer:                      &crewjam.Issuer{Value: sp.EntityID},
		NameIDPolicy:                &crewjam.NameIDPolicy{AllowCreate: &allowCreate},
		AssertionConsumerServiceURL: sp.ACSURL,
		ProtocolBinding:             crewjam.HTTPPostBinding,
	}
	if options.NameIDFormat != "" {
		message.NameIDPolicy.Format = &options.NameIDFormat
	}
	if options.ForceAuthn {
		message.ForceAuthn = &options.ForceAuthn
	}
	if options.AuthnContext != "" {
		message.RequestedAuthnContext = &crewjam.RequestedAuthnContext{
			Comparison:           cmp.Or(options.Comparison, "exact"),
			AuthnContextClassRef: options.AuthnContext,
		}
	}
	return message
}

// post signs inside the document, where this binding has the signature.
func (sp *ServiceProvider) post(message *crewjam.AuthnRequest, relayState string) (*Request, error) {
	if sp.SignRequests {
		signer := &crewjam.ServiceProvider{
			Key:             sp.Key.Private,
			Certificate:     sp.Key.Certificate,
			SignatureMethod: dsig.RSASHA256SignatureMethod,
		}
		if err := signer.SignAuthnRequest(message); err != nil {
			return nil, fmt.Errorf("saml: sign the request: %w", err)
		}
	}
	document, err := serialize(message)
	if err != nil {
		return nil, err
	}
	fields := []Field{{"SAMLRequest", base64.StdEncoding.EncodeToString(document)}}
	if relayState != "" {
		fields = append(fields, Field{"RelayState", relayState})
	}
	return &Request{ID: message.ID, Binding: BindingPOST, URL: message.Destination, Fields: fields}, nil
}

// redirect signs the query, as this binding wants it: its own parameters in this order as they are encoded here, but
// not those that the provider's address has already (bindings 3.4.4.1).
func (sp *ServiceProvider) redirect(message *crewjam.AuthnRequest, relayState string) (*Request, error) {
	document, err := serialize(message)
	if err != nil {
		return nil, err
	}
	deflated, err := deflate(document)
	if err != nil {
		return nil, err
	}
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	if sp.SignRequests {
		query += "&SigAlg=" + url.QueryEscape(dsig.RSASHA256SignatureMethod)
		digest := sha256.Sum256([]byte(query))
		signature, err := rsa.SignPKCS1v15(rand.Reader, sp.Key.Private, crypto.SHA256, digest[:])
		if err != nil {
			return nil, fmt.Errorf("saml: sign the request: %w", err)
		}
		query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	}
	return &Request{ID: message.ID, Binding: BindingRedirect, URL: withQuery(message.Destination, query)}, nil
}

func withQuery(location, query string) string {
	location, _, _ = strings.Cut(location, "#")
	switch {
	case !strings.Contains(location, "?"):
		return location + "?" + query
	case strings.HasSuffix(location, "?") || strings.HasSuffix(location, "&"):
		return location + query
	}
	return location + "&" + query
}

func serialize(message *crewjam.AuthnRequest) ([]byte, error) {
	document, err := etree.NewDocumentWithRoot(message.Element()).WriteToBytes()
	if err != nil {
		return nil, fmt.Errorf("saml: write the request: %w", err)
	}
	return document, nil
}

func deflate(document []byte) ([]byte, error) {
	var deflated bytes.Buffer
	writer, err := flate.NewWriter(&deflated, flate.BestCompression)
	if err == nil {
		_, err = writer.Write(document)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("saml: deflate the request: %w", err)
	}
	return deflated.Bytes(), nil
}
