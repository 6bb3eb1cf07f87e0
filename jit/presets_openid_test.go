package jit

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
)

func bySub(sub string, c []Claim) Assertion {
	return Assertion{Issuer: "https://op.example", Subject: Subject{Name: Sub, Value: sub}, Claims: c}
}

func openIDConnection(preset string) directory.Connection {
	return directory.Connection{Preset: preset, OIDC: &directory.OIDCTrust{Issuer: "https://op.example", ClientID: "muster"}}
}

// FL-1, FL-12, FL-13, FL-14, JC-15: what each provider sends by OpenID Connect.
func TestFL12EachOpenIDPresetReadsWhatItsProviderSends(t *testing.T) {
	standard := func(more ...string) []Claim {
		return claims(append([]string{"email", "ada@corp.example", "given_name", "Ada", "family_name", "Lovelace", "name", "Ada L"}, more...)...)
	}
	tests := []struct {
		preset, subject, userName string
		claims                    []Claim
		groups                    []string
	}{
		{"entra", "oid-1", "ada@tenant.example", standard("oid", "oid-1", "tid", "t", "preferred_username", "ada@tenant.example", "groups", "g"), []string{"g"}},
		{"okta", "sub-1", "ada", standard("preferred_username", "ada", "groups", "g"), []string{"g"}},
		{"pingone", "sub-1", "ada", standard("preferred_username", "ada", "groups", "g"), []string{"g"}},
		{"jumpcloud", "sub-1", "ada@corp.example", standard("memberOf", "g"), []string{"g"}},
		{"onelogin", "sub-1", "ada", standard("preferred_username", "ada", "groups", "a;b"), []string{"a", "b"}},
		{"google", "sub-1", "ada@corp.example", standard("hd", "corp.example"), nil},
		{"keycloak", "sub-1", "ada", standard("preferred_username", "ada", "groups", "/a/b"), []string{"/a/b"}},
		{"adfs", "sub-1", "ada@corp", standard("upn", "ada@corp"), nil},
		{"shibboleth", "sub-1", "ada", standard("preferred_username", "ada", "groups", "g"), []string{"g"}},
		{"generic", "sub-1", "ada", standard("preferred_username", "ada", "groups", "g"), []string{"g"}},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		seen[test.preset] = true
		t.Run(test.preset, func(t *testing.T) {
			change, trace := read(t, bySub("sub-1", test.claims), filled(t, openIDConnection(test.preset)))
			if change.Subject != test.subject {
				t.Errorf("subject %q, want %q", change.Subject, test.subject)
			}
			want := told(test.userName, "ada@corp.example", "Ada", "Lovelace", "Ada L")
			if diff := cmp.Diff(want, change.Attributes); diff != "" {
				t.Errorf("%s\n%v", diff, trace)
			}
			if diff := cmp.Diff(test.groups, change.Groups.Names); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, name := range Presets() {
		if !seen[name] {
			t.Errorf("no case for %s", name)
		}
	}
}

func TestBothProtocolsHaveTheSamePresets(t *testing.T) {
	for _, saml := range presetTable() {
		openID, ok := OpenIDPresetOf(saml.Name)
		if !ok || openID.Title != saml.Title || openID.CreateElement != saml.CreateElement || openID.Subject.SCIM != saml.Subject.SCIM {
			t.Errorf("%s: %v", saml.Name, openID)
		}
	}
	if len(openIDTable()) != len(presetTable()) {
		t.Error("a preset has no counterpart")
	}
}

// CONFLICTS 1, 14: sub is no name, and only those who are known to send the same value by SCIM are declared to.
func TestNoOpenIDSubjectIsMutable(t *testing.T) {
	for _, name := range Presets() {
		once := *filled(t, openIDConnection(name))
		if same := name == "entra" || name == "okta"; once.Subject.Same != same || once.Subject.Mutable {
			t.Errorf("%s: %+v", name, once.Subject)
		}
		if diff := cmp.Diff(once, *filled(t, once)); diff != "" {
			t.Errorf("%s: filling twice: %s", name, diff)
		}
		for _, m := range once.Map { // FX-13
			if m.To == directory.Roles || m.To == directory.License || m.To == directory.Active {
				t.Errorf("%s maps %s", name, m.To)
			}
		}
	}
}

// FL-18
func TestFL18EveryOpenIDPresetHasAGuideWithThisConnectionsAddresses(t *testing.T) {
	at := AddressesOf("https://id.example", "acme")
	for _, name := range Presets() {
		p, _ := OpenIDPresetOf(name)
		guide := strings.Join(p.Guide(at), "\n")
		if !strings.Contains(guide, "https://id.example/c/acme/oidc/callback") {
			t.Errorf("%s does not name the redirect URI", name)
		}
		if slices.ContainsFunc([]string{"{callback}", "{logout}", "{jwks}", "{scim}", "{login}"}, func(p string) bool { return strings.Contains(guide, p) }) {
			t.Errorf("%s: a placeholder is left: %s", name, guide)
		}
	}
}
