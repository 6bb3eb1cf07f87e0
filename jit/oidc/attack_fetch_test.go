package oidc_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/jit/fetch"
	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// listening is a scene whose provider listens on the loopback interface, asked by the guarded client. bend tells the
// discovery document, from the address that the provider listens on.
func listening(t *testing.T, bend func(address string, document map[string]any)) *scene {
	t.Helper()
	s := newScene(t)
	server := httptest.NewUnstartedServer(nil)
	address := "http://" + server.Listener.Addr().String()
	op, err := oidctest.NewOP(oidctest.Options{Issuer: address, Key: providerKey(), Clients: []oidctest.Client{{ID: clientID, Secret: secret}}, Now: s.rp.Provider.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.op = op
	s.op.SignIn(ada())
	s.op.Bend(oidctest.Bend{Discovery: func(document map[string]any) { bend(address, document) }})
	mux := http.NewServeMux()
	mux.Handle("/", op)
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/token", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	over := make(chan struct{})
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) { <-over })
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	client := fetch.Client(fetch.Options{AllowPrivate: true, Timeout: time.Second})
	t.Cleanup(client.CloseIdleConnections)
	s.rp.Provider = &oidc.Provider{Issuer: address, HTTP: client, Now: s.rp.Provider.Now}
	s.rp.Wanted = [][]string{{"department"}}
	return s
}

func at(endpoint, path string) func(string, map[string]any) {
	return func(address string, document map[string]any) {
		if strings.HasPrefix(path, "/") {
			path = address + path
		}
		document[endpoint] = path
	}
}

func TestAttack102WhatTheProviderNamesIsFetchedWithCare(t *testing.T) {
	for _, test := range []struct {
		name string
		bend func(string, map[string]any)
		want oidc.Reason
	}{
		{"nothing bent", func(string, map[string]any) {}, ""},
		{"a key set redirected away", at("jwks_uri", "/away"), oidc.ReasonUnavailable},
		{"an endless key set", at("jwks_uri", "/huge"), oidc.ReasonUnavailable},
		{"a slow key set", at("jwks_uri", "/slow"), oidc.ReasonUnavailable},
		{"a token endpoint redirected away", at("token_endpoint", "/away"), oidc.ReasonExchange},
		{"a token endpoint redirected to another", at("token_endpoint", "/here"), oidc.ReasonExchange},
		{"an endless token endpoint", at("token_endpoint", "/huge"), oidc.ReasonExchange},
		{"a slow token endpoint", at("token_endpoint", "/slow"), oidc.ReasonUnavailable},
		{"an endless userinfo endpoint", at("userinfo_endpoint", "/huge"), oidc.ReasonUserInfo},
		{"a slow userinfo endpoint", at("userinfo_endpoint", "/slow"), oidc.ReasonUnavailable},
		{"a userinfo endpoint redirected away", at("userinfo_endpoint", "/away"), oidc.ReasonUserInfo},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := listening(t, test.bend)
			request, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
			if err == nil {
				_, err = s.rp.Finish(t.Context(), request.Kept, s.visit(t, request.URL))
			}
			if oidc.ReasonOf(err) != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// The provider has to be public here, so its documents come from the test's own network and its key set from the
// guarded one.
func TestAttack102AKeySetAtAPrivateAddressIsRefusedWhenDialled(t *testing.T) {
	guarded := fetch.Client(fetch.Options{Timeout: time.Second}).Transport
	for _, address := range []string{"https://169.254.169.254/jwks", "https://127.0.0.1:1/jwks", "https://[::ffff:10.0.0.1]/jwks"} {
		s := newScene(t)
		s.accepted(t, "a public address")
		s.op.Bend(oidctest.Bend{Discovery: claim("jwks_uri", address)})
		s.rp.Provider = &oidc.Provider{Issuer: issuer, HTTP: &http.Client{Transport: split{s.rp.Provider.HTTP.Transport, guarded}}, Now: s.rp.Provider.Now}
		_, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
		if oidc.ReasonOf(err) != oidc.ReasonUnavailable || !strings.Contains(err.Error(), "is no public address") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// split is a network in which the issuer's own host is reached by one way and every other by the other.
type split struct{ own, others http.RoundTripper }

func (n split) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), issuer) {
		return n.own.RoundTrip(r)
	}
	return n.others.RoundTrip(r)
}

func TestAttack71DiscoveryAtAPrivateAddressIsRefusedWhenDialled(t *testing.T) {
	client := fetch.Client(fetch.Options{Timeout: time.Second})
	for _, issuer := range []string{
		"https://127.0.0.1:1", "https://localhost:1", "https://10.0.0.1", "https://169.254.169.254", "https://[::ffff:10.0.0.1]",
		"https://[::1]:1", "https://[fd00::1]", "https://[64:ff9b::a00:1]", "https://0.0.0.0:1",
	} {
		provider := &oidc.Provider{Issuer: issuer, HTTP: client}
		_, err := provider.Discover(t.Context())
		if oidc.ReasonOf(err) != oidc.ReasonUnavailable || !strings.Contains(err.Error(), "is no public address") {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

func TestAttack72ALargeDocumentIsNotRead(t *testing.T) {
	endless := answering(200, "application/json", `{"issuer":"`+issuer+`","x":"`+strings.Repeat("x", 1<<20)+`"}`)
	s := newScene(t)
	network := s.rp.Provider.HTTP.Transport
	s.rp.Provider.HTTP.Transport = instead{network, discovery, endless}
	_, err := s.rp.Begin(t.Context(), oidc.AuthOptions{})
	if oidc.ReasonOf(err) != oidc.ReasonDiscovery || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	s.rp.Provider.HTTP.Transport = network
	s.now = s.now.Add(oidc.Pause)
	s.accepted(t, "a document of common size")
}

func TestWhatFailedUnderneathCanBeAsked(t *testing.T) {
	s := newScene(t)
	broken := errors.New("broken")
	s.rp.Provider.HTTP.Transport = failing{broken}
	if _, err := s.rp.Begin(t.Context(), oidc.AuthOptions{}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }
