package oidc

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Metadata is what an OP says of itself in its discovery document. Endpoints have been checked, the rest is as it was
// said.
type Metadata struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"` // "" if there is none
	KeySet        string `json:"jwks_uri"`

	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	ClientMethods []string `json:"token_endpoint_auth_methods_supported"`
	ResponseTypes []string `json:"response_types_supported"`
	Scopes        []string `json:"scopes_supported"`
	// IssuerInReply: replies name their issuer (RFC 9207), so one that does not is refused.
	IssuerInReply bool `json:"authorization_response_iss_parameter_supported"`
}

// Warnings says what an administrator should know about an OP before people rely on it. Nothing of it stops a sign-in.
func (m *Metadata) Warnings() []string {
	var found []string
	if !slices.Contains(m.Challenges, "S256") {
		found = append(found, "the provider does not say that it checks PKCE (S256): a stolen code is then stopped by the nonce alone")
	}
	if !m.IssuerInReply {
		found = append(found, "the provider does not name itself in its replies (RFC 9207)")
	}
	if len(m.ResponseTypes) > 0 && !slices.Contains(m.ResponseTypes, "code") {
		found = append(found, "the provider does not say that it supports the authorization code flow")
	}
	return found
}

// fetchMetadata reads the discovery document of the issuer.
func (p *Provider) fetchMetadata(ctx context.Context) (*Metadata, error) {
	ctx, cancel := unhurried(ctx)
	defer cancel()
	discovered, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client()), p.Issuer)
	if err != nil {
		return nil, discoveryError(err)
	}
	var m Metadata
	if err := discovered.Claims(&m); err != nil {
		return nil, because(ReasonDiscovery, err, "the discovery document cannot be read")
	}
	return &m, m.check(p.Issuer)
}

func discoveryError(err error) *Error {
	if mismatch, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		hint := "the two must be the same, to the last slash"
		if strings.Contains(mismatch.Discovered, "{") {
			hint = "this is an address for many tenants; configure the issuer of the one tenant"
		}
		return refuse(ReasonDiscovery, "the issuer %q names itself %.300q: %s", mismatch.Provided, mismatch.Discovered, hint)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return because(ReasonUnavailable, err, "the discovery document cannot be fetched")
	}
	return because(ReasonDiscovery, err, "the discovery document cannot be read")
}

func (m *Metadata) check(issuer string) error {
	plain := strings.HasPrefix(issuer, "http:")
	for _, endpoint := range []struct {
		name, address string
		optional      bool
	}{
		{"authorization_endpoint", m.Authorization, false},
		{"token_endpoint", m.Token, false},
		{"jwks_uri", m.KeySet, false},
		{"userinfo_endpoint", m.UserInfo, true},
	} {
		if endpoint.address == "" && endpoint.optional {
			continue
		}
		if u, err := url.Parse(endpoint.address); err != nil || !isSafe(u, plain) {
			return refuse(ReasonDiscovery, "the %s %.300q is no https URL", endpoint.name, endpoint.address)
		}
	}
	if len(m.algorithms()) == 0 {
		return refuse(ReasonDiscovery, "the provider signs by %.200q only, none of which is accepted", m.Algorithms)
	}
	return nil
}

// checkIssuer refuses what no issuer looks like, templates among them.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || !isSafe(u, true) || u.RawQuery != "" || u.ForceQuery || strings.ContainsAny(issuer, "{}") {
		return refuse(ReasonMisconfigured, "the issuer %.300q is no https URL of one provider", issuer)
	}
	return nil
}

// isSafe says whether an address may be used. Plain http stays on this machine.
func isSafe(u *url.URL, plain bool) bool {
	if u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || plain && u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}
