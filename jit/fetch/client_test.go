package fetch_test

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"muster/jit/fetch"
)

// site is a server with the pages that the tests need. Its names are example.com and localhost.
func site(t *testing.T, start func(http.Handler) *httptest.Server) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/document", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<xml/>")) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1001)) })
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) })
	mux.HandleFunc("/bomb", bomb)
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("target"), http.StatusTemporaryRedirect)
	})
	server := start(mux)
	t.Cleanup(server.Close)
	return server
}

func bomb(w http.ResponseWriter, _ *http.Request) {
	var small bytes.Buffer
	zip := gzip.NewWriter(&small)
	_, _ = zip.Write(make([]byte, 1<<20))
	_ = zip.Close()
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(small.Bytes())
}

func TestDocumentsComeOverHTTPSOrTheLoopbackInterface(t *testing.T) {
	plain, secure := site(t, httptest.NewServer), site(t, httptest.NewTLSServer)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	private := fetch.Client(fetch.Options{AllowPrivate: true, Roots: roots, MaxSize: 1000, Timeout: time.Second})
	public := fetch.Client(fetch.Options{Roots: roots, MaxSize: 1000, Timeout: time.Second})
	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		client *http.Client
		url    string
		want   string // of the error, "" for success
	}{
		{"https to a private address, permitted", private, secure.URL + "/document", ""},
		{"https to a private address", public, secure.URL + "/document", "127.0.0.1 is no public address"},
		{"https to a name that resolves to one", public, "https://localhost:1/", "is no public address"},
		{"http to the loopback interface, permitted", private, plain.URL + "/document", ""},
		{"http to the loopback interface by name", private, "http://localhost:" + port + "/document", ""},
		{"http to the loopback interface", public, plain.URL + "/document", "must be an https URL"},
		{"http to elsewhere", private, "http://192.0.2.1/document", "must be an https URL"},
		{"http to a name that looks local", private, "http://localhost.example/document", "must be an https URL"},
		{"ftp", private, "ftp://idp.example/document", "must be an https URL"},
		{"a certificate that nobody vouches for", fetch.Client(fetch.Options{AllowPrivate: true}), secure.URL + "/document", "certificate"},
		{"an IPv4-mapped address", public, "https://[::ffff:127.0.0.1]:1/", "127.0.0.1 is no public address"},
		{"NAT64", public, "https://[64:ff9b::7f00:1]:1/", "is no public address"},
		{"the metadata service of a cloud", public, "https://169.254.169.254/latest/meta-data", "is no public address"},
		{"the unspecified address", public, "https://0.0.0.0:1/", "is no public address"},
		{"a redirect", private, plain.URL + "/to?target=/document", ""},
		{"a redirect to another scheme", private, plain.URL + "/to?target=" + secure.URL + "/document", "another scheme"},
		{"a redirect down to http", private, secure.URL + "/to?target=" + plain.URL + "/document", "another scheme"},
		{"a redirect to where http may not go", private, plain.URL + "/to?target=http://192.0.2.1/", "must be an https URL"},
		{"a redirect to a file", private, plain.URL + "/to?target=file:///etc/passwd", "another scheme"},
		{"redirects in a circle", private, plain.URL + "/to?target=" + strings.Repeat("/to%3Ftarget=", 5) + "/document", "redirected too often"},
		{"a document of the largest size", private, plain.URL + "/full", ""},
		{"a larger document", private, plain.URL + "/large", "too large"},
		{"a document that is larger when unpacked", private, plain.URL + "/bomb", "too large"},
		{"a document that does not come", private, plain.URL + "/slow", "Client.Timeout"},
		{"no document", private, plain.URL + "/nothing", "404"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := fetch.Get(t.Context(), test.client, test.url)
			if test.want == "" && err != nil {
				t.Error(err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWhatIsPostedIsNotPostedAgainElsewhere(t *testing.T) {
	server := site(t, httptest.NewServer)
	client := fetch.Client(fetch.Options{AllowPrivate: true})
	for path, redirected := range map[string]bool{"/document": false, "/to?target=/document": true} {
		response, err := client.Post(server.URL+path, "text/plain", strings.NewReader("secret"))
		if err == nil {
			_ = response.Body.Close()
		}
		if redirected != (err != nil) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestALargeDocumentIsNoShorterOne(t *testing.T) {
	server := site(t, httptest.NewServer)
	client := fetch.Client(fetch.Options{AllowPrivate: true, MaxSize: 1000})
	content, err := fetch.Get(t.Context(), client, server.URL+"/large")
	if !errors.Is(err, fetch.ErrTooLarge) || len(content) != 1000 {
		t.Errorf("%d bytes, %v", len(content), err)
	}
}

func TestTheEnvironmentsProxyIsNotAsked(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	_, err := fetch.Get(t.Context(), fetch.Client(fetch.Options{}), "https://127.0.0.1:2/")
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1 is no public address") || !strings.Contains(err.Error(), ":2") {
		t.Errorf("%v", err)
	}
}
