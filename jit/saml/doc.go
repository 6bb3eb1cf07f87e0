// Package saml is the SAML 2.0 Web SSO profile from the service provider's side: bytes in, facts out.
//
// It knows no HTTP, no directory and no session. A caller gives it what the browser posted and what it expected; it
// answers what the identity provider vouched for, or why nothing may be believed.
//
//	metadata, err := saml.ParseMetadata(document, saml.MetadataOptions{Now: now})
//	sp := saml.ServiceProvider{EntityID: ..., ACSURL: ..., IdP: metadata}
//	request, err := sp.AuthnRequest(relayState, saml.AuthnOptions{})           // send the browser to request.URL
//	facts, err := sp.Verify(form.SAMLResponse, saml.Expect{RequestIDs: []string{request.ID}})
//
// # The words
//
// An identity provider (IdP) signs an assertion about a person and the browser carries it, inside a response, to the
// assertion consumer service (ACS) of a service provider (SP). Facts are the parts of an assertion that were covered by
// a signature that verified.
//
// # The order, which is the security of this package
//
//  1. Limits and prefilter: 1 MiB, one pass over the raw tokens. No DTD, processing instruction or comment; UTF-8; one
//     root; depth, elements, attributes and namespace declarations bounded; IDs unique. Nothing has built a tree yet.
//  2. The root is a SAML 2.0 Response whose status is Success, with exactly one assertion, encrypted or not, in the
//     whole tree. That alone leaves signature wrapping without a second assertion to smuggle in.
//  3. The signature of the response, of the assertion, or of both is verified: direct child of what it signs, methods
//     from a list, exactly one Reference, to the own ID. KeyInfo is discarded: only the certificates of the connection
//     count, each tried. What goes on is the element parsed again from the canonical bytes that were digested.
//  4. An encrypted assertion is opened between the two. Unless the response's signature protects the ciphertext, every
//     failure up to the verified inner signature gives the same error, so that nobody can use it as an oracle.
//  5. Own checks with reasons an administrator can act upon: version, issuer, audience, bearer confirmation, recipient,
//     destination, times, request.
//  6. A second opinion: a slim response without attributes, made of the verified parts, goes to crewjam/saml. Both
//     must agree. The document as received never goes there.
//  7. Facts are read from the verified bytes and from nowhere else.
//
// # Promises
//
//   - Time and memory are linear in the input, and no input panics.
//   - An Error names its Reason, a stable code, and a Detail for the administrator without secrets. Error.Broken tells
//     a message that is none (400) from an assertion that is refused (403).
//   - Everything is a value; a ServiceProvider may be used by many goroutines. Clock and ids come in.
//   - Attribute values are returned whole and untrimmed, in document order; an attribute with no values is not the
//     same as no attribute.
//
// # What never happens here
//
// No network call: metadata is fetched elsewhere. No replay check: the caller spends (Facts.Issuer, Facts.AssertionID)
// once, until Facts.NotOnOrAfter. No artifact binding, no single logout, no decision about the person. Deliberately
// stricter than the standard: InResponseTo must stand on the response and on the confirmation alike, one subject
// confirmation, an audience is mandatory, and an assertion older than MaxAge is refused however long it says it lives.
// Certificates that have expired are refused, although the metadata profiles would ignore their dates.
//
// Limits: depth 32, 20,000 elements, 32 attributes on one, 32 namespace declarations in scope, 16,384 altogether. The
// last is so high because OpenSAML declares two on every value, and people are in thousands of groups; what costs is
// the number in scope, which every element below pays for.
//
// # Known limits
//
// A prefix list in CanonicalizationMethod (not in a Transform, where it is common) is ignored by goxmldsig, so such a
// signature does not verify. EncryptedID and EncryptedAttribute are refused: encrypt the assertion. RSA-OAEP without
// label parameters only. ECDSA signatures are accepted on the NIST curves.
package saml
