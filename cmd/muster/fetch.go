package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

const (
	maxFetch     = 8 << 20
	fetchTimeout = 20 * time.Second
	maxRedirects = 3
)

// fetcher gets documents from the web for an operator: over https only, from public addresses only, unless private
// says that plain http and addresses of this network will do. The address is looked at when it is dialled, so that a
// name cannot change its mind in between. Redirects keep their scheme.
func fetcher(private bool) func(ctx context.Context, address string) ([]byte, error) {
	dialer := &net.Dialer{Timeout: fetchTimeout}
	if !private {
		dialer.Control = refusePrivate
	}
	client := &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: sameScheme,
		Transport: &http.Transport{
			DialContext:           dialer.DialContext,
			TLSHandshakeTimeout:   fetchTimeout,
			ResponseHeaderTimeout: fetchTimeout,
			DisableKeepAlives:     true,
		},
	}
	return func(ctx context.Context, address string) ([]byte, error) {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(private && u.Scheme == "http") {
			return nil, errors.New("must be an https URL; --allow-private-fetch permits http, too")
		}
		return fetch(ctx, client, address)
	}
}

func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
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
	content, err := io.ReadAll(io.LimitReader(response.Body, maxFetch+1))
	if err == nil && len(content) > maxFetch {
		err = fmt.Errorf("the document is larger than %d bytes", maxFetch)
	}
	return content, err
}

func sameScheme(request *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || request.URL.Scheme != via[0].URL.Scheme {
		return errors.New("redirected too often, or to another scheme")
	}
	return nil
}

// refusePrivate is called with the address that is about to be connected to.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := target.Addr().Unmap(); !isPublic(ip) {
		return fmt.Errorf("%s is no public address; --allow-private-fetch permits it", ip)
	}
	return nil
}

// isPublic says whether an address is one of the open Internet's, as far as addresses tell.
func isPublic(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, special := range []string{"100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"} {
		if netip.MustParsePrefix(special).Contains(ip) {
			return false
		}
	}
	return true
}
