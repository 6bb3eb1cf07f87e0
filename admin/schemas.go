package admin

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"muster/directory"
)

// Types of the directory that write themselves as JSON, as the API describes them.

// valueSchema is a directory.Value.
type valueSchema struct{}

// Schema says what JSON a value may be.
func (valueSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "a text, a boolean, a number, an object of fields, a list of these, or null for no value",
		OneOf: nil, Nullable: true}
}

// attributesSchema is directory.Attributes.
type attributesSchema struct{}

// Schema says that attributes are an object by name.
func (attributesSchema) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: valueSchema{}.Schema(r), Description: "values by attribute name"}
}

// newRegistry knows those types.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	r.RegisterTypeAlias(reflect.TypeFor[directory.Value](), reflect.TypeFor[valueSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[directory.Attributes](), reflect.TypeFor[attributesSchema]())
	return r
}
