// Package jit is the sign-in door: people arrive by single sign-on and are found, updated or created just in time.
//
//	assertion.go    what an identity provider vouched for, free of protocol
//	claims.go       Interpret: assertion + connection -> directory.Change + Trace
//	attributes.go   mappings -> attributes; trace.go how each part was found, for the administrator
//	presets.go      what is known of each identity provider; Fill completes a connection from it
//	door.go         the protocols' side: requests out, assertions in. SAML today, another protocol beside it
//	state.go        sign-ins under way: who asked, from which browser, where to go afterwards
//	limit.go        who sends much that is not believed has to wait
//	refresh.go      metadata by URL kept up to date; warnings.go what will keep people from signing in
//	samlkeys.go     the keys by which SAML providers know this side
//	signin.go       what follows the protocol: spend, apply, session, cookie, redirect. One path for all
//	testsignin.go   a real sign-in that an administrator tries out; rehearse.go where tests and pasted assertions end
//	session.go      cookies
//	confirm.go      linking an existing account by the proof of signing in to it
//	me.go           what the signed-in person sees; auth.go what a reverse proxy sees
//	errors.go       one table: code -> status and the person's sentence; refused.go the answer and the log
//	journal.go      the last refusals, for the administrator
//	routes.go       New, Mount and what wraps every request
//
// # The way of a sign-in
//
//  1. /c/{connection}/login seals the pending sign-in into a cookie of this browser, named for the request, and sends
//     the browser to the identity provider. Nothing is written: strangers may ask as often as they like.
//  2. The provider's answer comes to the ACS. Package saml believes it or says why not. The cookie must be there, sealed
//     by one of our nodes, for this request and this connection.
//  3. The request's id and the assertion's are spent, once, on every node.
//  4. Interpret reads the claims by the connection's names, and directory.Apply finds, links, updates or creates the
//     user, or refuses. Only when that has been committed is there a session.
//  5. The session's secret goes into a cookie and the browser to return_to, or to /me.
//
// # Promises
//
//   - Where a connection links by proof (link: confirm), the refused person's browser is given one secret for ten minutes.
//     Signed in to the existing account after that, through another connection, the person is asked on /confirm whether
//     to link the two; only the answer, posted from this site, links.
//   - A refused sign-in leaves the directory as it was, except for the case that waits for an administrator.
//   - A person is told a code, a sentence and a correlation id. The cause, which may name the customer's configuration,
//     goes to the log and, sealed, to the connection's last refusals, where an administrator finds it by the correlation
//     id; to the person only until the connection's DiagnoseUntil.
//   - return_to leads to this host, or to an origin that the organisation lists, and nowhere else. It does not travel:
//     RelayState is an opaque token on the way out and is not read on the way back, but for what the provider started,
//     where it may name such an address, too.
//   - Every use of a session asks the directory whether the person still has access.
//   - A claim is found by its exact, case-sensitive Name, then by its FriendlyName. A near miss is named in the trace
//     and never used.
//   - ABSENT, EMPTY and VALUE stay apart: no attribute at all, an attribute without a value, an attribute with one.
//
// # What never happens here
//
// No decision about people: who may be linked, created or let in is decided by package directory. No user is looked up
// by e-mail. No value that the identity provider did not send stands for its subject: a constant, an empty text, several
// texts or a transient NameID are refused. Nothing is fetched from elsewhere.
//
// # Choices
//
//   - The claim that names the subject must have exactly one value. When it is present and empty, the next name is not
//     tried: the same person would get another identity as soon as the value is filled in.
//   - White space around values is dropped, around subjects only XML's own: it is the serialiser's, not the person's.
//   - userName falls back to the e-mail address, at each sign-in, unless the connection switches userName off.
//   - A mapping's target may name a field of a complex attribute (roles.type). Mappings of the same attribute are
//     joined element by element; one value goes to all elements.
//   - GET /logout asks, POST /logout does: an image tag must not end a session.
//   - /login looks at the domain of the address only, and only at domains that a connection has proved. For any other
//     address it answers the same and does the same, whoever has an account; where there is mail, the ways in go to
//     the mailbox.
package jit
