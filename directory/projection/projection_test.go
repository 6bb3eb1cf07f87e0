package projection_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/directory"
	"muster/directory/engine/memory"
	"muster/directory/engine/postgres/postgrestest"
	"muster/directory/projection"
	"muster/directory/projection/projectiontest"
)

// office is a directory with a projection of it.
type office struct {
	*testing.T
	*directory.Directory
	server *postgrestest.Server
	tables *projection.Projection
	now    time.Time
}

const schema = "muster_sql"

func newOffice(t *testing.T, server *postgrestest.Server) *office {
	t.Helper()
	o := &office{T: t, server: server, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	e := memory.New(memory.Options{})
	d, err := directory.Open(t.Context(), e, directory.Options{Now: func() time.Time { return o.now }})
	if err != nil {
		t.Fatal(err)
	}
	o.Directory = d
	o.configure(nil)
	o.tables, err = projection.Open(t.Context(), server.URL("postgres", "reader=analyst"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		o.tables.Close()
		if problems, err := d.Check(context.Background()); err != nil || len(problems) > 0 {
			t.Error(problems, err)
		}
		_ = e.Close()
	})
	return o
}

func (o *office) configure(rules []directory.Rule) {
	o.Helper()
	setup := directory.Setup{Org: directory.Org{ID: "acme", Rules: rules, Retention: time.Hour}, Connections: []directory.Connection{
		{ID: "idp", Write: directory.Write{SCIM: directory.Create}, Guard: directory.Guard{Off: true}}}}
	if _, err := o.Configure(o.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
		o.Fatal(err)
	}
}

func (o *office) apply(c directory.Change) directory.Result {
	o.Helper()
	c.Org, c.Connection, c.Channel = "acme", "idp", directory.SCIM
	r, err := o.Apply(o.Context(), c)
	if err != nil {
		o.Fatal(err)
	}
	return r
}

func (o *office) hire(name string, more ...directory.Attribute) directory.ID {
	o.Helper()
	a := append(directory.Attributes{{Name: directory.UserName, Value: directory.Text(name)}}, more...)
	slices.SortFunc(a, func(x, y directory.Attribute) int { return strings.Compare(x.Name, y.Name) })
	return o.apply(directory.Change{Verb: directory.VerbCreate, Attributes: a}).User.ID
}

func (o *office) found(name string, members ...directory.ID) directory.ID {
	o.Helper()
	return o.apply(directory.Change{Resource: directory.GroupResource, Verb: directory.VerbCreate,
		Attributes: directory.Attributes{{Name: directory.DisplayName, Value: directory.Text(name)}},
		Members:    directory.MemberChange{Add: members}}).Group.ID
}

// same catches up and compares.
func (o *office) same() {
	o.Helper()
	for more := true; more; {
		var err error
		if more, err = o.Work(o.Context()); err != nil {
			o.Fatal(err)
		}
	}
	if err := o.tables.CatchUp(o.Context(), o.Directory); err != nil {
		o.Fatal(err)
	}
	projectiontest.Compare(o, strings.Replace(o.server.URL("postgres"), postgrestest.Role+":"+postgrestest.Password, "analyst:analyst", 1), schema, o.Directory)
}

func start(t *testing.T) *postgrestest.Server {
	server := postgrestest.Start(t)
	if server != nil {
		server.Exec("create role analyst login password 'analyst'")
	}
	return server
}

func TestTheTablesAreWhatTheDirectorySays(t *testing.T) {
	server := start(t)
	if server == nil {
		return
	}
	o := newOffice(t, server)
	ada := o.hire("ada", directory.Attribute{Name: "title", Value: directory.Text("Countess\x00of Lovelace")},
		directory.Attribute{Name: "emails", Value: directory.Value{directory.NewElement(directory.Field{Name: "value", Text: "ada@acme.example"}, directory.Field{Name: "type", Text: "work"})}})
	bob := o.hire("bob")
	inner := o.found("Inner", ada)
	outer := o.found("Outer", bob, inner)
	o.same() // the first time: everything at once

	edit := func(id directory.ID, attribute, value string) {
		o.apply(directory.Change{Verb: directory.VerbEdit, ID: id, Edit: func(own directory.Attributes) (directory.Attributes, error) {
			own.Set(attribute, directory.Text(value))
			return own, nil
		}})
	}
	member := func(m directory.MemberChange) {
		o.apply(directory.Change{Resource: directory.GroupResource, Verb: directory.VerbEdit, ID: outer, Members: m})
	}
	eve := o.hire("eve")
	steps := []func(){
		func() { edit(ada, "title", "Analyst"); edit(bob, "userName", "robert") },
		func() { member(directory.MemberChange{Add: []directory.ID{eve}, Remove: []directory.ID{bob}}) },
		func() { member(directory.MemberChange{Remove: []directory.ID{eve}}) },
		func() { member(directory.MemberChange{Add: []directory.ID{eve, bob}}) },
		func() { edit(eve, "active", "false") },
		func() {
			o.configure([]directory.Rule{{When: `groups eq "Inner"`, Set: directory.Attributes{{Name: "userType", Value: directory.Text("engine")}}}})
		},
		func() {
			o.apply(directory.Change{Resource: directory.GroupResource, Verb: directory.VerbDelete, ID: inner})
		},
		func() { o.apply(directory.Change{Verb: directory.VerbDelete, ID: eve}) },
		func() { o.hire("eve") },
		func() {
			for i := range 2*200 + 50 { // more than one transaction follows
				o.hire(fmt.Sprint("person", i))
			}
		},
		func() { o.now = o.now.Add(2 * time.Hour) }, // eve is erased
	}
	for i, step := range steps {
		step()
		if i%2 == 0 {
			continue // two steps at once
		}
		o.same()
	}
	o.same()
}

func (o *office) ask(role, query string) (answer string, err error) {
	o.Helper()
	url := strings.Replace(o.server.URL("postgres"), postgrestest.Role+":"+postgrestest.Password, role, 1)
	conn, err := pgx.Connect(o.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(o.Context())
	rows, err := conn.Query(o.Context(), query)
	if err != nil {
		return "", err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(list, " "), err
}

func TestAnAnalystReadsAndDoesNothingElse(t *testing.T) {
	server := start(t)
	if server == nil {
		return
	}
	o := newOffice(t, server)
	ada, bob := o.hire("ada"), o.hire("bob")
	o.found("Outer", o.found("Inner", ada), bob)
	o.same()
	for query, want := range map[string]string{
		"select user_name from muster_sql.users where active order by 1": "ada bob",
		"select u.user_name from muster_sql.all_members m join muster_sql.users u on u.id = m.user_id join muster_sql.groups g on g.id = m.group_id where g.display_name = 'Outer' order by 1": "ada bob",
		"select display_name from muster_sql.groups order by 1":                                                       "Inner Outer",
		"select attributes->>'userName' from muster_sql.users order by 1":                                             "ada bob",
		"select type from muster_sql.events where user_id is not null and 'userName' = any (attributes) order by seq": "user.created user.created",
	} {
		if got, err := o.ask("analyst:analyst", query); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", query, got, err, want)
		}
	}
	for _, statement := range []string{
		"delete from muster_sql.users returning user_name", "update muster_sql.groups set display_name = '' returning display_name",
		"insert into muster_sql.cursors values ('x', 1) returning org", "drop table muster_sql.users",
	} {
		if _, err := o.ask("analyst:analyst", statement); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// What a deleted person was called is nowhere in the tables.
func TestADeletedPersonLeavesNoPersonalValue(t *testing.T) {
	server := start(t)
	if server == nil {
		return
	}
	o := newOffice(t, server)
	id := o.hire("unmistakable", directory.Attribute{Name: "title", Value: directory.Text("unmistakable title")})
	o.found("Group", id)
	o.same()
	everything := `select coalesce(string_agg(t, ' '), '') from (select u::text t from muster_sql.users u union all select g::text from muster_sql.groups g
		union all select m::text from muster_sql.members m union all select e::text from muster_sql.events e) x`
	if got, err := o.ask("analyst:analyst", everything); !strings.Contains(got, "unmistakable") || err != nil {
		t.Fatal(got, err)
	}
	o.apply(directory.Change{Verb: directory.VerbDelete, ID: id})
	o.now = o.now.Add(2 * time.Hour)
	o.same()
	got, err := o.ask("analyst:analyst", everything)
	if strings.Contains(got, "unmistakable") || !strings.Contains(got, "user.erased") || err != nil {
		t.Error(got, err)
	}
}

// Many readers at once, broken off again and again, leave what one leaves.
func TestReadersThatDieAndCompeteChangeNothing(t *testing.T) {
	server := start(t)
	if server == nil {
		return
	}
	o := newOffice(t, server)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
				_ = o.tables.CatchUp(ctx, o.Directory)
				cancel()
			}
		})
	}
	for i := range 120 {
		id := o.hire(fmt.Sprint("person", i))
		if i%3 == 0 {
			o.found(fmt.Sprint("group", i), id)
		}
		if i%7 == 0 {
			o.apply(directory.Change{Verb: directory.VerbDelete, ID: id})
		}
	}
	close(done)
	readers.Wait()
	o.same()
}

func TestAURLThatCannotBeUsedIsRefusedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"postgres://u:secret@host/db?schema=No", "postgres://u:secret@host/db?reader=a;b", "postgres://u:secret@127.0.0.1:1/db", "postgres://u:secret@h:p/db"} {
		p, err := projection.Open(t.Context(), url)
		if err == nil {
			p.Close()
		}
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
