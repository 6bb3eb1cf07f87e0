package saml

// Expect says which responses are awaited. The zero value awaits none.
type Expect struct {
	// RequestIDs are the requests of this browser to this connection that are still open.
	RequestIDs []string
	// Unsolicited permits a response that answers no request, where the service provider allows it.
	Unsolicited bool
}
