// Package fetch is the HTTP client for addresses that somebody else chose: metadata, discovery documents, keys, tokens.
//
//	client := fetch.Client(fetch.Options{})
//	document, err := fetch.Get(ctx, client, address)
//
// An address that a customer configures, or that a document names, must not become a way to talk to what only this
// machine can reach: the metadata service of a cloud, a database on the loopback interface, a printer.
//
// # Promises
//
//   - Only https, and only addresses of the public Internet. Options.AllowPrivate lifts the second for a test or an
//     identity provider in the same house, and permits plain http to the loopback interface, to nothing else.
//   - The address is judged when it is dialled, so a name that resolves to something else by then gains nothing. No
//     proxy of the environment stands between.
//   - Redirects are judged like first requests. They keep their scheme, are followed three times at most, and only for
//     GET and HEAD: what was posted to one host is never posted to another.
//   - Time and size are bounded, the size after decompression. A body that is too large ends in ErrTooLarge and never
//     looks like a shorter one.
package fetch
