package scim

import (
	"net/http"
	"slices"
	"strings"
)

// reference is a bulkId in a text. It stands for what another operation makes
// (RFC 7644 §3.7.2): as a whole value, or behind a slash or a quote, which is in
// paths, in addresses and in the value filters of a PATCH.
type reference struct {
	from, to int // with its mark
	id       string
	whole    bool // it is all of the text
}

const bulkMark = "bulkId:"

func referencesIn(text string) (list []reference) {
	if len(text) > len(bulkMark) && strings.EqualFold(text[:len(bulkMark)], bulkMark) {
		return []reference{{0, len(text), text[len(bulkMark):], true}}
	}
	for from := 0; ; {
		at := strings.Index(text[from:], bulkMark)
		if at < 0 {
			return list
		}
		at += from
		from = at + len(bulkMark)
		if at == 0 || text[at-1] != '/' && text[at-1] != '"' {
			continue
		}
		end := strings.IndexAny(text[from:], `"/\[]() ?#`)
		if end < 0 {
			end = len(text) - from
		}
		list = append(list, reference{at, from + end, text[from : from+end], false})
		from += end
	}
}

// references are the operations that an operation refers to, in its path and
// its data, each once.
func (b *batch) references(op *bulkOperation) (list []*bulkOperation) {
	note := func(text string) {
		for _, r := range referencesIn(text) {
			if other := b.byBulkID[r.id]; other != nil && !slices.Contains(list, other) {
				list = append(list, other)
			}
		}
	}
	note(op.path)
	op.data.texts(func(text string) bool { note(text); return true })
	return list
}

// texts yields every string in a value.
func (n node) texts(yield func(string) bool) {
	if n.doc == nil {
		return
	}
	for at := n.at; at < n.doc[n.at].next; at++ {
		if n.doc[at].kind == isString && !yield(n.doc[at].text) {
			return
		}
	}
}

// refersTo says whether a value refers to one of the operations.
func (b *batch) refersTo(n node, ops []*bulkOperation) bool {
	if len(ops) == 0 {
		return false
	}
	for text := range n.texts {
		for _, r := range referencesIn(text) {
			if slices.Contains(ops, b.byBulkID[r.id]) {
				return true
			}
		}
	}
	return false
}

// expand puts ids in place of bulkIds. A whole value that names no operation is
// a mistake; within a text it may be just that.
func (b *batch) expand(text string) (string, error) {
	list := referencesIn(text)
	if len(list) == 0 {
		return text, nil
	}
	var out strings.Builder
	at := 0
	for _, r := range list {
		other := b.byBulkID[r.id]
		switch {
		case other == nil && r.whole:
			return "", invalidValue("%s%.60s: no operation of this bulk makes something by that name", bulkMark, r.id)
		case other == nil:
			continue
		case other.id == "":
			return "", failedReference(other)
		}
		out.WriteString(text[at:r.from])
		out.WriteString(other.id)
		at = r.to
	}
	out.WriteString(text[at:])
	return out.String(), nil
}

func failedReference(op *bulkOperation) error {
	return faultf(http.StatusConflict, "", "%s%.60s: the operation that was to make it failed", bulkMark, op.bulkID)
}

// body is the data of an operation as the body of a request, without what it
// lacks: elements of lists, and whole attributes where there is no list.
func (b *batch) body(op *bulkOperation) ([]byte, error) {
	if op.data.doc == nil {
		return nil, nil
	}
	w := rewriting{b: b}
	fine := func(n node) bool { return !b.refersTo(n, op.lacks) }
	w.attributes(op.data, func(n node) bool { return n.kind() == isArray || fine(n) }, func(n node) {
		if n.kind() == isArray {
			w.list(n, w.value, fine)
		} else {
			w.value(n)
		}
	})
	return w.out, w.err
}

// completion is a PATCH that adds what the operation lacked.
func (b *batch) completion(op *bulkOperation, lacked []*bulkOperation) ([]byte, error) {
	w := rewriting{b: b, out: []byte(`{"Operations":[{"op":"add","value":`)}
	w.attributes(op.data, func(n node) bool { return b.refersTo(n, lacked) }, w.value)
	return append(w.out, `}]}`...), w.err
}

// rewriting writes JSON again, with ids in place of bulkIds.
type rewriting struct {
	b   *batch
	out []byte
	err error
}

func (w *rewriting) text(s string) {
	s, err := w.b.expand(s)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.out = appendString(w.out, s)
}

func (w *rewriting) value(n node) {
	switch n.kind() {
	case isNull:
		w.out = append(w.out, "null"...)
	case isString:
		w.text(n.text())
	case isArray, isObject:
		w.list(n, w.value, nil)
	default:
		w.out = append(w.out, n.text()...)
	}
}

// list writes the children of a list or an object that are kept.
func (w *rewriting) list(n node, child func(node), keep func(node) bool) {
	brackets := "[]"
	if n.kind() == isObject {
		brackets = "{}"
	}
	w.out = append(w.out, brackets[0])
	first := true
	for c := range n.children {
		if keep != nil && !keep(c) {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		if n.kind() == isObject {
			w.out = append(appendString(w.out, c.key()), ':')
		}
		child(c)
	}
	w.out = append(w.out, brackets[1])
}

// attributes writes those of a resource that are kept; an extension is a
// resource within one.
func (w *rewriting) attributes(n node, keep func(node) bool, attribute func(node)) {
	if n.kind() != isObject {
		w.value(n)
		return
	}
	extension := func(c node) bool { return c.kind() == isObject && strings.Contains(c.key(), ":") }
	w.list(n, func(c node) {
		if extension(c) {
			w.attributes(c, keep, attribute)
		} else {
			attribute(c)
		}
	}, func(c node) bool { return extension(c) || keep(c) })
}
