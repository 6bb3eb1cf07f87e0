package main

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestDocumentsComeFromPublicAddressesUnlessTheOperatorSaysOtherwise(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/document":
			_, _ = w.Write([]byte("<xml/>"))
		case "/elsewhere":
			http.Redirect(w, r, "/document", http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "https://"+r.Host+"/document", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, maxFetch+1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	for _, test := range []struct {
		private bool
		url     string
		want    string // of the error, "" for success
	}{
		{true, server.URL + "/document", ""},
		{true, server.URL + "/elsewhere", ""},
		{true, server.URL + "/scheme", "to another scheme"},
		{true, server.URL + "/circle", "redirected too often"},
		{true, server.URL + "/large", "larger than"},
		{true, server.URL + "/nothing", "404"},
		{true, "ftp://idp.example/document", "must be an https URL"},
		{false, server.URL + "/document", "must be an https URL"},
		{false, "https" + strings.TrimPrefix(server.URL, "http") + "/document", "127.0.0.1 is no public address"},
		{false, "https://[::ffff:127.0.0.1]:1/", "127.0.0.1 is no public address"},
		{false, "https://169.254.169.254/latest/meta-data", "is no public address"},
	} {
		content, err := fetcher(test.private)(t.Context(), test.url)
		if test.want == "" && (err != nil || string(content) != "<xml/>") {
			t.Errorf("%s: %q, %v", test.url, content, err)
		}
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %s", test.url, err, test.want)
		}
	}
}

func TestPublicAddressesAreToldFromOthers(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "2606:4700::1111": true, "10.0.0.1": false, "192.168.1.1": false, "172.16.0.1": false, "127.0.0.1": false,
		"0.0.0.0": false, "169.254.1.1": false, "100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "::1": false,
		"fe80::1": false, "fd00::1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false, "240.0.0.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
