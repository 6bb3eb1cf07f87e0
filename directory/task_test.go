package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/directory"
)

func TestATableMovesEverybodyInBatchesThatGoOn(t *testing.T) { // CONFLICTS 74
	w := newWorld(t, func(s *directory.Setup) {
		s.Connections[0].Subject = directory.Subjects{SCIM: "externalId", Same: true}
		next := s.Connections[0]
		next.ID, next.SAML = "next", &directory.SAMLTrust{EntityID: "https://next.example"}
		s.Connections = append(s.Connections, next)
	})
	move := directory.Transfer{Org: "acme", From: "idp", To: "next"}
	for i := range 450 {
		w.must(w.push("userName", fmt.Sprintf("u%d", i), "externalId", fmt.Sprintf("o-%d", i)))
		move.Rows = append(move.Rows, directory.TransferRow{Line: i + 2, Old: fmt.Sprintf("o-%d", i), New: fmt.Sprintf("n-%d", i)})
	}
	by := directory.EventSource{Channel: directory.Local, Actor: "admin"}
	if err := w.SetState(t.Context(), by, "acme", "idp", directory.Retired); err != nil {
		t.Fatal(err)
	}
	plan, err := w.PlanTransfer(t.Context(), move)
	if err != nil || plan.Ready != 450 || plan.Left != 0 || plan.Changed != 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	id, err := w.Transfer(t.Context(), by, move)
	if err != nil {
		t.Fatal(err)
	}
	last := -1
	for range 10 {
		task, err := w.Task(t.Context(), "acme", id)
		if err != nil {
			t.Fatal(err)
		}
		w.clean()
		if !task.Finished.IsZero() {
			if task.Changed != 450 || task.Refused != 0 || task.Total != 450 {
				t.Errorf("%+v", task)
			}
			break
		}
		if task.Looked <= last {
			t.Errorf("no progress: %d, then %d of %d", last, task.Looked, task.Total)
		}
		last = task.Looked
		if _, err := w.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Transfer(t.Context(), by, move); directory.RefusalCode(err) != directory.Ambiguous {
		t.Errorf("the same table again: %v", err)
	}
	w.now = w.now.Add(31 * 24 * time.Hour)
	w.work()
	if tasks, err := w.Tasks(t.Context(), "acme"); err != nil || len(tasks) != 0 {
		t.Errorf("after a month: %d tasks, %v", len(tasks), err)
	}
}

func TestUndoLeavesWhatItCannotBringBackAndSaysSo(t *testing.T) { // CONFLICTS 46
	w := newWorld(t, nil)
	var ids []directory.ID
	for i := range 5 {
		ids = append(ids, w.must(w.push("userName", fmt.Sprintf("u%d", i))).User.ID)
	}
	start := w.now
	w.now = w.now.Add(time.Minute)
	for _, id := range ids {
		if err := w.delete(id); err != nil {
			t.Fatal(err)
		}
	}
	// Somebody else has the name by now.
	w.must(w.push("userName", "u2"))
	id, err := w.UndoRun(t.Context(), directory.EventSource{Actor: "admin"}, "acme", "idp", start)
	if err != nil {
		t.Fatal(err)
	}
	w.work()
	task, err := w.Task(t.Context(), "acme", id)
	if err != nil || task.Changed != 4 || task.Refused != 1 || len(task.Faults) != 1 || task.Faults[0].About != ids[2] {
		t.Errorf("%+v, %v", task, err)
	}
	for i, id := range ids {
		_, err := w.User(t.Context(), directory.Viewer{Org: "acme"}, id)
		if (i == 2) != errors.Is(err, directory.ErrNotFound) {
			t.Errorf("user %d: %v", i, err)
		}
	}
	if _, err := w.UndoRun(t.Context(), directory.EventSource{}, "acme", "idp", w.now.Add(time.Hour)); directory.RefusalCode(err) != directory.InvalidValue {
		t.Errorf("nothing happened since: %v", err)
	}
}

func TestAGuardCountsEverybodyBelowALargeNestedGroup(t *testing.T) { // CONFLICTS 46
	w := newWorld(t, func(s *directory.Setup) { s.Connections[0].Guard = directory.Guard{Min: 1100} })
	ids := make([]directory.ID, 1200)
	for i := range ids {
		ids[i] = w.must(w.push("userName", fmt.Sprintf("u%d", i))).User.ID
	}
	inner := w.group("Inner", ids...)
	outer := w.group("Outer", inner.ID)
	w.refused(directory.GuardTripped, w.members(outer.ID, directory.MemberChange{Remove: []directory.ID{inner.ID}}))
	if err := w.members(inner.ID, directory.MemberChange{Remove: ids[:200]}); err != nil {
		t.Fatal(err)
	}
	w.refused(directory.GuardTripped, w.members(outer.ID, directory.MemberChange{Remove: []directory.ID{inner.ID}}))
	w.now = w.now.Add(time.Hour)
	if err := w.members(outer.ID, directory.MemberChange{Remove: []directory.ID{inner.ID}}); err != nil {
		t.Errorf("1,000 of 1,100: %v", err)
	}
	s, err := w.Guard(t.Context(), "acme", "idp", 10)
	if err != nil || s.Counted != 1000 || s.Held != 0 || s.Limit != 1100 {
		t.Errorf("%+v, %v", s, err)
	}
	w.work()
}
