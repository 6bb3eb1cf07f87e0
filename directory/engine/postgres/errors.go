package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"muster/directory/engine"
)

// SQLSTATEs that decide something.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	tooManyConnections   = "53300"
	outOfMemory          = "53200"
	readOnlyTransaction  = "25006"
	connectionClass      = "08"
	interventionClass    = "57P" // shutdown, crash, starting up
)

// isRace: somebody else was first; the same function may succeed now.
func isRace(err error) bool {
	fault, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (fault.Code == serializationFailure || fault.Code == deadlockDetected)
}

// isLost: the server, the way to it or its readiness to write is gone. What no
// server said is a fault of the connection.
func isLost(err error) bool {
	if err == nil {
		return false
	}
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return true
	}
	fault, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return true
	}
	return strings.HasPrefix(fault.Code, connectionClass) || strings.HasPrefix(fault.Code, interventionClass) ||
		fault.Code == tooManyConnections || fault.Code == readOnlyTransaction
}

// isRefused: the server lives and says that a statement failed, so nothing was
// committed. Before it dies, it may say something after a commit.
func isRefused(err error) bool {
	fault, ok := errors.AsType[*pgconn.PgError](err)
	return ok && fault.SeverityUnlocalized == "ERROR" && !strings.HasPrefix(fault.Code, connectionClass)
}

// explain turns what pgx says into what callers may tell apart. The end of
// their own context is that, whatever it did to the connection.
func explain(ctx context.Context, err error) error {
	fault, _ := errors.AsType[*pgconn.PgError](err)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && fault == nil:
		return ctx.Err()
	case isLost(err):
		return fmt.Errorf("%w: postgres: %w", engine.ErrUnavailable, err)
	case fault != nil && fault.Code == outOfMemory:
		return fmt.Errorf("postgres: %w (max_pred_locks_per_transaction may be too low)", err)
	}
	return fmt.Errorf("postgres: %w", err)
}
