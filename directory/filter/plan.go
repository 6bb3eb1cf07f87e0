package filter

import "math"

// Lookup asks an index for candidates: every resource with an element whose
// field equals the value, or starts with it.
type Lookup struct {
	URI, Name, Sub string          // in the Schema's spelling
	Op             CompareOperator // EQ or SW
	Value          string          // as Attribute.Fold (or Fold) makes it: what the index must hold
}

// Cost says what one lookup on an attribute by EQ or SW costs: how many
// candidates it is expected to give, 1 for a unique one; 0 if no index serves it.
type Cost func(a Attribute, op CompareOperator) int

// Plan finds the cheapest lookups whose union contains every resource that can
// match; each candidate must still be put to Match. No lookups and true means
// that nothing can match. It reports false where only a scan will do.
//
// Lookups are on strings, references, binaries, booleans and integers. Of
// terms joined by and one suffices, of terms joined by or every one is needed;
// not, ne, pr and the rest give none.
func (m *Matcher) Plan(cost Cost) ([]Lookup, bool) {
	p := m.root.plan(cost)
	if !p.ok {
		return nil, false
	}
	seen := make(map[Lookup]bool, len(p.lookups))
	unique := p.lookups[:0]
	for _, l := range p.lookups {
		if !seen[l] {
			unique = append(unique, l)
		}
		seen[l] = true
	}
	return unique, true
}

// plan is a union of lookups; not ok is the scan.
type plan struct {
	lookups []Lookup
	cost    int
	ok      bool
}

func (n *node) plan(cost Cost) plan {
	switch n.op {
	case opFalse:
		return plan{ok: true}
	case opTerm:
		return n.term.plan(cost)
	case opEach:
		return n.kids[0].plan(cost)
	case opAnd:
		return cheapest(n.kids, cost)
	case opOr:
		return union(n.kids, cost)
	}
	return plan{}
}

func cheapest(kids []node, cost Cost) plan {
	var best plan
	for i := range kids {
		if p := kids[i].plan(cost); p.ok && (!best.ok || p.cost < best.cost) {
			best = p
		}
	}
	return best
}

func union(kids []node, cost Cost) plan {
	all := plan{ok: true}
	for i := range kids {
		p := kids[i].plan(cost)
		if !p.ok {
			return plan{}
		}
		all.lookups = append(all.lookups, p.lookups...)
		all.cost = min(all.cost, math.MaxInt-p.cost) + p.cost
	}
	return all
}

func (t *term) plan(cost Cost) plan {
	if t.op != EQ && t.op != SW || !t.spelled() {
		return plan{}
	}
	c := cost(t.attr, t.op)
	if c <= 0 {
		return plan{}
	}
	l := Lookup{URI: t.attr.URI, Name: t.attr.Name, Sub: t.attr.Sub, Op: t.op, Value: t.text}
	return plan{lookups: []Lookup{l}, cost: c, ok: true}
}

// spelled holds where equal values have equal text.
func (t *term) spelled() bool {
	switch t.attr.Kind {
	case KindDecimal, KindDateTime, KindComplex:
		return false
	case KindInteger:
		return t.text != ""
	}
	return t.op == EQ || t.text != ""
}
