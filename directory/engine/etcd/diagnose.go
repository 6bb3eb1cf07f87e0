package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"
)

// diagnose says, in words an operator can act on, why a member does not
// answer, where that can be seen: the client library says only that it waited.
func (o *Options) diagnose(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, readAttempt)
	defer cancel()
	for _, endpoint := range o.Endpoints {
		if err := o.knock(ctx, endpoint); err != nil {
			return fmt.Errorf("%w (%s: %w)", cause, endpoint, err)
		}
	}
	return cause
}

// knock opens a connection as the client library does.
func (o *Options) knock(ctx context.Context, endpoint string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", endpoint)
	if err != nil {
		return err
	}
	defer conn.Close()
	if o.TLS == nil {
		return nil
	}
	config := o.TLS.Clone()
	config.NextProtos = []string{"h2"}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(endpoint)
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return err
	}
	// A member that misses a client certificate says so after the handshake.
	_ = conn.SetReadDeadline(time.Now().Add(readAttempt / 4))
	_, err = secure.Read(make([]byte, 1))
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return nil
	}
	return err
}
