package directory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"
)

// Records are a version byte and then fields in a fixed order: unsigned
// varints, and texts with their length in front. A later release adds fields
// under a higher version and goes on reading the lower ones.
const recordVersion = 1

// errRecord: a record this release cannot read. It means a later release or
// damage, and is never repaired silently.
var errRecord = errors.New("directory: unreadable record")

// encoder appends fields to a record.
type encoder struct{ b []byte }

func newEncoder(size int) *encoder {
	return &encoder{append(make([]byte, 0, size), recordVersion)}
}

func (e *encoder) uint(n uint64) { e.b = binary.AppendUvarint(e.b, n) }
func (e *encoder) int(n int)     { e.uint(uint64(n)) }
func (e *encoder) id(id ID)      { e.b = append(e.b, id[:]...) }

func (e *encoder) text(s string) {
	e.int(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) bool(v bool) {
	n := byte(0)
	if v {
		n = 1
	}
	e.b = append(e.b, n)
}

// time is microseconds since 1970, 0 for none.
func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.uint(0)
		return
	}
	e.uint(uint64(t.UnixMicro()))
}

func (e *encoder) value(v Value) {
	e.int(len(v))
	for _, el := range v {
		e.int(len(el))
		for _, f := range el {
			e.text(f.Name)
			e.text(f.Text)
		}
	}
}

func (e *encoder) attributes(a Attributes) {
	e.int(len(a))
	for _, x := range a {
		e.text(x.Name)
		e.value(x.Value)
	}
}

// decoder reads fields in the order they were written. Its texts share one
// copy of the record, its values a few slices. After a fault every field reads
// as zero; err says so once.
type decoder struct {
	s        string
	at       int
	err      error
	fields   []Field   // room for elements
	elements []Element // room for values
}

// newDecoder copies the record, which belongs to a transaction.
func newDecoder(record []byte) *decoder {
	d := &decoder{s: string(record)}
	if v := d.byte(); d.err == nil && v != recordVersion {
		d.fail("version %d", v)
	}
	return d
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", errRecord, fmt.Sprintf(format, args...))
	}
	d.at = len(d.s)
}

// done returns the fault, or one for bytes left over.
func (d *decoder) done() error {
	if d.err == nil && d.at != len(d.s) {
		d.fail("%d bytes left over", len(d.s)-d.at)
	}
	return d.err
}

func (d *decoder) byte() byte {
	if d.at >= len(d.s) {
		d.fail("too short")
		return 0
	}
	d.at++
	return d.s[d.at-1]
}

func (d *decoder) uint() uint64 {
	if d.at < len(d.s) && d.s[d.at] < 0x80 {
		d.at++
		return uint64(d.s[d.at-1])
	}
	n, size := binary.Uvarint(unsafe.Slice(unsafe.StringData(d.s), len(d.s))[d.at:])
	if size <= 0 {
		d.fail("bad number at %d", d.at)
		return 0
	}
	d.at += size
	return n
}

// count reads the length of a list; each element takes at least one byte, so a
// damaged length cannot ask for more memory than the record is long.
func (d *decoder) count() int {
	n := d.uint()
	if n > uint64(len(d.s)-d.at) {
		d.fail("bad length at %d", d.at)
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count()
	d.at += n
	return d.s[d.at-n : d.at]
}

func (d *decoder) bool() bool { return d.byte() == 1 }

func (d *decoder) id() ID {
	if len(d.s)-d.at < 16 {
		d.fail("too short")
		return NoID
	}
	d.at += 16
	return ID([]byte(d.s[d.at-16 : d.at]))
}

func (d *decoder) time() time.Time {
	n := d.uint()
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(n)).UTC()
}

func (d *decoder) value() Value {
	v := Value(room(&d.elements, d.count(), d.left()))
	for i := range v {
		el := Element(room(&d.fields, d.count(), d.left()))
		for j := range el {
			el[j] = Field{d.text(), d.text()}
		}
		v[i] = el
	}
	return v
}

// left is about how many elements or fields are still to come.
func (d *decoder) left() int { return min((len(d.s)-d.at)/24, 64) }

// room cuts n places off free. When they do not suffice, it makes new ones for
// those that are still to come, too.
func room[T any](free *[]T, n, left int) []T {
	if *free == nil || n > len(*free) {
		*free = make([]T, max(n, left, 1))
	}
	cut := (*free)[:n:n]
	*free = (*free)[n:]
	return cut
}

func (d *decoder) attributes() Attributes {
	n := d.count()
	a := make(Attributes, n, n+4)
	for i := range a {
		a[i] = Attribute{d.text(), d.value()}
	}
	return a
}
