package main

import (
	"net/http/httptest"
	"testing"
)

func TestAClientsAddressIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	trusted, err := networks([]string{"10.1.0.0/16", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, header, want string }{
		{"10.1.2.3:99", "203.0.113.9", "203.0.113.9"},
		{"10.1.2.3:99", "6.6.6.6, 203.0.113.9, 192.0.2.7", "203.0.113.9"}, // the client wrote the first one
		{"10.2.2.3:99", "203.0.113.9", "10.2.2.3"},
		{"127.0.0.1:99", "203.0.113.9", "127.0.0.1"},
		{"10.1.2.3:99", "", "10.1.2.3"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.from
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		if got := clientBehind(trusted)(r); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.from, c.header, got, c.want)
		}
	}
	if _, err := networks([]string{"10.0.0.0/8", "anywhere"}); err == nil {
		t.Error("a word is a network")
	}
}
