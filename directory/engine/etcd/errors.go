package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"muster/directory/engine"
)

// How long one member is given to answer before another is asked.
const (
	readAttempt   = time.Second
	commitAttempt = 3 * time.Second
)

// codeOf is the kind of an error, whoever made it.
func codeOf(err error) codes.Code {
	var answered rpctypes.EtcdError
	switch {
	case errors.As(err, &answered):
		return answered.Code()
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	return status.Code(err)
}

// refused says that a member decided against the request, and would again:
// nothing was done.
func refused(err error) bool {
	switch codeOf(err) {
	case codes.InvalidArgument, codes.PermissionDenied, codes.Unauthenticated, codes.FailedPrecondition,
		codes.Unimplemented, codes.NotFound, codes.OutOfRange:
		return true
	}
	return false
}

// noSpace says that the cluster has reached its quota. The request may have
// been carried out all the same.
func noSpace(err error) bool { return errors.Is(err, rpctypes.ErrNoSpace) }

// plain is an error without the frame of the protocol around it.
func plain(err error) error {
	if s, ok := status.FromError(err); ok {
		return errors.New(s.Message())
	}
	return err
}

// faulty is what a caller is told about a request that was refused.
func faulty(err error) error {
	switch {
	case errors.Is(err, rpctypes.ErrRequestTooLarge), errors.Is(err, rpctypes.ErrTooManyOps):
		return fmt.Errorf("%w: the cluster permits less than etcd's defaults: %w", engine.ErrTooLarge, plain(err))
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return errors.New("etcd: permission denied: the user needs readwrite permission on the whole prefix")
	}
	return fmt.Errorf("etcd: %w", plain(err))
}

// unavailable is what a caller is told when nobody has answered.
func unavailable(err error) error {
	return fmt.Errorf("%w: etcd: %w", engine.ErrUnavailable, plain(err))
}

// again waits a little before the next attempt, and says no when patience or
// the context has ended.
func again(ctx context.Context, attempt int, until time.Time) bool {
	pause := min(10*time.Millisecond<<min(attempt, 5), 200*time.Millisecond)
	if time.Now().Add(pause).After(until) {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}
