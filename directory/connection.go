package directory

import (
	"slices"
	"strings"
	"time"
)

// Connection is one identity provider of one organisation, with up to two
// channels, SCIM and SSO, in one object: linking them is the whole problem.
type Connection struct {
	ID     string `json:"id"`
	Org    string `json:"org"`
	Preset string `json:"preset,omitempty"`
	State  State  `json:"state,omitempty"`
	Write  Write  `json:"write"`
	// Domains this connection speaks for; each has one owner. Guests are single
	// addresses outside them that it may create.
	Domains []string `json:"domains,omitempty"`
	Guests  []string `json:"guests,omitempty"`
	Subject Subjects `json:"subject"`
	// Match are the soft keys tried only when no link exists; nil means
	// userName and emails.
	Match  []string    `json:"match"`
	Link   LinkPolicy  `json:"link,omitempty"`
	Map    []Mapping   `json:"map,omitempty"`
	Groups GroupPolicy `json:"groups"`
	Guard  Guard       `json:"guard"`
	// CreateElement: PATCH replace on a value filter that matches nothing adds
	// the element instead of answering noTarget.
	CreateElement bool `json:"createElement,omitempty"`
	// StaleAfter is how long it may be silent before Health says so; zero means a
	// day, less than an hour cannot be told.
	StaleAfter time.Duration `json:"staleAfter,omitempty"`
	Welcome    bool          `json:"welcome,omitempty"`
	// DiagnoseUntil: until then a refused sign-in shows its cause to the person.
	DiagnoseUntil time.Time `json:"diagnoseUntil,omitzero"`
	// SessionsFrom is when the connection was last retired: sessions of before
	// stay ended when it is taken up again. Configure keeps it.
	SessionsFrom time.Time  `json:"sessionsFrom,omitzero"`
	SAML         *SAMLTrust `json:"saml,omitempty"`
	OIDC         *OIDCTrust `json:"oidc,omitempty"`
}

// State of a connection.
type State string

// The states. The zero value is ConnectionActive.
const (
	ConnectionActive State = "active"
	Paused           State = "paused"  // linked people sign in, nothing is written
	Retired          State = "retired" // nothing at all
)

// Write says what each door may do.
type Write struct {
	SCIM Mode `json:"scim,omitempty"`
	SSO  Mode `json:"sso,omitempty"`
}

// Mode is one rung of the ladder both doors share.
type Mode string

// The modes. The zero value is Off.
const (
	Off    Mode = "off"
	Update Mode = "update"
	Create Mode = "create"
)

func (m Mode) writes() bool  { return m == Update || m == Create }
func (m Mode) creates() bool { return m == Create }

// Subjects says which value is the identity of a user on each channel.
type Subjects struct {
	// SCIM is "externalId", "userName" or "id" (the resource id, the default).
	SCIM string `json:"scim,omitempty"`
	// SSO lists source names in order of preference; the first one present
	// counts. "NameID" and "sub" are the protocol's own; empty means those.
	SSO []string `json:"sso,omitempty"`
	// Same: both channels carry the same value, so a SCIM write already makes
	// the link of the later sign-in, and a sign-in never soft-matches a user
	// whom SCIM linked.
	Same bool `json:"same,omitempty"`
	// Former lists source names of the subject of earlier days. Until FormerUntil
	// an assertion that carries both moves the link of who is known by the earlier
	// one; the old subject is reserved then.
	Former      []string  `json:"former,omitempty"`
	FormerUntil time.Time `json:"formerUntil,omitzero"`
	// Mutable: the subject is a name that can change, such as an e-mail
	// address. A SCIM rename moves it.
	Mutable bool `json:"mutable,omitempty"`
}

// LinkPolicy says when a soft match may become a link.
type LinkPolicy string

// The link policies. The zero value is LinkVerified.
const (
	LinkNever    LinkPolicy = "never"
	LinkVerified LinkPolicy = "verified"
	LinkConfirm  LinkPolicy = "confirm"
	LinkAlways   LinkPolicy = "always"
)

// Mapping feeds one attribute of the sso layer from the assertion.
type Mapping struct {
	To string `json:"to"`
	// From are source names, exact and case-sensitive; the first present counts.
	From  []string `json:"from,omitempty"`
	Const string   `json:"const,omitempty"`
	// When: MapAlways writes the sso layer; MapCreate seeds the local layer of a
	// user whom this sign-in creates.
	When MapWhen `json:"when,omitempty"`
	// Absent: what an absent source does to the entry it wrote earlier.
	Absent Absent `json:"absent,omitempty"`
	// Invalid: what a value the attribute cannot hold does.
	Invalid Invalid `json:"invalid,omitempty"`
	// Multi: whether the values of this sign-in replace earlier ones or join them.
	Multi Multi `json:"multi,omitempty"`
	// Split cuts one text into several values at this separator, "" never.
	Split string `json:"split,omitempty"`
}

// MapWhen, Absent, Invalid and Multi are the choices of a Mapping and of GroupPolicy.
type (
	MapWhen string
	Absent  string
	Invalid string
	Multi   string
)

// Their values. Zero values are MapAlways, Keep, Ignore and Replace; an absent
// groups attribute clears.
const (
	MapAlways MapWhen = "always"
	MapCreate MapWhen = "create"
	Keep      Absent  = "keep"
	Clear     Absent  = "clear"
	Ignore    Invalid = "ignore"
	Reject    Invalid = "reject"
	Replace   Multi   = "replace"
	Add       Multi   = "add"
)

// GroupPolicy says which channel's groups count.
type GroupPolicy struct {
	Source GroupSource `json:"source,omitempty"`
	// From are the assertion's names of the groups attribute.
	From   []string `json:"from,omitempty"`
	Split  string   `json:"split,omitempty"`
	Absent Absent   `json:"absent,omitempty"`
}

// GroupSource names the channel whose groups count.
type GroupSource string

// The group sources. Unset means GroupsSCIM where SCIM writes, else GroupsSSO.
const (
	GroupsSCIM GroupSource = "scim"
	GroupsSSO  GroupSource = "sso"
	GroupsBoth GroupSource = "both"
	GroupsOff  GroupSource = "off"
)

// Guard bounds how many of a connection's users one window may lock, delete or
// remove from groups. The zero value is 10 %, at least 10, per hour.
type Guard struct {
	Off   bool          `json:"off,omitempty"`
	Share float64       `json:"share,omitempty"` // 0.1 is 10 %
	Min   int           `json:"min,omitempty"`
	Per   time.Duration `json:"per,omitempty"`
}

// SAMLTrust is what is known of a SAML identity provider, and what is asked of it.
type SAMLTrust struct {
	Metadata    []byte `json:"metadata"`
	MetadataURL string `json:"metadataUrl,omitempty"`
	// MetadataCertificate is the certificate (DER) with which the metadata must
	// be signed; empty trusts the place it comes from.
	MetadataCertificate []byte        `json:"metadataCertificate,omitempty"`
	EntityID            string        `json:"entityId"` // the identity provider's
	AllowIDPInitiated   bool          `json:"allowIdpInitiated,omitempty"`
	InsecureAllowSHA1   bool          `json:"insecureAllowSha1,omitempty"`
	Skew                time.Duration `json:"skew,omitempty"` // zero means 60 s, at most MaxSkew
	// SignRequests signs requests even if the metadata does not ask for it,
	// SignMetadata our own metadata.
	SignRequests bool `json:"signRequests,omitempty"`
	SignMetadata bool `json:"signMetadata,omitempty"`
	// Binding of requests; unset means redirect where the provider offers it.
	Binding RequestBinding `json:"binding,omitempty"`
	// ForceAuthn: people prove themselves anew for each sign-in, and the
	// assertion must say so.
	ForceAuthn bool `json:"forceAuthn,omitempty"`
	// AuthnContext is the class of authentication that is asked for, "" for any.
	// With an exact comparison the assertion must name it.
	AuthnContext           string     `json:"authnContext,omitempty"`
	AuthnContextComparison Comparison `json:"authnContextComparison,omitempty"`
	// NameIDFormat is asked for; empty leaves it to the provider.
	NameIDFormat string `json:"nameIdFormat,omitempty"`
}

// RequestBinding is how a SAML request travels.
type RequestBinding string

// The bindings of requests.
const (
	RedirectBinding RequestBinding = "redirect"
	PostBinding     RequestBinding = "post"
)

// Comparison says how a class of authentication compares with the one asked for.
type Comparison string

// The comparisons. The zero value is CompareExact.
const (
	CompareExact   Comparison = "exact"
	CompareMinimum Comparison = "minimum"
	CompareMaximum Comparison = "maximum"
	CompareBetter  Comparison = "better"
)

const transientFormat = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

// OIDCTrust is what is known of an OpenID provider.
type OIDCTrust struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientId"`
	// Secret is the client secret. Configure takes it in clear and stores it
	// sealed; read it with Directory.Unseal.
	Secret []byte `json:"secret,omitempty"`
	// ClientAuth is how this client proves itself to the token endpoint.
	ClientAuth ClientAuth `json:"clientAuth,omitempty"`
	// Scopes to ask for besides openid; nil: profile and email.
	Scopes []string `json:"scopes,omitempty"`
	// Skew is how far the two clocks may differ: zero means 60 s, at most 300 s.
	Skew time.Duration `json:"skew,omitempty"`
	// NoUserInfo: the userinfo endpoint is not asked for claims that the ID token
	// lacks.
	NoUserInfo bool `json:"noUserInfo,omitempty"`
	// Prompt, MaxAge and ACRValues say how people are to be asked. MaxAge, in
	// whole seconds, is also held against the answer; so are ACRValues, of which
	// the answer must name one.
	Prompt    Prompt        `json:"prompt,omitempty"`
	MaxAge    time.Duration `json:"maxAge,omitempty"`
	ACRValues []string      `json:"acrValues,omitempty"`
	// Require lists claims with the values that are let in: the token must have one
	// of each. It tells customers apart where one issuer serves many.
	Require map[string][]string `json:"require,omitempty"`
}

// everybodysIssuers speak for people of every customer; the claim tells whose
// somebody is.
func everybodysIssuers() map[string]string {
	return map[string]string{"https://accounts.google.com": "hd"}
}

// ClientAuth is a way of proving a client (OpenID Connect Core §9).
type ClientAuth string

// The ways. Unset means the secret, if there is one, where the provider takes
// it, and else nothing but PKCE.
const (
	SecretBasic   ClientAuth = "client_secret_basic"
	SecretPost    ClientAuth = "client_secret_post"
	PrivateKeyJWT ClientAuth = "private_key_jwt" // by a key of the connection's own: see OwnKeys
)

// Prompt is what the provider shall ask of people who are signed in there.
type Prompt string

// The prompts. Unset leaves it to the provider.
const (
	PromptLogin         Prompt = "login"
	PromptConsent       Prompt = "consent"
	PromptSelectAccount Prompt = "select_account"
)

// MaxSkew bounds how far the clocks of the two sides may differ.
const MaxSkew = 300 * time.Second

func (c *Connection) state() State {
	if c.State == "" {
		return ConnectionActive
	}
	return c.State
}

// mode of the door a channel comes through.
func (c *Connection) mode(ch Channel) Mode {
	m := c.Write.SCIM
	if ch == SSO {
		m = c.Write.SSO
	}
	if m == "" {
		return Off
	}
	return m
}

// Mode of one door: Off, Update or Create.
func (c *Connection) Mode(ch Channel) Mode { return c.mode(ch) }

func (c *Connection) matchKeys() []string {
	if c.Match == nil {
		return []string{UserName, Emails}
	}
	return c.Match
}

func (c *Connection) linkPolicy() LinkPolicy {
	if c.Link == "" {
		return LinkVerified
	}
	return c.Link
}

// GroupsSource is the policy with its default filled in.
func (c *Connection) GroupsSource() GroupSource {
	switch {
	case c.Groups.Source != "":
		return c.Groups.Source
	case c.mode(SCIM) != Off:
		return GroupsSCIM
	}
	return GroupsSSO
}

// groupsCount says whether groups that came by ch count for this connection.
func (c *Connection) groupsCount(ch Channel) bool {
	switch c.GroupsSource() {
	case GroupsBoth:
		return true
	case GroupsSCIM:
		return ch == SCIM
	case GroupsSSO:
		return ch == SSO
	}
	return false
}

// mapping of a target attribute; the zero Mapping when there is none.
func (c *Connection) mapping(to string) Mapping {
	for _, m := range c.Map {
		if m.To == to {
			return m
		}
	}
	return Mapping{To: to}
}

// speaksFor says whether the address lies in one of the connection's domains.
func (c *Connection) speaksFor(address string) bool {
	domain := emailDomain(address)
	return domain != "" && slices.ContainsFunc(c.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// admits says whether the connection may create a user with this address.
func (c *Connection) admits(address string) bool {
	return len(c.Domains) == 0 || c.speaksFor(address) ||
		slices.ContainsFunc(c.Guests, func(g string) bool { return NormalEmail(g) == NormalEmail(address) })
}

// subjectIsName: the subject is a name that passes from person to person, so it
// neither revives a tombstone nor lifts a lock.
func (c *Connection) subjectIsName() bool {
	return c.scimSubject() == UserName || c.Subject.Same && c.Subject.Mutable
}

// scimSubject is the attribute whose value is the SCIM identity, "" for the
// resource id.
func (c *Connection) scimSubject() string {
	if c.Subject.SCIM == "id" {
		return ""
	}
	return c.Subject.SCIM
}
