package yamlfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// MaxBytes and MaxNodes bound one file, before and after aliases are unfolded.
const (
	MaxBytes = 4 << 20
	MaxNodes = 500_000
)

// Document is one file being read. It gathers the faults.
type Document struct {
	name    string
	body    ast.Node
	anchors map[string]ast.Node
	places  map[string]Place
	faults  []Fault
	visited int
}

// Parse reads the syntax of a file. name is how faults call it. An *Error says where it is no YAML.
func Parse(name string, content []byte) (*Document, error) {
	d := &Document{name: name, anchors: map[string]ast.Node{}, places: map[string]Place{}}
	if len(content) > MaxBytes {
		return nil, d.broken(Place{File: name}, fmt.Sprintf("%d bytes; at most %d are read", len(content), MaxBytes))
	}
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return nil, d.syntax(err)
	}
	for _, document := range file.Docs {
		if document.Body == nil {
			continue
		}
		if d.body != nil {
			return nil, d.broken(d.placeOf(document.Body), "a second YAML document; one file holds one")
		}
		d.body = document.Body
	}
	return d, d.bindAliases()
}

// bindAliases finds what each alias refers to.
func (d *Document) bindAliases() error {
	if d.body == nil {
		return nil
	}
	var names references
	ast.Walk(&names, d.body)
	for _, anchor := range names.anchors {
		d.anchors[anchor.Name.GetToken().Value] = anchor.Value
	}
	for _, alias := range names.aliases {
		if name := alias.Value.GetToken().Value; d.anchors[name] == nil {
			d.faults = append(d.faults, Fault{Place: d.placeOf(alias), Detail: fmt.Sprintf("no anchor &%s in this file", name)})
		}
	}
	return d.Err()
}

// references are the anchors and aliases of a file.
type references struct {
	anchors []*ast.AnchorNode
	aliases []*ast.AliasNode
}

func (r *references) Visit(n ast.Node) ast.Visitor {
	switch n := n.(type) {
	case *ast.AnchorNode:
		r.anchors = append(r.anchors, n)
	case *ast.AliasNode:
		r.aliases = append(r.aliases, n)
	}
	return r
}

func (d *Document) broken(at Place, detail string) *Error {
	return &Error{Faults: []Fault{{Place: at, Detail: detail}}}
}

// syntax turns the parser's error into a fault; its first line is the message.
func (d *Document) syntax(err error) *Error {
	place, detail := Place{File: d.name}, err.Error()
	if e, ok := errors.AsType[yaml.Error](err); ok {
		detail = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			place.Line, place.Column = t.Position.Line, t.Position.Column
		}
	}
	detail, _, _ = strings.Cut(detail, "\n")
	return d.broken(place, detail)
}

// Root is the file's one value.
func (d *Document) Root() Node { return Node{doc: d, ast: d.body} }

// Err is nil, or an *Error with every fault met so far in the order of the file.
func (d *Document) Err() error {
	if len(d.faults) == 0 {
		return nil
	}
	faults := slices.Clone(d.faults)
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
	return &Error{Faults: slices.CompactFunc(faults, func(a, b Fault) bool { return a.String() == b.String() })}
}

// Place returns where path, or the nearest thing around it, was written. Only paths that were walked are known.
func (d *Document) Place(path string) Place {
	for path != "" {
		if place, ok := d.places[path]; ok {
			return place
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Place{File: d.name}
}

// Add reports a fault that was found after walking, at the place of its path.
func (d *Document) Add(path, detail string, allowed ...string) {
	d.faults = append(d.faults, Fault{Place: d.Place(path), Path: path, Detail: detail, Allowed: allowed})
}

// placeOf is where a node begins.
func (d *Document) placeOf(n ast.Node) Place {
	switch n := n.(type) {
	case nil:
		return Place{File: d.name}
	case *ast.MappingNode:
		if len(n.Values) > 0 && !n.IsFlowStyle {
			return d.placeOf(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return d.placeOf(n.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return Place{File: d.name}
	}
	return Place{File: d.name, Line: t.Position.Line, Column: t.Position.Column}
}
