package scim

import (
	"slices"
	"strings"
	"sync"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"muster/directory"
)

// The URNs of messages and schemas.
const (
	userURN         = schema.UserSchema
	groupURN        = schema.GroupSchema
	enterpriseURN   = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	bulkResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	listURN         = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	configURN       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	typeURN         = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	schemaURN       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
)

// standardSchemas are User and EnterpriseUser, made at the first use: the
// library checks each name with a regular expression, which costs as much as
// fifty requests. Nobody changes them. password is taken and dropped, so it is
// not announced.
var standardSchemas = sync.OnceValue(func() []schema.Schema {
	user := schema.CoreUserSchema()
	user.Attributes = slices.Clip(slices.DeleteFunc(slices.Clone(user.Attributes),
		func(a schema.CoreAttribute) bool { return a.Name() == "password" }))
	enterprise := schema.ExtensionEnterpriseUser()
	enterprise.Attributes = slices.Clip(enterprise.Attributes)
	return []schema.Schema{user, enterprise}
})

// customSchema serves the attributes that an organisation declared; false when
// there are none. Its constructors panic on names that no schema can have and
// on names that differ in case only, so those are left out.
func customSchema(p *directory.Policy) (schema.Schema, bool) {
	var list []schema.CoreAttribute
	seen := map[string]bool{}
	for _, def := range p.Definitions() {
		folded := strings.ToLower(def.Name)
		if def.Origin != directory.Custom || !isSchemaName(def.Name) || seen[folded] {
			continue
		}
		seen[folded] = true
		list = append(list, coreAttribute(def, p.Attribute(def.Name)))
	}
	return schema.Schema{
		ID:          p.SchemaURN(),
		Name:        optional.NewString("Custom attributes"),
		Description: optional.NewString("Attributes declared by the organisation"),
		Attributes:  slices.Clip(list),
	}, len(list) > 0
}

// isSchemaName holds for a name of RFC 7643 §2.1.
func isSchemaName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '-' && c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// coreAttribute describes a custom attribute in the library's terms.
func coreAttribute(def directory.Definition, policy directory.AttributePolicy) schema.CoreAttribute {
	if def.Fields != nil {
		var fields []schema.SimpleParams
		for _, name := range fieldNames(def) {
			fields = append(fields, simpleParams(directory.Definition{Name: name, Type: def.Fields[name]}))
		}
		return schema.ComplexCoreAttribute(schema.ComplexParams{Name: def.Name, MultiValued: def.Multi, SubAttributes: fields})
	}
	return schema.SimpleCoreAttribute(simpleParams(def))
}

func fieldNames(def directory.Definition) []string {
	names := make([]string, 0, len(def.Fields))
	for name := range def.Fields {
		if isSchemaName(strings.TrimPrefix(name, "$")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func simpleParams(def directory.Definition) schema.SimpleParams {
	switch def.Type {
	case directory.Boolean:
		return schema.SimpleBooleanParams(schema.BooleanParams{Name: def.Name, MultiValued: def.Multi})
	case directory.Integer:
		return schema.SimpleNumberParams(schema.NumberParams{Name: def.Name, MultiValued: def.Multi, Type: schema.AttributeTypeInteger()})
	case directory.Decimal:
		return schema.SimpleNumberParams(schema.NumberParams{Name: def.Name, MultiValued: def.Multi, Type: schema.AttributeTypeDecimal()})
	case directory.DateTime:
		return schema.SimpleDateTimeParams(schema.DateTimeParams{Name: def.Name, MultiValued: def.Multi})
	case directory.Reference:
		return schema.SimpleReferenceParams(schema.ReferenceParams{Name: def.Name, MultiValued: def.Multi,
			ReferenceTypes: []schema.AttributeReferenceType{schema.AttributeReferenceTypeExternal}})
	case directory.Binary:
		return schema.SimpleBinaryParams(schema.BinaryParams{Name: def.Name, MultiValued: def.Multi})
	}
	return schema.SimpleStringParams(schema.StringParams{Name: def.Name, MultiValued: def.Multi, CaseExact: def.Exact})
}
