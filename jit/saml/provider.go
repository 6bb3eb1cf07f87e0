package saml

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"
)

// DefaultSkew and MaxSkew bound how far the clocks of the two sides may differ.
const (
	DefaultSkew = 60 * time.Second
	MaxSkew     = 300 * time.Second
)

// MaxAge is how long after it was issued a response or an assertion is accepted, clock skew apart, however long it
// says it is valid: a sign-in is posted the moment it is made.
const MaxAge = 5 * time.Minute

// ServiceProvider is this side of one connection. Its zero options are the strict ones. EntityID, ACSURL and IdP must
// be set; it must not be changed while in use.
type ServiceProvider struct {
	EntityID string
	ACSURL   string // where assertions are posted; compared as a string with what the assertion says
	IdP      *Metadata

	// AllowIDPInitiated lets responses in that answer no request, if Expect.Unsolicited is set too. They are open to
	// login CSRF.
	AllowIDPInitiated bool
	// InsecureAllowSHA1 accepts SHA-1 in signatures and digests.
	InsecureAllowSHA1 bool
	// Skew is the tolerated clock difference: zero means DefaultSkew, negative none, more than MaxSkew is MaxSkew.
	Skew time.Duration

	// Key opens encrypted assertions and signs requests; nil does neither. Others are published and open, too, and sign
	// nothing: they are to take Key's place, or had it before.
	Key    *KeyPair
	Others []*KeyPair
	// SignRequests signs authentication requests with Key, RSA-SHA256, SignMetadata the own metadata.
	SignRequests, SignMetadata bool

	Now   func() time.Time // nil: time.Now
	NewID func() string    // an unguessable NCName per request; nil: 160 random bits
}

// keys are those there are, the one in use first.
func (sp *ServiceProvider) keys() []*KeyPair {
	if sp.Key == nil {
		return nil
	}
	return append([]*KeyPair{sp.Key}, sp.Others...)
}

func (sp *ServiceProvider) now() time.Time {
	if sp.Now == nil {
		return time.Now().UTC()
	}
	return sp.Now().UTC()
}

func (sp *ServiceProvider) newID() string {
	if sp.NewID == nil {
		return "id-" + strings.ToLower(rand.Text()+rand.Text()[:6])
	}
	return sp.NewID()
}

func (sp *ServiceProvider) skew() time.Duration {
	if sp.Skew == 0 {
		return DefaultSkew
	}
	return min(max(sp.Skew, 0), MaxSkew)
}

// configured checks what would otherwise make every sign-in fail in a puzzling way, or succeed in a wrong one.
func (sp *ServiceProvider) configured() error {
	if err := sp.configuredAlone(); err != nil {
		return err
	}
	if sp.IdP == nil || sp.IdP.EntityID == "" || len(sp.IdP.Certificates) == 0 {
		return refuse(ReasonMisconfigured, "no identity provider metadata")
	}
	return nil
}

// configuredAlone checks what this side needs before it knows the other.
func (sp *ServiceProvider) configuredAlone() error {
	acs, err := url.Parse(sp.ACSURL)
	switch {
	case sp.EntityID == "":
		return refuse(ReasonMisconfigured, "no entity ID of our own")
	case err != nil || acs.Host == "" || acs.String() != sp.ACSURL:
		return refuse(ReasonMisconfigured, "the ACS URL %q is no URL in canonical form", sp.ACSURL)
	case slices.ContainsFunc(sp.keys(), func(k *KeyPair) bool { return k == nil || k.Private == nil || k.Certificate == nil }):
		return refuse(ReasonMisconfigured, "a key without its certificate, or the reverse")
	case (sp.SignRequests || sp.SignMetadata) && sp.Key == nil:
		return refuse(ReasonMisconfigured, "requests or metadata are to be signed but there is no key")
	}
	return nil
}
