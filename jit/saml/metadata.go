package saml

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	crewjam "github.com/crewjam/saml"

	"github.com/beevik/etree"
)

// Binding is how a message travels through the browser.
type Binding string

// Bindings over which a sign-in can be requested.
const (
	BindingRedirect Binding = crewjam.HTTPRedirectBinding
	BindingPOST     Binding = crewjam.HTTPPostBinding
)

// maxCertificates bounds how many keys one signature is tried with.
const maxCertificates = 10

// minRSABits is the shortest RSA key that is trusted.
const minRSABits = 1024

// Metadata is what is known about an identity provider: where to send people, and whom to believe.
type Metadata struct {
	EntityID string
	// ValidUntil is the earliest end stated for this provider, zero if none. Verify does not look at it: a document
	// that ran out since it was read is reason for an alarm, not for locking everybody out.
	ValidUntil time.Time
	// CacheDuration is how long the publisher wants the document to be kept, zero if not stated.
	CacheDuration           time.Duration
	SingleSignOn            []Endpoint          // http(s) only, Redirect or POST
	Certificates            []*x509.Certificate // those that may sign; any of them does
	WantAuthnRequestsSigned bool
}

// Endpoint is one place to send a request to.
type Endpoint struct {
	Binding  Binding
	Location string
}

// MetadataOptions says how to read a metadata document.
type MetadataOptions struct {
	EntityID string    // which provider; "" if the document has only one
	Now      time.Time // zero: validUntil is not looked at
	// SignedBy is the certificate (DER) with which the whole document must be signed; only what that signature covers
	// is read. Empty: the document's signature is not looked at.
	SignedBy []byte
}

// ChoiceError says that a document describes several identity providers and none, or an unknown one, was chosen.
type ChoiceError struct {
	Chosen    string
	EntityIDs []string
}

func (e *ChoiceError) Error() string {
	listed := strings.Join(e.EntityIDs, ", ")
	if e.Chosen == "" {
		return fmt.Sprintf("the document describes %d identity providers; choose one by its entityID: %s", len(e.EntityIDs), listed)
	}
	return fmt.Sprintf("no identity provider %q in the document; it describes: %s", e.Chosen, listed)
}

// ParseMetadata reads an EntityDescriptor, or one identity provider out of an EntitiesDescriptor. Without SignedBy trust
// comes from where the document was obtained.
func ParseMetadata(document []byte, options MetadataOptions) (*Metadata, error) {
	metadata, err := parseMetadata(document, options)
	if err != nil {
		return nil, fmt.Errorf("saml metadata: %w", err)
	}
	return metadata, nil
}

func parseMetadata(document []byte, options MetadataOptions) (*Metadata, error) {
	filter := prefilter{comments: true}
	document, err := filter.prefiltered(document)
	if err != nil {
		return nil, err
	}
	root, err := parse(document)
	if err != nil {
		return nil, err
	}
	if !is(root, nsMetadata, "EntityDescriptor") && !is(root, nsMetadata, "EntitiesDescriptor") {
		return nil, fmt.Errorf("the root element is %s, expected EntityDescriptor or EntitiesDescriptor in %s", root.FullTag(), nsMetadata)
	}
	if len(options.SignedBy) > 0 {
		if root, err = verifiedMetadata(root, options.SignedBy); err != nil {
			return nil, err
		}
	}
	entity, err := choose(root, options.EntityID)
	if err != nil {
		return nil, err
	}
	return readEntity(entity, options.Now)
}

// verifiedMetadata returns what the signature of the document covers. The certificate stands for its key, whatever its
// dates: it was given on purpose.
func verifiedMetadata(root *etree.Element, signedBy []byte) (*etree.Element, error) {
	certificate, err := x509.ParseCertificate(signedBy)
	if err != nil {
		return nil, fmt.Errorf("the certificate that it must be signed with: %w", err)
	}
	signer := ServiceProvider{IdP: &Metadata{EntityID: "the metadata's publisher", Certificates: []*x509.Certificate{certificate}},
		Now: func() time.Time { return certificate.NotBefore }}
	verified, err := signer.verified(root)
	switch {
	case err != nil:
		return nil, err
	case verified == nil:
		return nil, fmt.Errorf("the document is not signed; it must be, with certificate %s", Fingerprint(certificate))
	}
	return verified, nil
}

// choose returns the EntityDescriptor of the identity provider that is meant.
func choose(root *etree.Element, entityID string) (*etree.Element, error) {
	var found []*etree.Element
	choice := &ChoiceError{Chosen: entityID}
	for el := range elements(root) {
		if !is(el, nsMetadata, "EntityDescriptor") || idpDescriptor(el) == nil {
			continue
		}
		choice.EntityIDs = append(choice.EntityIDs, attribute(el, "entityID"))
		if entityID == "" || attribute(el, "entityID") == entityID {
			found = append(found, el)
		}
	}
	switch {
	case len(choice.EntityIDs) == 0:
		return nil, errors.New("no identity provider in the document: no EntityDescriptor with an IDPSSODescriptor for SAML 2.0")
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1 && entityID != "":
		return nil, fmt.Errorf("the document describes %q %d times", entityID, len(found))
	}
	return nil, choice
}

// idpDescriptor returns the role by which an entity is a SAML 2.0 identity provider, or nil.
func idpDescriptor(entity *etree.Element) *etree.Element {
	for role := range children(entity, nsMetadata, "IDPSSODescriptor") {
		for protocol := range strings.FieldsSeq(attribute(role, "protocolSupportEnumeration")) {
			if protocol == nsProtocol {
				return role
			}
		}
	}
	return nil
}

func readEntity(entity *etree.Element, now time.Time) (*Metadata, error) {
	role := idpDescriptor(entity)
	metadata := &Metadata{EntityID: attribute(entity, "entityID")}
	if metadata.EntityID == "" {
		return nil, errors.New("EntityDescriptor has no entityID")
	}
	wants := attribute(role, "WantAuthnRequestsSigned")
	metadata.WantAuthnRequestsSigned = wants == "true" || wants == "1"
	var err error
	if metadata.ValidUntil, err = validUntil(role); err != nil {
		return nil, err
	}
	metadata.CacheDuration = cacheDuration(role)
	if end := metadata.ValidUntil; !end.IsZero() && !now.IsZero() && !now.Before(end) {
		return nil, fmt.Errorf("%s ran out at %s (validUntil); obtain a newer document", metadata.EntityID, end.Format(time.RFC3339))
	}
	if metadata.SingleSignOn, err = readEndpoints(role); err != nil {
		return nil, err
	}
	if metadata.Certificates, err = readCertificates(role); err != nil {
		return nil, err
	}
	return metadata, nil
}

// validUntil returns the earliest end stated on el or on anything around it.
func validUntil(el *etree.Element) (earliest time.Time, err error) {
	for ; el != nil; el = el.Parent() {
		stated := attribute(el, "validUntil")
		if stated == "" {
			continue
		}
		end, err := parseInstant(stated)
		if err != nil {
			return time.Time{}, fmt.Errorf("%s/@validUntil: %q is no time", el.Tag, stated)
		}
		if earliest.IsZero() || end.Before(earliest) {
			earliest = end
		}
	}
	return earliest, nil
}

// cacheDuration returns the shortest one stated on el or on anything around it. One that cannot be read counts as none:
// it is advice.
func cacheDuration(el *etree.Element) (shortest time.Duration) {
	for ; el != nil; el = el.Parent() {
		if stated := parseDuration(attribute(el, "cacheDuration")); stated > 0 && (shortest == 0 || stated < shortest) {
			shortest = stated
		}
	}
	return shortest
}

// parseDuration reads an xs:duration of days and shorter, 0 for anything else: P1DT12H, PT6H, PT604800S.
func parseDuration(stated string) time.Duration {
	rest, ok := strings.CutPrefix(stated, "P")
	days, clock, _ := strings.Cut(rest, "T")
	if !ok || len(stated) > 32 {
		return 0
	}
	var total time.Duration
	if count, found := strings.CutSuffix(days, "D"); found {
		n, err := strconv.ParseUint(count, 10, 12)
		if err != nil {
			return 0
		}
		total, days = time.Duration(n)*24*time.Hour, ""
	}
	if days != "" {
		return 0
	}
	if clock != "" {
		length, err := time.ParseDuration(strings.ToLower(clock))
		if err != nil || length < 0 {
			return 0
		}
		total += length
	}
	return total
}

func readEndpoints(role *etree.Element) ([]Endpoint, error) {
	var endpoints []Endpoint
	for el := range children(role, nsMetadata, "SingleSignOnService") {
		endpoint := Endpoint{Binding(attribute(el, "Binding")), attribute(el, "Location")}
		if endpoint.Binding != BindingRedirect && endpoint.Binding != BindingPOST {
			continue
		}
		location, err := url.Parse(endpoint.Location)
		if err != nil || (location.Scheme != "https" && location.Scheme != "http") || location.Host == "" {
			return nil, fmt.Errorf("SingleSignOnService/@Location: %.200q is no http or https URL", endpoint.Location)
		}
		endpoints = append(endpoints, endpoint)
	}
	if len(endpoints) == 0 {
		return nil, errors.New("IDPSSODescriptor has no SingleSignOnService with the HTTP-Redirect or HTTP-POST binding")
	}
	return endpoints, nil
}

func readCertificates(role *etree.Element) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	seen := map[string]bool{}
	for key := range children(role, nsMetadata, "KeyDescriptor") {
		if use := attribute(key, "use"); use != "" && use != "signing" {
			continue
		}
		for el := range elements(key) {
			if !is(el, nsSignature, "X509Certificate") || seen[compact(text(el))] {
				continue
			}
			seen[compact(text(el))] = true
			certificate, err := readCertificate(text(el))
			if err != nil {
				return nil, fmt.Errorf("KeyDescriptor, certificate %d: %w", len(seen), err)
			}
			certificates = append(certificates, certificate)
		}
	}
	switch {
	case len(certificates) == 0:
		return nil, errors.New("IDPSSODescriptor has no KeyDescriptor with a signing certificate")
	case len(certificates) > maxCertificates:
		return nil, fmt.Errorf("IDPSSODescriptor has %d signing certificates, at most %d are tried", len(certificates), maxCertificates)
	}
	return certificates, nil
}

func readCertificate(encoded string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(compact(encoded))
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("not an X.509 certificate: %w", err)
	}
	switch key := certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("an RSA key of %d bits, at least %d are needed", key.N.BitLen(), minRSABits)
		}
	case *ecdsa.PublicKey:
	default:
		return nil, fmt.Errorf("a %s key, RSA or ECDSA is needed", certificate.PublicKeyAlgorithm)
	}
	return certificate, nil
}

// Fingerprint is the SHA-256 of a certificate in the notation that administration consoles use: AB:CD:...
func Fingerprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// location returns where requests go over a binding, "" if nowhere.
func (m *Metadata) location(binding Binding) string {
	for _, endpoint := range m.SingleSignOn {
		if endpoint.Binding == binding {
			return endpoint.Location
		}
	}
	return ""
}

// compact drops white space, by which base64 is folded.
func compact(encoded string) string { return strings.Join(strings.Fields(encoded), "") }

// parseInstant reads an xs:dateTime. SAML times are UTC (core 1.3.3), also where the zone is left out.
func parseInstant(stated string) (time.Time, error) {
	stated = strings.TrimSpace(stated)
	if instant, err := time.Parse(time.RFC3339Nano, stated); err == nil {
		return instant.UTC(), nil
	}
	return time.Parse("2006-01-02T15:04:05.999999999", stated)
}
