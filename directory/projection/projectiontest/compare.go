// Package projectiontest compares the tables of a projection, read by plain SQL,
// with what the directory says.
package projectiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"muster/directory"
)

// Compare fails the test where users, groups, members or events differ. The URL
// is that of a role that may read the schema.
func Compare(t testing.TB, url, schema string, d *directory.Directory) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	orgs, err := d.Orgs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := comparison{ctx: ctx, conn: conn, schema: schema, d: d}
	for _, org := range orgs {
		want, err := c.told(org)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.projected(org)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -directory +tables\n%s", org, diff)
		}
	}
}

type comparison struct {
	ctx    context.Context
	conn   *pgx.Conn
	schema string
	d      *directory.Directory
}

// told is what the directory says, a line for each row.
func (c *comparison) told(org string) (lines []string, err error) {
	v := directory.Viewer{Org: org}
	users, err := c.d.Users(c.ctx, v, directory.Query{Limit: 10_000})
	if err != nil {
		return nil, err
	}
	for _, u := range users.Items {
		attributes, err := json.Marshal(plain(u.Attributes))
		if err != nil {
			return nil, err
		}
		emails, _ := u.Attributes.Get("emails")
		lines = append(lines, fmt.Sprintf("user %s %q active=%s %q %q %q", u.ID, u.Attributes.Text("userName"), u.Attributes.Text("active"),
			u.Attributes.Text("name.givenName"), emails.Primary().Field("value"), attributes))
	}
	groups, err := c.d.Groups(c.ctx, v, directory.Query{Limit: 10_000})
	if err != nil {
		return nil, err
	}
	for _, g := range groups.Items {
		lines = append(lines, fmt.Sprintf("group %s %q %s/%s", g.ID, g.DisplayName, g.Source.Channel, g.Source.Connection))
		for m, err := range c.d.Members(c.ctx, v, g.ID) {
			if err != nil {
				return nil, err
			}
			lines = append(lines, fmt.Sprintf("member %s of %s nested=%v", m.ID, g.ID, m.Group))
		}
	}
	events, err := c.d.Events(c.ctx, org, 0, 100_000)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("event %d %s", e.Seq, e.Type))
	}
	slices.Sort(lines)
	return lines, nil
}

// plain is what JSON says of attributes: a text, or the list of their elements.
func plain(a directory.Attributes) map[string]any {
	all := map[string]any{}
	for _, x := range a {
		list := []any{}
		for _, e := range x.Value {
			fields := map[string]any{}
			for _, f := range e {
				fields[f.Name] = strings.ReplaceAll(f.Text, "\x00", "\ufffd")
			}
			list = append(list, fields)
		}
		all[x.Name] = list
		if len(list) == 1 && len(x.Value[0]) == 1 && x.Value[0][0].Name == "value" {
			all[x.Name] = list[0].(map[string]any)["value"]
		}
	}
	return all
}

// projected is what the tables say.
func (c *comparison) projected(org string) (lines []string, err error) {
	for _, query := range []string{
		`select format('user %s', id), user_name, format('active=%s', active), coalesce(given_name, ''), coalesce(email, ''), attributes::text from SCHEMA.users where org = $1`,
		`select format('group %s', id), display_name, channel || '/' || coalesce(connection, ''), '', '', '' from SCHEMA.groups where org = $1`,
		`select format('member %s of %s nested=%s', member_id, group_id, nested), '', '', '', '', '' from SCHEMA.members where org = $1`,
		`select format('event %s %s', seq, type), '', '', '', '', '' from SCHEMA.events where org = $1`,
	} {
		rows, err := c.conn.Query(c.ctx, strings.ReplaceAll(query, "SCHEMA", c.schema), org)
		if err != nil {
			return nil, err
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
			var a, b, c, d, e, f string
			err := row.Scan(&a, &b, &c, &d, &e, &f)
			return line(a, b, c, d, e, f), err
		})
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	slices.Sort(lines)
	return lines, nil
}

func line(what, name, third, given, email, attributes string) string {
	boolean := strings.NewReplacer("active=t", "active=true", "active=f", "active=false", "nested=t", "nested=true", "nested=f", "nested=false")
	what, third = boolean.Replace(what), boolean.Replace(third)
	switch {
	case attributes != "":
		var all map[string]any
		_ = json.Unmarshal([]byte(attributes), &all)
		again, _ := json.Marshal(all)
		return fmt.Sprintf("%s %q %s %q %q %q", what, name, third, given, email, again)
	case strings.HasPrefix(what, "group "):
		return fmt.Sprintf("%s %q %s", what, name, third)
	}
	return what
}
