package projection

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"muster/directory"
)

// batchEvents is how many events one transaction follows.
const batchEvents = 200

// writer changes the tables of one organisation in one transaction.
type writer struct {
	ctx    context.Context
	tx     pgx.Tx
	d      *directory.Directory
	org    string
	schema string
}

// exec runs a statement in which %s is the schema.
func (w *writer) exec(statement string, arguments ...any) error {
	_, err := w.tx.Exec(w.ctx, fmt.Sprintf(statement, w.schema), arguments...)
	return err
}

// lock makes this the only writer of the organisation and returns how far the
// tables are, nil when nothing was read yet.
func (w *writer) lock() (seq *int64, err error) {
	if err := w.exec("insert into %s.cursors values ($1) on conflict do nothing", w.org); err != nil {
		return nil, err
	}
	err = w.tx.QueryRow(w.ctx, fmt.Sprintf("select seq from %s.cursors where org = $1 for update", w.schema), w.org).Scan(&seq)
	return seq, err
}

func (w *writer) reach(seq uint64) error {
	return w.exec("update %s.cursors set seq = $2 where org = $1", w.org, int64(seq))
}

// follow writes what the next events are about, as it is now: what changed
// since then has an event of its own, later.
func (w *writer) follow(seq uint64) (more bool, err error) {
	events, err := w.d.Events(w.ctx, w.org, seq, batchEvents)
	if err != nil || len(events) == 0 {
		return false, err
	}
	users, groups := map[directory.ID]bool{}, map[directory.ID]bool{}
	for _, e := range events {
		if err := w.members(e); err != nil {
			return false, err
		}
		users[e.User], users[e.Other], groups[e.Group] = true, true, true
	}
	delete(users, directory.NoID)
	delete(groups, directory.NoID)
	for id := range groups {
		if err := w.group(id); err != nil {
			return false, err
		}
	}
	for id := range users {
		if err := w.user(id); err != nil {
			return false, err
		}
	}
	if err := w.events(events); err != nil {
		return false, err
	}
	return len(events) == batchEvents, w.reach(events[len(events)-1].Seq)
}

// members applies what an event says about the members of its group: before
// those who left, after those who came.
func (w *writer) members(e directory.Event) error {
	if e.Group == directory.NoID {
		return nil
	}
	for _, c := range e.Changes {
		if c.Attribute != directory.Members {
			continue
		}
		if err := w.exec("delete from %s.members where org = $1 and group_id = $2 and member_id = any ($3::uuid[])", w.org, e.Group.String(), ids(c.Before)); err != nil {
			return err
		}
		if err := w.join(e.Group, ids(c.After)); err != nil {
			return err
		}
	}
	return nil
}

// join adds members; those who are groups are told by asking.
func (w *writer) join(group directory.ID, members []string) error {
	for _, text := range members {
		id, ok := directory.ParseID(text)
		if !ok {
			return fmt.Errorf("a member %q", text)
		}
		_, err := w.d.Group(w.ctx, w.viewer(), id)
		if err != nil && !errors.Is(err, directory.ErrNotFound) {
			return err
		}
		if err := w.member(group, directory.Member{ID: id, Group: err == nil}); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) member(group directory.ID, m directory.Member) error {
	return w.exec("insert into %s.members values ($1, $2, $3, $4) on conflict do nothing", w.org, group.String(), m.ID.String(), m.Group)
}

func (w *writer) viewer() directory.Viewer { return directory.Viewer{Org: w.org} }

// group writes a group, or removes it with all its memberships.
func (w *writer) group(id directory.ID) error {
	g, err := w.d.Group(w.ctx, w.viewer(), id)
	if errors.Is(err, directory.ErrNotFound) {
		return errors.Join(
			w.exec("delete from %s.members where org = $1 and (group_id = $2 or member_id = $2)", w.org, id.String()),
			w.exec("delete from %s.groups where org = $1 and id = $2", w.org, id.String()))
	}
	if err != nil {
		return err
	}
	return w.exec(`insert into %s.groups values ($1, $2, $3, $4, $5, $6, $7) on conflict (org, id) do update set
		display_name = excluded.display_name, connection = excluded.connection, channel = excluded.channel, modified = excluded.modified`,
		groupRow(g)...)
}

// user writes a user and where it belongs, or removes both.
func (w *writer) user(id directory.ID) error {
	p, err := w.d.User(w.ctx, w.viewer(), id)
	if err == nil && p.ID != id || errors.Is(err, directory.ErrNotFound) { // merged into another, or deleted
		return errors.Join(
			w.exec("delete from %s.members where org = $1 and member_id = $2", w.org, id.String()),
			w.exec("delete from %s.users where org = $1 and id = $2", w.org, id.String()))
	}
	if err != nil {
		return err
	}
	row, err := userRow(p)
	if err != nil {
		return err
	}
	err = w.exec(`insert into %s.users values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict (org, id) do update set
		user_name = excluded.user_name, active = excluded.active, display_name = excluded.display_name,
		given_name = excluded.given_name, family_name = excluded.family_name, email = excluded.email, title = excluded.title,
		department = excluded.department, user_type = excluded.user_type, modified = excluded.modified, attributes = excluded.attributes`, row...)
	if err != nil {
		return err
	}
	return w.belongs(id)
}

// belongs brings the direct memberships of a user to what they are now.
func (w *writer) belongs(id directory.ID) error {
	told, err := w.d.Explain(w.ctx, w.org, id)
	if err != nil {
		return err
	}
	direct := []string{}
	for _, g := range told.Groups {
		if !g.Indirect {
			direct = append(direct, g.ID.String())
		}
	}
	if err := w.exec("delete from %s.members where org = $1 and member_id = $2 and not group_id = any ($3::uuid[])", w.org, id.String(), direct); err != nil {
		return err
	}
	return w.exec("insert into %s.members select $1, g, $2, false from unnest($3::uuid[]) g on conflict do nothing", w.org, id.String(), direct)
}
