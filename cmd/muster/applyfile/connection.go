package applyfile

import (
	"fmt"
	"strings"

	"muster/cmd/muster/yamlfile"
	"muster/directory"
	"muster/jit"
)

func (r *reading) connection(n yamlfile.Node) directory.Connection {
	var c directory.Connection
	var tokens []yamlfile.Node
	var override string
	n.Mapping(yamlfile.Shape{
		"id":             yamlfile.Text(&c.ID),
		"preset":         yamlfile.OneOf(&c.Preset, jit.Presets()...),
		"state":          yamlfile.OneOf(&c.State, directory.ConnectionActive, directory.Paused, directory.Retired),
		"write":          write(&c.Write),
		"domains":        eachText(func(n yamlfile.Node, entry string) { r.domain(&c, n, entry) }),
		"guests":         eachText(func(n yamlfile.Node, entry string) { r.guest(&c, n, entry) }),
		"subject":        subject(&c.Subject),
		"match":          match(&c.Match),
		"link":           yamlfile.OneOf(&c.Link, directory.LinkNever, directory.LinkVerified, directory.LinkConfirm, directory.LinkAlways),
		"map":            yamlfile.Each(func(n yamlfile.Node) { c.Map = append(c.Map, mapping(n)) }),
		"groups":         groups(&c.Groups),
		"guard":          guard(&c.Guard),
		"welcome":        yamlfile.Bool(&c.Welcome),
		"stale_after":    yamlfile.Duration(&c.StaleAfter),
		"diagnose_until": yamlfile.Time(&c.DiagnoseUntil),
		"saml":           func(n yamlfile.Node) { c.SAML = r.saml(n) },
		"oidc":           func(n yamlfile.Node) { c.OIDC = r.oidc(n) },
		"override_test":  yamlfile.Text(&override),
		"scim_tokens":    func(n yamlfile.Node) { tokens = n.List() },
	})
	n.Require("id")
	if override != "" {
		r.overrides[c.ID] = override
	}
	for _, token := range tokens {
		r.token(token, directory.Token{Connection: c.ID, Kind: directory.SCIMToken})
	}
	if err := jit.Fill(&c); err != nil {
		n.Fault(err.Error())
	}
	return c
}

// write reads {scim, sso}, each a rung of the same ladder.
func write(to *directory.Write) yamlfile.Reader {
	ladder := []directory.Mode{directory.Off, directory.Update, directory.Create}
	return func(n yamlfile.Node) {
		n.Mapping(yamlfile.Shape{"scim": yamlfile.OneOf(&to.SCIM, ladder...), "sso": yamlfile.OneOf(&to.SSO, ladder...)})
	}
}

// domain takes one entry of domains: a domain in its comparable form, or a guest's address.
func (r *reading) domain(c *directory.Connection, n yamlfile.Node, entry string) {
	if strings.Contains(entry, "@") {
		r.guest(c, n, entry)
		return
	}
	_, domain, _ := strings.Cut(directory.NormalEmail("x@"+entry), "@")
	if r.valid.Var(domain, "hostname_rfc1123") != nil {
		n.Fault(fmt.Sprintf("%q is neither a domain nor an e-mail address", entry))
		return
	}
	c.Domains = append(c.Domains, domain)
}

func (r *reading) guest(c *directory.Connection, n yamlfile.Node, address string) {
	if r.valid.Var(address, "email") != nil {
		n.Fault(fmt.Sprintf("%q is no e-mail address", address))
		return
	}
	c.Guests = append(c.Guests, address)
}

// eachText reads a list of texts, or a single one.
func eachText(read func(n yamlfile.Node, entry string)) yamlfile.Reader {
	return func(n yamlfile.Node) {
		elements := []yamlfile.Node{n}
		if n.IsList() {
			elements = n.List()
		}
		for _, e := range elements {
			var entry string
			yamlfile.Text(&entry)(e)
			if entry != "" {
				read(e, entry)
			}
		}
	}
}

// subject reads which value is the identity on each channel.
func subject(to *directory.Subjects) yamlfile.Reader {
	return func(n yamlfile.Node) {
		n.Mapping(yamlfile.Shape{
			"scim":         yamlfile.OneOf(&to.SCIM, directory.ExternalID, directory.UserName, "id"),
			"sso":          yamlfile.Texts(&to.SSO),
			"same":         yamlfile.Bool(&to.Same),
			"mutable":      yamlfile.Bool(&to.Mutable),
			"former":       yamlfile.Texts(&to.Former),
			"former_until": yamlfile.Time(&to.FormerUntil),
		})
		if (len(to.Former) > 0) == to.FormerUntil.IsZero() {
			n.Fault("former names the earlier subject, former_until the end of the window in which it moves links; they go together")
		}
	}
}

func match(to *[]string) yamlfile.Reader {
	return func(n yamlfile.Node) {
		yamlfile.Texts(to)(n)
		for i, name := range *to {
			(*to)[i] = directory.CanonicalName(name)
		}
	}
}

func mapping(n yamlfile.Node) directory.Mapping {
	var m directory.Mapping
	n.Mapping(yamlfile.Shape{
		"to":      yamlfile.Text(&m.To),
		"from":    yamlfile.Texts(&m.From),
		"const":   yamlfile.Text(&m.Const),
		"when":    yamlfile.OneOf(&m.When, directory.MapAlways, directory.MapCreate),
		"absent":  yamlfile.OneOf(&m.Absent, directory.Keep, directory.Clear),
		"invalid": yamlfile.OneOf(&m.Invalid, directory.Ignore, directory.Reject),
		"multi":   yamlfile.OneOf(&m.Multi, directory.Replace, directory.Add),
		"split":   yamlfile.Text(&m.Split),
	})
	n.Require("to")
	m.To = directory.CanonicalName(m.To)
	if m.Const != "" && len(m.From) > 0 {
		n.Fault("an attribute comes from the assertion or is constant, not both", "from", "const")
	}
	return m
}

// groups reads {source, from, split, absent}, or the source alone.
func groups(to *directory.GroupPolicy) yamlfile.Reader {
	source := yamlfile.OneOf(&to.Source, directory.GroupsSCIM, directory.GroupsSSO, directory.GroupsBoth, directory.GroupsOff)
	return func(n yamlfile.Node) {
		if !n.IsMapping() {
			source(n)
			return
		}
		n.Mapping(yamlfile.Shape{
			"source": source,
			"from":   yamlfile.Texts(&to.From),
			"split":  yamlfile.Text(&to.Split),
			"absent": yamlfile.OneOf(&to.Absent, directory.Keep, directory.Clear),
		})
	}
}

// guard reads {share, min, per}, or off.
func guard(to *directory.Guard) yamlfile.Reader {
	return func(n yamlfile.Node) {
		if !n.IsMapping() {
			var word string
			yamlfile.OneOf(&word, "off")(n)
			to.Off = word == "off"
			return
		}
		n.Mapping(yamlfile.Shape{
			"share": yamlfile.Share(&to.Share),
			"min":   yamlfile.Integer(&to.Min),
			"per":   yamlfile.Duration(&to.Per),
		})
	}
}
