package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Bounds of every request, where Options do not say otherwise.
const (
	DefaultTimeout = 20 * time.Second
	DefaultMaxSize = 8 << 20
)

const (
	maxRedirects = 3
	maxHeader    = 64 << 10
	maxIdle      = 30 * time.Second
)

// Options of a client. The zero value is the strict one.
type Options struct {
	// AllowPrivate lets addresses in that are not public, and plain http to the loopback interface.
	AllowPrivate bool
	Timeout      time.Duration  // of a request from dialling to the last byte; 0: DefaultTimeout
	MaxSize      int64          // of a body in bytes, decompressed; 0: DefaultMaxSize
	Roots        *x509.CertPool // whose certificates are believed; nil: the system's
}

// Client returns a guarded client. It may be used by many goroutines.
func Client(options Options) *http.Client {
	timeout := cmp.Or(options.Timeout, DefaultTimeout)
	dialer := &net.Dialer{Timeout: timeout}
	if !options.AllowPrivate {
		dialer.Control = refusePrivate
	}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: options.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    timeout,
		ResponseHeaderTimeout:  timeout,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        maxIdle,
	}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: checkRedirect,
		Transport:     &guard{transport, options.AllowPrivate, cmp.Or(options.MaxSize, DefaultMaxSize)},
	}
}

// Get reads a document. Any answer but 200 is an error.
func Get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
	return io.ReadAll(response.Body)
}

// guard sees every request, redirected ones too.
type guard struct {
	next    *http.Transport
	private bool
	maxSize int64
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := g.permitted(request.URL); err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // a RoundTripper closes it in any case
		}
		return nil, err
	}
	response, err := g.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &bounded{response.Body, g.maxSize}
	return response, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (g *guard) CloseIdleConnections() { g.next.CloseIdleConnections() }

func (g *guard) permitted(u *url.URL) error {
	if u.Scheme == "https" || g.private && u.Scheme == "http" && isLoopback(u.Hostname()) {
		return nil
	}
	return errors.New("must be an https URL; --allow-private-fetch permits http on the loopback interface, too")
}

// isLoopback says whether a host is this machine by its very name (RFC 6761 §6.3).
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func checkRedirect(request *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return errors.New("redirected, which a " + first.Method + " must not be")
	case len(via) > maxRedirects || request.URL.Scheme != first.URL.Scheme:
		return errors.New("redirected too often, or to another scheme")
	}
	return nil
}

// ErrTooLarge is how a body ends that is larger than Options.MaxSize.
var ErrTooLarge = errors.New("the document is too large")

// bounded is a body of which no more than left bytes are read.
type bounded struct {
	io.ReadCloser
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}
