package directory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

// refusing is a world in which nobody is linked by itself, and ada is there.
func refusing(t *testing.T) (*world, directory.ID) {
	w := newWorld(t, func(s *directory.Setup) { s.Connections[0].Link = directory.LinkNever })
	r, err := w.push("userName", "ada", "emails", "ada@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	return w, r.User.ID
}

// stranger lets a stranger come who has ada's name.
func (w *world) stranger(subject string) *directory.Refusal {
	w.t.Helper()
	_, err := w.signIn(subject, "userName", "ada", "name.givenName", "Ada", "name.familyName", "L")
	r, ok := errors.AsType[*directory.Refusal](err)
	if !ok || r.Code != directory.LinkRequired {
		w.t.Fatalf("%s: %v", subject, err)
	}
	return r
}

func (w *world) cases(q directory.CaseQuery) []directory.Case {
	w.t.Helper()
	var list []directory.Case
	for k, err := range w.AllCases(w.t.Context(), "acme", q) {
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, k)
	}
	return list
}

func (w *world) resolve(id directory.ID, r directory.Resolution) directory.Case {
	w.t.Helper()
	k, err := w.ResolveCase(w.t.Context(), byAdmin, "acme", id, directory.Remedy{Resolution: r, Note: "as agreed"})
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

func TestAConflictMetHourlyIsOneCase(t *testing.T) {
	w, ada := refusing(t)
	first := w.stranger("x-1")
	opened := w.now
	for range 47 {
		w.now = w.now.Add(time.Hour)
		if again := w.stranger("x-1"); again.Case != first.Case {
			t.Fatalf("case %s, then %s", first.Case, again.Case)
		}
	}
	list := w.cases(directory.CaseQuery{})
	if len(list) != 1 {
		t.Fatalf("%d cases", len(list))
	}
	k := list[0]
	if k.Count != 48 || !k.Opened.Equal(opened) || !k.Last.Equal(w.now) || k.Kind != directory.CaseUnlinked {
		t.Errorf("%+v", k)
	}
	if !slices.Equal(k.Evidence.Users, []directory.ID{ada}) || k.Evidence.Subject != "x-1" || k.Evidence.Values["userName"] != "ada" {
		t.Errorf("evidence %+v", k.Evidence)
	}
}

func TestEveryEventOfACaseNamesIt(t *testing.T) {
	w, ada := refusing(t)
	k := w.resolve(w.stranger("x-1").Case, directory.ResolveLink)
	if k.ClosedBy != "admin" || k.Resolved != directory.ResolveLink || k.Note != "as agreed" || k.Closed.IsZero() {
		t.Errorf("%+v", k)
	}
	events, err := w.Events(t.Context(), "acme", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, e := range events {
		if e.Case == k.ID {
			told = append(told, string(e.Type))
		}
	}
	slices.Sort(told) // one transaction's events about different things have no order
	if got := strings.Join(told, " "); got != "case.opened case.resolved user.updated" {
		t.Errorf("events of the case: %s", got)
	}
	if in, err := w.signIn("x-1", "userName", "ada"); err != nil || in.User.ID != ada {
		t.Errorf("%v %v", in, err)
	}
	if _, err := w.ResolveCase(t.Context(), byAdmin, "acme", k.ID, directory.Remedy{Resolution: directory.ResolveReject}); !errors.Is(err, directory.ErrNotPermitted) {
		t.Errorf("resolved twice: %v", err)
	}
}

func TestNobodyFillsTheDiskWithCases(t *testing.T) {
	w, _ := refusing(t)
	var first directory.ID
	for i := range 1003 {
		r := w.stranger(fmt.Sprintf("x-%d", i))
		if i == 0 {
			first = r.Case
		}
	}
	counts, err := w.OpenCases(t.Context(), "acme")
	if err != nil || counts["idp"] != 1001 {
		t.Fatalf("%v %v", counts, err)
	}
	flood := w.cases(directory.CaseQuery{Kind: directory.CaseOverflow})
	if len(flood) != 1 || flood[0].Count != 3 {
		t.Fatalf("%+v", flood)
	}
	w.clean()
	// With room again, the next conflict is a case of its own.
	w.resolve(first, directory.ResolveIgnore)
	if flood = w.cases(directory.CaseQuery{Kind: directory.CaseOverflow}); len(flood) != 0 {
		t.Errorf("still %d", len(flood))
	}
	if r := w.stranger("y-1"); len(w.cases(directory.CaseQuery{})) != 1000 || r.Case == directory.NoID {
		t.Errorf("%d open cases", len(w.cases(directory.CaseQuery{})))
	}
}

func TestCasesAreListedByPageAndFilter(t *testing.T) {
	w, ada := refusing(t)
	for i := range 7 {
		w.now = w.now.Add(time.Second)
		w.stranger(fmt.Sprintf("x-%d", i))
	}
	if _, err := w.push("userName", "bob"); err != nil {
		t.Fatal(err)
	}
	all := w.cases(directory.CaseQuery{})
	w.resolve(all[3].ID, directory.ResolveReject)
	var paged []directory.ID
	q := directory.CaseQuery{State: directory.CasesAll, Limit: 3}
	for {
		page, err := w.Cases(t.Context(), "acme", q)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range page.Cases {
			paged = append(paged, k.ID)
		}
		if q.After = page.Next; page.Next == directory.NoID {
			break
		}
	}
	var want []directory.ID
	for i, k := range all {
		want = append(want, k.ID)
		if i > 0 && k.Opened.After(all[i-1].Opened) {
			t.Error("not the newest first")
		}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("pages hold %v, want %v", paged, want)
	}
	for _, c := range []struct {
		q    directory.CaseQuery
		want int
	}{
		{directory.CaseQuery{}, 6},
		{directory.CaseQuery{State: directory.CasesClosed}, 1},
		{directory.CaseQuery{State: directory.CasesAll, User: ada}, 7},
		{directory.CaseQuery{User: directory.ID{1}}, 0},
		{directory.CaseQuery{Kind: directory.CaseName}, 0},
		{directory.CaseQuery{Code: directory.LinkRequired, Connection: "idp"}, 6},
		{directory.CaseQuery{Connection: "other"}, 0},
	} {
		if got := len(w.cases(c.q)); got != c.want {
			t.Errorf("%+v: %d cases, want %d", c.q, got, c.want)
		}
	}
	if record, err := json.Marshal(all[0]); err != nil || !strings.Contains(string(record), `"kind":"unlinked"`) {
		t.Errorf("%s %v", record, err)
	}
	if _, err := w.Case(t.Context(), "other", all[0].ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("another organisation sees it: %v", err)
	}
}

func TestClosedCasesGoAndVerdictsStay(t *testing.T) {
	w, _ := refusing(t)
	w.resolve(w.stranger("x-1").Case, directory.ResolveIgnore)
	w.resolve(w.stranger("x-2").Case, directory.ResolveReject)
	w.now = w.now.Add(29 * 24 * time.Hour)
	w.work()
	if n := len(w.cases(directory.CaseQuery{State: directory.CasesAll})); n != 2 {
		t.Errorf("%d cases within the retention", n)
	}
	w.now = w.now.Add(2 * 24 * time.Hour)
	w.work()
	left := w.cases(directory.CaseQuery{State: directory.CasesAll})
	if len(left) != 1 || left[0].Resolved != directory.ResolveReject {
		t.Errorf("left: %+v", left)
	}
	w.stranger("x-2")
	if n := len(w.cases(directory.CaseQuery{})); n != 0 {
		t.Errorf("the rejection is forgotten: %d cases", n)
	}
}

func TestErasureEmptiesCases(t *testing.T) {
	w, ada := refusing(t)
	w.stranger("x-secret")
	w.resolve(w.stranger("y-secret").Case, directory.ResolveReject)
	for _, verb := range []directory.Verb{directory.VerbDelete, directory.VerbErase} {
		if _, err := w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: verb, ID: ada}); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range w.cases(directory.CaseQuery{State: directory.CasesAll}) {
		record, err := json.Marshal(k)
		if err != nil || strings.Contains(string(record), "secret") || strings.Contains(string(record), "acme.example") {
			t.Errorf("it still says %s (%v)", record, err)
		}
		if k.Closed.IsZero() {
			t.Errorf("case %s is open about nobody", k.ID)
		}
	}
	w.now = w.now.Add(31 * 24 * time.Hour)
	w.work()
	if n := len(w.cases(directory.CaseQuery{State: directory.CasesAll})); n != 0 {
		t.Errorf("%d cases are left", n)
	}
}

func TestWhoIsErasedTakesMergesAlong(t *testing.T) {
	w, ada := refusing(t)
	bob, err := w.signIn("b-1", "userName", "bob", "name.givenName", "Bob", "name.familyName", "B")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Merge(t.Context(), byAdmin, "acme", ada, bob.User.ID); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []directory.Verb{directory.VerbDelete, directory.VerbErase} {
		if _, err := w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Verb: verb, ID: ada}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.UndoMerge(t.Context(), byAdmin, "acme", bob.User.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("what was erased came back: %v", err)
	}
	if _, err := w.signIn("b-1", "userName", "bob"); directory.RefusalCode(err) != directory.Deprovisioned {
		t.Errorf("%v", err)
	}
}
