package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	scimerrors "github.com/elimity-com/scim/errors"

	"muster/directory"
	"muster/directory/filter"
)

// target is where an operation works: a place, and perhaps a value filter that
// selects some of its elements.
type target struct {
	place
	match *filter.ElementMatcher
	seed  []directory.Field
	seeds bool
	path  string
}

// resolve reads a path. A place that nobody knows is no error.
func (x *index) resolve(path string) (target, error) {
	if t, ok := x.plain(path); ok {
		return t, nil
	}
	if s := x.spaces[strings.ToLower(path)]; s != nil {
		return target{place: place{space: s}, path: path}, nil
	}
	parsed, err := filter.ParsePath(path)
	if err != nil {
		return target{}, pathFault(path, err)
	}
	attr := parsed.AttributePath
	sub := attr.SubAttributeName()
	if parsed.SubAttribute != nil {
		sub = *parsed.SubAttribute
	}
	t := target{place: x.find(attr.URI(), attr.AttributeName, sub), path: path}
	if parsed.ValueExpression == nil || t.attr == nil || t.attr.role != ordinary {
		return t, nil
	}
	if !t.attr.Multi {
		return target{}, invalidPath("%s: %s has one value, which needs no value filter", path, t.attr.path)
	}
	// The brackets are resolved by the name alone: the place is known.
	name := filter.AttributePath{AttributeName: t.attr.Name}
	if t.match, err = filter.CompileElement(name, parsed.ValueExpression, x, filter.Options{}); err != nil {
		return target{}, pathFault(path, err)
	}
	t.seed, t.seeds = x.seed(t.attr, parsed.ValueExpression)
	return t, nil
}

// plain resolves what needs no parser: name, name.part.
func (x *index) plain(path string) (target, bool) {
	name, sub, _ := strings.Cut(path, ".")
	if !isSchemaName(name) || strings.Contains(path, ".") && !isSchemaName(strings.TrimPrefix(sub, "$")) {
		return target{}, false
	}
	return target{place: x.find("", name, sub), path: path}, true
}

// inside resolves a key of an object that stands for a space.
func (x *index) inside(s *space, key string) place {
	name, sub, _ := strings.Cut(key, ".")
	return x.in(s, name, sub)
}

// seed turns a value filter of equalities into the fields it asks for.
func (x *index) seed(a *attribute, e filter.Expression) ([]directory.Field, bool) {
	terms, ok := filter.Equalities(e)
	if !ok {
		return nil, false
	}
	var fields []directory.Field
	for _, term := range terms {
		name, known := a.field(term.AttributePath.AttributeName)
		if !known && a.Fields == nil {
			name, known = "value", true
		}
		if !known || term.CompareValue == nil {
			return nil, false
		}
		text := fmt.Sprint(term.CompareValue)
		if a.Fields[name] == directory.Boolean {
			text = strings.ToLower(text)
		}
		fields = append(fields, directory.Field{Name: name, Text: text})
	}
	return fields, true
}

func pathFault(path string, err error) error {
	if e, ok := errors.AsType[*filter.Error](err); ok {
		return invalidPath("path %.100q: %s", path, e.Error())
	}
	return err
}

func faultMutability(path string) error {
	return faultf(http.StatusBadRequest, scimerrors.ScimTypeMutability, "%s: the attribute is read-only", path)
}
