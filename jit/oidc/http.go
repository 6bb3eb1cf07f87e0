package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// maxAnswer bounds whatever an OP answers, in bytes.
	maxAnswer = 1 << 20
	// patience bounds how long one answer may take.
	patience = 10 * time.Second
)

// unhurried is a context for a fetch from which others profit: it does not end with the request that happens to need
// it first.
func unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// client is the configured one with a bound on what it reads.
func (p *Provider) client() *http.Client {
	client := *p.HTTP
	next := client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	client.Transport = bounded{next}
	return &client
}

// strictClient follows no redirect: for requests that carry a code, a secret or an access token.
func (p *Provider) strictClient() *http.Client {
	client := p.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err == nil {
		response.Body = &boundedBody{response.Body, maxAnswer}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

var errTooLarge = errors.New("the answer is too large")

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left+1)])
	b.left -= n
	if b.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// answer is what came back with status 200.
type answer struct {
	body        []byte
	contentType string
}

func ask(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("the provider answered %d", response.StatusCode)
	}
	body, err := io.ReadAll(response.Body)
	return answer{body, response.Header.Get("Content-Type")}, err
}
