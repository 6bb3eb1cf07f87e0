package directory

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/directory/filter"
)

// position is where a resource stands in an answer: by the order text of its
// value ("" where nothing is sorted), its type and its id.
type position struct {
	text string
	kind Resource
	id   ID
}

func (p position) compare(o position) int {
	return cmp.Or(strings.Compare(p.text, o.text), cmp.Compare(p.kind, o.kind), bytes.Compare(p.id[:], o.id[:]))
}

// order is what one resource type has of the attribute in SortBy.
type order struct {
	attr  filter.Attribute
	known bool
}

// newOrder resolves SortBy: sub-attributes by a dot, no value filter, nothing
// that has no value of its own (RFC 7644 §3.4.2.3). A name that the schema does
// not know is no error: nothing has a value.
func newOrder(path string, schema filter.Schema) (order, error) {
	parsed, err := filter.ParsePath(path)
	if err != nil {
		return order{}, &SortError{path, "this is no attribute path: " + err.Error()}
	}
	if parsed.ValueExpression != nil {
		return order{}, &SortError{path, "a value filter selects nothing here; name the attribute alone"}
	}
	at := parsed.AttributePath
	a, known := schema.Attribute(at.URI(), at.AttributeName, at.SubAttributeName())
	if known && a.Kind == filter.KindComplex {
		return order{}, &SortError{path, "the attribute has parts; name one of them, such as name.familyName"}
	}
	return order{a, known}, nil
}

// of is the order text of a resource.
func (o order) of(r filter.Resource) string {
	if !o.known {
		return absent
	}
	values := r.Elements("", o.attr.Name)
	if values == nil || values.Len() == 0 {
		return absent
	}
	at := 0
	for i := range values.Len() {
		if primary, _ := values.Field(i, "primary"); primary == "true" {
			at = i
			break
		}
	}
	text, ok := values.Field(at, o.attr.Sub)
	if !ok {
		return absent
	}
	if spelled, ok := spelledInOrder(o.attr.Kind, text); ok {
		return present + spelled
	}
	return orderText(o.fold(), text)
}

// fold is how texts compare: by the schema's case rule.
func (o order) fold() func(string) string {
	switch {
	case o.attr.Fold != nil:
		return o.attr.Fold
	case o.attr.CaseExact || o.attr.Kind == filter.KindReference || o.attr.Kind == filter.KindBinary:
		return func(s string) string { return s }
	}
	return filter.Fold
}

// What is there comes before what is not.
const (
	present = "\x01"
	absent  = "\x02"
)

// maxOrderText is how many bytes of a value decide its place. No name that an
// index orders is longer.
const maxOrderText = 4 * maxName

// orderText brings a value into the form that sorts as bytes, "" for no value.
func orderText(fold func(string) string, text string) string {
	if text == "" {
		return absent
	}
	folded := fold(text)
	return present + folded[:min(len(folded), maxOrderText)]
}

// spelledInOrder writes numbers and instants so that they sort as text.
func spelledInOrder(k filter.Kind, text string) (string, bool) {
	switch k {
	case filter.KindInteger:
		n, err := strconv.ParseInt(text, 10, 64)
		return string(binary.BigEndian.AppendUint64(nil, uint64(n)^1<<63)), err == nil
	case filter.KindDecimal:
		f, err := strconv.ParseFloat(text, 64)
		bits := math.Float64bits(f)
		if bits>>63 == 1 {
			bits = ^bits
		} else {
			bits |= 1 << 63
		}
		return string(binary.BigEndian.AppendUint64(nil, bits)), err == nil
	case filter.KindDateTime:
		t, err := time.Parse(time.RFC3339Nano, text)
		return t.UTC().Format("2006-01-02T15:04:05.000000000"), err == nil
	}
	return "", false
}

// window keeps the positions of one page out of many that come in any order.
type window struct {
	order Order
	after *position // the page begins behind it, nil for the beginning
	size  int
	list  []position
}

// takes a position, and says whether it lies behind the beginning.
func (w *window) take(p position) bool {
	if w.after != nil && !w.before(*w.after, p) {
		return false
	}
	w.list = append(w.list, p)
	if len(w.list) >= 2*w.size+1024 {
		w.trim()
	}
	return true
}

func (w *window) before(a, b position) bool {
	if w.order == Descending {
		a, b = b, a
	}
	return a.compare(b) < 0
}

// trim sorts what there is and forgets what comes after the page.
func (w *window) trim() []position {
	slices.SortFunc(w.list, func(a, b position) int {
		if w.order == Descending {
			return b.compare(a)
		}
		return a.compare(b)
	})
	w.list = w.list[:min(len(w.list), w.size)]
	return w.list
}
