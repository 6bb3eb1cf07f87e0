package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Task is work that an administrator ordered and that is too much for one
// transaction. It goes on after a crash where it stood; each user is done whole
// or not at all.
type Task struct {
	ID         ID       `json:"id"`
	Kind       TaskKind `json:"kind"`
	Connection string   `json:"connection"`
	To         string   `json:"to,omitempty"` // of a transfer
	// Actor and Request are who ordered it, Started when.
	Actor   string    `json:"actor,omitempty"`
	Request string    `json:"request,omitempty"`
	Started time.Time `json:"started"`
	// Total is how much there is to look at, Looked how much has been.
	Total  int `json:"total"`
	Looked int `json:"looked"`
	// Changed are those it changed; Refused those it could not, of which Faults
	// tells the first.
	Changed int         `json:"changed"`
	Refused int         `json:"refused"`
	Faults  []TaskFault `json:"faults,omitempty"`
	// Finished is when it was done, zero while it is under way.
	Finished time.Time `json:"finished,omitzero"`

	Mark mark `json:"mark"`
}

// TaskKind says what a task does.
type TaskKind string

// The kinds of task.
const (
	TaskUndo     TaskKind = "undo"     // of what a guarded run did
	TaskFinalise TaskKind = "finalise" // a connection's word becomes local
	TaskRemove   TaskKind = "remove"   // a connection goes, its users become local or are deleted
	TaskTransfer TaskKind = "transfer" // users move to another connection by a table
)

// TaskFault is one user or group that a task left as it was.
type TaskFault struct {
	About  ID     `json:"about"`
	Detail string `json:"detail"`
}

// mark is where a task stands; each kind uses what it needs.
type mark struct {
	Stage int    `json:"stage,omitempty"`
	After ID     `json:"after,omitzero"`  // the last record looked at
	Next  uint64 `json:"next,omitempty"`  // event or row to look at next
	Last  uint64 `json:"last,omitempty"`  // and the last one
	Bury  bool   `json:"bury,omitempty"`  // delete the users
	Ready bool   `json:"ready,omitempty"` // everything it needs is stored
}

const (
	taskStep    = 200 // items of one transaction
	maxFaults   = 100
	taskMemory  = 30 * 24 * time.Hour // how long a finished task is kept
	taskLoading = time.Hour           // how long a task may take to be stored
)

// item is one piece of a task: do, nil when there is nothing to do, and where
// the task stands afterwards.
type item struct {
	about ID
	do    func() error
	mark  mark
}

func (a *application) putTask(t *Task) error { return a.setJSON(orgKey(tableTask, a.org).id(t.ID), t) }

// startTask makes a task with the change under way.
func (a *application) startTask(t Task) (ID, error) {
	id, err := a.d.ids.next(a.now.At)
	if err != nil {
		return NoID, err
	}
	t.ID, t.Actor, t.Request, t.Started = id, a.now.Actor, a.now.Request, a.now.At
	return id, a.putTask(&t)
}

// Tasks lists what administrators of the organisation ordered, newest first,
// finished ones for 30 days.
func (d *Directory) Tasks(ctx context.Context, org string) (list []Task, err error) {
	err = d.view(ctx, org, func(r reading) error {
		list = nil
		prefix := orgKey(tableTask, org)
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			var t Task
			if err := json.Unmarshal(pair.Value, &t); err != nil {
				return fmt.Errorf("%w: task: %v", errRecord, err)
			}
			list = append([]Task{t}, list...)
		}
		return nil
	})
	return list, err
}

// Task returns one task. ErrNotFound when there is none.
func (d *Directory) Task(ctx context.Context, org string, id ID) (t Task, err error) {
	err = d.view(ctx, org, func(r reading) error {
		known, err := r.jsonAt(orgKey(tableTask, org).id(id), &t)
		if err == nil && !known {
			return ErrNotFound
		}
		return err
	})
	return t, err
}

// stepTask does one batch of the organisation's oldest task. What refuses is
// left as it was and noted; what is too much for one transaction is cut.
func (d *Directory) stepTask(ctx context.Context, org string) (more bool, err error) {
	list, err := d.Tasks(ctx, org)
	if err != nil {
		return false, err
	}
	for i := len(list) - 1; i >= 0; i-- {
		switch t := list[i]; {
		case !t.Finished.IsZero():
			if d.now().Sub(t.Finished) > taskMemory {
				return true, d.forgetTask(ctx, org, t.ID)
			}
		case t.Mark.Ready:
			return true, d.batch(ctx, org, t)
		case d.now().Sub(t.Started) > taskLoading:
			return true, d.forgetTask(ctx, org, t.ID)
		}
	}
	return false, nil
}

func (d *Directory) batch(ctx context.Context, org string, t Task) error {
	by := EventSource{Channel: Local, Actor: t.Actor, Request: t.Request}
	for limit := taskStep; ; {
		at, failed, refused := 0, mark{}, (*Refusal)(nil)
		err := d.administer(ctx, by, org, func(a *application) (err error) {
			at, failed, err = a.advanceTask(t.ID, limit, nil)
			return err
		})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrTooLarge) && limit > 1:
			limit = max(1, limit/4)
		case errors.As(err, &refused) && at > 0:
			limit = at
		case refused != nil:
			return d.administer(ctx, by, org, func(a *application) error {
				_, _, err := a.advanceTask(t.ID, 1, &skip{failed, refused})
				return err
			})
		default:
			return fmt.Errorf("task %s: %w", t.ID, err)
		}
	}
}

// skip says to leave the item as it is that a task has next, if it stands where
// that item was refused: another node may have left it already.
type skip struct {
	at  mark
	why *Refusal
}

// advanceTask does at most limit items. It says from where it began, and at
// which item it failed. With skip the first one is left as it is.
func (a *application) advanceTask(id ID, limit int, skip *skip) (at int, from mark, err error) {
	var t Task
	if known, err := a.jsonAt(orgKey(tableTask, a.org).id(id), &t); !known || err != nil || !t.Finished.IsZero() {
		return 0, from, err
	}
	if from = t.Mark; skip != nil && skip.at != from {
		return 0, from, nil
	}
	items, err := a.itemsOf(&t, limit)
	if err != nil {
		return 0, from, err
	}
	for i, it := range items {
		wrote := a.wrote
		switch {
		case skip != nil:
			t.fault(it.about, skip.why.Error())
		case it.do != nil:
			if err := it.do(); err != nil {
				return i, from, err
			}
		}
		if a.wrote != wrote {
			t.Changed++
		}
		t.Looked++
		t.Mark = it.mark
	}
	if len(items) == 0 {
		if err := a.finishTask(&t); err != nil {
			return 0, from, err
		}
	}
	return 0, from, a.putTask(&t)
}

func (t *Task) fault(about ID, detail string) {
	t.Refused++
	if len(t.Faults) < maxFaults {
		t.Faults = append(t.Faults, TaskFault{about, detail})
	}
}

// itemsOf are the next pieces of a task; none when it is done.
func (a *application) itemsOf(t *Task, limit int) ([]item, error) {
	switch t.Kind {
	case TaskUndo:
		return a.undoItems(t, limit)
	case TaskTransfer:
		return a.transferItems(t, limit)
	}
	return a.leaveItems(t, limit)
}

func (a *application) finishTask(t *Task) error {
	t.Finished, t.Total = a.now.At, t.Looked
	if t.Kind == TaskRemove && t.Refused == 0 {
		if err := a.dropConnection(t.Connection); err != nil {
			return err
		}
	}
	return a.emit(Event{Type: TaskDone, Changes: []AttributeChange{{Attribute: string(t.Kind), Layer: Local, Before: Text(t.Connection), After: Text(t.To)}}}, [16]byte{})
}

// forgetTask removes a task and what was stored for it, in parts.
func (d *Directory) forgetTask(ctx context.Context, org string, id ID) error {
	return d.update(ctx, org, func(w writing) error {
		prefix := orgKey(tableTaskRow, org).id(id)
		var rows []key
		for pair, err := range w.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			if len(rows) == sweepStep {
				break
			}
			rows = append(rows, append(key{}, pair.Key...))
		}
		for _, k := range rows {
			if err := w.tx.Delete(k); err != nil {
				return err
			}
		}
		if len(rows) == sweepStep {
			return nil
		}
		return w.tx.Delete(orgKey(tableTask, org).id(id))
	})
}
