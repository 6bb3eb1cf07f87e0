package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// migrations bring the tables from one version to the next; the first makes
// them. %[1]s is the schema. What was released is never changed.
var migrations = []string{
	`create table %[1]s.kv (k bytea primary key, v bytea not null) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
	create table %[1]s.changes (
		xid xid8 not null default pg_current_xact_id(), node bigint not null, serial bigint not null, keys bytea[]);
	create index changes_xid on %[1]s.changes (xid);
	create table %[1]s.turn ();
	create table %[1]s.format (version int not null);
	insert into %[1]s.format values (1)`,
}

// prepare connects once, looks whether the server will do and brings the tables
// up to date. Only one node does so at a time.
func prepare(ctx context.Context, config *pgx.ConnConfig, schema string, options Options) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := suitable(conn.PgConn().ParameterStatus("server_version")); err != nil {
		return err
	}
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended($1, 0))", "muster:"+schema); err != nil {
		return err
	}
	if err := migrate(ctx, tx, schema, options); err != nil {
		return fmt.Errorf("schema %s: %w", schema, err)
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	return entitled(ctx, conn, schema)
}

// suitable refuses servers that are too old.
func suitable(version string) error {
	major, _, _ := strings.Cut(version, ".")
	number := strings.TrimRightFunc(major, func(r rune) bool { return r < '0' || r > '9' })
	if n, err := strconv.Atoi(number); err == nil && n*1_00_00 < leastVersion {
		return fmt.Errorf("the server is PostgreSQL %s; at least %d is needed", version, leastVersion/1_00_00)
	}
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx, schema string, options Options) error {
	version, err := versionOf(ctx, tx, schema, options)
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("its tables have version %d, this release knows up to %d", version, len(migrations))
	}
	for _, m := range migrations[version:] {
		if _, err := tx.Exec(ctx, fmt.Sprintf(m, schema)); err != nil {
			return denied(err, schema)
		}
	}
	return nil
}

// versionOf is 0 where there are no tables. It makes the schema where there is
// none, unless the tables must exist.
func versionOf(ctx context.Context, tx pgx.Tx, schema string, options Options) (version int, err error) {
	var there, tables bool
	err = tx.QueryRow(ctx, `select to_regnamespace($1) is not null,
		exists (select from pg_class where relnamespace = to_regnamespace($1) and relname = 'format')`, schema).Scan(&there, &tables)
	switch {
	case err != nil:
		return 0, err
	case tables:
		err = tx.QueryRow(ctx, "select version from "+schema+".format").Scan(&version)
	case options.Existing:
		err = errors.New("there is no directory in it")
	case !there:
		_, err = tx.Exec(ctx, "create schema "+schema)
	}
	return version, denied(err, schema)
}

// denied tells what to grant.
func denied(err error, schema string) error {
	if fault, ok := errors.AsType[*pgconn.PgError](err); ok && fault.Code == "42501" {
		return fmt.Errorf("the role lacks rights; have its owner run CREATE SCHEMA %s AUTHORIZATION the role: %w", schema, err)
	}
	return err
}

// entitled finds out now, and not at the first write, which rights are missing.
func entitled(ctx context.Context, conn *pgx.Conn, schema string) error {
	var missing []string
	for table, rights := range map[string][]string{
		"kv":      {"select", "insert", "update", "delete"},
		"changes": {"select", "insert", "delete"},
		"turn":    {"update"},
	} {
		for _, right := range rights {
			var has bool
			if err := conn.QueryRow(ctx, "select has_table_privilege($1, $2)", schema+"."+table, right).Scan(&has); err != nil {
				return denied(err, schema)
			}
			if !has {
				missing = append(missing, fmt.Sprintf("%s on %s.%s", strings.ToUpper(right), schema, table))
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the role lacks rights: %s", strings.Join(missing, ", "))
	}
	return nil
}

// statements are the texts of what the engine asks; pgx prepares each once for
// a connection.
type statements struct {
	get, scan, scanAll     string
	set, remove            string
	share, exclude         string
	change, changed, prune string
	outcome                string
	channel                string
}

func newStatements(schema string) statements {
	kv, changes, turn := schema+".kv", schema+".changes", schema+".turn"
	return statements{
		get:     "select v from " + kv + " where k = $1",
		scan:    "select k, v from " + kv + " where k >= $1 and k < $2 order by k limit $3",
		scanAll: "select k, v from " + kv + " where k >= $1 order by k limit $2",
		set:     "insert into " + kv + " select * from unnest($1::bytea[], $2::bytea[]) on conflict (k) do update set v = excluded.v",
		remove:  "delete from " + kv + " where k = any ($1::bytea[])",
		share:   "lock table " + turn + " in row share mode",
		exclude: "lock table " + turn + " in exclusive mode",
		change:  "insert into " + changes + " (node, serial, keys) values ($1, $2, $3)",
		changed: "select keys from " + changes + " where xid >= pg_snapshot_xmin($1::text::pg_snapshot)" +
			" and not pg_visible_in_snapshot(xid, $1::text::pg_snapshot) and node <> $2",
		prune: "delete from " + changes + " where xid < pg_snapshot_xmin($1::text::pg_snapshot)",
		outcome: "select coalesce(pg_xact_status($1::text::xid8), ''), exists (select from " + changes +
			" where xid = $1::text::xid8 and node = $2 and serial = $3)",
		channel: "muster_" + schema,
	}
}
