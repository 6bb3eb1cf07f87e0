package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxNesting bounds how deep claims are nested. Providers nest three or four levels.
const maxNesting = 16

// decodeClaims reads one JSON object so that nobody can read it in another way: names are exact, none stands twice,
// the text is valid UTF-8, and nothing follows. encoding/json alone would take the last of two names, and "SUB" for
// "sub".
func decodeClaims(document []byte) (Claims, error) {
	if !utf8.Valid(document) {
		return nil, refuse(ReasonMalformed, "not UTF-8")
	}
	r := reader{json.NewDecoder(bytes.NewReader(document))}
	r.UseNumber()
	value, err := r.value(0)
	if err != nil {
		if ReasonOf(err) != "" {
			return nil, err
		}
		return nil, because(ReasonMalformed, err, "not JSON")
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, refuse(ReasonMalformed, "JSON, but no object")
	}
	if _, err := r.Token(); !errors.Is(err, io.EOF) {
		return nil, refuse(ReasonMalformed, "something follows the JSON object")
	}
	return object, nil
}

type reader struct{ *json.Decoder }

func (r reader) value(depth int) (any, error) {
	token, err := r.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'), json.Delim('['):
		if depth == maxNesting {
			return nil, refuse(ReasonLimit, "nested deeper than %d levels", maxNesting)
		}
	}
	switch token {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		return r.list(depth)
	}
	return token, nil
}

func (r reader) object(depth int) (map[string]any, error) {
	object := map[string]any{}
	for r.More() {
		token, err := r.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, refuse(ReasonMalformed, "a name that is no text")
		}
		if _, twice := object[name]; twice {
			return nil, refuse(ReasonMalformed, "%.100q stands twice in one object", name)
		}
		if object[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.Token()
	return object, err
}

func (r reader) list(depth int) ([]any, error) {
	list := []any{}
	for r.More() {
		element, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, element)
	}
	_, err := r.Token()
	return list, err
}
