package postgres

import (
	"fmt"
	"sync"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/enginetest"
	"muster/directory/engine/postgres/postgrestest"
)

func TestEngine(t *testing.T) {
	server := postgrestest.Start(t, "max_connections=200")
	if server == nil {
		return
	}
	var schemas schemas
	enginetest.Run(t, enginetest.Harness{
		Durable: true,
		Open: func(t testing.TB, dir string) engine.Engine {
			return open(t, server.URL("postgres", "schema="+schemas.of(dir)))
		},
	})
}

// schemas gives each folder a schema.
type schemas struct {
	mu    sync.Mutex
	names map[string]string
}

func (s *schemas) of(dir string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string]string{}
	}
	if s.names[dir] == "" {
		s.names[dir] = fmt.Sprint("s", len(s.names))
	}
	return s.names[dir]
}

func open(t testing.TB, url string) *Engine {
	t.Helper()
	e, err := Open(t.Context(), url, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}
