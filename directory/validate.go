package directory

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"muster/directory/filter"
)

// slug is what ids of organisations and connections look like: they stand in
// URLs, in keys and in front of colons.
var slug = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$`)

// attributeName is what custom attributes may be called (RFC 7643 §2.1).
var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// reservedNames would hide something SCIM has already.
var reservedNames = []string{"id", "meta", "schemas", "password", "name", Members, "externalid"}

// maxRules and maxListed bound a configuration.
const (
	maxRules    = 1000
	maxListed   = 10_000
	maxDiagnose = 24 * time.Hour
)

// faults collects what is wrong with a setup.
type faults []Fault

func (f *faults) add(path, format string, args ...any) {
	*f = append(*f, Fault{Path: path, Detail: fmt.Sprintf(format, args...)})
}

// oneOf notes a value that is none of the allowed ones.
func oneOf[T ~string](f *faults, path string, value T, allowed ...T) {
	if slices.Contains(allowed, value) || value == "" {
		return
	}
	list := make([]string, len(allowed))
	for i, a := range allowed {
		list[i] = string(a)
	}
	*f = append(*f, Fault{path, fmt.Sprintf("%q is not allowed", value), list})
}

// checkSetup holds a wanted state against everything that needs no store.
func checkSetup(s *Setup, now time.Time) []Fault {
	var f faults
	o := &s.Org
	if !slug.MatchString(o.ID) {
		f.add("id", "%q is no id: lower-case letters, digits, dot, dash and underscore, at most 63", o.ID)
	}
	if o.Retention < 0 {
		f.add("retention", "is negative")
	}
	f.sessions(o)
	p, _ := compilePolicy(o, nil)
	f.attributes(o, p)
	f.rules(o, p)
	f.defaults(o, p)
	f.protected(o)
	seen := map[string]bool{}
	for i := range s.Connections {
		c := &s.Connections[i]
		sub := faults{}
		if seen[c.ID] {
			sub.add("id", "%q is there twice", c.ID)
		}
		seen[c.ID] = true
		sub.connection(c, p)
		if c.DiagnoseUntil.After(now.Add(maxDiagnose)) {
			sub.add("diagnose_until", "is more than %s ahead", maxDiagnose)
		}
		f = append(f, prefixed(fmt.Sprintf("connections[%d]", i), sub)...)
	}
	return f
}

func (f *faults) sessions(o *Org) {
	if o.Sessions.Idle < 0 || o.Sessions.Idle > maxLifetime {
		f.add("sessions.idle", "is between 0 and %s", maxLifetime)
	}
	if o.Sessions.Lifetime < 0 || o.Sessions.Lifetime > maxLifetime {
		f.add("sessions.lifetime", "is between 0 and %s", maxLifetime)
	}
	for i, origin := range o.ReturnOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
			f.add(fmt.Sprintf("return_origins[%d]", i), "%q is no origin such as https://app.example; http is for loopback addresses only", origin)
		}
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

func (f *faults) attributes(o *Org, p *Policy) {
	builtin := Definitions()
	lower := map[string]string{}
	for name := range builtin {
		lower[strings.ToLower(name)] = name
	}
	for _, name := range slices.Sorted(maps.Keys(o.Attributes)) {
		a, path := o.Attributes[name], "attributes."+name
		def, known := builtin[name]
		switch other := lower[strings.ToLower(name)]; {
		case known && a.Type != "" && a.Type != def.Type && !(def.Multi && a.Type == String):
			f.add(path+".type", "%s is of type %s", name, def.Type)
		case name == Groups && !equalJSON(a, AttributePolicy{Resolve: Union}) || name == Active && !equalJSON(a, AttributePolicy{Resolve: All}):
			f.add(path, "%s has a rule of its own and takes no policy", name)
		case known:
		case name == Groups:
		case other != "":
			f.add(path, "differs only in case from %s", other)
		case !attributeName.MatchString(name) || slices.Contains(reservedNames, strings.ToLower(name)):
			f.add(path, "%q cannot be an attribute's name: a letter, then letters, digits, - and _, at most 64, and none of %s",
				name, strings.Join(reservedNames, ", "))
		default:
			lower[strings.ToLower(name)] = name
		}
		f.attribute(path, name, a, p)
	}
}

func (f *faults) attribute(path, name string, a AttributePolicy, p *Policy) {
	oneOf(f, path+".type", a.Type, String, Boolean, Integer, Decimal, DateTime, Reference, Binary)
	oneOf(f, path+".required", a.Required, RequiredNo, RequiredCreate, RequiredAlways)
	resolves := []Resolve{First, Union}
	if name == Active {
		resolves = []Resolve{All}
	}
	oneOf(f, path+".resolve", a.Resolve, resolves...)
	for i, ch := range a.Sources {
		oneOf(f, fmt.Sprintf("%s.sources[%d]", path, i), ch, DefaultSources()...)
		if slices.Contains(a.Sources[:i], ch) {
			f.add(fmt.Sprintf("%s.sources[%d]", path, i), "%s is there twice", ch)
		}
	}
	def := p.schema[name]
	def.Multi = def.Multi || name == Groups
	if name == UserName && a.Required == RequiredNo {
		f.add(path+".required", "userName is always required")
	}
	if (a.Resolve == Union || a.Key != "") && !def.Multi {
		f.add(path+".resolve", "only an attribute with several values can be united")
	}
	if _, ok := def.Fields[a.Key]; a.Key != "" && def.Multi && !ok {
		*f = append(*f, Fault{path + ".key", fmt.Sprintf("%s has no field %q", name, a.Key), slices.Sorted(maps.Keys(def.Fields))})
	}
	if len(a.Values) > maxListed {
		f.add(path+".values", "lists %d values; at most %d", len(a.Values), maxListed)
	}
}

func (f *faults) rules(o *Org, p *Policy) {
	if len(o.Rules) > maxRules {
		f.add("rules", "there are %d; at most %d", len(o.Rules), maxRules)
		return
	}
	for i, r := range o.Rules {
		path := rulePath(i)
		if r.Deny == (len(r.Set) > 0) {
			f.add(path, "a rule has either set or deny: true")
		}
		f.seats(o, i)
		for _, a := range r.Set {
			f.value(path+".set."+a.Name, a.Name, a.Value, p)
		}
		if len(r.When) > filter.MaxBytes {
			f.add(path+".when", "is longer than %d bytes", filter.MaxBytes)
		}
	}
	_, bad := compilePolicy(o, nil)
	*f = append(*f, bad...)
}

// seats: what counts by its name needs one of its own.
func (f *faults) seats(o *Org, i int) {
	r, path := o.Rules[i], rulePath(i)
	oneOf(f, path+".full", r.Full, FullNext, FullDeny)
	switch {
	case r.Max < 0 || r.Max == 0 && r.Full != "":
		f.add(path+".max", "is the number of users the rule serves, at least 1")
	case r.Max == 0:
	case r.Deny:
		f.add(path+".max", "a deny rule serves nobody")
	case r.Name == "" || len(r.Name) > maxName || strings.Contains(r.Name, "\x00") ||
		slices.ContainsFunc(o.Rules[:i], func(x Rule) bool { return x.Name == r.Name }):
		f.add(path+".name", "a rule with max has a name that no other rule has")
	}
}

// value notes a value that the attribute cannot hold.
func (f *faults) value(path, name string, v Value, p *Policy) {
	d, ok := p.schema[name]
	switch {
	case !ok:
		*f = append(*f, Fault{path, fmt.Sprintf("%q is no attribute of the organisation", name), slices.Sorted(maps.Keys(p.schema))})
		return
	case name == UserName || name == Active || name == ExternalID:
		f.add(path, "%s is never given by a rule or default", name)
		return
	case p.Org.Attributes[name].Unique:
		f.add(path, "%s is unique, so no rule, default or constant can give it to everybody", name)
		return
	case len(v) == 0:
		f.add(path, "has no value")
		return
	}
	if err := d.Check(v); err != nil {
		f.add(path, "%s", err.(*Refusal).Detail)
	}
	if list := p.Org.Attributes[name].Values; len(list) > 0 {
		for _, e := range v {
			if !slices.Contains(list, e.Field("value")) {
				*f = append(*f, Fault{path, fmt.Sprintf("%q is not an allowed value of %s", e.Field("value"), name), list})
			}
		}
	}
}

func (f *faults) defaults(o *Org, p *Policy) {
	for _, d := range o.Defaults {
		path := "defaults." + d.Attribute
		f.value(path, d.Attribute, d.Value, p)
		oneOf(f, path+".door", d.Door, SCIM, SSO)
	}
}

func (f *faults) protected(o *Org) {
	if len(o.Protected.Users) > maxListed || len(o.Protected.Roles) > maxListed {
		f.add("protected", "lists more than %d users or roles", maxListed)
	}
}

func (f *faults) connection(c *Connection, p *Policy) {
	if !slug.MatchString(c.ID) {
		f.add("id", "%q is no id: lower-case letters, digits, dot, dash and underscore, at most 63", c.ID)
	}
	oneOf(f, "state", c.State, ConnectionActive, Paused, Retired)
	oneOf(f, "write.scim", c.Write.SCIM, Off, Update, Create)
	oneOf(f, "write.sso", c.Write.SSO, Off, Update, Create)
	oneOf(f, "subject.scim", c.Subject.SCIM, ExternalID, UserName, "id")
	oneOf(f, "link", c.Link, LinkNever, LinkVerified, LinkConfirm, LinkAlways)
	oneOf(f, "groups.source", c.Groups.Source, GroupsSCIM, GroupsSSO, GroupsBoth, GroupsOff)
	oneOf(f, "groups.absent", c.Groups.Absent, Keep, Clear)
	if c.Subject.Same && c.scimSubject() == "" {
		f.add("subject", "both channels can carry one value only if subject.scim is externalId or userName")
	}
	if c.mode(SSO) != Off && c.SAML == nil && c.OIDC == nil {
		f.add("write.sso", "single sign-on must be configured (saml or oidc) before it can write")
	}
	for i, d := range c.Domains {
		if emailDomain("x@"+d) == "" || strings.ContainsAny(d, "@ *") || !strings.Contains(d, ".") {
			f.add(fmt.Sprintf("domains[%d]", i), "%q is no domain", d)
		}
	}
	for i, k := range c.Match {
		if k != UserName && k != Emails && !p.Org.Attributes[k].Unique {
			f.add(fmt.Sprintf("match[%d]", i), "%q cannot be matched: only userName, emails and attributes with unique: true", k)
		}
	}
	if c.StaleAfter != 0 && c.StaleAfter < useGrain {
		f.add("stale_after", "is at least %s", useGrain)
	}
	f.mappings(c, p)
	f.guard(c.Guard)
	if c.SAML != nil && c.OIDC != nil {
		f.add("oidc", "a connection has one identity provider, by saml or by oidc; make a second connection")
	}
	if c.OIDC != nil {
		f.oidc(c.OIDC)
	}
	if c.SAML != nil {
		f.saml(c)
	}
}

// maxWords bounds each list of what is asked for.
const maxWords = 50

// oneWord is what one word of a list separated by blanks may be (RFC 6749 §3.3).
var oneWord = regexp.MustCompile(`^[!#-\[\]-~]{1,200}$`)

func (f *faults) saml(c *Connection) {
	trust := c.SAML
	oneOf(f, "saml.binding", trust.Binding, RedirectBinding, PostBinding)
	oneOf(f, "saml.authn_context_comparison", trust.AuthnContextComparison, CompareExact, CompareMinimum, CompareMaximum, CompareBetter)
	if trust.AuthnContextComparison != "" && trust.AuthnContext == "" {
		f.add("saml.authn_context_comparison", "compares with nothing: authn_context is not set")
	}
	if trust.Skew < 0 || trust.Skew > MaxSkew {
		f.add("saml.skew", "is between 0 and %s", MaxSkew)
	}
	named := len(c.Subject.SSO) == 0 || slices.Contains(c.Subject.SSO, "NameID")
	if trust.NameIDFormat == transientFormat && named {
		f.add("saml.name_id_format", "a transient NameID changes at each sign-in and identifies nobody; name an attribute in subject.sso")
	}
}

func (f *faults) oidc(t *OIDCTrust) {
	oneOf(f, "oidc.client_auth", t.ClientAuth, SecretBasic, SecretPost, PrivateKeyJWT)
	oneOf(f, "oidc.prompt", t.Prompt, PromptLogin, PromptConsent, PromptSelectAccount)
	switch secret := len(t.Secret) > 0; {
	case t.ClientAuth == PrivateKeyJWT && secret:
		f.add("oidc.client_auth", "a client that signs has no secret")
	case (t.ClientAuth == SecretBasic || t.ClientAuth == SecretPost) && !secret:
		f.add("oidc.client_auth", "the secret is missing")
	}
	if t.Skew < 0 || t.Skew > MaxSkew {
		f.add("oidc.skew", "is at most %s", MaxSkew)
	}
	if t.MaxAge < 0 || t.MaxAge%time.Second != 0 {
		f.add("oidc.max_age", "is in whole seconds")
	}
	for _, name := range slices.Sorted(maps.Keys(t.Require)) {
		if len(t.Require[name]) == 0 || len(t.Require[name]) > maxListed {
			f.add("oidc.require."+name, "lists no values that are let in, or more than %d", maxListed)
		}
	}
	if claim := everybodysIssuers()[t.Issuer]; claim != "" && t.Require[claim] == nil {
		f.add("oidc.require", "%s speaks for people of every customer: name the customer's own in require.%s", t.Issuer, claim)
	}
	f.words("oidc.scopes", t.Scopes)
	f.words("oidc.acr_values", t.ACRValues)
}

// words notes what does not fit into a list separated by blanks.
func (f *faults) words(path string, list []string) {
	if len(list) > maxWords || slices.ContainsFunc(list, func(word string) bool { return !oneWord.MatchString(word) }) {
		f.add(path, "is at most %d words without blanks", maxWords)
	}
}

func (f *faults) mappings(c *Connection, p *Policy) {
	for i, m := range c.Map {
		path := fmt.Sprintf("map[%d]", i)
		oneOf(f, path+".when", m.When, MapAlways, MapCreate)
		oneOf(f, path+".absent", m.Absent, Keep, Clear)
		oneOf(f, path+".invalid", m.Invalid, Ignore, Reject)
		oneOf(f, path+".multi", m.Multi, Replace, Add)
		d, ok := p.target(m.To)
		switch {
		case !ok || m.To == Active || m.To == ExternalID:
			*f = append(*f, Fault{path + ".to", fmt.Sprintf("%q is no attribute that a sign-in can supply", m.To), slices.Sorted(maps.Keys(p.schema))})
		case m.Multi == Add && !d.Multi:
			f.add(path+".multi", "%s has one value", m.To)
		}
		if slices.ContainsFunc(c.Map[:i], func(x Mapping) bool { return x.To == m.To }) {
			f.add(path+".to", "%s is mapped twice", m.To)
		}
		if m.Const != "" && ok && d.Name == m.To {
			f.value(path+".const", m.To, Text(m.Const), p)
		}
	}
}

// target is the attribute that a mapping feeds: its name, or name.field for
// one field of a complex attribute.
func (p *Policy) target(to string) (Definition, bool) {
	if d, ok := p.schema[to]; ok {
		return d, true
	}
	base, field, _ := cutLast(to, ".")
	d, ok := p.schema[base]
	_, known := d.Fields[field]
	return d, ok && known
}

func (f *faults) guard(g Guard) {
	if g.Share < 0 || g.Share > 1 {
		f.add("guard.share", "is a share between 0 and 1")
	}
	if g.Min < 0 {
		f.add("guard.min", "is negative")
	}
	if g.Per < 0 {
		f.add("guard.per", "is negative")
	}
}
