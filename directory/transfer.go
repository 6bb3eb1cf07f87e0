package directory

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// TransferRow moves one user: who signs in, or is pushed, by the old subject at
// the old connection is from now on the one with the new subject at the new one.
type TransferRow struct {
	Line int `json:"line"` // in the table, for messages
	// Old is the subject at the connection that users leave: of either channel.
	Old string `json:"old"`
	// New is the subject of the sign-in at the other connection, and of its push
	// where both carry one value.
	New string `json:"new"`
	// Pushed is the subject of its push where that is another value, "" for none.
	Pushed string `json:"pushed,omitempty"`
}

// Transfer is a move of users from one connection to another by an explicit
// table. No name or address is compared. From one connection to itself it moves
// links alone: the identity provider calls its people by other subjects from now
// on. The old ones are reserved.
type Transfer struct {
	Org  string        `json:"org"`
	From string        `json:"from"`
	To   string        `json:"to"`
	Rows []TransferRow `json:"rows"`
}

// TransferPlan is what a transfer would do. It can begin only without faults.
type TransferPlan struct {
	Rows  int `json:"rows"`
	Ready int `json:"ready"` // rows that name exactly one user who may move
	// Left is how many users of the old connection no row names; they stay.
	Left int `json:"left"`
	// Faults are the rows that are ambiguous or name nobody, at most 1,000;
	// Refused is how many there are.
	Faults  []RowFault `json:"faults,omitempty"`
	Refused int        `json:"refused"`
	// Changed is how many users would be seen differently, Sample the first of them.
	Changed int          `json:"changed"`
	Sample  []UserChange `json:"sample,omitempty"`
}

// RowFault is why a row of a table cannot be done.
type RowFault struct {
	Line   int    `json:"line"`
	Old    string `json:"old,omitempty"`
	Detail string `json:"detail"`
}

const (
	maxTransferRows  = 1_000_000
	maxTransferBytes = 256 << 20
	maxRowFaults     = 1000
)

// ReadTransferTable reads CSV (RFC 4180) with a header: old, new, and pushed if
// wanted. Subjects are taken byte for byte; a row with an empty old or new one,
// or with more or fewer fields, refuses the whole table with its line.
func ReadTransferTable(r io.Reader) ([]TransferRow, error) {
	in := csv.NewReader(io.LimitReader(r, maxTransferBytes))
	header, err := in.Read()
	if err != nil {
		return nil, invalid("table", "has no header line: old,new or old,new,pushed")
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	column := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
	}
	from, to, pushed := column("old"), column("new"), column("pushed")
	if from < 0 || to < 0 || len(header) > 3 || len(header) == 3 && pushed < 0 {
		return nil, invalid("table", "the header is old,new or old,new,pushed")
	}
	var rows []TransferRow
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, invalid("table", "%v", err)
		}
		line, _ := in.FieldPos(0)
		row := TransferRow{Line: line, Old: record[from], New: record[to]}
		if pushed >= 0 {
			row.Pushed = record[pushed]
		}
		switch {
		case row.Old == "" || row.New == "":
			return nil, invalid("table", "line %d: old and new are not empty", line)
		case len(rows) == maxTransferRows:
			return nil, invalid("table", "has more than %d rows", maxTransferRows)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// PlanTransfer holds the whole table against the directory and counts what it
// would do, by the same code without the commit.
func (d *Directory) PlanTransfer(ctx context.Context, t Transfer) (plan TransferPlan, err error) {
	err = d.view(ctx, t.Org, func(r reading) error {
		plan, _, err = r.planTransfer(&t)
		return err
	})
	return plan, err
}

func (r reading) planTransfer(t *Transfer) (plan TransferPlan, moves []move, err error) {
	a, err := r.rehearsal()
	if err != nil {
		return plan, nil, err
	}
	from, to := a.s.policy.Connection(t.From), a.s.policy.Connection(t.To)
	switch {
	case from == nil || to == nil:
		return plan, nil, ErrNotFound
	case from != to && from.state() != Retired:
		return plan, nil, refuse(ChannelOff, "connection %s still writes; retire it first", from.ID).on("from")
	case to.state() == Retired:
		return plan, nil, refuse(ChannelOff, "connection %s is retired", to.ID).on("to")
	}
	plan.Rows = len(t.Rows)
	seen := told{map[string]int{}, map[string]int{}, map[ID]int{}}
	for _, row := range t.Rows {
		m, change, err := a.planRow(from, to, row, seen)
		if refusal, ok := errors.AsType[*Refusal](err); ok {
			if plan.Refused++; len(plan.Faults) < maxRowFaults {
				plan.Faults = append(plan.Faults, RowFault{row.Line, row.Old, refusal.Detail})
			}
			continue
		}
		if err != nil {
			return plan, nil, err
		}
		plan.Ready++
		moves = append(moves, m)
		if change != nil {
			if plan.Changed++; len(plan.Sample) < maxSample {
				plan.Sample = append(plan.Sample, *change)
			}
		}
	}
	err = r.eachUser(func(u *User) error {
		if u.Home == from.ID && u.Deleted == nil && seen.users[u.ID] == 0 {
			plan.Left++
		}
		return nil
	})
	return plan, moves, err
}

// told is what earlier rows of a table said, with their lines.
type told struct {
	old, fresh map[string]int
	users      map[ID]int
}

// move is one row with the user it names, as a task keeps it.
type move struct {
	TransferRow
	User ID `json:"user"`
}

// planRow says whom a row names and what moving would change, or why not.
func (a *application) planRow(from, to *Connection, row TransferRow, seen told) (m move, change *UserChange, err error) {
	if line, twice := seen.old[row.Old]; twice {
		return m, nil, refuse(Ambiguous, "the old subject is also in line %d", line)
	}
	seen.old[row.Old] = row.Line
	for _, subject := range []string{SSO.of(row.New), SCIM.of(to.pushedSubject(row))} {
		if line, twice := seen.fresh[subject]; twice && subject != SCIM.of("") {
			return m, nil, refuse(Ambiguous, "the new subject is also in line %d", line)
		}
		seen.fresh[subject] = row.Line
	}
	before, err := a.holderOf(from, row.Old)
	if err != nil {
		return m, nil, err
	}
	if line, twice := seen.users[before.ID]; twice {
		return m, nil, refuse(Ambiguous, "it names the same user as line %d", line)
	}
	seen.users[before.ID] = row.Line
	after, err := a.transferred(before, from, to, row)
	if err != nil {
		return m, nil, err
	}
	if err := a.resolveUser(after); err != nil {
		return m, nil, err
	}
	return move{row, before.ID}, changeOf(a.s.policy, before, after), nil
}

// of tells a subject of one channel from that of another.
func (ch Channel) of(subject string) string { return string(ch) + " " + subject }

// pushedSubject is the value by which the connection's push will name the user.
func (c *Connection) pushedSubject(row TransferRow) string {
	if row.Pushed == "" && c.Subject.Same {
		return row.New
	}
	return row.Pushed
}

// holderOf is the one user whom a subject of the connection names, of which it
// is home.
func (a *application) holderOf(c *Connection, subject string) (found *User, err error) {
	for _, l := range []Link{{Channel: SCIM}, {Channel: SSO, Issuer: c.issuer()}, {Channel: SSO}} {
		l.Connection, l.Subject = c.ID, subject
		u, err := a.userAt(linkKey(a.org, &l))
		if err != nil {
			return nil, err
		}
		if u == nil || slices.ContainsFunc(u.Links, func(x Link) bool { return sameLink(x, l) && x.State == LinkMoved }) {
			continue
		}
		if found != nil && found.ID != u.ID {
			return nil, refuse(Ambiguous, "the old subject names one user when pushed (id %s) and another at sign-in (id %s)", found.ID, u.ID)
		}
		found = u
	}
	switch {
	case found == nil:
		return nil, refuse(NotProvisioned, "the old subject names nobody at connection %s", c.ID)
	case found.Deleted != nil:
		return nil, refuse(Deprovisioned, "the user was deleted by %s", found.Deleted.Source)
	case found.Home != c.ID:
		return nil, refuse(LinkRequired, "the user's home is %q", found.Home)
	}
	return found, nil
}

// transferred is the user after its move: what counted of the old connection is
// local, the new one is home and linked by the new subjects. Nobody else may
// hold them, and the user no others.
func (a *application) transferred(before *User, from, to *Connection, row TransferRow) (*User, error) {
	if from == to {
		return a.renamed(before, to, row)
	}
	after := before.clone()
	a.absorb(after, from.ID)
	after.Home = to.ID
	for _, ch := range []Channel{SSO, SCIM} {
		subject := row.New
		if ch == SCIM {
			subject = to.pushedSubject(row)
		}
		if subject == "" {
			continue
		}
		if l := after.link(to.ID, ch); l != nil && l.Subject != subject {
			return nil, refuse(Ambiguous, "the user is linked to connection %s already, as %q", to.ID, l.Subject)
		} else if l != nil {
			continue
		}
		if err := a.subjectFree(to, ch, subject, before.ID); err != nil {
			return nil, err
		}
		after.Links = append(after.Links, Link{Connection: to.ID, Channel: ch, Subject: subject, Ahead: true, At: a.now.At})
	}
	return after, nil
}

// subjectFree refuses a subject that is somebody else's.
func (a *application) subjectFree(c *Connection, ch Channel, subject string, owner ID) error {
	for _, issuer := range []string{"", c.issuer()} {
		holder, err := a.userAt(linkKey(a.org, &Link{Connection: c.ID, Channel: ch, Issuer: issuer, Subject: subject}))
		if err != nil {
			return err
		}
		if holder != nil && holder.ID != owner {
			return refuse(Uniqueness, "the new subject belongs to another user (id %s) of connection %s", holder.ID, c.ID)
		}
	}
	return nil
}

// renamed is the user after the links with the old subject moved to the new one,
// each on its channel.
func (a *application) renamed(before *User, c *Connection, row TransferRow) (*User, error) {
	after, moved := before.clone(), false
	if before.Locked() {
		return nil, refuse(Suspended, "the user is locked, and a locked user's link never moves")
	}
	for _, ch := range []Channel{SSO, SCIM} {
		subject := row.New
		if ch == SCIM {
			subject = c.pushedSubject(row)
		}
		l := before.link(c.ID, ch)
		if l == nil || l.Subject != row.Old || subject == "" || subject == row.Old {
			continue
		}
		if err := a.subjectFree(c, ch, subject, before.ID); err != nil {
			return nil, err
		}
		after.repoint(Link{Connection: c.ID, Channel: ch, Issuer: l.Issuer, Subject: subject}, a.now)
		moved = true
	}
	if !moved {
		return nil, refuse(InvalidValue, "the row moves no link: the old subject is the new one, or that of a push whose new subject is missing")
	}
	return after, nil
}

// rowsAtOnce is how many rows of a table one transaction stores.
const rowsAtOnce = 50

// Transfer begins to move users by a table, as a task. With one ambiguous row
// it does nothing and says so; PlanTransfer lists them.
func (d *Directory) Transfer(ctx context.Context, by EventSource, t Transfer) (task ID, err error) {
	var plan TransferPlan
	var moves []move
	err = d.view(ctx, t.Org, func(r reading) error {
		plan, moves, err = r.planTransfer(&t)
		return err
	})
	switch {
	case err != nil:
		return NoID, err
	case plan.Refused > 0:
		return NoID, refuse(Ambiguous, "%d of %d rows cannot be done, line %d: %s; nothing was moved",
			plan.Refused, plan.Rows, plan.Faults[0].Line, plan.Faults[0].Detail).on("table")
	case len(moves) == 0:
		return NoID, invalid("table", "has no rows")
	}
	err = d.administer(ctx, by, t.Org, func(a *application) error {
		task, err = a.startTask(Task{Kind: TaskTransfer, Connection: t.From, To: t.To, Total: len(moves), Mark: mark{Last: uint64(len(moves))}})
		return err
	})
	if err != nil {
		return NoID, err
	}
	return task, d.loadMoves(ctx, by, t.Org, task, moves)
}

// loadMoves stores the rows and then lets the task begin.
func (d *Directory) loadMoves(ctx context.Context, by EventSource, org string, task ID, moves []move) error {
	for n := 0; n < len(moves); n += rowsAtOnce {
		err := d.update(ctx, org, func(w writing) error {
			for i := n; i < min(n+rowsAtOnce, len(moves)); i++ {
				if err := w.setJSON(orgKey(tableTaskRow, org).id(task).number(uint64(i)), moves[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return d.administer(ctx, by, org, func(a *application) error {
		var t Task
		if known, err := a.jsonAt(orgKey(tableTask, org).id(task), &t); !known || err != nil {
			return errors.Join(err, ErrNotFound)
		}
		t.Mark.Ready = true
		return a.putTask(&t)
	})
}

// transferItems are the next rows.
func (a *application) transferItems(t *Task, limit int) (items []item, err error) {
	prefix := orgKey(tableTaskRow, a.org).id(t.ID)
	for pair, err := range a.Scan(prefix.clone().number(t.Mark.Next), prefix.end()) {
		if err != nil {
			return nil, err
		}
		if len(items) == limit {
			break
		}
		var m move
		if err := json.Unmarshal(pair.Value, &m); err != nil {
			return nil, fmt.Errorf("%w: row of a transfer: %v", errRecord, err)
		}
		next := t.Mark
		next.Next = t.Mark.Next + uint64(len(items)) + 1
		items = append(items, item{m.User, func() error { return a.transferUser(t, m) }, next})
	}
	return items, nil
}

// transferUser moves the user of a row, if the row still names that user.
func (a *application) transferUser(t *Task, m move) error {
	from, to := a.s.policy.Connection(t.Connection), a.s.policy.Connection(t.To)
	if from == nil || to == nil {
		return refuse(ChannelOff, "the connection is gone")
	}
	before, err := a.holderOf(from, m.Old)
	if err != nil {
		return err
	}
	if before.ID != m.User {
		return refuse(Ambiguous, "the old subject names another user by now (id %s)", before.ID)
	}
	after, err := a.transferred(before, from, to, m.TransferRow)
	if err != nil {
		return err
	}
	if err := a.settle(before, after); err != nil {
		return err
	}
	return a.write(before, after, UserMoved)
}
