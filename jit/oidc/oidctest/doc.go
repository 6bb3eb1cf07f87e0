// Package oidctest is an OpenID provider for tests and demonstrations.
//
// It authenticates nobody: whoever sets it up decides who the person at the browser is. It must never be trusted by a
// directory with real people in it. Its documents and signatures are real, so a relying party cannot tell it from
// another provider: codes are good once, PKCE, redirect URIs and clients are checked. It can be told to misbehave in
// any way: see Bend.
//
//	op, err := oidctest.NewOP(oidctest.Options{Issuer: "http://127.0.0.1:8090", Clients: []oidctest.Client{{ID: "muster"}}})
//	op.SignIn(oidctest.Person{Subject: "ada", Claims: map[string]any{"email": "ada@corp.example"}})
//	http.ListenAndServe("127.0.0.1:8090", op)
//
// Everything is kept in memory, and only the last thousand codes and access tokens are.
package oidctest
