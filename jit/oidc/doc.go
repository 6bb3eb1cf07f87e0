// Package oidc is OpenID Connect from the relying party's side, by the authorization code flow: parameters in, facts
// out. Back-channel logout tokens are read here, too.
//
// It knows no directory, no session and no web framework. A caller gives it what the browser brought back and what was
// kept from before; it answers what the OpenID provider vouched for, or why nothing may be believed.
//
//	op := &oidc.Provider{Issuer: "https://login.example", HTTP: guarded}       // one for each issuer, for long
//	rp := &oidc.RelyingParty{Provider: op, ClientID: ..., ClientSecret: ..., RedirectURL: ...}
//	request, err := rp.Begin(ctx, oidc.AuthOptions{})      // keep request.Kept, send the browser to request.URL
//	facts, err := rp.Finish(ctx, kept, callback.Query())   // kept is found by oidc.State(callback.Query())
//	logout, err := rp.Logout(ctx, form.Get("logout_token"))
//
// # The words
//
// An OpenID provider (OP) authenticates a person and sends the browser back to the redirect URI of a relying party (RP)
// with a code. The RP exchanges the code at the token endpoint for an ID token, a set of claims signed by the OP, and
// an access token, with which the userinfo endpoint answers more claims. Discovery is the document in which an issuer
// names its endpoints; the key set (JWKS) holds the keys that it signs with, each under a key ID (kid).
//
// # The order, which is the security of this package
//
//  1. Begin makes state, nonce and PKCE verifier, each of 128 random bits or more. All three travel always, the verifier
//     as its SHA-256.
//  2. Finish compares the state, then the issuer in the reply (RFC 9207: required where discovery advertises it), and
//     only then reads an error or a code. Each parameter stands once.
//  3. The code is exchanged at the token endpoint that discovery named, with the client's secret, a signed
//     assertion (private_key_jwt) or PKCE alone. No redirect is followed there.
//  4. The ID token's signature is verified with the issuer's key set, by an algorithm from a list. Keys or addresses of
//     keys inside the token mean nothing.
//  5. The claims are read by their exact names; a name that stands twice is refused. Then come own checks with reasons
//     an administrator can act upon: issuer, audience, azp, times, nonce, subject.
//  6. A second opinion: the protocol's claims as read in step 5 go to coreos/go-oidc. Both must agree.
//  7. The userinfo endpoint is asked only when a wanted claim is missing. It must speak of the same subject, and it
//     adds claims; it changes none.
//
// # Discovery and keys
//
// A Provider fetches both when they are first needed and again when they are older than Refresh. While that fails the last good
// ones serve, until MaxStale. A token whose key is unknown has the key set fetched again, at most once a minute: so
// a new key is known at once, a flood of invented kids costs one fetch a minute, and a key that the OP has withdrawn is
// forgotten within Refresh. One fetch serves everybody who waits for it, and nobody's closed browser ends it.
//
// # Promises
//
//   - Everything that is read is bounded, in bytes, depth and time, and no input panics.
//   - An Error names its Reason, a stable code, and a Detail for the administrator without secrets: no code, token,
//     nonce, verifier or client secret. Error.Broken tells a reply that is none (400) from one that is refused (403),
//     Error.Unavailable a provider that does not answer.
//   - A RelyingParty is a value and a Provider holds only a cache; both may be used by many goroutines. Clock and random
//     texts come in.
//   - A claim that is not there, one without a value and one with a value stay apart.
//
// # What never happens here
//
// No replay check: the caller takes what was kept once, and spends (Facts.Issuer, Facts.TokenID) once, until
// Facts.Expires. No distributed claim is fetched: _claim_sources names addresses that a token chose. No refresh token
// is asked for and no access token is kept. No issuer template: an OP of many tenants, like Entra ID's common
// endpoint, says {tenantid} in its discovery and is refused; configure the tenant's own issuer. No decision about the
// person, and none about the e-mail address: EmailVerified is what the OP said, or that it said nothing.
//
// Deliberately stricter than the standard: an ID token older than MaxAge is refused however long it says it lives; azp
// must be this client wherever it stands; iss is compared as a string, for Google too; RSA keys have 2048 bits at
// least; a crit header or a token that says it is of another type is refused. Deliberately laxer: a logout token
// without exp lives for MaxAge, because a logout that is not heard leaves somebody signed in.
//
// # Known limits
//
// Encrypted tokens are refused. A userinfo answer may be JSON or a JWT signed by the same keys. client_secret_jwt and
// mutual TLS are not spoken.
package oidc
