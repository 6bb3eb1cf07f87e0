package directory

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"

	"muster/directory/filter"
)

// kind is one resource type as a search goes through it.
type kind interface {
	resource() Resource
	schema() filter.Schema
	cost() filter.Cost
	// total counts what an unfiltered list shows.
	total() (int, error)
	// ids yields what an unfiltered list shows, in the order of creation, behind
	// an id.
	ids(after ID) iter.Seq2[ID, error]
	// lookup returns the candidates of one lookup in an index, in any order.
	lookup(l filter.Lookup) ([]ID, error)
	// ranked names the indexes that together hold what an unfiltered list shows,
	// by the order text of an attribute; none when there are none.
	ranked(attribute string) []run
	// judge reads one resource and puts it to the filter; nil when it is not shown.
	judge(t task, id ID) (*candidate, error)
}

// task is a kind with what this search wants of it.
type task struct {
	kind
	match   *filter.Matcher // nil without a filter
	by      order           // of a sorted search
	lookups []filter.Lookup
	planned bool  // the lookups give every match
	exact   bool  // made of eq terms alone: it can confirm a value, but not search for one
	asks    asked // of the members of groups
	lean    bool  // neither filter nor order looks at groups or the version
}

// candidate is a resource that matches.
type candidate struct {
	looks filter.Resource       // as filters and orders see it
	size  int                   // bytes of its record
	shown func() (Found, error) // as the answer has it
}

// What a search pays from its budget of MaxScan records.
const (
	passCost = 1  // passing over a key
	keepCost = 8  // keeping an id or position in memory
	readCost = 32 // reading a record and comparing a few terms
)

// readSize is how much of a record readCost is for. What comes beyond it is
// paid for as further records.
const readSize = 4 << 10

// maxPage is how many bytes of records one page shows, its first item aside.
const maxPage = 4 << 20

// search is one query under way.
type search struct {
	reading
	p      *Policy
	v      Viewer
	q      Query
	kinds  []kind
	budget int
	start  *position // of a page by cursor that is not the first
	page   Page[Found]
	bytes  int
	last   position // of the newest item
	more   bool     // there is something behind last
}

// Search lists resources of several types at once; where nothing sorts them,
// one type after the other.
func (d *Directory) Search(ctx context.Context, v Viewer, q Query, types ...Resource) (Page[Found], error) {
	var s *search
	err := d.view(ctx, v.Org, func(r reading) error {
		s = &search{reading: r, v: v, q: q, page: Page[Found]{Items: []Found{}}}
		return s.run(types)
	})
	if err != nil {
		return Page[Found]{Items: []Found{}}, err
	}
	return s.page, nil
}

func (s *search) run(types []Resource) (err error) {
	if s.p, err = s.viewerPolicy(s.v); err != nil {
		return err
	}
	most := s.q.MaxScan
	if most <= 0 {
		most = DefaultMaxScan
	}
	s.budget = most * readCost
	for _, t := range types {
		s.kinds = append(s.kinds, s.kind(t))
	}
	if s.q.Paging == ByCursor {
		s.q.Offset = 0
		if s.start, err = s.open(); err != nil {
			return err
		}
	}
	tasks, err := s.tasks()
	if err != nil {
		return err
	}
	if s.sorts() {
		err = s.sorted(tasks)
	} else {
		err = s.created(tasks)
	}
	if err != nil {
		return err
	}
	return s.finish()
}

func (s *search) kind(t Resource) kind {
	if t == GroupResource {
		return groupKind{s}
	}
	return userKind{s}
}

// sorts: ids sort by creation, which is how records are kept.
func (s *search) sorts() bool {
	return s.q.SortBy != "" && (s.q.SortBy != "id" || s.q.Order == Descending || len(s.kinds) > 1)
}

// tasks compiles the filter and the order for every type.
func (s *search) tasks() ([]task, error) {
	tasks := make([]task, len(s.kinds))
	for i, k := range s.kinds {
		t := task{kind: k}
		var err error
		if s.q.SortBy != "" {
			if t.by, err = newOrder(s.q.SortBy, k.schema()); err != nil {
				return nil, err
			}
		}
		if s.q.Filter != "" {
			if t.match, err = compileFilter(s.q.Filter, s.q.Filters, k.schema()); err != nil {
				return nil, err
			}
			t.plan()
			t.exact, t.asks = onlyEquals(s.q.Filter), askedMembers(s.q.Filter)
		}
		t.lean = !t.planned && !mentions(s.q.Filter, s.q.SortBy, Groups, "meta")
		tasks[i] = t
	}
	return tasks, nil
}

// readCost is what it costs to read a resource and put it to the filter.
func (t *task) readCost() int {
	if t.match == nil {
		return readCost
	}
	return readCost * max(t.match.Terms()/8, 1)
}

// typeCost makes the resource type the last lookup to be chosen: it tells
// whether anything of a type can match at all.
const typeCost = 1 << 40

// plan asks the indexes. A lookup of the type gives all of it, or none.
func (t *task) plan() {
	t.lookups, t.planned = t.match.Plan(func(a filter.Attribute, op filter.CompareOperator) int {
		if a.Name == "meta" && a.Sub == "resourceType" && op == filter.EQ {
			return typeCost
		}
		return t.cost()(a, op)
	})
	all := slices.ContainsFunc(t.lookups, func(l filter.Lookup) bool { return l.Name == "meta" && l.Value == t.resource().String() })
	t.lookups = slices.DeleteFunc(t.lookups, func(l filter.Lookup) bool { return l.Name == "meta" })
	if all {
		t.lookups, t.planned = nil, false
	}
}

// mentions says whether a filter or a path names one of the attributes.
func mentions(text, path string, names ...string) bool {
	is := func(attribute string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, attribute) })
	}
	if at, err := filter.ParsePath(path); err == nil && is(at.AttributePath.AttributeName) {
		return true
	}
	tree, err := filter.Parse(text)
	if err != nil {
		return false
	}
	for at := range filter.Comparisons(tree) {
		if is(at.AttributeName) {
			return true
		}
	}
	return false
}

// pay takes from the budget.
func (s *search) pay(cost int) error {
	if s.budget -= cost; s.budget < 0 {
		return errTooMany
	}
	return nil
}

// created answers in the order of creation, one type after the other.
func (s *search) created(tasks []task) error {
	skip := s.q.Offset
	for _, t := range tasks {
		after := NoID
		if s.start != nil && s.start.kind == t.resource() {
			after = s.start.id
		}
		over := s.more || s.start != nil && s.start.kind > t.resource()
		var err error
		switch {
		case t.match == nil:
			skip, err = s.listed(t, after, skip, over)
		case !over || s.q.Paging == ByOffset:
			skip, err = s.matching(t, after, skip)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listed adds what an unfiltered list of one type shows; over means that only
// its total counts any more. It returns how many are still to be passed over.
func (s *search) listed(t task, after ID, skip int, over bool) (int, error) {
	total, err := t.total()
	if err != nil {
		return 0, err
	}
	s.page.Total += total
	if over || s.q.Limit <= 0 {
		return 0, nil
	}
	if skip >= total {
		return skip - total, nil
	}
	for id, err := range t.ids(after) {
		if err == nil {
			err = s.pay(passCost)
		}
		if err != nil {
			return 0, err
		}
		if skip > 0 {
			skip--
			continue
		}
		if s.full() {
			s.more = true
			break
		}
		if _, err := s.consider(t, position{kind: t.resource(), id: id}); err != nil {
			return 0, err
		}
		if s.more {
			break
		}
	}
	return skip, nil
}

// matching adds what the filter selects of one type. By offset it goes on to
// the end, to count; by cursor it stops when the page is full or the budget is
// spent.
func (s *search) matching(t task, after ID, skip int) (int, error) {
	at := position{kind: t.resource(), id: after}
	for id, err := range s.candidates(t, after) {
		if err != nil {
			return 0, err
		}
		if s.q.Paging == ByCursor && s.full() {
			s.more = true
			break
		}
		c, err := t.judge(t, id)
		if errors.Is(err, errTooMany) && s.q.Paging == ByCursor && at.id != after {
			s.last, s.more = at, true
			break
		}
		if err != nil {
			return 0, err
		}
		at.id = id
		if c == nil {
			continue
		}
		s.page.Total++
		if skip > 0 {
			skip--
			continue
		}
		if s.full() || s.more {
			continue
		}
		if err := s.add(c, at); err != nil {
			return 0, err
		}
		if s.more && s.q.Paging == ByCursor {
			break
		}
	}
	return skip, nil
}

// candidates yields the ids that can match, behind an id.
func (s *search) candidates(t task, after ID) iter.Seq2[ID, error] {
	if !t.planned {
		return t.ids(after)
	}
	ids, err := s.lookedUp(t)
	return func(yield func(ID, error) bool) {
		if err != nil {
			yield(NoID, err)
			return
		}
		for _, id := range ids {
			if slices.Compare(id[:], after[:]) > 0 && !yield(id, nil) {
				return
			}
		}
	}
}

// lookedUp is the union of the lookups, by id.
func (s *search) lookedUp(t task) ([]ID, error) {
	var ids []ID
	for _, l := range t.lookups {
		found, err := t.lookup(l)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.SortFunc(ids, func(a, b ID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids), nil
}

// full holds when the page has what was asked for.
func (s *search) full() bool { return len(s.page.Items) >= s.q.Limit }

// consider reads one resource, which is known to be on the page, and adds it.
// The length of the page bounds what that costs, not the budget.
func (s *search) consider(t task, at position) (bool, error) {
	t.lean = false // it will be shown
	left := s.budget
	s.budget = math.MaxInt
	c, err := t.judge(t, at.id)
	s.budget = left
	if c == nil || err != nil {
		return false, err
	}
	return true, s.add(c, at)
}

// add puts a match on the page, unless it makes the page too large: then the
// page ends before it.
func (s *search) add(c *candidate, at position) error {
	if s.bytes += c.size; len(s.page.Items) > 0 && s.bytes > maxPage {
		s.more = true
		return nil
	}
	found, err := c.shown()
	if err != nil {
		return err
	}
	s.page.Items = append(s.page.Items, found)
	s.last = at
	return nil
}

// finish makes the cursor of the next page. A total that was not counted to the
// end is none.
func (s *search) finish() (err error) {
	if s.q.Paging != ByCursor {
		return nil
	}
	if s.q.Filter != "" && !s.sorts() && (s.more || s.start != nil) {
		s.page.Total = -1
	}
	if s.more {
		s.page.Next, err = s.seal(s.last)
	}
	return err
}

// String is the name of the type in SCIM.
func (r Resource) String() string {
	if r == GroupResource {
		return "Group"
	}
	return "User"
}
