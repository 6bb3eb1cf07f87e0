package admin

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/directory"
)

// duration is a length of time in JSON: "1h30m".
type duration time.Duration

// MarshalText and UnmarshalText are Go's notation.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *duration) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	read, err := time.ParseDuration(string(text))
	*d = duration(read)
	return err
}

// orgBody is what is decided about an organisation.
type orgBody struct {
	directory.Org
	Retention duration `json:"retention,omitzero" doc:"how long a deleted user can be restored, such as 720h"`
}

func orgBodyOf(o *directory.Org) orgBody { return orgBody{*o, duration(o.Retention)} }

func (b orgBody) org() directory.Org {
	o := b.Org
	o.Retention = time.Duration(b.Retention)
	return o
}

// connectionBody is a connection. Fields that JSON has no good form for stand here instead of the directory's.
type connectionBody struct {
	directory.Connection
	Guard guardBody `json:"guard,omitzero"`
	SAML  *samlBody `json:"saml,omitempty"`
	OIDC  *oidcBody `json:"oidc,omitempty"`
}

type guardBody struct {
	Off   bool     `json:"off,omitempty"`
	Share float64  `json:"share,omitempty" minimum:"0" maximum:"1" doc:"0.1 is 10 %"`
	Min   int      `json:"min,omitempty" minimum:"0"`
	Per   duration `json:"per,omitzero"`
}

type samlBody struct {
	Metadata          string   `json:"metadata,omitempty" doc:"the identity provider's metadata document"`
	MetadataURL       string   `json:"metadataUrl,omitempty" validate:"omitempty,http_url"`
	EntityID          string   `json:"entityId,omitempty"`
	AllowIDPInitiated bool     `json:"allowIdpInitiated,omitempty"`
	InsecureAllowSHA1 bool     `json:"insecureAllowSha1,omitempty"`
	Skew              duration `json:"skew,omitzero"`
}

type oidcBody struct {
	Issuer   string `json:"issuer" validate:"required,http_url"`
	ClientID string `json:"clientId" validate:"required"`
	Secret   string `json:"secret,omitempty" writeOnly:"true" doc:"never shown; left out, it stays as it is"`
}

func connectionBodyOf(c *directory.Connection) connectionBody {
	b := connectionBody{Connection: *c, Guard: guardBody{c.Guard.Off, c.Guard.Share, c.Guard.Min, duration(c.Guard.Per)}}
	b.Connection.Guard, b.Connection.SAML, b.Connection.OIDC = directory.Guard{}, nil, nil
	if t := c.SAML; t != nil {
		b.SAML = &samlBody{string(t.Metadata), t.MetadataURL, t.EntityID, t.AllowIDPInitiated, t.InsecureAllowSHA1, duration(t.Skew)}
	}
	if t := c.OIDC; t != nil {
		b.OIDC = &oidcBody{Issuer: t.Issuer, ClientID: t.ClientID}
	}
	return b
}

// connection is the directory's. What is not shown, and what the body has no field for, stays as it was.
func (b connectionBody) connection(old *directory.Connection) directory.Connection {
	c := b.Connection
	c.Guard = directory.Guard{Off: b.Guard.Off, Share: b.Guard.Share, Min: b.Guard.Min, Per: time.Duration(b.Guard.Per)}
	if b.SAML != nil {
		trust := directory.SAMLTrust{}
		if old != nil && old.SAML != nil {
			trust = *old.SAML
		}
		trust.Metadata, trust.MetadataURL, trust.EntityID = []byte(b.SAML.Metadata), b.SAML.MetadataURL, b.SAML.EntityID
		trust.AllowIDPInitiated, trust.InsecureAllowSHA1, trust.Skew = b.SAML.AllowIDPInitiated, b.SAML.InsecureAllowSHA1, time.Duration(b.SAML.Skew)
		c.SAML = &trust
	}
	if b.OIDC != nil {
		trust := directory.OIDCTrust{}
		if old != nil && old.OIDC != nil {
			trust = *old.OIDC
		}
		if same := trust.Issuer == b.OIDC.Issuer; b.OIDC.Secret != "" || !same {
			trust.Secret = []byte(b.OIDC.Secret) // a secret is for the issuer it was given for
		}
		trust.Issuer, trust.ClientID = b.OIDC.Issuer, b.OIDC.ClientID
		c.OIDC = &trust
	}
	return c
}

// configBody is the whole configuration of an organisation.
type configBody struct {
	Org         orgBody          `json:"org"`
	Connections []connectionBody `json:"connections"`
	Revision    uint64           `json:"revision"`
	Saved       directory.Saved  `json:"saved" doc:"the newest change"`
}

type orgInput struct {
	Org string `path:"org"`
}

type configOutput struct {
	ETag string `header:"ETag"`
	Body configBody
}

// saveInput is a change of the configuration: what it names is set whole, connections that it does not name stay.
type saveInput struct {
	Org     string `path:"org"`
	IfMatch string `header:"If-Match" required:"true" doc:"the ETag of the configuration as read; * takes it as it is"`
	DryRun  bool   `query:"dryRun" doc:"say what would change, and save nothing"`
	checked[saveBody]
}

type saveBody struct {
	Org         *orgBody         `json:"org,omitempty"`
	Connections []connectionBody `json:"connections,omitempty" maxItems:"1000" validate:"dive"`
}

type newOrgInput struct {
	checked[newOrgBody]
}

type newOrgBody struct {
	Org         orgBody          `json:"org" required:"true"`
	Connections []connectionBody `json:"connections,omitempty" maxItems:"1000" validate:"dive"`
}

type savedOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		Changed []string     `json:"changed" doc:"one line for each object that changed"`
		Preview *previewBody `json:"preview,omitempty" doc:"whom it would change, for a dry run"`
	}
}

// previewBody says whom a change concerns.
type previewBody struct {
	Users    int                    `json:"users" doc:"looked at"`
	Changed  int                    `json:"changed"`
	Denied   int                    `json:"denied" doc:"lose their sign-in"`
	Admitted int                    `json:"admitted" doc:"regain it"`
	Held     int                    `json:"held" doc:"keep a value because the one they would get belongs to somebody else"`
	Job      bool                   `json:"job" doc:"too many to be done at once"`
	Sample   []directory.UserChange `json:"sample,omitempty"`
}

func (s *Server) configOperations() {
	add(s, operation{http.MethodPost, "/orgs", directory.Operator, "create-org", "Make an organisation", http.StatusCreated}, s.createOrg)
	add(s, operation{http.MethodGet, "/orgs/{org}", directory.Auditor, "get-org", "The configuration of an organisation, without secrets", 0},
		func(_ context.Context, c *call, _ *orgInput) (*configOutput, error) { return configOf(c.policy), nil })
	add(s, operation{http.MethodPatch, "/orgs/{org}", directory.OrgAdmin, "configure-org",
		"Change the configuration, all at once or not at all; or see what that would do", 0}, s.saveOrg)
}

func configOf(p *directory.Policy) *configOutput {
	out := &configOutput{ETag: etag(p.Revision), Body: configBody{Org: orgBodyOf(p.Org), Connections: []connectionBody{}, Revision: p.Revision, Saved: p.Saved}}
	for _, c := range p.Connections() {
		out.Body.Connections = append(out.Body.Connections, connectionBodyOf(c))
	}
	return out
}

func etag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// revisionOf reads an If-Match of a configuration, nil for *.
func revisionOf(header string) (*uint64, error) {
	if strings.TrimSpace(header) == "*" {
		return nil, nil
	}
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(header), `"`), 10, 64)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "invalid", "If-Match is no revision.", fieldError{Field: "If-Match", Detail: "is neither an ETag of the configuration nor *"})
	}
	return &n, nil
}

func (s *Server) createOrg(ctx context.Context, c *call, in *newOrgInput) (*savedOutput, error) {
	none := uint64(0)
	setup := directory.Setup{Org: in.Body.Org.org(), Revision: &none}
	var err error
	if setup.Connections, err = s.wanted(ctx, nil, in.Body.Connections); err != nil {
		return nil, err
	}
	return s.save(ctx, c, setup)
}

func (s *Server) saveOrg(ctx context.Context, c *call, in *saveInput) (*savedOutput, error) {
	revision, err := revisionOf(in.IfMatch)
	if err != nil {
		return nil, err
	}
	setup := directory.Setup{Org: *c.policy.Org, Revision: revision}
	if in.Body.Org != nil {
		setup.Org = in.Body.Org.org()
		setup.Org.ID = c.org() // the path says whose configuration it is
	}
	if err := mayProve(c, in.Body.Connections); err != nil {
		return nil, err
	}
	if setup.Connections, err = s.wanted(ctx, c.policy, in.Body.Connections); err != nil {
		return nil, err
	}
	if in.DryRun {
		return s.preview(ctx, setup)
	}
	return s.save(ctx, c, setup)
}

// mayProve: to say that a connection speaks for a domain is the operator's; an organisation would take another one's
// people over.
func mayProve(c *call, list []connectionBody) error {
	if c.acting.Grants.IsOperator() {
		return nil
	}
	for _, b := range list {
		old := c.policy.Connection(b.ID)
		for _, domain := range b.Domains {
			if old == nil || !contains(old.Domains, domain) {
				return refuse(http.StatusForbidden, "domain_not_proved", "Only an operator may say that a connection speaks for a domain.",
					fieldError{Field: "connections.domains", Detail: strconv.Quote(domain) + " is not proved"})
			}
		}
	}
	return nil
}

func contains(list []string, one string) bool {
	for _, x := range list {
		if strings.EqualFold(x, one) {
			return true
		}
	}
	return false
}

// wanted are the connections of a request, completed.
func (s *Server) wanted(ctx context.Context, p *directory.Policy, list []connectionBody) (conns []directory.Connection, err error) {
	for i, b := range list {
		var old *directory.Connection
		if p != nil {
			old = p.Connection(b.ID)
		}
		c := b.connection(old)
		if s.options.Complete != nil {
			if err := s.options.Complete(ctx, &c); err != nil {
				return nil, &directory.ConfigError{Faults: []directory.Fault{{Path: "connections[" + strconv.Itoa(i) + "]", Detail: err.Error()}}}
			}
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func (s *Server) save(ctx context.Context, c *call, setup directory.Setup) (*savedOutput, error) {
	changed, err := s.directory.Configure(ctx, c.acting.Source(), []directory.Setup{setup})
	if err != nil {
		return nil, err
	}
	p, err := s.directory.Policy(ctx, setup.Org.ID)
	if err != nil {
		return nil, err
	}
	out := &savedOutput{ETag: etag(p.Revision)}
	out.Body.Changed = append([]string{}, changed...)
	return out, nil
}

func (s *Server) preview(ctx context.Context, setup directory.Setup) (*savedOutput, error) {
	p, err := s.directory.Preview(ctx, setup)
	if err != nil {
		return nil, err
	}
	out := &savedOutput{}
	out.Body.Changed = append([]string{}, p.Lines...)
	out.Body.Preview = &previewBody{p.Users, p.Changed, p.Denied, p.Admitted, p.Held, p.Job, p.Sample}
	return out, nil
}
