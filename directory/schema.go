package directory

import (
	"slices"
	"strings"
	"time"

	"muster/directory/filter"
)

// userSchema resolves the names of a filter over users: SCIM paths in any
// case, and for rules the directory's short names. In its spelling the URI is
// empty, the name is the directory's and a simple attribute has no sub.
type userSchema struct {
	names map[string]Definition // by lower-cased name, with and without URN
	rules bool                  // groups compares names instead of ids
}

func newUserSchema(p *Policy, rules bool) userSchema {
	s := userSchema{names: map[string]Definition{}, rules: rules}
	for name, d := range p.schema {
		if name == License && !rules || rules && (name == Active || name == ExternalID) {
			continue // a licence is served as an entitlement; rules look at what resolves
		}
		s.names[strings.ToLower(name)] = d
		switch d.Origin {
		case Core:
			s.names[strings.ToLower(coreURN+name)] = d
		case Enterprise:
			s.names[strings.ToLower(enterpriseURN+name)] = d
		case Custom:
			s.names[strings.ToLower(p.SchemaURN()+":"+name)] = d
		}
	}
	if rules {
		for short, name := range aliases {
			if d, ok := p.schema[name]; ok && s.names[strings.ToLower(short)].Name == "" {
				s.names[strings.ToLower(short)] = d
			}
		}
	}
	return s
}

// Attribute implements filter.Schema.
func (s userSchema) Attribute(uri, name, sub string) (filter.Attribute, bool) {
	if a, ok := metaAttribute(uri, name, sub); ok {
		return a, !s.rules
	}
	if strings.EqualFold(name, "name") && sub == "" && (uri == "" || strings.EqualFold(uri+":", coreURN)) {
		return filter.Attribute{Name: "name", Kind: filter.KindComplex}, true
	}
	if strings.EqualFold(name, "schemas") && sub == "" && uri == "" && !s.rules {
		return filter.Attribute{Name: "schemas", Kind: filter.KindReference}, true
	}
	if strings.EqualFold(name, Groups) && (uri == "" || strings.EqualFold(uri+":", coreURN)) {
		return s.groups(sub)
	}
	if uri != "" {
		name = uri + ":" + name
	}
	if d, ok := s.names[strings.ToLower(name)]; ok {
		return d.filterAttribute(sub)
	}
	if d, ok := s.names[strings.ToLower(name+"."+sub)]; ok && sub != "" {
		return d.filterAttribute("")
	}
	return filter.Attribute{}, false
}

// groups are ids with names to SCIM, and names alone to rules.
func (s userSchema) groups(sub string) (filter.Attribute, bool) {
	switch strings.ToLower(sub) {
	case "", "value":
		if s.rules {
			return filter.Attribute{Name: Groups, Sub: "display", CaseExact: true, Fold: NormalGroup}, true
		}
		return filter.Attribute{Name: Groups, Sub: "value", Fold: strings.ToLower}, true
	case "display":
		return filter.Attribute{Name: Groups, Sub: "display", CaseExact: s.rules, Fold: s.groupFold()}, true
	case "type":
		return filter.Attribute{Name: Groups, Sub: "type"}, true
	}
	return filter.Attribute{}, false
}

func (s userSchema) groupFold() func(string) string {
	if s.rules {
		return NormalGroup
	}
	return nil
}

// metaAttribute resolves what every resource has.
func metaAttribute(uri, name, sub string) (filter.Attribute, bool) {
	if uri != "" && !strings.HasPrefix(strings.ToLower(coreURN), strings.ToLower(uri)) {
		return filter.Attribute{}, false
	}
	switch {
	case strings.EqualFold(name, "id") && sub == "":
		return filter.Attribute{Name: "id", Fold: strings.ToLower}, true
	case strings.EqualFold(name, "meta"):
		switch strings.ToLower(sub) {
		case "":
			return filter.Attribute{Name: "meta", Kind: filter.KindComplex}, true
		case "version":
			return filter.Attribute{Name: "meta", Sub: "version", CaseExact: true}, true
		case "created":
			return filter.Attribute{Name: "meta", Sub: "created", Kind: filter.KindDateTime}, true
		case "lastmodified":
			return filter.Attribute{Name: "meta", Sub: "lastModified", Kind: filter.KindDateTime}, true
		case "resourcetype":
			return filter.Attribute{Name: "meta", Sub: "resourceType", CaseExact: true}, true
		}
	}
	return filter.Attribute{}, false
}

// filterAttribute is one field of a definition; "" means the value.
func (d Definition) filterAttribute(sub string) (filter.Attribute, bool) {
	if d.Fields == nil {
		return filter.Attribute{Name: d.Name, Kind: d.Type.kind(), CaseExact: d.Exact, Fold: foldOf(d)},
			sub == "" || strings.EqualFold(sub, "value")
	}
	if _, ok := d.Fields["value"]; sub == "" && ok {
		sub = "value"
	} else if sub == "" {
		return filter.Attribute{Name: d.Name, Kind: filter.KindComplex}, true
	}
	for name, t := range d.Fields {
		if strings.EqualFold(name, sub) {
			a := filter.Attribute{Name: d.Name, Sub: name, Kind: t.kind()}
			if name == "value" {
				a.Fold = foldOf(d)
			}
			return a, true
		}
	}
	return filter.Attribute{}, false
}

// foldOf is how values of the attribute are compared and indexed.
func foldOf(d Definition) func(string) string {
	switch {
	case d.Name == UserName:
		return NormalName
	case d.Name == Emails:
		return NormalEmail
	case d.Exact:
		return nil
	}
	return filter.Fold
}

func (t Type) kind() filter.Kind {
	switch t {
	case Boolean:
		return filter.KindBoolean
	case Integer:
		return filter.KindInteger
	case Decimal:
		return filter.KindDecimal
	case DateTime:
		return filter.KindDateTime
	case Reference:
		return filter.KindReference
	case Binary:
		return filter.KindBinary
	case Complex:
		return filter.KindComplex
	}
	return filter.KindString
}

// Elements and the methods below let a Value be asked by a filter.
func (v Value) Len() int { return len(v) }

// Field implements filter.Elements; "" is the value.
func (v Value) fieldAt(i int, sub string) (string, bool) {
	if sub == "" {
		sub = "value"
	}
	text := v[i].Field(sub)
	return text, text != ""
}

// valueElements makes a Value filter.Elements.
type valueElements struct{ Value }

// Field implements filter.Elements.
func (v valueElements) Field(i int, sub string) (string, bool) { return v.fieldAt(i, sub) }

// seen is what a viewer sees of a user, as a filter looks at it.
type seen struct {
	*Profile
	policy *Policy
}

// Elements implements filter.Resource.
func (p seen) Elements(_, name string) filter.Elements {
	switch name {
	case "id":
		return valueElements{Text(p.ID.String())}
	case "meta":
		return valueElements{Value{NewElement(Field{"created", instant(p.Created)}, Field{"lastModified", instant(p.Modified)},
			Field{"resourceType", "User"}, Field{"version", `W/"` + p.Version + `"`})}}
	case "name":
		return valueElements{p.wholeName()}
	case "schemas":
		return valueElements{p.schemas()}
	case Groups:
		return valueElements{groupValue(p.Groups)}
	case "entitlements":
		v, _ := p.Attributes.Get("entitlements")
		return valueElements{withLicense(v, p.Attributes.Text(License))}
	}
	v, ok := p.Attributes.Get(name)
	if !ok {
		return nil
	}
	return valueElements{v}
}

// wholeName is the complex attribute that the directory keeps in parts.
func (p *Profile) wholeName() Value {
	var fields []Field
	for _, a := range p.Attributes {
		if part, ok := strings.CutPrefix(a.Name, "name."); ok {
			fields = append(fields, Field{part, a.Value.String()})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return Value{NewElement(fields...)}
}

// schemas are those of which the user has attributes.
func (p seen) schemas() Value {
	list := []string{strings.TrimSuffix(coreURN, ":")}
	for _, a := range p.Attributes {
		if urn := p.policy.schemaOf(a.Name); urn != "" && !slices.Contains(list, urn) {
			list = append(list, urn)
		}
	}
	return Texts(list...)
}

// schemaOf is the extension schema that serves an attribute, "" for the core.
func (p *Policy) schemaOf(name string) string {
	switch p.schema[name].Origin {
	case Enterprise:
		return strings.TrimSuffix(enterpriseURN, ":")
	case Custom:
		return p.SchemaURN()
	}
	return ""
}

// withLicense appends the licence in the form in which SCIM carries it.
func withLicense(v Value, license string) Value {
	if license == "" {
		return v
	}
	return append(append(Value{}, v...), NewElement(Field{"type", License}, Field{"value", license}))
}

func groupValue(refs []GroupRef) Value {
	v := make(Value, len(refs))
	for i, g := range refs {
		kind := "direct"
		if g.Indirect {
			kind = "indirect"
		}
		v[i] = NewElement(Field{"value", g.ID.String()}, Field{"display", g.Name}, Field{"type", kind})
	}
	return v
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z07:00") }
