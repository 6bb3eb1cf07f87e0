package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"muster/directory/engine"
)

// Pages of a Scan: short ones first, because most scans are short and what was
// read is guarded.
const (
	firstPage = 32
	lastPage  = 1024
)

// session is one transaction on one connection, in the hands of one function.
type session struct {
	engine *Engine
	ctx    context.Context // of the caller: ends reads
	conn   *pgxpool.Conn   // nil when the function has returned
	xid    string          // the transaction's id
	err    error           // the first fault of the storage
}

// begin starts a transaction with some statements, the last of which returns a
// text and takes the snapshot. A connection that broke unnoticed, with all
// others perhaps, is replaced once.
func (e *Engine) begin(ctx context.Context, opening ...string) (*session, error) {
	s, err := e.tryBegin(ctx, opening)
	if isLost(err) && ctx.Err() == nil && !errors.Is(err, errNoConnection) {
		e.pool.Reset()
		s, err = e.tryBegin(ctx, opening)
	}
	return s, explain(ctx, err)
}

// errNoConnection: none was free or could be made.
var errNoConnection = errors.New("no connection")

func (e *Engine) tryBegin(ctx context.Context, opening []string) (*session, error) {
	waiting, cancel := context.WithTimeout(ctx, e.patience)
	conn, err := e.pool.Acquire(waiting)
	cancel()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %v", errNoConnection, err)
	}
	s := &session{engine: e, ctx: ctx, conn: conn}
	var b pgx.Batch
	for _, statement := range opening {
		b.Queue(statement)
	}
	results := conn.SendBatch(ctx, &b)
	for range opening[1:] {
		if err == nil {
			_, err = results.Exec()
		}
	}
	if err == nil {
		err = results.QueryRow().Scan(&s.xid)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// end gives the connection back, without anything that it left undone.
func (s *session) end() {
	conn := s.take()
	if conn == nil {
		return
	}
	if conn.Conn().PgConn().TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), time.Second)
		defer cancel()
		_, _ = conn.Exec(ctx, "rollback") // Release closes what is still in a transaction
	}
	conn.Release()
}

// take ends reading.
func (s *session) take() *pgxpool.Conn {
	conn := s.conn
	s.conn = nil
	return conn
}

// fail remembers the first fault, whatever the function makes of it.
func (s *session) fail(err error) error {
	if err == nil {
		return nil
	}
	if s.err == nil {
		s.err = err
	}
	return explain(s.ctx, err)
}

// Get reads a pair.
func (s *session) Get(key []byte) ([]byte, error) {
	if s.conn == nil {
		return nil, engine.ErrClosed
	}
	var value []byte
	err := s.conn.QueryRow(s.ctx, s.engine.sql.get, notNil(key)).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, s.fail(err)
}

// Scan reads a range, page by page.
func (s *session) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		from, limit := from, firstPage
		for {
			page, err := s.page(from, to, limit)
			if err != nil {
				yield(engine.Pair{}, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
			}
			if len(page) < limit {
				return
			}
			from = append(bytes.Clone(page[limit-1].Key), 0)
			limit = min(4*limit, lastPage)
		}
	}
}

func (s *session) page(from, to []byte, limit int) ([]engine.Pair, error) {
	if s.conn == nil {
		return nil, engine.ErrClosed
	}
	if to != nil && bytes.Compare(from, to) >= 0 {
		return nil, nil
	}
	statement, arguments := s.engine.sql.scanAll, []any{notNil(from), limit}
	if to != nil {
		statement, arguments = s.engine.sql.scan, []any{notNil(from), to, limit}
	}
	rows, err := s.conn.Query(s.ctx, statement, arguments...)
	if err != nil {
		return nil, s.fail(err)
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p engine.Pair, err error) {
		err = row.Scan(&p.Key, &p.Value)
		return p, err
	})
	return page, s.fail(err)
}

// notNil keeps nil from becoming NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
