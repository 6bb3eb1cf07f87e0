package saml_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/beevik/etree"
	"github.com/google/go-cmp/cmp"

	"muster/jit/saml"
)

// signedResponses are recorded ones with what is signed in them differing.
var signedResponses = []string{"ssp/response-01", "ssp/response-02", "ssp-asssig/response-01", "ssp-claims/response-01", "npm-saml-idp/response-01"}

// opened is a recorded response as XML, with its true facts.
type opened struct {
	recorded
	document []byte
	facts    *saml.Facts
}

func open(t testing.TB, name string) opened {
	t.Helper()
	r := record(t, name)
	facts, err := r.provider().Verify(r.form, r.expect())
	if err != nil {
		t.Fatal(err)
	}
	return opened{r, read(t, fixtures+"/"+name+".xml"), facts}
}

// unmoved fails if a document is accepted with other facts than the true ones; it reports whether it was accepted.
func (o opened) unmoved(t *testing.T, document []byte, how string) bool {
	t.Helper()
	facts, err := o.provider().Verify(encoded(document), o.expect())
	if err != nil {
		return false
	}
	if diff := cmp.Diff(o.facts, facts); diff != "" {
		t.Fatalf("%s: accepted with other facts (-true +got):\n%s\n%s", how, diff, document)
	}
	return true
}

func (o opened) tree(t testing.TB) *etree.Document {
	t.Helper()
	tree := etree.NewDocument()
	if err := tree.ReadFromBytes(o.document); err != nil {
		t.Fatal(err)
	}
	return tree
}

// isSigned reports whether a change at el must break a signature: in the assertion, or anywhere if the response is signed.
// KeyInfo is no part of what is signed, nor believed.
func isSigned(el *etree.Element) bool {
	inAssertion, inKeyInfo := false, false
	root := el
	for ; el.Parent() != nil && el.Parent().Tag != ""; el = el.Parent() {
		inAssertion = inAssertion || el.Tag == "Assertion"
		inKeyInfo = inKeyInfo || el.Tag == "KeyInfo"
		root = el.Parent()
	}
	return !inKeyInfo && (inAssertion || root.SelectElement("Signature") != nil)
}

// isSpare reports the response's signature where the assertion has one too: without it the assertion still stands.
func isSpare(el *etree.Element) bool {
	response := el.Parent()
	return el.Tag == "Signature" && response.Tag == "Response" && response.FindElement("./Assertion/Signature") != nil
}

func TestEachChangedValueIsRefused(t *testing.T) {
	for _, name := range signedResponses {
		t.Run(name, func(t *testing.T) {
			o := open(t, name)
			if !o.unmoved(t, o.document, "the original") {
				t.Fatal("the original is refused")
			}
			elements := o.tree(t).FindElements("//*")
			for i, el := range elements {
				if el.Tag == "AttributeValue" && i%20 != 0 && len(elements) > 200 {
					continue // one of twenty of two hundred groups will do
				}
				for j := range el.Attr {
					o.changed(t, i, fmt.Sprintf("%s/@%s", el.Tag, el.Attr[j].FullKey()), func(el *etree.Element) { el.Attr[j].Value += "x" })
				}
				if len(el.ChildElements()) == 0 && el.Text() != "" {
					o.changed(t, i, el.Tag, func(el *etree.Element) { el.SetText("A" + el.Text()[1:]) })
				}
				if i > 0 {
					o.changed(t, i, "no "+el.Tag, func(el *etree.Element) { el.Remove() })
				}
			}
		})
	}
}

func (o opened) changed(t *testing.T, index int, how string, change func(*etree.Element)) {
	t.Helper()
	tree := o.tree(t)
	el := tree.FindElements("//*")[index]
	signed := isSigned(el) && !isSpare(el)
	change(el)
	document, err := tree.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	if string(document) == string(o.document) {
		return
	}
	accepted := o.unmoved(t, document, how)
	if accepted && signed && el.Tag != "KeyInfo" && !unused(how) {
		t.Errorf("accepted with a change of %s", how)
	}
}

// unused namespaces are left out by exclusive canonicalisation: they are signed nowhere and mean nothing.
func unused(how string) bool {
	switch how {
	case "Response/@xmlns:saml", "Assertion/@xmlns:xs", "AttributeStatement/@xmlns:xs":
		return true
	}
	return false
}

func FuzzChangedBytesChangeNoFact(f *testing.F) {
	responses := make([]opened, 0, len(signedResponses))
	for i, name := range signedResponses {
		responses = append(responses, open(f, name))
		f.Add(uint8(i), responses[i].document)
	}
	f.Fuzz(func(t *testing.T, which uint8, document []byte) {
		responses[int(which)%len(responses)].unmoved(t, document, "bytes")
	})
}

// FuzzChangedTreesChangeNoFact rearranges a signed response by a small program: each instruction takes five bytes.
func FuzzChangedTreesChangeNoFact(f *testing.F) {
	responses := make([]opened, 0, len(signedResponses))
	for i, name := range signedResponses {
		responses = append(responses, open(f, name))
		for op := range byte(8) {
			f.Add(uint8(i), []byte{op, 0, 20, 0, 1, op + 1, 0, 3, 0, 7})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, program []byte) {
		o := responses[int(which)%len(responses)]
		tree := o.tree(t)
		for ; len(program) >= 5; program = program[5:] {
			elements := tree.FindElements("//*")
			if len(elements) == 0 {
				break
			}
			one := elements[int(binary.BigEndian.Uint16(program[1:]))%len(elements)]
			other := elements[int(binary.BigEndian.Uint16(program[3:]))%len(elements)]
			rearrange(program[0], one, other)
		}
		document, err := tree.WriteToBytes()
		if err == nil {
			o.unmoved(t, document, "tree")
		}
	})
}

func rearrange(op byte, one, other *etree.Element) {
	switch op % 8 {
	case 0:
		other.AddChild(one.Copy())
	case 1:
		other.InsertChildAt(0, one.Copy())
	case 2:
		if parent := one.Parent(); parent != nil && parent.Tag != "" {
			one.Remove()
		}
	case 3:
		copied := one.Copy()
		copied.CreateAttr("ID", "_new")
		other.AddChild(copied)
	case 4:
		one.Space, one.Tag = other.Space, other.Tag
	case 5:
		one.SetText(other.Text())
	case 6:
		one.Attr = append(one.Attr[:0:0], other.Attr...)
	case 7:
		one.CreateAttr("xmlns:"+one.Space, "urn:x")
	}
}
