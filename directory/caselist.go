package directory

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
)

// CaseQuery selects cases. The zero value is the newest open ones.
type CaseQuery struct {
	State      CaseState
	Kind       CaseKind // "" for every kind
	Code       Code     // "" for every code
	Connection string   // "" for every connection
	User       ID       // NoID for everybody
	// After is the last case of the page before, NoID for the first page.
	After ID
	// Limit is how many cases a page holds; 0 means 50, and 1,000 is the most.
	Limit int
}

// CaseState says which cases are meant.
type CaseState string

// The states. The zero value is CasesOpen.
const (
	CasesOpen   CaseState = ""
	CasesClosed CaseState = "closed"
	CasesAll    CaseState = "all"
)

// CasePage is one answer to a CaseQuery, newest first.
type CasePage struct {
	Cases []Case `json:"cases"`
	// Next is what the next page comes after, NoID on the last one.
	Next ID `json:"next,omitzero"`
}

// Cases lists cases of an organisation.
func (d *Directory) Cases(ctx context.Context, org string, q CaseQuery) (page CasePage, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 1000)
	err = d.view(ctx, org, func(r reading) error {
		page = CasePage{}
		for k, err := range r.cases(q) {
			if err != nil {
				return err
			}
			if !q.selects(&k) {
				continue
			}
			if len(page.Cases) == q.Limit {
				page.Next = page.Cases[q.Limit-1].ID
				return nil
			}
			page.Cases = append(page.Cases, k)
		}
		return nil
	})
	return page, err
}

// cases yields the cases among which a query selects, newest first: all, or
// those that wait.
func (r reading) cases(q CaseQuery) iter.Seq2[Case, error] {
	table := byte(tableCase)
	if q.State == CasesOpen {
		table = tableCaseOpen
	}
	prefix := orgKey(table, r.org)
	from := prefix.clone()
	if q.After != NoID {
		from = append(from.id(q.After.inverse()), 0)
	}
	return func(yield func(Case, error) bool) {
		for pair, err := range r.Scan(from, prefix.end()) {
			record := pair.Value
			if table == tableCaseOpen && err == nil {
				record, err = r.Get(caseKey(r.org, tailID(pair.Key).inverse()))
			}
			var k Case
			if err == nil {
				k, err = decodeCase(record)
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

func decodeCase(record []byte) (k Case, err error) {
	if err := json.Unmarshal(record, &k); err != nil {
		return k, fmt.Errorf("%w: case: %v", errRecord, err)
	}
	return k, nil
}

func (q *CaseQuery) selects(k *Case) bool {
	open := k.Closed.IsZero()
	return (q.State == CasesAll || open == (q.State == CasesOpen)) &&
		(q.Kind == "" || q.Kind == k.Kind) &&
		(q.Code == "" || q.Code == k.Code) &&
		(q.Connection == "" || q.Connection == k.Source.Connection) &&
		(q.User == NoID || slices.Contains(k.Evidence.Users, q.User))
}

// AllCases yields every selected case, newest first, for an export. It reads a
// page at a time, so it holds no snapshot for long.
func (d *Directory) AllCases(ctx context.Context, org string, q CaseQuery) iter.Seq2[Case, error] {
	q.Limit = 1000
	return func(yield func(Case, error) bool) {
		for {
			page, err := d.Cases(ctx, org, q)
			if err != nil {
				yield(Case{}, err)
				return
			}
			for _, k := range page.Cases {
				if !yield(k, nil) {
					return
				}
			}
			if q.After = page.Next; q.After == NoID {
				return
			}
		}
	}
}

// Case returns one case. ErrNotFound when the organisation has none of that id.
func (d *Directory) Case(ctx context.Context, org string, id ID) (k Case, err error) {
	err = d.view(ctx, org, func(r reading) error {
		found, err := r.caseByID(id)
		if err != nil {
			return err
		}
		if found == nil {
			return ErrNotFound
		}
		k = *found
		return nil
	})
	return k, err
}

// OpenCases counts the open cases of an organisation by connection; ""
// stands for those that no connection caused.
func (d *Directory) OpenCases(ctx context.Context, org string) (counts map[string]int, err error) {
	err = d.view(ctx, org, func(r reading) error {
		counts = map[string]int{}
		p, err := r.policy()
		if err != nil {
			return err
		}
		ids := []string{""}
		for _, c := range p.Connections() {
			ids = append(ids, c.ID)
		}
		for _, id := range ids {
			n, err := r.total(countCases + id)
			if err != nil {
				return err
			}
			if n > 0 {
				counts[id] = n
			}
		}
		return nil
	})
	return counts, err
}
