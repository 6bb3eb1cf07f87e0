package yamlfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Node is one value in a Document.
type Node struct {
	doc  *Document
	path string
	ast  ast.Node
}

// Reader takes one value up, or reports a fault on it.
type Reader func(Node)

// Shape says which keys a mapping may have and who reads each.
type Shape map[string]Reader

// Pair is one entry of a mapping.
type Pair struct {
	Key   string
	Value Node
}

// Path is where the node stands: "orgs[0].rules[2].when".
func (n Node) Path() string { return n.path }

// Place is where the value begins.
func (n Node) Place() Place { return n.doc.placeOf(n.ast) }

// Fault reports that this value is wrong.
func (n Node) Fault(detail string, allowed ...string) {
	place := n.doc.placeOf(n.ast)
	if known, ok := n.doc.places[n.path]; ok && place.Line == 0 {
		place = known
	}
	n.doc.faults = append(n.doc.faults, Fault{Place: place, Path: n.path, Detail: detail, Allowed: allowed})
}

// Mapping reads each entry by its shape. An unknown key is a fault that names the known ones. A value of null reads as
// if the key were not there.
func (n Node) Mapping(shape Shape) {
	for _, pair := range n.Pairs() {
		read, ok := shape[pair.Key]
		if !ok {
			pair.Value.keyFault(fmt.Sprintf("unknown key %q", pair.Key), slices.Sorted(maps.Keys(shape))...)
			continue
		}
		if !pair.Value.IsNull() {
			read(pair.Value)
		}
	}
}

// keyFault is Fault at the key instead of the value.
func (n Node) keyFault(detail string, allowed ...string) {
	n.doc.faults = append(n.doc.faults, Fault{Place: n.doc.places[n.path], Path: n.path, Detail: detail, Allowed: allowed})
}

// Require reports each of the keys that the mapping does not have. It belongs after Mapping, which reports what else
// is wrong.
func (n Node) Require(keys ...string) {
	if !n.IsMapping() {
		return
	}
	pairs := n.Pairs()
	for _, key := range keys {
		if !slices.ContainsFunc(pairs, func(p Pair) bool { return p.Key == key && !p.Value.IsNull() }) {
			n.Fault(fmt.Sprintf("%s is missing", key))
		}
	}
}

// Pairs returns a mapping's entries in the order of the file, merge keys unfolded behind the mapping's own. It is a
// fault, and empty, when the value is no mapping.
func (n Node) Pairs() []Pair {
	value := n.resolve()
	if value == nil {
		return nil
	}
	values, ok := entries(value)
	if !ok {
		n.Fault("must be a mapping of keys to values")
		return nil
	}
	var pairs, merged []Pair
	for _, v := range values {
		if _, ok := v.Key.(*ast.MergeKeyNode); ok {
			merged = append(merged, n.at(v.Value).Pairs()...)
			continue
		}
		key := v.Key.GetToken().Value
		child := Node{n.doc, join(n.path, key), v.Value}
		n.doc.places[child.path] = n.doc.placeOf(v.Key)
		pairs = append(pairs, Pair{key, child})
	}
	for _, m := range merged {
		if !slices.ContainsFunc(pairs, func(p Pair) bool { return p.Key == m.Key }) {
			pairs = append(pairs, m)
		}
	}
	return pairs
}

func entries(value ast.Node) ([]*ast.MappingValueNode, bool) {
	switch v := value.(type) {
	case *ast.MappingNode:
		return v.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{v}, true
	}
	return nil, false
}

// at is another value under the same path.
func (n Node) at(value ast.Node) Node { return Node{n.doc, n.path, value} }

// List returns a sequence's elements. It is a fault, and empty, when the value is none.
func (n Node) List() []Node {
	value := n.resolve()
	if value == nil {
		return nil
	}
	sequence, ok := value.(*ast.SequenceNode)
	if !ok {
		n.Fault("must be a list")
		return nil
	}
	list := make([]Node, len(sequence.Values))
	for i, v := range sequence.Values {
		list[i] = Node{n.doc, fmt.Sprintf("%s[%d]", n.path, i), v}
		n.doc.places[list[i].path] = n.doc.placeOf(v)
	}
	return list
}

// IsMapping, IsList and IsNull tell the kinds of value apart where several are allowed.
func (n Node) IsMapping() bool {
	_, ok := entries(n.resolve())
	return ok
}

// IsList reports whether the value is a sequence.
func (n Node) IsList() bool {
	_, ok := n.resolve().(*ast.SequenceNode)
	return ok
}

// IsNull reports whether there is no value.
func (n Node) IsNull() bool {
	value := n.resolve()
	_, null := value.(*ast.NullNode)
	return value == nil || null
}

// Has reports whether the value is a mapping with that key.
func (n Node) Has(key string) bool {
	values, _ := entries(n.resolve())
	return slices.ContainsFunc(values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == key })
}

// resolve follows aliases, anchors and tags to the value itself; nil when there is none, or too much.
func (n Node) resolve() ast.Node {
	value := n.ast
	for range 32 {
		if n.doc.visited++; n.doc.visited > MaxNodes {
			return n.overflow()
		}
		switch v := value.(type) {
		case *ast.AliasNode:
			value = n.doc.anchors[v.Value.GetToken().Value]
		case *ast.AnchorNode:
			value = v.Value
		case *ast.TagNode:
			value = v.Value
		default:
			return value
		}
	}
	n.Fault("an alias that refers to itself")
	return nil
}

// overflow reports once that the file unfolds to too much.
func (n Node) overflow() ast.Node {
	if n.doc.visited == MaxNodes+1 {
		n.Fault(fmt.Sprintf("the file unfolds to more than %d values", MaxNodes))
	}
	return nil
}

// scalar returns the text of a scalar as it was written, but true and false in lower case, and whether the value is one.
func (n Node) scalar() (string, bool) {
	switch v := n.resolve().(type) {
	case *ast.BoolNode:
		return strings.ToLower(v.GetToken().Value), true
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return v.GetToken().Value, true
	}
	return "", false
}

func join(path, key string) string {
	if strings.ContainsAny(key, ".[]") {
		key = fmt.Sprintf("%q", key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
