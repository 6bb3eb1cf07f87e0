package scim

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"muster/directory"
)

// parameters of a request. Their names have no case: Entra ID writes startindex.
type parameters struct {
	filter, attributes, excluded string
	start, count                 int
}

// parameters reads the query part. A semicolon is an ordinary character here,
// as in RFC 3986; of a name given twice the first counts.
func (c *call) parameters() (parameters, error) {
	p := parameters{start: 1, count: c.s.options.PageSize}
	if c.r.URL.RawQuery == "" {
		return p, nil
	}
	seen := ""
	for pair := range strings.SplitSeq(c.r.URL.RawQuery, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(rawName)
		value, errValue := url.QueryUnescape(rawValue)
		if errName != nil || errValue != nil {
			return p, invalidValue("the query part has a percent sign without two hexadecimal digits")
		}
		name = strings.ToLower(name)
		if strings.Contains(seen, "&"+name+"&") {
			continue
		}
		if err := p.set(name, value, c.s.options.MaxResults); err != nil {
			return p, err
		}
		if len(seen) < 1000 {
			seen += "&" + name + "&"
		}
	}
	return p, nil
}

// searched reads the same parameters from a SearchRequest (RFC 7644 §3.4.3),
// in which lists are lists and numbers are numbers. The query part says nothing.
func (c *call) searched() (parameters, error) {
	p := parameters{start: 1, count: c.s.options.PageSize}
	root, err := c.body(c.s.options.MaxBody)
	if err != nil {
		return p, err
	}
	for n := range root.children {
		if strings.EqualFold(n.key(), "schemas") || n.kind() == isNull {
			continue
		}
		text, err := joined(n)
		if err == nil {
			err = p.set(strings.ToLower(n.key()), text, c.s.options.MaxResults)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

// joined is a value as the query part would have it: a list joined by commas.
func joined(n node) (string, error) {
	if n.kind() != isArray {
		return n.text(), nil
	}
	var names []string
	for child := range n.children {
		if child.kind() != isString {
			return "", invalidSyntax("%.40s: a list of names is expected, with no %s in it", n.key(), child.kind())
		}
		names = append(names, child.text())
	}
	return strings.Join(names, ","), nil
}

// set keeps one parameter; the ones of features that are not here are ignored
// (RFC 7644 §3.4.2.3 lets sorting be).
func (p *parameters) set(name, value string, most int) error {
	switch name {
	case "filter":
		p.filter = value
	case "attributes":
		p.attributes = value
	case "excludedattributes":
		p.excluded = value
	case "startindex", "count":
		return p.page(name, value, most)
	}
	return nil
}

// page keeps where a page begins and how long it is; an empty value says nothing.
func (p *parameters) page(name, value string, most int) (err error) {
	switch {
	case value == "":
	case name == "startindex":
		p.start, err = number10(name, value)
		p.start = max(1, p.start)
	default:
		p.count, err = number10(name, value)
		p.count = min(max(0, p.count), most)
	}
	return err
}

// number10 reads an integer; one that does not fit is as large as can be.
func number10(name, value string) (int, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, invalidValue("%s: an integer is expected, not %.40q", name, value)
	}
	return int(n), nil
}

func (p parameters) query() directory.Query {
	return directory.Query{Filter: p.filter, Offset: p.start - 1, Limit: p.count}
}
