package directory

import "strconv"

// digest is FNV-1a over texts with their lengths: it names versions, and
// protects nothing.
type digest uint64

func newDigest() digest { return 14695981039346656037 }

func (d *digest) text(s string) {
	h := uint64(*d)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h = (h ^ uint64(len(s)&0xff)) * 1099511628211
	*d = digest((h ^ uint64(len(s)>>8)) * 1099511628211)
}

func (d *digest) value(v Value) {
	for _, e := range v {
		for _, f := range e {
			d.text(f.Name)
			d.text(f.Text)
		}
		d.text("")
	}
}

func (d digest) String() string { return strconv.FormatUint(uint64(d), 36) }
