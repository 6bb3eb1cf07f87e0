package jit

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit/saml"
)

// maxPost bounds the form at the ACS: a message of saml.MaxMessage in base64, escaped.
const maxPost = 2 * saml.MaxMessage

// compiled is a connection's service provider as one policy describes it. Revisions would not do: the id of a connection
// that is gone may come back in another organisation, at the same revision.
type compiled struct {
	policy   *directory.Policy
	provider *saml.ServiceProvider
}

// connection finds the connection that the path names.
func (s *Server) connection(c echo.Context) (*directory.Connection, *directory.Policy, error) {
	id := c.Param("connection")
	conn, policy, err := s.directory.Connection(c.Request().Context(), id)
	if errors.Is(err, directory.ErrNotFound) {
		return nil, nil, refuse(unknownConnection, "there is no connection %.100q", id)
	}
	return conn, policy, err
}

// open refuses a connection that nobody signs in through.
func open(conn *directory.Connection) error {
	switch {
	case conn.State == directory.Retired:
		return refuse(directory.ChannelOff, "connection %q is retired", conn.ID)
	case conn.SAML == nil && conn.OIDC == nil:
		return refuse(directory.ChannelOff, "connection %q has no identity provider", conn.ID)
	}
	return nil
}

// openSAML refuses a connection whose people do not come by SAML.
func openSAML(conn *directory.Connection) error {
	if err := open(conn); err != nil {
		return err
	}
	if conn.SAML == nil {
		return refuse(directory.ChannelOff, "connection %q has no SAML identity provider", conn.ID)
	}
	return nil
}

// provider is the service provider of a connection with its keys. What a policy says of it is read once.
func (s *Server) provider(ctx context.Context, conn *directory.Connection, policy *directory.Policy, need keyNeed) (*saml.ServiceProvider, error) {
	provider := *s.described(conn, policy)
	if provider.SignRequests || provider.SignMetadata {
		need = keyNeeded
	}
	keys, err := s.keysOf(ctx, conn.ID, need)
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		provider.Key, provider.Others = keys[0], keys[1:]
	}
	return &provider, nil
}

// described is the service provider that the policy describes. Requests are signed where either side wants it.
func (s *Server) described(conn *directory.Connection, policy *directory.Policy) *saml.ServiceProvider {
	if known, ok := s.providers.Load(conn.ID); ok && known.(compiled).policy == policy {
		return known.(compiled).provider
	}
	at := AddressesOf(s.base, conn.ID)
	provider := &saml.ServiceProvider{EntityID: at.EntityID, ACSURL: at.ACS, Now: s.now}
	if trust := conn.SAML; trust != nil {
		provider.AllowIDPInitiated = trust.AllowIDPInitiated
		provider.InsecureAllowSHA1 = trust.InsecureAllowSHA1
		provider.Skew = trust.Skew
		provider.IdP = s.identityProvider(conn)
		provider.SignRequests = trust.SignRequests || provider.IdP != nil && provider.IdP.WantAuthnRequestsSigned
		provider.SignMetadata = trust.SignMetadata
	}
	s.providers.Store(conn.ID, compiled{policy, provider})
	return provider
}

// options is what the connection asks of the identity provider.
func options(trust *directory.SAMLTrust) saml.AuthnOptions {
	asked := saml.AuthnOptions{
		ForceAuthn:   trust.ForceAuthn,
		NameIDFormat: trust.NameIDFormat,
		AuthnContext: trust.AuthnContext,
		Comparison:   string(trust.AuthnContextComparison),
	}
	switch trust.Binding {
	case directory.RedirectBinding:
		asked.Binding = saml.BindingRedirect
	case directory.PostBinding:
		asked.Binding = saml.BindingPOST
	}
	return asked
}

// granted refuses an assertion by which the person was not authenticated as the connection asks. Comparisons other than
// exact are for the provider to make: it alone knows the order of its classes.
func (s *Server) granted(trust *directory.SAMLTrust, facts *saml.Facts, started time.Time) error {
	exact := trust.AuthnContextComparison == "" || trust.AuthnContextComparison == directory.CompareExact
	if want := trust.AuthnContext; want != "" && exact && facts.AuthnContext != want {
		return saml.Refuse(saml.ReasonAuthentication, "authenticated by %.200q, expected %q (authn_context)", facts.AuthnContext, want)
	}
	if !trust.ForceAuthn {
		return nil
	}
	if started.IsZero() {
		started = s.now().Add(-saml.MaxAge)
	}
	if skew := cmp.Or(trust.Skew, saml.DefaultSkew); facts.AuthnInstant.Before(started.Add(-skew)) {
		return saml.Refuse(saml.ReasonAuthentication, "authenticated at %s, before this sign-in began at %s (force_authn)",
			facts.AuthnInstant.Format(time.RFC3339), started.Format(time.RFC3339))
	}
	return nil
}

// identityProvider reads the metadata; nil when it cannot be read, and then every sign-in is refused. A document that
// has run out since it was read is reason for an alarm, not for locking everybody out.
func (s *Server) identityProvider(conn *directory.Connection) *saml.Metadata {
	metadata, err := saml.ParseMetadata(conn.SAML.Metadata, saml.MetadataOptions{EntityID: conn.SAML.EntityID})
	if err != nil {
		s.log.Error("the identity provider's metadata cannot be read", "org", conn.Org, "conn", conn.ID, "error", err)
		return nil
	}
	if end := metadata.ValidUntil; !end.IsZero() && !s.now().Before(end) {
		s.log.Warn("the identity provider's metadata has run out", "org", conn.Org, "conn", conn.ID, "validUntil", end)
	}
	return metadata
}

// metadata describes this side to the identity provider.
func (s *Server) metadata(c echo.Context) error {
	conn, policy, err := s.connection(c)
	if err != nil {
		return err
	}
	name := policy.Org.Name
	if name == "" {
		name = policy.Org.ID
	}
	provider, err := s.provider(c.Request().Context(), conn, policy, keyNeeded)
	if err != nil {
		return err
	}
	document, err := provider.Metadata(name, Requested(conn, policy))
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/samlmetadata+xml", document)
}

// begin sends the browser to the connection's identity provider.
func (s *Server) begin(c echo.Context) error {
	conn, policy, err := s.connection(c)
	if err != nil {
		return err
	}
	if err := open(conn); err != nil {
		return about(err, conn)
	}
	test, err := s.asked(c, conn)
	if err != nil {
		return about(err, conn)
	}
	started := pending{Connection: conn.ID, Return: destination(c.QueryParam("return_to"), policy.Org), Test: test}
	if conn.OIDC != nil {
		return about(s.beginOpenID(c, arrival{connection: conn, policy: policy, started: started}), conn)
	}
	provider, err := s.provider(c.Request().Context(), conn, policy, keyIfAny)
	if err != nil {
		return about(err, conn)
	}
	request, err := provider.AuthnRequest(relayState(), options(conn.SAML))
	if err != nil {
		return about(err, conn)
	}
	started.Request = request.ID
	cookie, err := s.sealPending(started)
	if err != nil {
		return about(err, conn)
	}
	s.bind(c, request.ID, cookie)
	if request.Binding == saml.BindingPOST {
		return s.page(c, http.StatusOK, "continue", request)
	}
	return c.Redirect(http.StatusSeeOther, request.URL)
}

// acs takes the identity provider's answer.
func (s *Server) acs(c echo.Context) error {
	conn, policy, err := s.connection(c)
	if err != nil {
		return err
	}
	return about(s.judged(c, conn, func() error {
		arrived, err := s.verify(c, conn, policy)
		if err != nil {
			return err
		}
		return s.signIn(c, arrived)
	}), conn)
}

// verify believes an answer, or not. The requests of this browser are told by its own cookies, so that an answer to
// anybody else's request is refused before the directory is asked. The RelayState is read only where the provider started
// the sign-in: there it may name a page.
func (s *Server) verify(c echo.Context, conn *directory.Connection, policy *directory.Policy) (arrival, error) {
	a := arrival{connection: conn, policy: policy}
	if err := openSAML(conn); err != nil {
		return a, err
	}
	message, err := posted(c, "SAMLResponse", maxPost)
	if err != nil {
		return a, err
	}
	provider, err := s.provider(c.Request().Context(), conn, policy, keyIfAny)
	if err != nil {
		return a, err
	}
	bindings := s.bindings(c)
	facts, err := provider.Verify(message, saml.Expect{
		RequestIDs:  slices.Collect(maps.Keys(bindings)),
		Unsolicited: conn.SAML.AllowIDPInitiated,
	})
	if err != nil {
		return a, err
	}
	a.assertion = assertionFromSAML(facts)
	if facts.InResponseTo == "" { // permitted above, by the connection
		a.started.Return = destination(c.Request().PostForm.Get("RelayState"), policy.Org)
		return a, s.granted(conn.SAML, facts, time.Time{})
	}
	if a.started, err = s.openPending(facts.InResponseTo, conn.ID, bindings[facts.InResponseTo]); err != nil {
		return a, err
	}
	s.unbind(c, facts.InResponseTo)
	return a, s.granted(conn.SAML, facts, a.started.Started)
}

// posted is the one field of a form that holds a message. limit bounds the form, in bytes.
func posted(c echo.Context, field string, limit int64) (string, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return "", refuse(messageTooLarge, "the form has more than %d bytes", limit)
		}
		return "", refuse(malformedMessage, "no form: %v", err)
	}
	values := r.PostForm[field]
	if len(values) != 1 || values[0] == "" {
		return "", refuse(malformedMessage, "the form has %d %s fields; it must have one", len(values), field)
	}
	return values[0], nil
}

// Requested lists the attributes that the connection reads from assertions, as its metadata publishes them: the first
// name of each mapping, and whether no account can be made without it.
func Requested(conn *directory.Connection, policy *directory.Policy) []saml.RequestedAttribute {
	var list []saml.RequestedAttribute
	add := func(names []string, friendly string, required bool) {
		if len(names) > 0 && !slices.ContainsFunc(list, func(a saml.RequestedAttribute) bool { return a.Name == names[0] }) {
			list = append(list, saml.RequestedAttribute{Name: names[0], FriendlyName: friendly, Required: required})
		}
	}
	if own := slices.Index(conn.Subject.SSO, NameID); own != 0 && len(conn.Subject.SSO) > 0 {
		add(conn.Subject.SSO[:1], "subject", own < 0)
	}
	for _, m := range conn.Map {
		add(m.From, spaced(m.To), requiredAtSignIn(m.To, policy))
	}
	if source := conn.GroupsSource(); source == directory.GroupsSSO || source == directory.GroupsBoth {
		add(conn.Groups.From, directory.Groups, false)
	}
	return list
}

// requiredAtSignIn mirrors the directory's defaults: a new account needs both names, and a user name, for which the
// e-mail address stands.
func requiredAtSignIn(attribute string, policy *directory.Policy) bool {
	switch policy.Attribute(attribute).Required {
	case directory.RequiredNo:
		return false
	case directory.RequiredCreate, directory.RequiredAlways:
		return true
	}
	return attribute == directory.GivenName || attribute == directory.FamilyName || attribute == directory.Emails
}
