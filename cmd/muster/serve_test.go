package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

func TestRequestsUnderWayFinishWhenTheServerEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		_, _ = io.WriteString(w, "whole")
	})
	served := make(chan error, 1)
	go func() {
		served <- serveAll(ctx, slog.New(slog.DiscardHandler), map[net.Listener]http.Handler{listener: slow, nil: nil})
	}()
	go func() {
		<-arrived
		cancel()
	}()
	response, err := http.Get("http://" + listener.Addr().String())
	if p := take(t, response, err); p.text != "whole" {
		t.Errorf("the answer was %q", p.text)
	}
	if err := <-served; err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if _, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		t.Error("the server still listens")
	}
}

func TestLocalhostKeepsItsName(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8123}
	for asked, want := range map[string]string{
		"localhost:0": "localhost:8123", "127.0.0.1:0": "127.0.0.1:8123", "id.example:0": "127.0.0.1:8123", "": "127.0.0.1:8123",
	} {
		if got := called(asked, addr); got != want {
			t.Errorf("%q: %s, want %s", asked, got, want)
		}
	}
}

func TestAListenerOnEveryAddressIsReachedOnLoopback(t *testing.T) {
	for bound, want := range map[string]string{
		"0.0.0.0:8080": "127.0.0.1:8080", "[::]:8080": "127.0.0.1:8080", "127.0.0.1:9": "127.0.0.1:9", "[::1]:9": "[::1]:9", "192.0.2.7:80": "192.0.2.7:80",
	} {
		addr, err := net.ResolveTCPAddr("tcp", bound)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(addr); got != want {
			t.Errorf("%s: %s, want %s", bound, got, want)
		}
	}
}
