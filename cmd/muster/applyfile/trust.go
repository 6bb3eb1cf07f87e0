package applyfile

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"muster/cmd/muster/yamlfile"
	"muster/directory"
	"muster/jit/saml"
)

// maxMetadata bounds one metadata document.
const maxMetadata = 8 << 20

// metadataSources are the ways to name a metadata document.
func metadataSources() []string { return []string{"metadata_file", "metadata_url", "metadata"} }

// saml reads the trust in a SAML identity provider and checks its metadata.
func (r *reading) saml(n yamlfile.Node) *directory.SAMLTrust {
	var trust directory.SAMLTrust
	var file, inline, certificate string
	n.Mapping(yamlfile.Shape{
		"metadata_file":            yamlfile.Text(&file),
		"metadata_url":             yamlfile.Text(&trust.MetadataURL),
		"metadata":                 yamlfile.Text(&inline),
		"metadata_certificate":     yamlfile.Text(&certificate),
		"entity_id":                yamlfile.Text(&trust.EntityID),
		"allow_idp_initiated":      yamlfile.Bool(&trust.AllowIDPInitiated),
		"insecure_allow_sha1":      yamlfile.Bool(&trust.InsecureAllowSHA1),
		"skew":                     yamlfile.Duration(&trust.Skew),
		"sign_requests":            yamlfile.Bool(&trust.SignRequests),
		"sign_metadata":            yamlfile.Bool(&trust.SignMetadata),
		"binding":                  yamlfile.OneOf(&trust.Binding, directory.RedirectBinding, directory.PostBinding),
		"force_authn":              yamlfile.Bool(&trust.ForceAuthn),
		"authn_context":            yamlfile.Text(&trust.AuthnContext),
		"authn_context_comparison": yamlfile.OneOf(&trust.AuthnContextComparison, directory.CompareExact, directory.CompareMinimum, directory.CompareMaximum, directory.CompareBetter),
		"name_id_format":           yamlfile.Text(&trust.NameIDFormat),
	})
	if !n.IsMapping() {
		return nil
	}
	if given(file, trust.MetadataURL, inline) != 1 {
		n.Fault("exactly one source of metadata is needed", metadataSources()...)
		return &trust
	}
	if trust.Skew > directory.MaxSkew {
		n.Fault(fmt.Sprintf("skew is at most %s", directory.MaxSkew))
	}
	if certificate != "" {
		read, err := r.certificate(certificate)
		if err != nil {
			n.Fault("metadata_certificate: " + plain(err))
			return &trust
		}
		trust.MetadataCertificate = read
	}
	name, document, err := r.metadata(file, trust.MetadataURL, inline)
	if err == nil {
		err = adopt(&trust, document, r.options)
	}
	switch {
	case err != nil && trust.MetadataURL != "":
		// An outage there is no reason to stay down here: the directory goes on with the last good copy, or refuses.
		trust.Metadata = nil
		r.warn(n, name+": "+plain(err)+"; the last good copy counts")
	case err != nil:
		n.Fault(name + ": " + plain(err))
	}
	return &trust
}

// certificate reads a certificate in PEM, inline or the file of that name.
func (r *reading) certificate(text string) ([]byte, error) {
	content := []byte(text)
	if !strings.Contains(text, "-----BEGIN") {
		var err error
		if content, err = readBounded(r.path(text), maxCertificate); err != nil {
			return nil, err
		}
	}
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate in PEM")
	}
	_, err := x509.ParseCertificate(block.Bytes)
	return block.Bytes, err
}

const maxCertificate = 64 << 10

func given(texts ...string) (count int) {
	for _, text := range texts {
		if text != "" {
			count++
		}
	}
	return count
}

// metadata gets the document from wherever it is, with the name to call it by.
func (r *reading) metadata(file, url, inline string) (name string, document []byte, err error) {
	switch {
	case file != "":
		document, err = readBounded(r.path(file), maxMetadata)
		return file, document, err
	case url != "" && r.options.Fetch == nil:
		return url, nil, errors.New("metadata is not fetched here")
	case url != "":
		document, err = r.options.Fetch(r.ctx, url)
		return url, document, err
	}
	return "metadata", []byte(inline), nil
}

func (r *reading) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(r.folder, name)
}

// adopt makes a document the trust's metadata if it can be used.
func adopt(trust *directory.SAMLTrust, document []byte, o Options) error {
	parsed, err := saml.ParseMetadata(document, saml.MetadataOptions{EntityID: trust.EntityID, Now: o.Now, SignedBy: trust.MetadataCertificate})
	if err != nil {
		return err
	}
	trust.Metadata, trust.EntityID = document, parsed.EntityID
	return nil
}

// plain is an error's sentence without the path that the caller says already.
func plain(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// requirements reads {claim: value} and {claim: [value, value]}.
func requirements(n yamlfile.Node) map[string][]string {
	wanted := map[string][]string{}
	for _, pair := range n.Pairs() {
		var values []string
		eachText(func(_ yamlfile.Node, value string) { values = append(values, value) })(pair.Value)
		wanted[pair.Key] = values
	}
	return wanted
}

// oidc reads the trust in an OpenID provider.
func (r *reading) oidc(n yamlfile.Node) *directory.OIDCTrust {
	var trust directory.OIDCTrust
	var inline, variable string
	n.Mapping(yamlfile.Shape{
		"issuer":            yamlfile.Text(&trust.Issuer),
		"client_id":         yamlfile.Text(&trust.ClientID),
		"client_secret":     yamlfile.Text(&inline),
		"client_secret_env": yamlfile.Text(&variable),
		"client_auth":       yamlfile.OneOf(&trust.ClientAuth, directory.SecretBasic, directory.SecretPost, directory.PrivateKeyJWT),
		"scopes":            yamlfile.Texts(&trust.Scopes),
		"skew":              yamlfile.Duration(&trust.Skew),
		"no_userinfo":       yamlfile.Bool(&trust.NoUserInfo),
		"prompt":            yamlfile.OneOf(&trust.Prompt, directory.PromptLogin, directory.PromptConsent, directory.PromptSelectAccount),
		"max_age":           yamlfile.Duration(&trust.MaxAge),
		"acr_values":        yamlfile.Texts(&trust.ACRValues),
		"require":           func(n yamlfile.Node) { trust.Require = requirements(n) },
	})
	n.Require("issuer", "client_id")
	if trust.Issuer != "" && r.valid.Var(trust.Issuer, "http_url") != nil {
		n.Fault(fmt.Sprintf("the issuer %q is no URL", trust.Issuer))
	}
	if inline != "" || variable != "" {
		trust.Secret = []byte(r.secret(n, "client_secret", inline, variable))
	}
	return &trust
}
