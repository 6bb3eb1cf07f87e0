package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"muster/directory"
)

const (
	defaultSchema = "muster_sql"
	pollEvery     = 2 * time.Second
	connections   = 2
)

// name is what a schema or role may be called here, so that nothing needs
// quoting.
var name = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Projection is the tables in one schema of a database.
type Projection struct {
	pool   *pgxpool.Pool
	schema string
}

// tables are made by Open. %[1]s is the schema. A later release that needs
// others drops and fills them anew.
const tables = `create schema if not exists %[1]s;
create table if not exists %[1]s.cursors (org text primary key, seq bigint);
create table if not exists %[1]s.users (
	org text, id uuid, user_name text not null, active boolean not null, display_name text, given_name text, family_name text,
	email text, title text, department text, user_type text, created timestamptz not null, modified timestamptz not null,
	attributes jsonb not null, primary key (org, id));
create table if not exists %[1]s.groups (
	org text, id uuid, display_name text not null, connection text, channel text not null,
	created timestamptz not null, modified timestamptz not null, primary key (org, id));
create table if not exists %[1]s.members (
	org text, group_id uuid, member_id uuid, nested boolean not null, primary key (org, group_id, member_id));
create index if not exists members_way_back on %[1]s.members (org, member_id);
create table if not exists %[1]s.events (
	org text, seq bigint, id uuid not null, time timestamptz not null, type text not null, user_id uuid, group_id uuid,
	connection text, channel text, actor text, request text, attributes text[] not null, primary key (org, seq));
create index if not exists events_by_user on %[1]s.events (org, user_id, seq);
create or replace view %[1]s.all_members as
	with recursive below (org, group_id, member_id, nested) as (
		select org, group_id, member_id, nested from %[1]s.members
		union
		select b.org, b.group_id, m.member_id, m.nested from below b join %[1]s.members m on m.org = b.org and m.group_id = b.member_id and b.nested)
	select distinct org, group_id, member_id as user_id from below where not nested;`

const grants = `grant usage on schema %[1]s to %[2]s; grant select on all tables in schema %[1]s to %[2]s;`

// Open connects to postgres://user@host/db and makes the tables in the schema
// that the URL names (schema=muster_sql). reader=ROLE lets that role read them.
// Errors do not show the password.
func Open(ctx context.Context, url string) (*Projection, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	params := config.ConnConfig.RuntimeParams
	schema, reader := params["schema"], params["reader"]
	delete(params, "schema")
	delete(params, "reader")
	if schema == "" {
		schema = defaultSchema
	}
	if !name.MatchString(schema) || reader != "" && !name.MatchString(reader) {
		return nil, fmt.Errorf("the schema %q or the reader %q cannot be used: small letters, digits and underscores", schema, reader)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	p := &Projection{pool, schema}
	if err := p.prepare(ctx, reader); err != nil {
		pool.Close()
		return nil, fmt.Errorf("schema %s: %w", schema, err)
	}
	return p, nil
}

// prepare makes the tables, one node at a time.
func (p *Projection) prepare(ctx context.Context, reader string) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", "muster projection:"+p.schema); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(tables, p.schema)); err != nil {
			return err
		}
		if reader == "" {
			return nil
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(grants, p.schema, reader))
		return err
	})
}

// Close lets the connections go.
func (p *Projection) Close() { p.pool.Close() }

// Run follows the directory until ctx ends. Faults are logged, and what failed
// is tried again.
func (p *Projection) Run(ctx context.Context, d *directory.Directory, log *slog.Logger) {
	for ctx.Err() == nil {
		if err := p.CatchUp(ctx, d); err != nil && ctx.Err() == nil {
			log.Error("the tables for analysts are behind", "error", err)
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
		}
	}
}

// CatchUp brings the tables to where every organisation's events end.
func (p *Projection) CatchUp(ctx context.Context, d *directory.Directory) error {
	orgs, err := d.Orgs(ctx)
	if err != nil {
		return err
	}
	var all error
	for _, org := range orgs {
		for more := true; more; {
			if more, err = p.step(ctx, d, org); err != nil {
				all = errors.Join(all, fmt.Errorf("organisation %s: %w", org, err))
				more = false
			}
		}
	}
	return all
}

// step brings one organisation forward by one transaction and says whether
// there is more to do.
func (p *Projection) step(ctx context.Context, d *directory.Directory, org string) (more bool, err error) {
	err = pgx.BeginTxFunc(ctx, p.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		w := &writer{ctx: ctx, tx: tx, d: d, org: org, schema: p.schema}
		seq, err := w.lock()
		switch {
		case err != nil:
			return err
		case seq == nil:
			more = true
			return w.fill()
		}
		more, err = w.follow(uint64(*seq))
		return err
	})
	return more, err
}
