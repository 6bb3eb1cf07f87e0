package filter

// Matcher is a compiled filter.
type Matcher struct {
	root  node
	terms int
}

// Match reports whether the resource satisfies the filter.
func (m *Matcher) Match(r Resource) bool { return m.root.match(r) }

// Terms is the number of terms: the bound of what Match costs per element.
func (m *Matcher) Terms() int { return m.terms }

// ElementMatcher is a compiled value filter.
type ElementMatcher struct {
	root  node
	terms int
}

// Match reports whether element i satisfies the value filter.
func (m *ElementMatcher) Match(e Elements, i int) bool { return m.root.matchElement(e, i) }

// Terms is the number of terms of the value filter.
func (m *ElementMatcher) Terms() int { return m.terms }

func (n *node) match(r Resource) bool {
	switch n.op {
	case opTerm:
		return n.term.any(r)
	case opAnd:
		for i := range n.kids {
			if !n.kids[i].match(r) {
				return false
			}
		}
		return true
	case opOr:
		for i := range n.kids {
			if n.kids[i].match(r) {
				return true
			}
		}
	case opNot:
		return !n.kids[0].match(r)
	case opEach:
		return n.matchSome(r)
	}
	return false
}

func (n *node) matchSome(r Resource) bool {
	elements := r.Elements(n.term.attr.URI, n.term.attr.Name)
	if elements == nil {
		return false
	}
	for i := range elements.Len() {
		if n.kids[0].matchElement(elements, i) {
			return true
		}
	}
	return false
}

func (n *node) matchElement(e Elements, at int) bool {
	switch n.op {
	case opTerm:
		return n.term.one(e, at)
	case opAnd:
		for i := range n.kids {
			if !n.kids[i].matchElement(e, at) {
				return false
			}
		}
		return true
	case opOr:
		for i := range n.kids {
			if n.kids[i].matchElement(e, at) {
				return true
			}
		}
	case opNot:
		return !n.kids[0].matchElement(e, at)
	}
	return false
}

func (t *term) any(r Resource) bool {
	elements := r.Elements(t.attr.URI, t.attr.Name)
	if elements == nil || elements.Len() == 0 {
		return t.absent
	}
	if t.attr.Kind == KindComplex && t.attr.Sub == "" {
		return true
	}
	for i := range elements.Len() {
		if t.one(elements, i) {
			return true
		}
	}
	return false
}

func (t *term) one(e Elements, i int) bool {
	v, ok := e.Field(i, t.attr.Sub)
	if !ok {
		return t.absent
	}
	return t.test(v)
}
