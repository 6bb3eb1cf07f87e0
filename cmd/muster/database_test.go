package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine/postgres"
	"muster/directory/engine/postgres/postgrestest"
)

// A node whose database goes away says so to the load balancer, puts identity providers off and comes back by itself.
func TestANodeThatLosesItsDatabaseIsNotReadyAndComesBack(t *testing.T) {
	database := postgrestest.Start(t)
	if database == nil {
		return
	}
	e, err := postgres.Open(t.Context(), database.URL("postgres"), postgres.Options{Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	log := slog.New(slog.DiscardHandler)
	d, err := directory.Open(t.Context(), e, directory.Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	setup := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}}}}
	if _, err := d.Configure(t.Context(), directory.EventSource{Channel: directory.Local}, []directory.Setup{setup}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.SetToken(t.Context(), directory.Token{Org: "acme", Connection: "idp", Name: "idp", Kind: directory.SCIMToken}, "a token of the test"); err != nil {
		t.Fatal(err)
	}
	h, err := newHandlers(d, handlerOptions{base: "http://127.0.0.1:8080", log: log})
	if err != nil {
		t.Fatal(err)
	}
	answers := func(want int, path string, header http.Header) http.Header {
		t.Helper()
		answer := ask(h.site, http.MethodGet, path, header)
		if answer.Code != want {
			t.Errorf("%s: %d %s, want %d", path, answer.Code, answer.Body, want)
		}
		if strings.Contains(answer.Body.String(), "127.0.0.1") || strings.Contains(answer.Body.String(), postgrestest.Password) {
			t.Errorf("%s shows the inside: %s", path, answer.Body)
		}
		return answer.Header()
	}
	token := http.Header{"Authorization": {"Bearer a token of the test"}}
	answers(http.StatusOK, "/readyz", nil)
	answers(http.StatusOK, "/c/idp/scim/v2/Users", token)
	database.Kill()
	answers(http.StatusServiceUnavailable, "/readyz", nil)
	answers(http.StatusOK, "/healthz", nil)
	if header := answers(http.StatusServiceUnavailable, "/c/idp/scim/v2/Users", token); header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if header := answers(http.StatusServiceUnavailable, "/c/idp/login", nil); header.Get("Retry-After") == "" {
		t.Error("no Retry-After at the sign-in")
	}
	database.Start()
	answers(http.StatusOK, "/readyz", nil)
	answers(http.StatusOK, "/c/idp/scim/v2/Users", token)
	if problems, err := d.Check(context.Background()); err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
}
