// Package postman sends the letters that wait in the directory, by SMTP.
//
//	server.go   where mail goes: an smtp:// or smtps:// URL
//	write.go    what a letter says
//	postman.go  Run: claim, write, send, and try again later
//
// # Promises
//
//   - A letter is handed to one sender at a time, on all nodes. It is sent again only when nobody can know whether it
//     was taken, and then under the same Message-ID.
//   - A letter is plain text, holds no secret, and leads to a sign-in with the person's own provider: nobody is ever
//     asked to choose a password.
//   - Mail travels encrypted, to whom the certificate names. Without TLS it goes to this machine only.
//   - The password stands in no error, no log and no listing of settings.
//
// # What never happens here
//
// No decision about who gets a letter: that is the directory's, at the moment a letter is claimed.
package postman
