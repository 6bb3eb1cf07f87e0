package directory

import (
	"context"
	"iter"
	"slices"
)

// EventQuery selects events. The zero value is the newest of all.
type EventQuery struct {
	Type       EventType // "" for every type
	Connection string    // "" for every connection
	Channel    Channel   // "" for every channel
	// Before is the number that the events come before; 0 is the end.
	Before uint64
	// Limit is how many events a page holds; 0 means 50, and 1,000 is the most.
	Limit int
}

// EventPage is one answer to an EventQuery, newest first.
type EventPage struct {
	Told []Telling
	// Next is what the next page comes before, 0 on the last one. A page may hold
	// fewer events than its limit, or none, and have a next one: reading back over
	// events that nobody asked for ends after so many.
	Next uint64
}

// What one page may cost.
const (
	eventWindow = 256
	eventBudget = 20 * eventWindow
)

func (q EventQuery) selects(e *Event) bool {
	return (q.Type == "" || e.Type == q.Type) && (q.Connection == "" || e.Source.Connection == q.Connection) &&
		(q.Channel == "" || e.Source.Channel == q.Channel)
}

// EventLog tells events of an organisation, newest first.
func (d *Directory) EventLog(ctx context.Context, org string, q EventQuery) (page EventPage, err error) {
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 1000)
	if err := d.sequence(ctx, org); err != nil {
		return page, err
	}
	err = d.view(ctx, org, func(r reading) error {
		page = EventPage{}
		last, err := r.lastSeq()
		if err != nil {
			return err
		}
		end := last + 1
		if q.Before > 0 {
			end = min(end, q.Before)
		}
		for looked := 0; end > 1 && looked < eventBudget; looked += eventWindow {
			begin := max(end, eventWindow+1) - eventWindow
			if end, err = r.tellWindow(&page, q, begin, end); err != nil {
				return err
			}
			if len(page.Told) == q.Limit {
				break
			}
		}
		if end > 1 {
			page.Next = end
		}
		return nil
	})
	return page, err
}

// tellWindow adds the selected events between two numbers, newest first, and
// returns the number before which reading goes on.
func (r reading) tellWindow(page *EventPage, q EventQuery, begin, end uint64) (uint64, error) {
	var window []Event
	from := orgKey(tableEvent, r.org)
	for pair, err := range r.Scan(from.clone().number(begin), from.clone().number(end)) {
		if err != nil {
			return 0, err
		}
		e, err := r.event(pair.Key, pair.Value)
		if err != nil {
			return 0, err
		}
		if q.selects(&e) {
			window = append(window, e)
		}
	}
	for _, e := range slices.Backward(window) {
		if len(page.Told) == q.Limit {
			return page.Told[q.Limit-1].Event.Seq, nil
		}
		page.Told = append(page.Told, e.tell())
	}
	return begin, nil
}

// AllEvents yields every event that a query selects, oldest first. A fault is
// yielded once, last.
func (d *Directory) AllEvents(ctx context.Context, org string, q EventQuery) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for after := uint64(0); ; {
			list, err := d.Events(ctx, org, after, 1000)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range list {
				if q.selects(&e) && !yield(e, nil) {
					return
				}
				after = e.Seq
			}
			if len(list) < 1000 {
				return
			}
		}
	}
}
