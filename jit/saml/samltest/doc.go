// Package samltest is a SAML identity provider for tests and demonstrations.
//
// It authenticates nobody: whoever calls Respond decides who the person is. It must never be trusted by a directory
// with real people in it. Its signatures and documents are real, so a service provider cannot tell it from another
// identity provider, and it can be told to misbehave in any way: see Bend.
//
//	idp, err := samltest.NewIdP(samltest.Options{EntityID: "https://idp.example"})
//	request, err := samltest.ReadRequest(query.Get("SAMLRequest"))
//	samlResponse, err := idp.Respond(request, samltest.Person{NameID: saml.NameID{Value: "ada"}}, samltest.Bend{})
package samltest
