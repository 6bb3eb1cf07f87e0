package saml

import (
	"iter"
	"strings"

	"github.com/beevik/etree"
)

// Namespaces of the documents read and written here.
const (
	nsProtocol     = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion    = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata     = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature    = "http://www.w3.org/2000/09/xmldsig#"
	nsEncryption   = "http://www.w3.org/2001/04/xmlenc#"
	nsEncryption11 = "http://www.w3.org/2009/xmlenc11#"
)

// parse builds the tree of a document that passed the prefilter.
func parse(document []byte) (*etree.Element, error) {
	tree := etree.NewDocument()
	tree.ReadSettings.MaxDepth = maxDepth + 1
	if err := tree.ReadFromBytes(document); err != nil || tree.Root() == nil {
		return nil, refuse(ReasonMalformed, "not XML")
	}
	return tree.Root(), nil
}

func is(el *etree.Element, namespace, tag string) bool {
	return el.Tag == tag && el.NamespaceURI() == namespace
}

// children yields the child elements of that name.
func children(parent *etree.Element, namespace, tag string) iter.Seq[*etree.Element] {
	return func(yield func(*etree.Element) bool) {
		for _, token := range parent.Child {
			if el, ok := token.(*etree.Element); ok && is(el, namespace, tag) && !yield(el) {
				return
			}
		}
	}
}

// child returns the first child of that name, or nil, and how many there are.
func child(parent *etree.Element, namespace, tag string) (first *etree.Element, count int) {
	for el := range children(parent, namespace, tag) {
		if first == nil {
			first = el
		}
		count++
	}
	return first, count
}

// only returns the child of that name if there is exactly one.
func only(parent *etree.Element, namespace, tag string) *etree.Element {
	if el, count := child(parent, namespace, tag); count == 1 {
		return el
	}
	return nil
}

// elements yields el and everything below it.
func elements(el *etree.Element) iter.Seq[*etree.Element] {
	return func(yield func(*etree.Element) bool) { walk(el, yield) }
}

func walk(el *etree.Element, yield func(*etree.Element) bool) bool {
	if !yield(el) {
		return false
	}
	for _, token := range el.Child {
		if below, ok := token.(*etree.Element); ok && !walk(below, yield) {
			return false
		}
	}
	return true
}

// attribute returns the value of an attribute without a prefix, or "".
func attribute(el *etree.Element, name string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// text returns the whole text in and below el: a value is never cut short by an element inside it.
func text(el *etree.Element) string {
	if len(el.Child) == 1 {
		if data, ok := el.Child[0].(*etree.CharData); ok {
			return data.Data
		}
	}
	var whole strings.Builder
	writeText(&whole, el)
	return whole.String()
}

func writeText(whole *strings.Builder, el *etree.Element) {
	for _, token := range el.Child {
		switch token := token.(type) {
		case *etree.CharData:
			whole.WriteString(token.Data)
		case *etree.Element:
			writeText(whole, token)
		}
	}
}

// trimmed is text without the white space that indentation puts around identifiers.
func trimmed(el *etree.Element) string {
	if el == nil {
		return ""
	}
	return strings.TrimSpace(text(el))
}

// detached returns a copy of el that can stand alone: the namespaces in scope where it was are declared on it.
func detached(el *etree.Element) *etree.Element {
	alone := el.Copy()
	declared := map[string]bool{}
	for scope := el; scope != nil; scope = scope.Parent() {
		for _, a := range scope.Attr {
			isDeclaration := a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns")
			if !isDeclaration || declared[a.FullKey()] {
				continue
			}
			declared[a.FullKey()] = true
			if scope != el {
				alone.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	return alone
}
