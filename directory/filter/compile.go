package filter

// Options of Compile.
type Options struct {
	// Strict makes an attribute that the Schema does not know an error that
	// names it. Otherwise its terms are false.
	Strict bool
}

// Compile prepares an expression for matching. Its errors are *Error with
// Offset -1 and name the attribute.
func Compile(e Expression, schema Schema, o Options) (*Matcher, error) {
	c := compiler{schema: schema, strict: o.Strict}
	root, err := c.node(e, 0)
	if err != nil {
		return nil, err
	}
	return &Matcher{root: root, terms: c.terms}, nil
}

// CompileElement prepares the value filter of a PATCH path: path.AttributePath
// and path.ValueExpression.
func CompileElement(of AttributePath, valueFilter Expression, schema Schema, o Options) (*ElementMatcher, error) {
	c := compiler{schema: schema, strict: o.Strict}
	each, err := c.valuePath(of, valueFilter, 0)
	if err != nil {
		return nil, err
	}
	if each.op == opFalse {
		return &ElementMatcher{root: each, terms: c.terms}, nil
	}
	return &ElementMatcher{root: each.kids[0], terms: c.terms}, nil
}

type compiler struct {
	schema Schema
	strict bool
	of     *AttributePath // the attribute before the brackets, while inside them
	terms  int
}

// operation is what a node of a compiled filter does.
type operation uint8

const (
	opFalse operation = iota // a term on an unknown attribute
	opTerm
	opAnd
	opOr
	opNot
	opEach // some element of term.attr satisfies the only kid
)

type node struct {
	op   operation
	kids []node
	term term
}

func (c *compiler) node(e Expression, height int) (node, error) {
	if height > maxHeight {
		return node{}, meaning("the filter is nested deeper than is allowed")
	}
	switch e := e.(type) {
	case *AttributeExpression:
		return c.comparison(e)
	case *LogicalExpression:
		return c.logical(e, height)
	case *NotExpression:
		kid, err := c.node(e.Expression, height+1)
		return node{op: opNot, kids: []node{kid}}, err
	case *ValuePath:
		return c.valuePath(e.AttributePath, e.ValueFilter, height)
	}
	return node{}, meaning("the filter has a part that is no expression")
}

// logical takes a chain of one operator as one node with many kids.
func (c *compiler) logical(e *LogicalExpression, height int) (node, error) {
	n := node{op: opAnd}
	if e.Operator == OR {
		n.op = opOr
	} else if e.Operator != AND {
		return n, meaning("%.10q is not a logical operator: and, or", string(e.Operator))
	}
	for _, side := range [...]Expression{e.Left, e.Right} {
		kid, err := c.node(side, height+1)
		if err != nil {
			return n, err
		}
		switch {
		case kid.op != n.op:
			n.kids = append(n.kids, kid)
		case n.kids == nil: // a chain leans left: taking it over keeps its cost linear
			n.kids = kid.kids
		default:
			n.kids = append(n.kids, kid.kids...)
		}
	}
	return n, nil
}

func (c *compiler) valuePath(of AttributePath, valueFilter Expression, height int) (node, error) {
	if c.of != nil {
		return node{}, meaning("a value filter must not contain another one")
	}
	if of.SubAttribute != nil {
		return node{}, meaning("a value filter belongs behind an attribute, not behind the sub-attribute %.100s", of)
	}
	attr, known := c.schema.Attribute(of.URI(), of.AttributeName, "")
	if !known && c.strict {
		return c.unknown(of)
	}
	c.of = &of
	kid, err := c.node(valueFilter, height+1)
	c.of = nil
	if err != nil {
		return node{}, err
	}
	if !known {
		return c.unknown(of)
	}
	return node{op: opEach, kids: []node{kid}, term: term{attr: attr}}, nil
}

func (c *compiler) unknown(path AttributePath) (node, error) {
	if c.strict {
		return node{}, meaning("there is no attribute %.100s", path)
	}
	return node{op: opFalse}, nil
}

func (c *compiler) comparison(e *AttributeExpression) (node, error) {
	if c.terms++; c.terms > MaxTerms {
		return node{}, meaning("the filter has more than the %d terms that are allowed", MaxTerms)
	}
	if c.of != nil && (e.AttributePath.URIPrefix != nil || e.AttributePath.SubAttribute != nil) {
		return node{}, meaning("inside the brackets of %.100s only its sub-attributes can be named, not %.100s",
			c.of, e.AttributePath)
	}
	path := inside(c.of, e.AttributePath)
	attr, ok := c.schema.Attribute(path.URI(), path.AttributeName, path.SubAttributeName())
	if !ok {
		return c.unknown(path)
	}
	return compileTerm(path, attr, e)
}
