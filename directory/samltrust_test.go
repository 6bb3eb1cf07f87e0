package directory_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

func TestSAMLTrustIsHeldAgainstItsBounds(t *testing.T) {
	const transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	tests := []struct {
		name, fault string
		subject     []string
		trust       directory.SAMLTrust
	}{
		{"five minutes of skew", "", nil, directory.SAMLTrust{Skew: 300 * time.Second}},
		{"more skew", "saml.skew", nil, directory.SAMLTrust{Skew: 301 * time.Second}},
		{"skew backwards", "saml.skew", nil, directory.SAMLTrust{Skew: -time.Second}},
		{"a binding", "", nil, directory.SAMLTrust{Binding: directory.PostBinding}},
		{"no binding", "saml.binding", nil, directory.SAMLTrust{Binding: "artifact"}},
		{"a comparison", "", nil, directory.SAMLTrust{AuthnContext: "urn:mfa", AuthnContextComparison: directory.CompareMinimum}},
		{"a comparison of nothing", "saml.authn_context_comparison", nil, directory.SAMLTrust{AuthnContextComparison: directory.CompareMinimum}},
		{"no comparison", "saml.authn_context_comparison", nil, directory.SAMLTrust{AuthnContext: "urn:mfa", AuthnContextComparison: "best"}},
		{"a transient subject", "saml.name_id_format", nil, directory.SAMLTrust{NameIDFormat: transient}},
		{"a transient NameID beside a subject", "", []string{"employee"}, directory.SAMLTrust{NameIDFormat: transient}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			conn := directory.Connection{ID: "trusting", SAML: &c.trust, Subject: directory.Subjects{SSO: c.subject}}
			_, err := w.Configure(t.Context(), directory.EventSource{Actor: "test"}, []directory.Setup{{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{conn}}})
			config, refused := errors.AsType[*directory.ConfigError](err)
			switch {
			case c.fault == "" && err != nil:
				t.Error(err)
			case c.fault != "" && (!refused || !strings.HasSuffix(config.Faults[0].Path, c.fault)):
				t.Errorf("got %v, want a fault at %s", err, c.fault)
			}
		})
	}
}
