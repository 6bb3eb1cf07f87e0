package directory

import (
	"iter"
	"strings"
)

// sorted answers in the order of an attribute. What an index has in that order
// is walked, as far as the page goes; everything else is read whole, of which
// memory keeps the positions up to the end of the page.
func (s *search) sorted(tasks []task) error {
	most := s.budget / readCost
	w := &window{order: s.q.Order, after: s.start, size: min(s.q.Offset, most) + max(s.q.Limit, 0) + 1}
	for _, t := range tasks {
		var err error
		switch runs := t.ranked(t.by.attr.Name); {
		case t.match == nil && t.by.known && len(runs) > 0:
			err = s.walk(t, runs, w)
		case t.match == nil && !t.by.known:
			err = s.unranked(t, w)
		default:
			err = s.rank(t, w)
		}
		if err != nil {
			return err
		}
	}
	if s.q.Offset >= most && s.page.Total > s.q.Offset {
		return errTooMany
	}
	return s.show(tasks, w.trim())
}

// rank reads every candidate of one type.
func (s *search) rank(t task, w *window) error {
	for id, err := range s.candidates(t, NoID) {
		if err != nil {
			return err
		}
		c, err := t.judge(t, id)
		if err != nil {
			return err
		}
		if c != nil {
			s.page.Total++
			w.take(position{t.by.of(c.looks), t.resource(), id})
		}
	}
	return nil
}

// unranked takes a type of which nothing has the attribute.
func (s *search) unranked(t task, w *window) error {
	for id, err := range t.ids(NoID) {
		if err == nil {
			err = s.pay(passCost)
		}
		if err != nil {
			return err
		}
		s.page.Total++
		w.take(position{absent, t.resource(), id})
	}
	return nil
}

// run is an index in the order of an attribute: behind the prefix the text, and
// the id behind it or, where it is alone, as the value.
type run struct {
	prefix key
	lead   string // what makes the index's text an order text
}

// walk goes through the indexes of one type. Scans go forward: descending, they
// pass over everything before the page.
func (s *search) walk(t task, runs []run, w *window) error {
	total, err := t.total()
	if err != nil {
		return err
	}
	if s.page.Total += total; s.q.Limit <= 0 {
		return nil
	}
	for _, r := range runs {
		taken := 0
		for p, err := range s.positions(t, r, w) {
			if err == nil {
				err = s.pay(passCost)
			}
			if err != nil {
				return err
			}
			if w.take(p) {
				taken++
			}
			if taken >= w.size && w.order == Ascending {
				break
			}
		}
	}
	return nil
}

// positions yields a run from where the page begins or, descending, up to there.
func (s *search) positions(t task, r run, w *window) iter.Seq2[position, error] {
	from, to := r.prefix, r.prefix.end()
	if w.after != nil {
		text, inside := strings.CutPrefix(w.after.text, r.lead)
		switch {
		case inside && w.order == Ascending:
			from = r.prefix.clone().prefix(text)
		case inside:
			to = r.prefix.clone().text(text).end()
		case (w.after.text > r.lead) == (w.order == Ascending):
			to = from
		}
	}
	return func(yield func(position, error) bool) {
		for pair, err := range s.Scan(from, to) {
			if err != nil {
				yield(position{}, err)
				return
			}
			text, rest := untext(pair.Key[len(r.prefix):])
			if len(rest) == 0 {
				rest = pair.Value
			}
			if len(rest) == 16 && !yield(position{r.lead + text, t.resource(), ID(rest)}, nil) {
				return
			}
		}
	}
}

// show reads what stands on the page.
func (s *search) show(tasks []task, list []position) error {
	for i, at := range list[min(s.q.Offset, len(list)):] {
		if i == s.q.Limit {
			s.more = true
			return nil
		}
		for _, t := range tasks {
			if t.resource() != at.kind {
				continue
			}
			shown, err := s.consider(t, at)
			switch {
			case err != nil:
				return err
			case s.more:
				return nil
			case !shown:
				s.last = at
			}
		}
	}
	return nil
}
