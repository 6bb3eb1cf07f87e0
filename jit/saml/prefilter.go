package saml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// MaxMessage bounds a decoded response and a metadata document, in bytes.
const MaxMessage = 1 << 20

const (
	maxDepth        = 32
	maxElements     = 20_000
	maxAttributes   = 32 // of one element, namespace declarations included
	maxDeclarations = 16_384
	maxScope        = 32 // namespace declarations in scope at once: each is carried to every element below
)

const byteOrderMark = "\ufeff"

// prefilter walks the raw tokens of a document once and refuses what no SAML message needs. It builds nothing.
type prefilter struct {
	comments bool                // tolerated, and instructions: metadata has them
	ids      map[string]struct{} // seen so far, in this and earlier documents of the same message

	decoder      *xml.Decoder
	open         []element
	elements     int
	declarations int
	scope        int
	started      bool // something was read
	rooted       bool // the root element was
}

// element is an open one: its name, and how many namespaces it declares.
type element struct {
	name       xml.Name
	namespaces int
}

// prefiltered returns document without its byte order mark, or why it is refused.
func (p *prefilter) prefiltered(document []byte) ([]byte, error) {
	if len(document) > MaxMessage {
		return nil, refuse(ReasonTooLarge, "%d bytes, at most %d are read", len(document), MaxMessage)
	}
	document = bytes.TrimPrefix(document, []byte(byteOrderMark))
	p.decoder = xml.NewDecoder(bytes.NewReader(document))
	if p.ids == nil {
		p.ids = map[string]struct{}{}
	}
	for {
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return document, p.end()
		}
		if err != nil {
			return nil, p.malformed(err.Error())
		}
		if err := p.token(token); err != nil {
			return nil, err
		}
		p.started = true
	}
}

func (p *prefilter) token(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		return p.startElement(token)
	case xml.EndElement:
		return p.endElement(token)
	case xml.CharData:
		if len(p.open) == 0 && len(bytes.TrimSpace(token)) > 0 {
			return p.malformed("text outside the root element")
		}
	case xml.Comment:
		if !p.comments {
			return refuse(ReasonComment, "a comment before byte %d", p.decoder.InputOffset())
		}
	case xml.Directive:
		return refuse(ReasonDoctype, "a document type declaration before byte %d", p.decoder.InputOffset())
	case xml.ProcInst:
		return p.instruction(token)
	}
	return nil
}

// instruction lets the XML declaration through, at the very start only. The decoder has refused encodings other than
// UTF-8.
func (p *prefilter) instruction(token xml.ProcInst) error {
	isDeclaration := token.Target == "xml"
	if isDeclaration && !p.started || !isDeclaration && p.comments {
		return nil
	}
	return refuse(ReasonProcessingInstruction, "<?%.40s before byte %d", token.Target, p.decoder.InputOffset())
}

func (p *prefilter) startElement(token xml.StartElement) error {
	if len(p.open) == 0 && p.rooted {
		return p.malformed("a second root element")
	}
	p.rooted = true
	p.elements++
	switch {
	case strings.Contains(token.Name.Local, ":"):
		return p.malformed("an element name with a stray colon")
	case len(p.open) == maxDepth:
		return p.limit("deeper than %d elements", maxDepth)
	case p.elements > maxElements:
		return p.limit("more than %d elements", maxElements)
	case len(token.Attr) > maxAttributes:
		return p.limit("more than %d attributes on one element", maxAttributes)
	}
	namespaces, err := p.attributes(token.Attr)
	if err != nil {
		return err
	}
	p.open = append(p.open, element{token.Name, namespaces})
	p.scope += namespaces
	p.declarations += namespaces
	switch {
	case p.scope > maxScope:
		return p.limit("more than %d namespace declarations in scope", maxScope)
	case p.declarations > maxDeclarations:
		return p.limit("more than %d namespace declarations", maxDeclarations)
	}
	return nil
}

// attributes checks the attributes of one element and counts the namespaces it declares. Two attributes of one name
// are refused as written; parsers differ in which of them they keep.
func (p *prefilter) attributes(attributes []xml.Attr) (namespaces int, err error) {
	for i, a := range attributes {
		for _, before := range attributes[:i] {
			if before.Name == a.Name {
				return 0, p.malformed("two attributes of one name")
			}
		}
		switch {
		case strings.Contains(a.Name.Local, ":"):
			return 0, p.malformed("an attribute name with a stray colon")
		case a.Name.Space == "xmlns" || a.Name == xml.Name{Local: "xmlns"}:
			namespaces++
			err = p.namespace(a)
		case strings.EqualFold(a.Name.Local, "ID"):
			err = p.id(a)
		}
		if err != nil {
			return 0, err
		}
	}
	return namespaces, nil
}

// namespace refuses declarations on which canonicalisers disagree: relative URIs (some digest nothing at all then), a
// prefix bound to nothing, the reserved prefixes.
func (p *prefilter) namespace(a xml.Attr) error {
	undeclaredDefault := a.Name.Space == "" && a.Value == ""
	if !strings.Contains(a.Value, ":") && !undeclaredDefault {
		return p.malformed("a namespace that is no absolute URI")
	}
	if a.Name.Space == "xmlns" && (a.Name.Local == "xml" || a.Name.Local == "xmlns") {
		return p.malformed("a declaration of a reserved prefix")
	}
	return nil
}

// id refuses a prefixed ID, because verifiers differ in whether it identifies its element, and an ID used twice.
func (p *prefilter) id(a xml.Attr) error {
	if a.Name.Space != "" {
		return p.malformed("an ID attribute with a prefix")
	}
	if _, twice := p.ids[a.Value]; twice {
		return p.malformed("one ID on two elements")
	}
	p.ids[a.Value] = struct{}{}
	return nil
}

func (p *prefilter) endElement(token xml.EndElement) error {
	if len(p.open) == 0 || p.open[len(p.open)-1].name != token.Name {
		return p.malformed("an end tag that ends nothing")
	}
	p.scope -= p.open[len(p.open)-1].namespaces
	p.open = p.open[:len(p.open)-1]
	return nil
}

func (p *prefilter) end() error {
	if !p.rooted || len(p.open) > 0 {
		return p.malformed("the document is cut off")
	}
	return nil
}

func (p *prefilter) malformed(what string) error {
	return refuse(ReasonMalformed, "not XML as SAML uses it: %.200s (before byte %d)", what, p.decoder.InputOffset())
}

func (p *prefilter) limit(format string, bound int) error {
	return refuse(ReasonLimit, format+" (before byte %d)", bound, p.decoder.InputOffset())
}
