package admin

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-playground/validator/v10"
)

func problemType() reflect.Type { return reflect.TypeFor[problem]() }

// checked is the body of a request that is also held against its `validate` tags. Embed it in an input:
//
//	type input struct {
//		Org string `path:"org"`
//		checked[tokenBody]
//	}
type checked[T any] struct{ Body T }

type validKey struct{}

// Resolve runs the validator; huma joins what it finds to its own faults.
func (c *checked[T]) Resolve(ctx huma.Context) (faults []error) {
	valid, ok := ctx.Context().Value(validKey{}).(*validator.Validate)
	if !ok {
		return []error{errors.New("no validator")}
	}
	list, ok := errors.AsType[validator.ValidationErrors](valid.Struct(c.Body))
	if !ok {
		return nil
	}
	for _, fault := range list {
		_, path, _ := strings.Cut(fault.Namespace(), ".")
		faults = append(faults, &huma.ErrorDetail{Location: "body." + path, Message: faultSentence(fault)})
	}
	return faults
}

var _ huma.Resolver = (*checked[struct{}])(nil)

// readValidator prepares the validator: fields are called as in JSON.
func (s *Server) readValidator() error {
	s.valid = validator.New(validator.WithRequiredStructEnabled())
	s.valid.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	return nil
}

func (s *Server) withValidator(ctx context.Context) context.Context {
	return context.WithValue(ctx, validKey{}, s.valid)
}

// faultSentence says what is wrong, for each tag that this package uses; a test walks them.
func faultSentence(f validator.FieldError) string {
	switch f.Tag() {
	case "required":
		return "is missing"
	case "email":
		return "is no e-mail address"
	case "hostname_rfc1123", "fqdn":
		return "is no domain name"
	case "http_url":
		return "is no http or https URL"
	case "oneof":
		return `expected value to be one of "` + strings.ReplaceAll(f.Param(), " ", ", ") + `"`
	case "max":
		return fmt.Sprintf("is longer than %s", f.Param())
	case "min":
		return fmt.Sprintf("is shorter than %s", f.Param())
	case "required_without":
		return fmt.Sprintf("is missing; give this or %s", f.Param())
	case "excluded_with":
		return fmt.Sprintf("does not go together with %s", f.Param())
	}
	return "is not allowed (" + f.Tag() + ")"
}
