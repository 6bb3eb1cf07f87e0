package scim

import "strings"

// kind of a JSON value.
type kind uint8

const (
	isNull kind = iota
	isBool
	isNumber
	isString
	isArray
	isObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// token is one value of a document, in the order in which the text has them.
type token struct {
	kind kind
	key  string // its name, when it stands in an object
	text string // of a string, unescaped; of a number or boolean, as written
	next int32  // the token after this value and everything in it
}

// document is one JSON text, read in one pass. Strings without escapes share
// the memory of the text.
type document []token

// limits of one document.
const (
	maxDepth  = 24      // levels of lists and objects
	maxTokens = 1 << 17 // values, of a text that is not longer than bytesPerToken times that
	// bytesPerToken lets longer texts have more values: a group's members have
	// at least this many bytes a value.
	bytesPerToken = 16
)

// node is one value of a document.
type node struct {
	doc document
	at  int32
}

func (n node) kind() kind   { return n.doc[n.at].kind }
func (n node) key() string  { return n.doc[n.at].key }
func (n node) text() string { return n.doc[n.at].text }

// children yields what a list or an object holds.
func (n node) children(yield func(node) bool) {
	if k := n.kind(); k != isArray && k != isObject {
		return
	}
	for at := n.at + 1; at < n.doc[n.at].next; at = n.doc[at].next {
		if !yield(node{n.doc, at}) {
			return
		}
	}
}

// child finds a member of an object by its name in any case.
func (n node) child(name string) (node, bool) {
	if n.kind() != isObject {
		return node{}, false
	}
	for c := range n.children {
		if strings.EqualFold(c.key(), name) {
			return c, true
		}
	}
	return node{}, false
}

// blank holds for what unsets an attribute: null, "", [] and {}.
func (n node) blank() bool {
	switch n.kind() {
	case isNull:
		return true
	case isString:
		return n.text() == ""
	case isArray, isObject:
		return n.doc[n.at].next == n.at+1
	}
	return false
}
