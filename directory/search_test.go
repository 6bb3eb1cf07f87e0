package directory_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/directory"
	"muster/directory/filter"
)

var (
	ownView       = directory.Viewer{Org: "acme", Connection: "idp"}
	effectiveView = directory.Viewer{Org: "acme"}
)

func userNames(t *testing.T, page directory.Page[*directory.Profile], err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, p := range page.Items {
		list = append(list, p.Attributes.Text(directory.UserName))
	}
	return strings.Join(list, " ")
}

// people is a world with users of many values, some of them taken over.
func sortedWorld(t *testing.T) *world {
	w := newWorld(t, func(s *directory.Setup) {
		s.Org.Attributes = map[string]directory.AttributePolicy{"seats": {Type: directory.Integer}, "ratio": {Type: directory.Decimal}, "since": {Type: directory.DateTime}}
		s.Connections[0].Link = directory.LinkAlways
	})
	for i, row := range [][]string{
		{"Delta", "title", "b", "seats", "-5", "ratio", "0.5", "since", "2024-01-01T00:00:00+02:00", "active", "false"},
		{"alpha", "title", "B", "seats", "12", "ratio", "-2", "since", "2023-12-31T22:30:00Z"},
		{"Éclair", "seats", "3", "ratio", "1e3"},
		{"charlie", "title", "a"},
		{"Bravo", "title", "É"},
	} {
		w.must(w.push(append([]string{"userName", row[0], "externalId", fmt.Sprintf("E%d", i)}, row[1:]...)...))
	}
	for _, name := range []string{"foxtrot", "golf"} { // taken over without a name of the connection's own
		id := w.must(w.signIn(name, "userName", name, "name.givenName", "G", "name.familyName", "F")).User.ID
		w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbEdit, ID: id,
			Edit: func(own directory.Attributes) (directory.Attributes, error) {
				own = own.Clone()
				own.Set("title", directory.Text("z"))
				return own, nil
			}}))
	}
	return w
}

func TestListsAreSorted(t *testing.T) {
	w := sortedWorld(t)
	for _, tc := range []struct{ by, filter, want string }{
		{"userName", "", "alpha Bravo charlie Delta foxtrot golf Éclair"},
		{"USERNAME", `title pr`, "alpha Bravo charlie Delta foxtrot golf"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName", "", "alpha Bravo charlie Delta foxtrot golf Éclair"},
		{"title", `userName sw "a" or userName eq "Delta" or userName eq "charlie" or userName sw "É"`, "charlie Delta alpha Éclair"},
		{"title", "", "charlie Delta alpha foxtrot golf Bravo Éclair"},
		{"seats", "", "Delta Éclair alpha charlie Bravo foxtrot golf"},
		{"ratio", "", "alpha Delta Éclair charlie Bravo foxtrot golf"},
		{"since", "", "Delta alpha Éclair charlie Bravo foxtrot golf"},
		{"active", "", "Delta alpha Éclair charlie Bravo foxtrot golf"},
		{"id", "", "Delta alpha Éclair charlie Bravo foxtrot golf"},
		{"nothing", "", "Delta alpha Éclair charlie Bravo foxtrot golf"},
		{"externalId", `externalId sw "E"`, "Delta alpha Éclair charlie Bravo"},
	} {
		for _, v := range []directory.Viewer{ownView, effectiveView} {
			if tc.by == "externalId" && v == effectiveView {
				continue
			}
			q := directory.Query{Filter: tc.filter, SortBy: tc.by, Limit: 10}
			page, err := w.Users(t.Context(), v, q)
			up := userNames(t, page, err)
			if up != tc.want || page.Total != len(page.Items) {
				t.Errorf("%s of %v by %s: %s, total %d", tc.filter, v, tc.by, up, page.Total)
			}
			q.Order = directory.Descending
			page, err = w.Users(t.Context(), v, q)
			down := strings.Fields(userNames(t, page, err))
			if slices.Reverse(down); strings.Join(down, " ") != tc.want {
				t.Errorf("%s of %v by %s, turned round: %v", tc.filter, v, tc.by, down)
			}
		}
	}
	for _, by := range []string{"name", "addresses", "meta", "a b", `emails[type eq "work"].value`, "."} {
		_, err := w.Users(t.Context(), ownView, directory.Query{SortBy: by, Limit: 1})
		if _, ok := errors.AsType[*directory.SortError](err); !ok {
			t.Errorf("by %s: %v", by, err)
		}
	}
}

// Of several values the primary one counts (RFC 7644 §3.4.2.3).
func TestThePrimaryValueDecidesTheOrder(t *testing.T) {
	w := newWorld(t, nil)
	for name, list := range map[string][]string{"one": {"z@a.example", "+b@a.example"}, "two": {"c@a.example", "a@a.example"}, "three": {"A@a.example"}} {
		var emails directory.Value
		for _, address := range list {
			value, primary := strings.CutPrefix(address, "+")
			emails = append(emails, directory.NewElement(directory.Field{Name: "value", Text: value}, directory.Field{Name: "primary", Text: fmt.Sprint(primary)}))
		}
		a := attributes("userName", name)
		a.Set("emails", emails)
		w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: a}))
	}
	for _, by := range []string{"emails", "emails.value"} {
		page, err := w.Users(t.Context(), ownView, directory.Query{SortBy: by, Limit: 10})
		if got := userNames(t, page, err); got != "three one two" {
			t.Errorf("by %s: %s", by, got)
		}
	}
}

// crowd makes users and groups whose values repeat.
func crowd(t *testing.T, n int) *world {
	w := newWorld(t, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		w.must(w.push("userName", fmt.Sprintf("u%03d", random.IntN(1000)*1000+i), "title", string(rune('a'+random.IntN(4))), "externalId", fmt.Sprint("e", i)))
		if i%3 == 0 {
			w.group(fmt.Sprintf("g%d", random.IntN(5)))
		}
	}
	return w
}

func ids(page directory.Page[directory.Found]) (list []string) {
	for _, f := range page.Items {
		if f.User != nil {
			list = append(list, "user "+f.User.ID.String())
		} else {
			list = append(list, "group "+f.Group.ID.String())
		}
	}
	return list
}

var pagedQueries = []directory.Query{
	{}, {Filter: `title eq "a"`}, {Filter: `userName sw "u1" or title eq "b"`}, {Filter: `userName sw "u"`}, {Filter: `displayName sw "g"`},
	{SortBy: "userName"}, {SortBy: "userName", Order: directory.Descending}, {SortBy: "title"}, {SortBy: "title", Order: directory.Descending},
	{SortBy: "displayName"}, {SortBy: "displayName", Order: directory.Descending}, {SortBy: "displayName", Filter: `displayName co "1"`},
	{SortBy: "id"}, {SortBy: "id", Order: directory.Descending}, {SortBy: "meta.created", Filter: `title pr`}, {SortBy: "nothing", Order: directory.Descending},
	{Filter: `meta.resourceType eq "Group"`}, {Filter: `meta.resourceType eq "User" and title eq "c"`}, {Filter: `id pr and meta.resourceType eq "User" or displayName eq "g1"`},
}

// However large the pages are and whichever way they are asked for, together
// they are the whole list.
func TestPagesMakeTheWholeList(t *testing.T) {
	w := crowd(t, 30)
	types := [][]directory.Resource{{directory.UserResource}, {directory.GroupResource}, {directory.UserResource, directory.GroupResource}}
	for _, q := range pagedQueries {
		for _, of := range types {
			for _, v := range []directory.Viewer{ownView, effectiveView} {
				q.Limit, q.Paging, q.Offset, q.Cursor = 1000, directory.ByOffset, 0, ""
				whole, err := w.Search(t.Context(), v, q, of...)
				if err != nil {
					t.Fatal(err)
				}
				want := ids(whole)
				if whole.Total != len(want) {
					t.Errorf("%+v %v: total %d, %d items", q, of, whole.Total, len(want))
				}
				for _, limit := range []int{1, 7, 30} {
					q.Limit = limit
					if diff := cmp.Diff(want, w.byOffset(v, q, of, len(want))); diff != "" {
						t.Errorf("%+v %v by offset: %s", q, of, diff)
					}
					if diff := cmp.Diff(want, w.byCursor(v, q, of, func(int) {})); diff != "" {
						t.Errorf("%+v %v by cursor: %s", q, of, diff)
					}
				}
			}
		}
	}
}

func (w *world) byOffset(v directory.Viewer, q directory.Query, of []directory.Resource, total int) (list []string) {
	w.t.Helper()
	for q.Offset = 0; ; q.Offset += q.Limit {
		page, err := w.Search(w.t.Context(), v, q, of...)
		if err != nil {
			w.t.Fatal(err)
		}
		if page.Total != total || page.Next != "" {
			w.t.Errorf("%+v: total %d, not %d", q, page.Total, total)
		}
		if len(page.Items) == 0 {
			return list
		}
		list = append(list, ids(page)...)
	}
}

func (w *world) byCursor(v directory.Viewer, q directory.Query, of []directory.Resource, between func(page int)) (list []string) {
	w.t.Helper()
	q.Paging = directory.ByCursor
	for n := 0; n < 1000; n++ {
		page, err := w.Search(w.t.Context(), v, q, of...)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, ids(page)...)
		if page.Next == "" {
			return list
		}
		between(n)
		q.Cursor = page.Next
	}
	w.t.Fatal("the pages do not end")
	return nil
}

// Who is there from the first page to the last is listed once, whatever is
// written in between.
func TestCursorsSurviveWrites(t *testing.T) {
	for _, q := range []directory.Query{{Limit: 3}, {Limit: 3, SortBy: "userName"}, {Limit: 3, SortBy: "title", Order: directory.Descending}, {Limit: 3, Filter: `title pr`}} {
		w := crowd(t, 40)
		all, err := w.Users(t.Context(), ownView, directory.Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		gone := map[string]bool{}
		seen := w.byCursor(ownView, q, []directory.Resource{directory.UserResource}, func(page int) {
			victim := all.Items[page*7%len(all.Items)].ID
			if !gone[victim.String()] {
				gone[victim.String()] = true
				if err := w.delete(victim); err != nil {
					t.Fatal(err)
				}
			}
			w.must(w.push("userName", fmt.Sprintf("a%d", page), "title", "a"))
		})
		count := map[string]int{}
		for _, id := range seen {
			count[strings.TrimPrefix(id, "user ")]++
		}
		for _, p := range all.Items {
			if n := count[p.ID.String()]; n > 1 || n == 0 && !gone[p.ID.String()] {
				t.Errorf("%+v: %s is listed %d times", q, p.ID, n)
			}
		}
	}
}

func TestACursorIsOfItsQueryAlone(t *testing.T) {
	w := crowd(t, 12)
	q := directory.Query{Limit: 2, Paging: directory.ByCursor, SortBy: "title", Filter: "title pr"}
	first, err := w.Users(t.Context(), ownView, q)
	if err != nil || first.Next == "" {
		t.Fatalf("%+v %v", first, err)
	}
	if strings.Trim(first.Next, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%s has other than unreserved characters", first.Next)
	}
	q.Cursor = first.Next
	next, err := w.Users(t.Context(), ownView, q)
	if err != nil || len(next.Items) != 2 || next.Items[0].ID == first.Items[0].ID {
		t.Errorf("%+v %v", next, err)
	}
	for what, change := range map[string]func(*directory.Query, *directory.Viewer){
		"another filter":      func(q *directory.Query, _ *directory.Viewer) { q.Filter = "userName pr" },
		"another order":       func(q *directory.Query, _ *directory.Viewer) { q.Order = directory.Descending },
		"another attribute":   func(q *directory.Query, _ *directory.Viewer) { q.SortBy = "userName" },
		"another viewer":      func(_ *directory.Query, v *directory.Viewer) { v.Connection = "" },
		"a changed byte":      func(q *directory.Query, _ *directory.Viewer) { q.Cursor = "A" + q.Cursor[1:] + "" },
		"a cut cursor":        func(q *directory.Query, _ *directory.Viewer) { q.Cursor = q.Cursor[:20] },
		"no base64":           func(q *directory.Query, _ *directory.Viewer) { q.Cursor = "?" + q.Cursor },
		"one that is long":    func(q *directory.Query, _ *directory.Viewer) { q.Cursor = strings.Repeat("A", 1<<20) },
		"one that is made up": func(q *directory.Query, _ *directory.Viewer) { q.Cursor = "100" },
	} {
		other, v := q, ownView
		change(&other, &v)
		if other.Cursor[0] == first.Next[0] && what == "a changed byte" {
			other.Cursor = "B" + other.Cursor[1:]
		}
		if _, err := w.Users(t.Context(), v, other); !errors.Is(err, directory.ErrCursor) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := w.Search(t.Context(), ownView, q, directory.UserResource, directory.GroupResource); !errors.Is(err, directory.ErrCursor) {
		t.Errorf("other types: %v", err)
	}
	w.now = w.now.Add(directory.DefaultCursorLife + time.Second)
	if _, err := w.Users(t.Context(), ownView, q); !errors.Is(err, directory.ErrCursorExpired) {
		t.Errorf("later: %v", err)
	}
	q.CursorLife = 2 * directory.DefaultCursorLife
	if _, err := w.Users(t.Context(), ownView, q); err != nil {
		t.Errorf("within a longer life: %v", err)
	}
}

// Tombstones stand among the users and take no place in a list.
func TestTombstonesTakeNoPlace(t *testing.T) {
	w := crowd(t, 20)
	all, err := w.Users(t.Context(), effectiveView, directory.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, p := range all.Items {
		if i%3 == 0 {
			if err := w.delete(p.ID); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want = append(want, "user "+p.ID.String())
	}
	of := []directory.Resource{directory.UserResource}
	for _, q := range []directory.Query{{Limit: 4}, {Limit: 4, SortBy: "id"}, {Limit: 4, SortBy: "nothing"}, {Limit: 4, Filter: "title pr"}} {
		if diff := cmp.Diff(want, w.byOffset(effectiveView, q, of, len(want))); diff != "" {
			t.Errorf("%+v by offset: %s", q, diff)
		}
		if diff := cmp.Diff(want, w.byCursor(effectiveView, q, of, func(int) {})); diff != "" {
			t.Errorf("%+v by cursor: %s", q, diff)
		}
	}
}

// By offset a scan beyond the budget is refused, by cursor it ends the page.
func TestAScanEndsAtItsBudget(t *testing.T) {
	w := crowd(t, 60)
	for _, text := range []string{`title eq "a"`, `title co "a"`} {
		q := directory.Query{Filter: text, Limit: 100, MaxScan: 20}
		if _, err := w.Users(t.Context(), ownView, q); !directory.IsTooMany(err) {
			t.Errorf("%s: %v", text, err)
		}
		q.SortBy = "title"
		if _, err := w.Users(t.Context(), ownView, q); !directory.IsTooMany(err) {
			t.Errorf("%s, sorted: %v", text, err)
		}
		q.SortBy, q.MaxScan = "", 200
		whole, err := w.Search(t.Context(), ownView, q, directory.UserResource)
		if err != nil {
			t.Fatal(err)
		}
		q.MaxScan = 20
		if diff := cmp.Diff(ids(whole), w.byCursor(ownView, q, []directory.Resource{directory.UserResource}, func(int) {})); diff != "" {
			t.Errorf("%s by cursor: %s", text, diff)
		}
	}
	for _, q := range []directory.Query{{SortBy: "userName", Limit: 5}, {Limit: 5, Offset: 50}, {Filter: `externalId sw "e5"`, Limit: 5}, {Filter: `title pr and userName sw "u99"`, Limit: 5}} {
		q.MaxScan = 20
		if _, err := w.Users(t.Context(), ownView, q); err != nil {
			t.Errorf("%+v needs no scan: %v", q, err)
		}
	}
	q := directory.Query{SortBy: "userName", Offset: 1 << 31, Limit: 5, MaxScan: 20}
	if page, err := w.Users(t.Context(), ownView, q); err != nil || page.Total != 60 || len(page.Items) != 0 {
		t.Errorf("behind the end: %+v %v", page, err)
	}
}

func TestIndexesAnswerEqualityAndPrefix(t *testing.T) {
	w := crowd(t, 40)
	ada := w.must(w.push("userName", "ada", "emails", "Ada@acme.example", "externalId", "X-1")).User.ID
	g := w.group("Engineering", ada)
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Resource: directory.GroupResource, Verb: directory.VerbEdit, ID: g.ID,
		Edit: func(own directory.Attributes) (directory.Attributes, error) {
			own = own.Clone()
			own.Set("externalId", directory.Text("G-1"))
			return own, nil
		}}))
	id, group := ada.String(), g.ID.String()
	for text, want := range map[string]string{
		`userName eq "ADA"`: id, `userName sw "AD"`: id, `externalId eq "X-1"`: id, `externalId sw "X"`: id, `externalId sw "x"`: "", `emails.value eq "ADA@ACME.example"`: id,
		`emails sw "ada@"`: id, `id eq "` + strings.ToUpper(id) + `"`: id, `id sw "` + strings.ToUpper(id[:35]) + `"`: id, `id sw "` + id[:36] + `" and userName pr`: id,
		`id sw "` + id + `0"`: "", `id sw "x"`: "", `title pr and (userName eq "nobody" or externalId eq "nothing")`: "",
		`groups.value eq "` + group + `"`: id, `userName pr and emails[value sw "ada" and primary eq true]`: id,
		`meta.resourceType eq "Group"`: "",
	} {
		page, err := w.Users(t.Context(), ownView, directory.Query{Filter: text, Limit: 10, MaxScan: 12})
		if got := strings.TrimPrefix(strings.Join(ids(found(page)), " "), "user "); err != nil || got != want {
			t.Errorf("%s finds %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		`displayName eq "ENGINEERING"`: group, `displayName sw "engin"`: group, `externalId eq "G-1"`: group, `externalId sw "G"`: group, `id eq "` + group + `"`: group,
		`id sw "` + group[:35] + `"`: group, `members.value eq "` + id + `"`: group, `members sw "` + id[:36] + `"`: group, `members[value eq "` + id + `" and type eq "User"]`: group,
		`members.value eq "` + id + `" and members.type eq "Group"`: "", `displayName eq "none" or displayName sw "En"`: group,
		`meta.resourceType eq "User"`: "", `schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group" and displayName sw "Eng"`: group,
	} {
		page, err := w.Groups(t.Context(), ownView, directory.Query{Filter: text, Limit: 10, MaxScan: 5})
		got := ""
		for _, g := range page.Items {
			got += g.ID.String()
		}
		if err != nil || got != want {
			t.Errorf("%s finds %q, %v", text, got, err)
		}
	}
}

func found(page directory.Page[*directory.Profile]) directory.Page[directory.Found] {
	out := directory.Page[directory.Found]{Total: page.Total}
	for _, p := range page.Items {
		out.Items = append(out.Items, directory.Found{User: p})
	}
	return out
}

// A filter on members need not read them all, and is refused where it would
// read too many.
func TestFiltersOnMembersHaveABudget(t *testing.T) {
	w := crowd(t, 60)
	all, err := w.Users(t.Context(), ownView, directory.Query{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var everybody []directory.ID
	for _, p := range all.Items {
		everybody = append(everybody, p.ID)
	}
	inner := w.group("inner")
	big := w.group("big", append(everybody, inner.ID)...)
	one := everybody[30].String()
	first := slices.MinFunc(everybody, func(a, b directory.ID) int { return slices.Compare(a[:], b[:]) }).String()
	for text, want := range map[string]int{
		`members pr and displayName eq "big"`: 1, `members.value ne "` + one + `" and displayName eq "big"`: 1, `members pr and displayName eq "inner"`: 0,
		`members.value ne "` + first + `" and displayName eq "big"`: 1, `members.value ne "` + one + `" and members.value ne "` + first + `" and displayName eq "big"`: 1,
		`not (members eq "` + one + `") and displayName eq "big"`: 0, `members eq null and displayName eq "inner"`: 1, `members ne null and displayName eq "inner"`: 0,
	} {
		page, err := w.Groups(t.Context(), ownView, directory.Query{Filter: text, Limit: 10, MaxScan: 3})
		if err != nil || page.Total != want {
			t.Errorf("%s: %d, %v", text, page.Total, err)
		}
	}
	for _, text := range []string{`members.type eq "Group"`, `members.value co "` + one[30:] + `"`} {
		if page, err := w.Groups(t.Context(), ownView, directory.Query{Filter: text, Limit: 10}); err != nil || page.Total != 1 || page.Items[0].ID != big.ID {
			t.Errorf("%s: %+v %v", text, page, err)
		}
		if _, err := w.Groups(t.Context(), ownView, directory.Query{Filter: text, Limit: 10, MaxScan: 25}); !directory.IsTooMany(err) {
			t.Errorf("%s within a small budget: %v", text, err)
		}
	}
	if _, err := w.Groups(t.Context(), ownView, directory.Query{Filter: `members.type gt 5`, Limit: 1}); !isFilterError(err) {
		t.Error(err)
	}
}

func isFilterError(err error) bool {
	_, ok := errors.AsType[*filter.Error](err)
	return ok
}

// What a record is long, and the groups that a filter looks at, are paid for.
func TestLongRecordsAndManyGroupsCostMoreOfTheBudget(t *testing.T) {
	w := newWorld(t, nil)
	w.must(w.push("userName", "long", "title", strings.Repeat("a", 64_000)))
	ada := w.must(w.push("userName", "ada")).User.ID
	for i := range 40 {
		w.group(fmt.Sprintf("g%d", i), ada)
	}
	for text, most := range map[string]int{`title co "b"`: 10, `groups.display co "x" and userName eq "ada"`: 5} {
		for _, enough := range []bool{false, true} {
			q := directory.Query{Filter: text, Limit: 10, MaxScan: most}
			if enough {
				q.MaxScan *= 10
			}
			if _, err := w.Users(t.Context(), ownView, q); directory.IsTooMany(err) == enough {
				t.Errorf("%s with a budget of %d: %v", text, q.MaxScan, err)
			}
		}
	}
	for _, q := range []directory.Query{{Limit: 10}, {Limit: 10, SortBy: "userName"}} {
		q.MaxScan = 1
		if page, err := w.Users(t.Context(), ownView, q); err != nil || len(page.Items) != 2 {
			t.Errorf("%+v shows %d, %v", q, len(page.Items), err)
		}
	}
}
