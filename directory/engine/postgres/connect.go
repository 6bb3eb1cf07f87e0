package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	defaultSchema  = "muster"
	leastVersion   = 15_00_00
	connectTimeout = 5 * time.Second
	leastConns     = 16
	// grace is how long a query that is under way may go on when its context
	// has ended, because breaking it off costs the connection.
	grace = 250 * time.Millisecond
)

// schemaName keeps schemas short enough for a channel's name and free of
// anything that needs quoting.
var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,47}$`)

// settings of every connection, whatever the server's defaults are: plans that
// read no more than they must, and an end for what hangs on a dead node.
var settings = map[string]string{
	"application_name":                    "muster",
	"default_transaction_isolation":       "read committed",
	"enable_seqscan":                      "off",
	"enable_bitmapscan":                   "off",
	"jit":                                 "off",
	"plan_cache_mode":                     "force_generic_plan",
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
	"idle_in_transaction_session_timeout": "0",
	"tcp_keepalives_idle":                 "10",
	"tcp_keepalives_interval":             "5",
	"tcp_keepalives_count":                "3",
}

// parse reads a URL. pgx leaves the password out of its errors.
func parse(url string) (config *pgxpool.Config, schema string, err error) {
	one, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, "", err
	}
	_, sized := one.RuntimeParams["pool_max_conns"]
	if config, err = pgxpool.ParseConfig(url); err != nil {
		return nil, "", err
	}
	if !sized {
		config.MaxConns = int32(max(leastConns, 4*runtime.GOMAXPROCS(0)))
	}
	params := config.ConnConfig.RuntimeParams
	schema = defaultSchema
	if given, ok := params["schema"]; ok {
		schema = given
		delete(params, "schema")
	}
	if !schemaName.MatchString(schema) {
		return nil, "", fmt.Errorf("the schema %q cannot be used: small letters, digits and underscores, at most 48", schema)
	}
	for name, value := range settings {
		if _, given := params[name]; !given || name != "application_name" {
			params[name] = value
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > time.Minute {
		config.ConnConfig.ConnectTimeout = connectTimeout // pgx takes two minutes
	}
	config.ConnConfig.ValidateConnect = validate
	return config, schema, nil
}

// patient lets queries that are under way end when their context does.
func patient(config *pgx.ConnConfig) {
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn(), DeadlineDelay: grace}
	}
}

// errReadOnly: a server that does not take writes.
var errReadOnly = errors.New("the server is a read-only replica or set to read only: name the primary, or all servers")

// validate refuses servers that cannot be written to, so that the next one in
// the URL is tried, and raises a setting that would lose acknowledged commits.
func validate(ctx context.Context, c *pgconn.PgConn) error {
	results, err := c.Exec(ctx, "select current_setting('transaction_read_only'), current_setting('synchronous_commit')").ReadAll()
	if err != nil {
		return err
	}
	row := results[0].Rows[0]
	if string(row[0]) != "off" {
		return errReadOnly
	}
	if string(row[1]) != "off" {
		return nil
	}
	_, err = c.Exec(ctx, "set synchronous_commit = on").ReadAll()
	return err
}
