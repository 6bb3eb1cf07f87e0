package postgrestest

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Replica copies the server and starts a streaming replica of it under a name
// that synchronous_standby_names may list.
func (s *Server) Replica(name string) *Server {
	s.t.Helper()
	r := newServer(s.t, s.settings)
	source := fmt.Sprintf("host=127.0.0.1 port=%d user=%s password=%s application_name=%s", s.port, Role, Password, name)
	r.command("pg_basebackup", "-d", source, "-D", r.data, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	r.Start()
	return r
}

// Promote makes a replica the primary and waits until it takes writes.
func (s *Server) Promote() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "select pg_promote()"); err != nil {
		s.t.Fatal(err)
	}
}

// Streams waits until a synchronous replica of that name follows.
func (s *Server) Streams(name string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	for {
		var n int
		err := conn.QueryRow(ctx, "select count(*) from pg_stat_replication where application_name = $1 and sync_state = 'sync'", name).Scan(&n)
		if err != nil {
			s.t.Fatal(err)
		}
		if n > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
