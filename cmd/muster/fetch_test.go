package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDocumentsComeFromPublicAddressesUnlessTheOperatorSaysOtherwise(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<xml/>")) }))
	defer server.Close()
	for _, test := range []struct {
		private bool
		url     string
		want    string // of the error, "" for success
	}{
		{true, server.URL, ""},
		{false, server.URL, "must be an https URL; --allow-private-fetch permits"},
		{false, "https" + strings.TrimPrefix(server.URL, "http"), "127.0.0.1 is no public address; --allow-private-fetch permits"},
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
