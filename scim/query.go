package scim

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"muster/directory"
)

// parameters of a request. Their names have no case: Entra ID writes startindex.
type parameters struct {
	filter, attributes, excluded string
	sortBy, sortOrder            string
	startIndex, pageLength       string // as written
	cursor                       string
	byCursor                     bool // cursor was given, perhaps empty: RFC 9865 §2
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
		p.set(name, value)
		if len(seen) < 1000 {
			seen += "&" + name + "&"
		}
	}
	return p, p.page(c.s.options.MaxResults)
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
		if err != nil {
			return p, err
		}
		p.set(strings.ToLower(n.key()), text)
	}
	return p, p.page(c.s.options.MaxResults)
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

// set keeps one parameter; unknown ones are ignored.
func (p *parameters) set(name, value string) {
	switch name {
	case "filter":
		p.filter = value
	case "attributes":
		p.attributes = value
	case "excludedattributes":
		p.excluded = value
	case "sortby":
		p.sortBy = strings.TrimSpace(value)
	case "sortorder":
		p.sortOrder = strings.ToLower(strings.TrimSpace(value))
	case "startindex":
		p.startIndex = value
	case "count":
		p.pageLength = value
	case "cursor":
		p.cursor, p.byCursor = value, true
	}
}

// page reads where a page begins and how long it is; an empty value says
// nothing. A page by cursor begins where the cursor says, and has a length.
func (p *parameters) page(most int) (err error) {
	if p.sortOrder != "" && p.sortOrder != "ascending" && p.sortOrder != "descending" {
		return invalidValue("sortOrder: ascending or descending is expected, not %.40q", p.sortOrder)
	}
	if p.startIndex != "" && !p.byCursor {
		if p.start, err = number10("startIndex", p.startIndex); err != nil {
			return err
		}
		p.start = max(1, p.start)
	}
	if p.pageLength == "" {
		return nil
	}
	count, err := number10("count", p.pageLength)
	if p.byCursor && (err != nil || count < 1) {
		return faultf(http.StatusBadRequest, invalidCount, "count: with a cursor a number from 1 to %d is expected, not %.40q", most, p.pageLength)
	}
	p.count = min(max(0, count), most)
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

// query is what the parameters ask of the directory.
func (c *call) query(p parameters) directory.Query {
	q := directory.Query{Filter: p.filter, SortBy: p.sortBy, Offset: p.start - 1, Limit: p.count,
		MaxScan: c.s.options.MaxScan, CursorLife: c.s.options.CursorLife, Filters: c.s.options.Filters}
	if p.sortOrder == "descending" {
		q.Order = directory.Descending
	}
	if p.byCursor {
		q.Paging, q.Cursor = directory.ByCursor, p.cursor
	}
	return q
}
