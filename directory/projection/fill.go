package projection

import (
	"errors"

	"github.com/jackc/pgx/v5"

	"muster/directory"
)

// pageSize is how many resources are asked for at once.
const pageSize = 500

// fill reads everything, as if it had never been read. The number of the last
// event is taken first: what changes while the rest is read is followed later.
func (w *writer) fill() error {
	seq, err := w.d.LastEvent(w.ctx, w.org)
	if err != nil {
		return err
	}
	for _, table := range []string{"users", "groups", "members", "events"} {
		if err := w.exec("delete from %s."+table+" where org = $1", w.org); err != nil {
			return err
		}
	}
	return errors.Join(w.allUsers(), w.allGroups(), w.allEvents(seq), w.reach(seq))
}

func (w *writer) copy(table string, rows [][]any) error {
	columns := map[string][]string{
		"users": {"org", "id", "user_name", "active", "display_name", "given_name", "family_name", "email", "title", "department",
			"user_type", "created", "modified", "attributes"},
		"groups":  {"org", "id", "display_name", "connection", "channel", "created", "modified"},
		"members": {"org", "group_id", "member_id", "nested"},
		"events": {"org", "seq", "id", "time", "type", "user_id", "group_id", "connection", "channel", "actor", "request",
			"attributes"},
	}
	_, err := w.tx.CopyFrom(w.ctx, pgx.Identifier{w.schema, table}, columns[table], pgx.CopyFromRows(rows))
	return err
}

func (w *writer) allUsers() error {
	q := directory.Query{Limit: pageSize, Paging: directory.ByCursor, SkipGroups: true}
	for {
		page, err := w.d.Users(w.ctx, w.viewer(), q)
		if err != nil {
			return err
		}
		rows := make([][]any, len(page.Items))
		for i, p := range page.Items {
			if rows[i], err = userRow(p); err != nil {
				return err
			}
		}
		if err := w.copy("users", rows); err != nil || page.Next == "" {
			return err
		}
		q.Cursor = page.Next
	}
}

func (w *writer) allGroups() error {
	q := directory.Query{Limit: pageSize, Paging: directory.ByCursor}
	for {
		page, err := w.d.Groups(w.ctx, w.viewer(), q)
		if err != nil {
			return err
		}
		rows := make([][]any, len(page.Items))
		for i, g := range page.Items {
			rows[i] = groupRow(g)
			if err := w.allMembers(g.ID); err != nil {
				return err
			}
		}
		if err := w.copy("groups", rows); err != nil || page.Next == "" {
			return err
		}
		q.Cursor = page.Next
	}
}

func (w *writer) allMembers(group directory.ID) error {
	var rows [][]any
	for m, err := range w.d.Members(w.ctx, w.viewer(), group) {
		if err != nil {
			return err
		}
		rows = append(rows, []any{w.org, group.String(), m.ID.String(), m.Group})
		if len(rows) == 10*pageSize {
			if err := w.copy("members", rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	return w.copy("members", rows)
}

func (w *writer) allEvents(last uint64) error {
	for seq := uint64(0); seq < last; {
		events, err := w.d.Events(w.ctx, w.org, seq, pageSize)
		if err != nil || len(events) == 0 {
			return err
		}
		for len(events) > 0 && events[len(events)-1].Seq > last {
			events = events[:len(events)-1]
		}
		if len(events) == 0 {
			return nil
		}
		if err := w.events(events); err != nil {
			return err
		}
		seq = events[len(events)-1].Seq
	}
	return nil
}
