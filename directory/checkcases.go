package directory

import (
	"bytes"
	"slices"
)

// cases holds the open and the remembered cases against their index and their
// counters.
func (c *checking) cases() error {
	marked := 0
	waiting := map[ID]bool{}
	err := c.each(tableCase, func(k, v []byte) error {
		x, err := decodeCase(v)
		if err != nil {
			c.bad("case", "%v", err)
			return nil
		}
		if !bytes.Equal(k, caseKey(c.org, x.ID)) {
			c.bad("case "+x.ID.String(), "stands under another key")
		}
		if x.Closed.IsZero() {
			c.counts[countCases+x.Source.Connection]++
			waiting[x.ID.inverse()] = true
		}
		n, err := c.marks(&x)
		marked += n
		return err
	})
	if err != nil {
		return err
	}
	err = c.each(tableCaseOpen, func(k, _ []byte) error {
		if !waiting[tailID(k)] {
			c.bad("case "+tailID(k).inverse().String(), "is listed as open")
		}
		delete(waiting, tailID(k))
		return nil
	})
	for id := range waiting {
		c.bad("case "+id.inverse().String(), "is open and not listed")
	}
	if err != nil {
		return err
	}
	err = c.each(tableCaseAbout, func(_, _ []byte) error { marked--; return nil })
	if marked != 0 {
		c.bad("index of cases", "%d entries too few", marked)
	}
	return err
}

// marks counts the index entries of a case, which are there with everybody it
// names or with nobody.
func (c *checking) marks(x *Case) (n int, err error) {
	about := x.about()
	slices.SortFunc(about, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	about = slices.Compact(about)
	for _, id := range about {
		v, err := c.Get(orgKey(tableCaseAbout, c.org).id(id).id(x.ID))
		if err != nil {
			return 0, err
		}
		if v == nil {
			continue
		}
		n++
		if wanted := x.Closed.IsZero(); (v[0] == caseOpen) != wanted {
			c.bad("case "+x.ID.String(), "is marked %d", v[0])
		}
		held, err := c.Get(v[1:])
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(held, x.ID[:]) {
			c.bad("case "+x.ID.String(), "the same conflict would open another one")
		}
	}
	if n != len(about) && (n != 0 || x.Closed.IsZero()) {
		c.bad("case "+x.ID.String(), "is indexed with %d of %d whom it names", n, len(about))
	}
	return n, nil
}
