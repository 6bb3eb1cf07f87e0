package applyfile_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/cmd/muster/applyfile"
	"muster/directory"
	"muster/jit/saml/samltest"
)

// environment is what the tests' files refer to.
func environment(name string) string {
	return map[string]string{"CRM": "crm-secret-of-32-characters-at-all", "PUSH": "push-secret-of-32-characters-too", "SHORT": "short"}[name]
}

// folder holds an apply file beside a metadata document.
func folder(t *testing.T) (name string, metadata []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	idp, err := samltest.NewIdP(samltest.Options{EntityID: "https://idp.example/metadata", Key: key})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file, content := range map[string][]byte{"okta.xml": idp.Metadata(), "broken.xml": []byte("<a/>")} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "muster.yaml"), idp.Metadata()
}

func parse(t *testing.T, content string) (*applyfile.File, error) {
	t.Helper()
	name, metadata := folder(t)
	return applyfile.Parse(t.Context(), name, []byte(content), applyfile.Options{
		Getenv: environment,
		Now:    time.Now(),
		Fetch: func(_ context.Context, url string) ([]byte, error) {
			if url == "https://idp.example/metadata" {
				return metadata, nil
			}
			return nil, errors.New("no such host")
		},
	})
}

func TestEveryFieldReachesTheDirectorysConfiguration(t *testing.T) {
	file, err := parse(t, `
orgs:
  - id: acme
    name: Acme Corp
    attributes:
      licence: {values: [full, lite]}
      costCentre: {type: string, multi: true, required: create, unique: true, key: type, resolve: union, sources: [pin, sso]}
      location:
    defaults:
      userType: employee
      email: [{value: a@acme.example, type: work, primary: True}]
      roles: [reader, writer]
      location: {value: Berlin, door: sso}
    rules:
      - {name: engineers, when: 'groups eq "Engineering"', set: {license: full, active: True}}
      - {deny: true}
    protected: {users: [root], roles: [admin]}
    retention: 45d
    sessions: {idle: 30m, lifetime: 8h}
    return_origins: [https://app.example]
    app_tokens: [{name: crm, secret_env: CRM, expires: 2030-01-01}]
    connections:
      - id: acme-okta
        preset: okta
        state: paused
        write: {scim: create, sso: update}
        domains: [acme.example, Bücher.example, guest@else.example]
        guests: [two@else.example]
        subject: {scim: externalId, sso: [uid, NameID], mutable: true}
        match: [userName, email]
        link: confirm
        map:
          - {to: lastName, from: [sn, surname], when: create, absent: clear, invalid: reject, multi: add, split: ";"}
          - {to: userType, const: staff}
          - {to: email, from: mail}
          - {to: displayName}
        groups: {source: both, from: [teams], split: ",", absent: keep}
        guard: {share: 25%, min: 5, per: 30m}
        welcome: true
        diagnose_until: 2026-05-05T10:00:00Z
        saml:
          metadata_file: okta.xml
          allow_idp_initiated: true
          insecure_allow_sha1: true
          skew: 2m
          sign_requests: true
          sign_metadata: true
          binding: post
          force_authn: true
          authn_context: urn:mfa
          authn_context_comparison: minimum
          name_id_format: urn:oasis:names:tc:SAML:2.0:nameid-format:persistent
        scim_tokens: [{name: okta, secret_env: PUSH}]
`)
	if err != nil {
		t.Fatal(err)
	}
	got := file.Setups[0]
	wantOrg := directory.Org{
		ID: "acme", Name: "Acme Corp",
		Attributes: map[string]directory.AttributePolicy{
			"license":  {Values: []string{"full", "lite"}},
			"location": {},
			"costCentre": {Type: directory.String, Multi: true, Required: directory.RequiredCreate, Unique: true, Key: "type",
				Resolve: directory.Union, Sources: []directory.Channel{directory.Pin, directory.SSO}},
		},
		Defaults: []directory.Default{
			{Attribute: "userType", Value: directory.Text("employee")},
			{Attribute: "emails", Value: directory.Value{directory.NewElement(directory.Field{Name: "value", Text: "a@acme.example"},
				directory.Field{Name: "type", Text: "work"}, directory.Field{Name: "primary", Text: "true"})}},
			{Attribute: "roles", Value: directory.Texts("reader", "writer")},
			{Attribute: "location", Value: directory.Text("Berlin"), Door: directory.SSO},
		},
		Rules: []directory.Rule{
			{Name: "engineers", When: `groups eq "Engineering"`, Set: directory.Attributes{{Name: "active", Value: directory.Text("true")}, {Name: "license", Value: directory.Text("full")}}},
			{Deny: true},
		},
		Protected: directory.Protection{Users: []string{"root"}, Roles: []string{"admin"}},
		Retention: 45 * 24 * time.Hour,
		Sessions:  directory.SessionPolicy{Idle: 30 * time.Minute, Lifetime: 8 * time.Hour}, ReturnOrigins: []string{"https://app.example"},
	}
	if diff := cmp.Diff(wantOrg, got.Org); diff != "" {
		t.Error(diff)
	}
	wantConnection := directory.Connection{
		ID: "acme-okta", Org: "acme", Preset: "okta", State: directory.Paused,
		Write:   directory.Write{SCIM: directory.Create, SSO: directory.Update},
		Domains: []string{"acme.example", "xn--bcher-kva.example"},
		Guests:  []string{"guest@else.example", "two@else.example"},
		Subject: directory.Subjects{SCIM: "externalId", SSO: []string{"uid", "NameID"}, Same: true, Mutable: true},
		Match:   []string{"userName", "emails"},
		Link:    directory.LinkConfirm,
		Map: []directory.Mapping{
			{To: "name.familyName", From: []string{"sn", "surname"}, When: directory.MapCreate, Absent: directory.Clear,
				Invalid: directory.Reject, Multi: directory.Add, Split: ";"},
			{To: "userType", Const: "staff"},
			{To: "emails", From: []string{"mail"}},
			{To: "displayName"},
		},
		Groups:        directory.GroupPolicy{Source: directory.GroupsBoth, From: []string{"teams"}, Split: ",", Absent: directory.Keep},
		Guard:         directory.Guard{Share: 0.25, Min: 5, Per: 30 * time.Minute},
		Welcome:       true,
		DiagnoseUntil: time.Date(2026, 5, 5, 10, 0, 0, 0, time.UTC),
		SAML: &directory.SAMLTrust{EntityID: "https://idp.example/metadata", AllowIDPInitiated: true, InsecureAllowSHA1: true,
			SignRequests: true, SignMetadata: true, Binding: directory.PostBinding, ForceAuthn: true, AuthnContext: "urn:mfa",
			AuthnContextComparison: directory.CompareMinimum, NameIDFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
			Skew: 2 * time.Minute},
	}
	own := got.Connections[0]
	own.Map = own.Map[:4] // what the preset adds stands behind
	if diff := cmp.Diff(wantConnection, own, cmpopts.IgnoreFields(directory.SAMLTrust{}, "Metadata")); diff != "" {
		t.Error(diff)
	}
	if len(own.SAML.Metadata) == 0 {
		t.Error("the metadata was not kept")
	}
	wantTokens := []applyfile.Token{
		{Record: directory.Token{Org: "acme", Connection: "acme-okta", Name: "okta", Kind: directory.SCIMToken}, Secret: environment("PUSH")},
		{Record: directory.Token{Org: "acme", Name: "crm", Kind: directory.AppToken, Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}, Secret: environment("CRM")},
	}
	if diff := cmp.Diff(wantTokens, file.Tokens, cmpopts.IgnoreUnexported(applyfile.Token{})); diff != "" {
		t.Error(diff)
	}
	if len(file.Warnings) != 0 {
		t.Error(file.Warnings)
	}
}

func TestWhatTheFileLeavesOpenComesFromThePreset(t *testing.T) {
	file, err := parse(t, "orgs: [{id: acme, connections: [{id: e, preset: entra}, {id: g}]}]")
	if err != nil {
		t.Fatal(err)
	}
	entra, generic := file.Setups[0].Connections[0], file.Setups[0].Connections[1]
	if !entra.CreateElement || entra.Subject.SCIM != "externalId" || !entra.Subject.Same || len(entra.Map) == 0 {
		t.Errorf("entra: %+v", entra)
	}
	if generic.Preset != "generic" || generic.Subject.SCIM != "id" || generic.Subject.Same {
		t.Errorf("generic: %+v", generic)
	}
}

func TestShortFormsMeanWhatTheLongOnesDo(t *testing.T) {
	file, err := parse(t, `
orgs:
  - id: acme
    connections:
      - {id: a, guard: off, groups: sso, domains: acme.example, subject: {sso: oid}, saml: {metadata_url: "https://idp.example/metadata"}}
      - id: b
        oidc: {issuer: "https://login.example/v2.0", client_id: muster, client_secret_env: CRM}
`)
	if err != nil {
		t.Fatal(err)
	}
	a, b := file.Setups[0].Connections[0], file.Setups[0].Connections[1]
	if !a.Guard.Off || a.Groups.Source != directory.GroupsSSO || !cmp.Equal(a.Domains, []string{"acme.example"}) ||
		!cmp.Equal(a.Subject.SSO, []string{"oid"}) || a.SAML.MetadataURL == "" || len(a.SAML.Metadata) == 0 {
		t.Errorf("a: %+v", a)
	}
	want := &directory.OIDCTrust{Issuer: "https://login.example/v2.0", ClientID: "muster", Secret: []byte(environment("CRM"))}
	if diff := cmp.Diff(want, b.OIDC); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKeyOfATrustInAnOpenIDProviderIsRead(t *testing.T) {
	file, err := parse(t, `
orgs:
  - id: acme
    connections:
      - id: a
        oidc:
          issuer: https://accounts.google.com
          client_id: muster
          client_auth: private_key_jwt
          scopes: [profile, email, groups]
          skew: 2m
          no_userinfo: true
          prompt: select_account
          max_age: 8h
          acr_values: [mfa, phr]
          require: {hd: acme.example, tier: [a, b]}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &directory.OIDCTrust{Issuer: "https://accounts.google.com", ClientID: "muster", ClientAuth: directory.PrivateKeyJWT,
		Scopes: []string{"profile", "email", "groups"}, Skew: 2 * time.Minute, NoUserInfo: true, Prompt: directory.PromptSelectAccount,
		MaxAge: 8 * time.Hour, ACRValues: []string{"mfa", "phr"}, Require: map[string][]string{"hd": {"acme.example"}, "tier": {"a", "b"}}}
	if diff := cmp.Diff(want, file.Setups[0].Connections[0].OIDC); diff != "" || len(file.Warnings) != 0 {
		t.Errorf("%s %v", diff, file.Warnings)
	}
}

func TestASecretInTheFileOrAShortOneDrawsAWarningWithoutShowingIt(t *testing.T) {
	file, err := parse(t, "orgs: [{id: acme, app_tokens: [{name: a, secret: plain-secret-in-the-file}, {name: b, secret_env: SHORT}]}]")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(file.Warnings, "\n")
	if len(file.Warnings) != 2 || strings.Contains(all, "plain-secret") || !strings.Contains(all, "muster.yaml:1:32: orgs[0].app_tokens[0]: secret stands in the file") {
		t.Error(all)
	}
}

func TestEveryBadFileIsRefusedWithLineAndAllowedValues(t *testing.T) {
	connection := func(s string) string { return "orgs:\n- id: a\n  connections:\n  - id: c\n    " + s }
	org := func(s string) string { return "orgs:\n- id: a\n  " + s }
	for _, test := range []struct{ name, content, want string }{
		{"unknown top key", "org: []", `:1:1: org: unknown key "org" (allowed: orgs)`},
		{"no organisation", "{}", `orgs is missing`},
		{"unknown key of an organisation", org("conections: []"), `:3:3: orgs[0].conections: unknown key "conections" (allowed: app_tokens, attributes, connections, defaults, id, name, protected, retention, return_origins, rules, sessions)`},
		{"organisation without id", "orgs: [{name: x}]", `:1:8: orgs[0]: id is missing`},
		{"unknown key of a connection", connection("wirte: {}"), `:5:5: orgs[0].connections[0].wirte: unknown key "wirte" (allowed: diagnose_until, domains, `},
		{"unknown mode", connection("write: {sso: on}"), `:5:18: orgs[0].connections[0].write.sso: "on" is not allowed (allowed: off, update, create)`},
		{"unknown preset", connection("preset: octa"), `"octa" is not allowed (allowed: entra, okta, pingone`},
		{"unknown state", connection("state: asleep"), `(allowed: active, paused, retired)`},
		{"unknown link policy", connection("link: maybe"), `(allowed: never, verified, confirm, always)`},
		{"unknown subject", connection("subject: {scim: email}"), `(allowed: externalId, userName, id)`},
		{"unknown group source", connection("groups: both-of-them"), `(allowed: scim, sso, both, off)`},
		{"guard that is a word", connection("guard: on"), `(allowed: off)`},
		{"guard that is no share", connection("guard: {share: 11}"), `"11" is no share`},
		{"bad domain", connection("domains: ['acme example']"), `:5:15: orgs[0].connections[0].domains[0]: "acme example" is neither a domain nor an e-mail address`},
		{"bad guest", connection("guests: [nobody]"), `"nobody" is no e-mail address`},
		{"mapping without target", connection("map: [{from: x}]"), `map[0]: to is missing`},
		{"mapping from two sides", connection("map: [{to: title, from: x, const: y}]"), `not both (allowed: from, const)`},
		{"metadata twice", connection("saml: {metadata: x, metadata_file: y}"), `exactly one source of metadata is needed (allowed: metadata_file, metadata_url, metadata)`},
		{"metadata that is not there", connection("saml: {metadata_file: none.xml}"), `:5:11: orgs[0].connections[0].saml: none.xml: no such file or directory`},
		{"metadata that is none", connection("saml: {metadata_file: broken.xml}"), `broken.xml: saml metadata: `},
		{"a metadata certificate that is none", connection("saml: {metadata_file: okta.xml, metadata_certificate: okta.xml}"), `metadata_certificate: no certificate in PEM`},
		{"skew beyond reason", connection("saml: {metadata_file: okta.xml, skew: 1h}"), `skew is at most 5m0s`},
		{"OIDC without client", connection("oidc: {issuer: 'https://x.example'}"), `client_id is missing`},
		{"OIDC issuer that is no URL", connection("oidc: {issuer: x, client_id: y}"), `the issuer "x" is no URL`},
		{"OIDC by an unknown proof", connection("oidc: {issuer: 'https://x.example', client_id: y, client_auth: mtls}"), `(allowed: client_secret_basic, client_secret_post, private_key_jwt)`},
		{"OIDC prompt", connection("oidc: {issuer: 'https://x.example', client_id: y, prompt: none}"), `(allowed: login, consent, select_account)`},
		{"token without name", connection("scim_tokens: [{secret_env: PUSH}]"), `scim_tokens[0]: name is missing`},
		{"token without secret", connection("scim_tokens: [{name: x}]"), `exactly one source of the secret is needed (allowed: secret_env, secret)`},
		{"secret that is not set", connection("scim_tokens: [{name: x, secret_env: NOT_SET}]"), `the environment variable NOT_SET is not set`},
		{"token named twice", connection("scim_tokens: [{name: x, secret_env: PUSH}, {name: x, secret_env: CRM}]"), `scim_tokens[1]: a second token "x" of c`},
		{"secret used twice", connection("scim_tokens: [{name: x, secret_env: PUSH}, {name: y, secret_env: PUSH}]"), `scim_tokens[1]: the secret is already that of the token "x" of c`},
		{"unknown type", org("attributes: {x: {type: text}}"), `"text" is not allowed (allowed: string, boolean, integer,`},
		{"unknown source", org("attributes: {x: {sources: [scim, ldap]}}"), `sources[1]: "ldap" is not allowed (allowed: pin, scim, sso, rule, local)`},
		{"attribute described twice", org("attributes: {email: {}, emails: {}}"), `the attribute emails is described twice`},
		{"unknown door", org("defaults: {title: {value: x, door: front}}"), `"front" is not allowed (allowed: any, sso, scim)`},
		{"rule without effect", org("rules: [{when: 'title pr'}]"), `:3:11: orgs[0].rules[0]: a rule either sets values or denies (allowed: set, deny)`},
		{"retention that is no time", org("retention: long"), `"long" is no length of time`},
		{"list where a mapping belongs", org("protected: [x]"), `protected: must be a mapping`},
		{"text where a list belongs", org("rules: x"), `rules: must be a list`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := parse(t, test.content); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}
