package scim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	scimlib "github.com/elimity-com/scim"

	"muster/directory"
	"muster/directory/filter"
)

// edit is one change of one attribute, read and checked before the transaction.
type edit struct {
	op    string // scimlib.PatchOperationAdd, Replace or Remove
	attr  *attribute
	sub   string                 // the field, "" for the whole
	match *filter.ElementMatcher // of a value filter, nil without
	// seed are the fields an element must have to satisfy the value filter;
	// seeds is false when the filter is not made of equalities.
	seed  []directory.Field
	seeds bool
	path  string // as written, for messages
	value directory.Value
	text  string // for sub
	// listed: a remove that names the values to go. RFC 7644 has no such thing;
	// Entra ID, JumpCloud and authentik send it.
	listed bool
}

// program is what one body asks for: edits in their order, the same engine for
// PATCH and, on an empty resource, for POST and PUT.
type program struct {
	x       *index
	arena   arena
	edits   []edit
	ignored unknown
	most    int // operations of a PATCH, 0 for any number
}

// newProgram makes an empty program for a body of size values. It may use the
// memory of edits until the request ends.
func newProgram(x *index, size int, edits []edit) *program {
	p := &program{x: x, edits: edits[:0]}
	p.arena.fields = make([]directory.Field, 0, size)
	p.arena.elements = make([]directory.Element, 0, size)
	return p
}

// run applies the edits to own and returns what the resource shall be. own
// stays as it is, so that a lost race may run it again. create makes replace
// on a value filter that matches nothing add the element.
func (p *program) run(own directory.Attributes, create bool) (directory.Attributes, error) {
	out := make(directory.Attributes, len(own), len(own)+len(p.edits)+1)
	copy(out, own)
	out = joinLicense(out)
	work := maxWork
	for i := range p.edits {
		if err := p.edits[i].apply(&out, create, &work); err != nil {
			return nil, err
		}
	}
	if len(own) > 0 && sizeOf(out) > maxResource {
		return nil, faultf(413, "", "the user would be larger than the %d bytes that are kept of one", maxResource)
	}
	return splitLicense(out)
}

// maxResource bounds what many small edits make of one user, which every list
// must hold.
const maxResource = 1 << 20

func sizeOf(own directory.Attributes) int {
	n := 0
	for _, a := range own {
		for _, e := range a.Value {
			for _, f := range e {
				n += len(f.Name) + len(f.Text)
			}
		}
	}
	return n
}

// maxWork bounds the comparisons of one request: elements times terms. A body
// of allowed size could otherwise hold a transaction for seconds.
const maxWork = 1 << 19

// readPatch reads a PatchOp message (RFC 7644 §3.5.2).
func (p *program) readPatch(root node) error {
	return operations(root, p.most, func(op, path string, hasPath bool, value node) error {
		if hasPath {
			return p.addPath(op, path, value)
		}
		for key := range value.children {
			if err := p.addKey(op, key.key(), key); err != nil {
				return err
			}
		}
		return nil
	})
}

// operations reads the list of operations and their dialects: op in any case,
// a single object instead of a list, an empty path; most is how many.
func operations(root node, most int, each func(op, path string, hasPath bool, value node) error) error {
	list, ok := root.child("Operations")
	if !ok || list.blank() {
		return invalidSyntax("Operations: a list of at least one operation is expected")
	}
	one := func(i int, n node) error {
		op, path, value, err := operation(n)
		if err == nil {
			err = each(op, path, path != "", value)
		}
		if known, ok := errors.AsType[fault](err); ok {
			known.Detail = fmt.Sprintf("Operations[%d]: %s", i, known.Detail)
			return known
		}
		return err
	}
	if list.kind() == isObject {
		return one(0, list)
	}
	if list.kind() != isArray {
		return invalidSyntax("Operations: a list is expected, not %s", list.kind())
	}
	i := 0
	for n := range list.children {
		if i == most && most > 0 {
			return faultf(http.StatusRequestEntityTooLarge, "", "Operations: at most %d are taken at once; send the rest in another PATCH", most)
		}
		if err := one(i, n); err != nil {
			return err
		}
		i++
	}
	return nil
}

// operation reads one operation. A missing value is null.
func operation(n node) (op, path string, value node, err error) {
	if n.kind() != isObject {
		return "", "", value, invalidSyntax("Operations: an operation is an object, not %s", n.kind())
	}
	value = node{document{{kind: isNull, next: 1}}, 0}
	if v, ok := n.child("value"); ok {
		value = v
	}
	given := ""
	if v, ok := n.child("op"); ok && v.kind() == isString {
		given = v.text()
	}
	op = strings.ToLower(given)
	if op != scimlib.PatchOperationAdd && op != scimlib.PatchOperationRemove && op != scimlib.PatchOperationReplace {
		return "", "", value, invalidSyntax("op: add, remove or replace is expected, not %.40q", given)
	}
	if v, ok := n.child("path"); ok && v.kind() != isNull {
		if v.kind() != isString {
			return "", "", value, invalidPath("path: a string is expected, not %s", v.kind())
		}
		path = strings.TrimSpace(v.text())
	}
	if path != "" {
		return op, path, value, nil
	}
	if op == scimlib.PatchOperationRemove {
		return "", "", value, noTarget("remove needs a path")
	}
	if value.kind() != isObject {
		return "", "", value, invalidValue("value: without a path it is an object of attributes, not %s", value.kind())
	}
	return op, path, value, nil
}

// addPath adds an operation with a path. Read-only attributes are refused
// here, and ignored where they come along in a resource.
func (p *program) addPath(op, path string, value node) error {
	at, err := p.x.resolve(path)
	if err != nil {
		return err
	}
	if at.attr != nil && at.attr.role == readOnly {
		return faultMutability(at.attr.path)
	}
	return p.add(op, at, value)
}

// addKey adds an operation for one member of an object. Keys may be paths:
// dotted, with a value filter, with a URN in front, or an extension's URN.
func (p *program) addKey(op, key string, value node) error {
	if a := p.x.core.byName[key]; a != nil {
		return p.add(op, target{place: place{attr: a}, path: key}, value)
	}
	at, err := p.x.resolve(key)
	if err != nil {
		p.ignore(key) // a name that is no path is an unknown attribute
		return nil
	}
	return p.add(op, at, value)
}

func (p *program) ignore(name string) { p.ignored.add(name) }

// unknown are the first names of attributes that nobody knows.
type unknown []string

func (u *unknown) add(name string) {
	const most = 50
	if len(*u) < most {
		*u = append(*u, shortened(name))
	}
}

func (p *program) add(op string, at target, value node) error {
	switch {
	case at.space != nil:
		return p.addSpace(op, at, value)
	case at.attr == nil:
		p.ignore(at.path)
		return nil
	case at.attr.role != ordinary:
		return nil
	case op == scimlib.PatchOperationAdd && value.blank():
		return nil // nothing to add
	}
	e := edit{op: op, attr: at.attr, sub: at.sub, match: at.match, seed: at.seed, seeds: at.seeds, path: at.path}
	if err := p.read(&e, value); err != nil {
		return err
	}
	p.edits = append(p.edits, e)
	return nil
}

// addSpace spreads an operation on name or on an extension over its parts.
func (p *program) addSpace(op string, at target, value node) error {
	if op == scimlib.PatchOperationRemove || op == scimlib.PatchOperationReplace && value.blank() {
		for _, a := range at.space.list {
			p.edits = append(p.edits, edit{op: scimlib.PatchOperationRemove, attr: a, path: a.path})
		}
		return nil
	}
	if value.blank() {
		return nil
	}
	if value.kind() != isObject {
		return invalidValue("%s: an object is expected, not %s", at.path, value.kind())
	}
	for n := range value.children {
		inner := target{place: p.x.inside(at.space, n.key()), path: n.key()}
		if err := p.add(op, inner, n); err != nil {
			return err
		}
	}
	return nil
}

// read reads the value of an edit into it.
func (p *program) read(e *edit, value node) (err error) {
	a := e.attr
	switch {
	case e.op == scimlib.PatchOperationRemove && (e.match != nil || e.sub != "" || !a.Multi || value.blank()):
		return nil // a value says nothing here (RFC 7644 §3.5.2.2)
	case e.op == scimlib.PatchOperationRemove:
		e.listed = true
		e.value, err = p.elements(a, value)
	case e.sub != "":
		e.text, err = a.scalar(e.sub, value)
	case a.Multi && e.match != nil:
		return p.readRecord(e, value)
	case a.Multi:
		e.value, err = p.elements(a, value)
	case a.Fields != nil:
		e.value, err = p.complex(a, value)
	default:
		e.text, err = a.scalar("", value)
		if err == nil && e.text != "" {
			e.value = p.arena.text(e.text)
		}
	}
	if err != nil {
		return err
	}
	return a.bounded(e.value)
}

// readRecord reads the value for elements that a value filter selects: an
// object, or a bare value for its main field.
func (p *program) readRecord(e *edit, value node) (err error) {
	if value.kind() == isArray {
		for n := range value.children {
			value = n // a list of one, as for the whole attribute
		}
	}
	if value.kind() == isObject {
		e.value, err = p.elements(e.attr, value)
		return err
	}
	e.sub = e.attr.main()
	e.text, err = e.attr.scalar(e.sub, value)
	return err
}
