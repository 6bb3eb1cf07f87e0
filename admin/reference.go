package admin

import (
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// referenceRow is one operation of the API as the reference shows it.
type referenceRow struct {
	Method, Path, Summary, Role string
	Parameters                  []referenceField
	Body, Answer                []referenceField
}

type referenceField struct {
	Name, Type, Doc string
	Required        bool
	Allowed         []string
}

// reference is the API's description to read, made from the same document that machines get.
func (s *Server) reference(v *visit) error {
	rows := map[string][]referenceRow{}
	doc := s.api.OpenAPI()
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		item := doc.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				rows[op.Tags[0]] = append(rows[op.Tags[0]], s.referenceOf(path, op))
			}
		}
	}
	return v.render(http.StatusOK, "reference", map[string]any{"Root": s.base + apiRoot, "Resources": rows})
}

func (s *Server) referenceOf(path string, op *huma.Operation) referenceRow {
	role, _ := op.Extensions[roleKey].(string)
	row := referenceRow{Method: op.Method, Path: path, Summary: op.Summary, Role: role}
	for _, p := range op.Parameters {
		f := s.fieldOf(p.Name+" ("+p.In+")", p.Schema)
		f.Required, f.Doc = p.Required, orText(p.Description, f.Doc)
		row.Parameters = append(row.Parameters, f)
	}
	if op.RequestBody != nil {
		row.Body = s.fieldsOf(op.RequestBody.Content["application/json"])
	}
	for status, answer := range op.Responses {
		if status[0] == '2' {
			row.Answer = s.fieldsOf(answer.Content["application/json"])
		}
	}
	return row
}

func orText(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// fieldsOf lists the fields of a body.
func (s *Server) fieldsOf(m *huma.MediaType) (list []referenceField) {
	if m == nil || m.Schema == nil {
		return nil
	}
	schema := s.resolved(m.Schema)
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		f := s.fieldOf(name, schema.Properties[name])
		f.Required = slices.Contains(schema.Required, name)
		list = append(list, f)
	}
	return list
}

func (s *Server) resolved(schema *huma.Schema) *huma.Schema {
	if schema.Ref == "" {
		return schema
	}
	return s.api.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
}

func (s *Server) fieldOf(name string, schema *huma.Schema) referenceField {
	known := s.resolved(schema)
	f := referenceField{Name: name, Type: known.Type, Doc: orText(schema.Description, known.Description)}
	if known.Items != nil {
		f.Type = "list of " + s.resolved(known.Items).Type
	}
	for _, allowed := range known.Enum {
		if text, ok := allowed.(string); ok {
			f.Allowed = append(f.Allowed, text)
		}
	}
	return f
}
