package applyfile

import (
	"muster/cmd/muster/yamlfile"
	"muster/directory"
)

func (r *reading) org(n yamlfile.Node) {
	var setup directory.Setup
	org := &setup.Org
	var tokens []yamlfile.Node
	n.Mapping(yamlfile.Shape{
		"id":         yamlfile.Text(&org.ID),
		"name":       yamlfile.Text(&org.Name),
		"attributes": func(n yamlfile.Node) { org.Attributes = attributePolicies(n) },
		"defaults":   func(n yamlfile.Node) { org.Defaults = defaults(n) },
		"rules":      yamlfile.Each(func(n yamlfile.Node) { org.Rules = append(org.Rules, rule(n)) }),
		"protected":  protection(&org.Protected),
		"retention":  yamlfile.Duration(&org.Retention),
		"sessions": func(n yamlfile.Node) {
			n.Mapping(yamlfile.Shape{"idle": yamlfile.Duration(&org.Sessions.Idle), "lifetime": yamlfile.Duration(&org.Sessions.Lifetime)})
		},
		"return_origins": yamlfile.Texts(&org.ReturnOrigins),
		"app_tokens":     func(n yamlfile.Node) { tokens = n.List() },
		"connections":    yamlfile.Each(func(n yamlfile.Node) { setup.Connections = append(setup.Connections, r.connection(n)) }),
	})
	n.Require("id")
	for i := range setup.Connections {
		setup.Connections[i].Org = org.ID
	}
	for i := range r.file.Tokens {
		if t := &r.file.Tokens[i].Record; t.Org == "" {
			t.Org = org.ID
		}
	}
	for _, token := range tokens {
		r.token(token, directory.Token{Org: org.ID, Kind: directory.AppToken})
	}
	for i := range setup.Connections {
		if reason := r.overrides[setup.Connections[i].ID]; reason != "" {
			if setup.Override == nil {
				setup.Override = map[string]string{}
			}
			setup.Override[setup.Connections[i].ID] = reason
		}
	}
	r.file.Setups = append(r.file.Setups, setup)
}

func attributePolicies(n yamlfile.Node) map[string]directory.AttributePolicy {
	policies := map[string]directory.AttributePolicy{}
	for _, pair := range n.Pairs() {
		name := directory.CanonicalName(pair.Key)
		if _, twice := policies[name]; twice {
			pair.Value.Fault("the attribute " + name + " is described twice")
		}
		policies[name] = attributePolicy(pair.Value)
	}
	return policies
}

func attributePolicy(n yamlfile.Node) directory.AttributePolicy {
	var p directory.AttributePolicy
	if n.IsNull() {
		return p
	}
	n.Mapping(yamlfile.Shape{
		"type": yamlfile.OneOf(&p.Type, directory.String, directory.Boolean, directory.Integer, directory.Decimal,
			directory.DateTime, directory.Reference, directory.Binary),
		"multi":    yamlfile.Bool(&p.Multi),
		"required": yamlfile.OneOf(&p.Required, directory.RequiredNo, directory.RequiredCreate, directory.RequiredAlways),
		"values":   yamlfile.Texts(&p.Values),
		"unique":   yamlfile.Bool(&p.Unique),
		"key":      yamlfile.Text(&p.Key),
		"resolve":  yamlfile.OneOf(&p.Resolve, directory.First, directory.Union, directory.All),
		"sources":  yamlfile.Some(&p.Sources, directory.DefaultSources()...),
	})
	return p
}

// defaults reads {attribute: value} and {attribute: {value: value, door: sso}}.
func defaults(n yamlfile.Node) []directory.Default {
	var list []directory.Default
	for _, pair := range n.Pairs() {
		d := directory.Default{Attribute: directory.CanonicalName(pair.Key)}
		if pair.Value.Has("door") {
			pair.Value.Mapping(yamlfile.Shape{"value": value(&d.Value), "door": door(&d.Door)})
			pair.Value.Require("value")
		} else {
			value(&d.Value)(pair.Value)
		}
		list = append(list, d)
	}
	return list
}

// door reads which door a default is for; any is the zero value.
func door(to *directory.Channel) yamlfile.Reader {
	const either = directory.Channel("any")
	return func(n yamlfile.Node) {
		yamlfile.OneOf(to, either, directory.SSO, directory.SCIM)(n)
		if *to == either {
			*to = ""
		}
	}
}

func rule(n yamlfile.Node) directory.Rule {
	var rule directory.Rule
	n.Mapping(yamlfile.Shape{
		"name": yamlfile.Text(&rule.Name),
		"when": yamlfile.Text(&rule.When),
		"deny": yamlfile.Bool(&rule.Deny),
		"max":  yamlfile.Integer(&rule.Max),
		"full": yamlfile.OneOf(&rule.Full, directory.FullNext, directory.FullDeny),
		"set": func(n yamlfile.Node) {
			for _, pair := range n.Pairs() {
				var v directory.Value
				value(&v)(pair.Value)
				rule.Set.Set(directory.CanonicalName(pair.Key), v)
			}
		},
	})
	if n.IsMapping() && !n.Has("set") && !rule.Deny {
		n.Fault("a rule either sets values or denies", "set", "deny")
	}
	return rule
}

func protection(to *directory.Protection) yamlfile.Reader {
	return func(n yamlfile.Node) {
		n.Mapping(yamlfile.Shape{"users": yamlfile.Texts(&to.Users), "roles": yamlfile.Texts(&to.Roles)})
	}
}

// value reads a scalar, an element with named fields, or a list of either.
func value(to *directory.Value) yamlfile.Reader {
	return func(n yamlfile.Node) {
		elements := []yamlfile.Node{n}
		if n.IsList() {
			elements = n.List()
		}
		*to = directory.Value{}
		for _, e := range elements {
			*to = append(*to, element(e)...)
		}
	}
}

func element(n yamlfile.Node) directory.Value {
	if !n.IsMapping() {
		var text string
		yamlfile.Text(&text)(n)
		return directory.Text(text)
	}
	var fields []directory.Field
	for _, pair := range n.Pairs() {
		field := directory.Field{Name: pair.Key}
		yamlfile.Text(&field.Text)(pair.Value)
		fields = append(fields, field)
	}
	if e := directory.NewElement(fields...); len(e) > 0 {
		return directory.Value{e}
	}
	return directory.Value{}
}
