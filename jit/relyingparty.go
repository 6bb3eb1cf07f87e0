package jit

import (
	"context"

	"muster/directory"
	"muster/jit/oidc"
)

// openID is a connection's relying party as one policy describes it. Revisions would not do: the id of a connection that
// is gone may come back in another organisation.
type openID struct {
	policy *directory.Policy
	party  oidc.RelyingParty // without Key
}

// relyingParty is this side of a connection to an OpenID provider. What is known of the provider outlives revisions of
// the policy and belongs to the connection, so that no customer's traffic makes another's sign-ins fail.
func (s *Server) relyingParty(ctx context.Context, conn *directory.Connection, policy *directory.Policy) (*oidc.RelyingParty, error) {
	known, err := s.openID(conn, policy)
	if err != nil {
		return nil, err
	}
	party := known.party
	if conn.OIDC.ClientAuth == directory.PrivateKeyJWT {
		keys, err := s.clientKeys(ctx, conn)
		if err != nil {
			return nil, err
		}
		party.Key = keys[0]
	}
	return &party, nil
}

func (s *Server) openID(conn *directory.Connection, policy *directory.Policy) (*openID, error) {
	trust := conn.OIDC
	provider := &oidc.Provider{Issuer: trust.Issuer, HTTP: s.http, Now: s.now}
	if known, ok := s.parties.Load(conn.ID); ok {
		known := known.(*openID)
		if known.policy == policy {
			return known, nil
		}
		if known.party.Provider.Issuer == trust.Issuer {
			provider = known.party.Provider
		}
	}
	var secret []byte
	if len(trust.Secret) > 0 {
		var err error
		if secret, err = s.directory.Unseal(trust.Secret); err != nil {
			return nil, err
		}
	}
	fresh := &openID{policy: policy, party: oidc.RelyingParty{
		Provider:     provider,
		ClientID:     trust.ClientID,
		ClientSecret: string(secret),
		SecretIn:     secretPlace(trust.ClientAuth),
		RedirectURL:  AddressesOf(s.base, conn.ID).Callback,
		Scopes:       trust.Scopes,
		Wanted:       wanted(conn),
		Skew:         trust.Skew,
	}}
	s.parties.Store(conn.ID, fresh)
	return fresh, nil
}

func secretPlace(auth directory.ClientAuth) oidc.SecretPlace {
	switch auth {
	case directory.SecretBasic:
		return oidc.InHeader
	case directory.SecretPost:
		return oidc.InBody
	}
	return oidc.AnyPlace
}

// askingFor says how people are to be asked.
func askingFor(trust *directory.OIDCTrust) oidc.AuthOptions {
	return oidc.AuthOptions{Prompt: string(trust.Prompt), MaxAge: trust.MaxAge, ACRValues: trust.ACRValues}
}

// wanted lists what the connection reads from assertions: claims that are worth a call to the userinfo endpoint. The
// names of the protocol's own subject are in every token.
func wanted(conn *directory.Connection) [][]string {
	if conn.OIDC.NoUserInfo {
		return nil
	}
	list := [][]string{}
	for _, m := range conn.Map {
		list = append(list, m.From)
	}
	if source := conn.GroupsSource(); source == directory.GroupsSSO || source == directory.GroupsBoth {
		list = append(list, conn.Groups.From)
	}
	return list
}

// warnAbout tells the administrator, once, what a provider does not do for people's safety.
func (s *Server) warnAbout(ctx context.Context, conn *directory.Connection, provider *oidc.Provider) {
	if told, ok := s.warned.Swap(conn.ID, provider.Issuer); ok && told == provider.Issuer {
		return
	}
	metadata, err := provider.Discover(ctx)
	if err != nil {
		return // the sign-in under way meets the same error
	}
	for _, warning := range metadata.Warnings() {
		s.log.WarnContext(ctx, warning, "org", conn.Org, "conn", conn.ID, "issuer", provider.Issuer)
	}
}
