package scim

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/engine/bolt"
)

// benchServer is a server on a bolt file, with users u0 to u999.
func benchServer(b *testing.B) (*echo.Echo, []string) {
	b.Helper()
	e, err := bolt.Open(filepath.Join(b.TempDir(), "bench.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	d, err := directory.Open(context.Background(), e, directory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	configure(b, d, testOrg(), connectionFor("okta"))
	if _, err := d.SetToken(context.Background(), directory.Token{Org: "acme", Connection: "idp", Name: "idp", Kind: directory.SCIMToken}, connToken); err != nil {
		b.Fatal(err)
	}
	site := echo.New()
	New(d, Options{BaseURL: "https://muster.example", Log: slog.New(slog.DiscardHandler)}).Mount(site)
	ids := make([]string, 1000)
	var clients sync.WaitGroup
	for first := range 50 {
		clients.Go(func() {
			for i := first; i < len(ids); i += 50 {
				w := httptest.NewRecorder()
				site.ServeHTTP(w, benchRequest("POST", "/Users", benchBody(fmt.Sprintf("u%d", i))))
				if w.Code != 201 {
					b.Error(w.Body)
				}
				ids[i] = strings.TrimPrefix(w.Header().Get("Location"), "https://muster.example/c/idp/scim/v2/Users/")
			}
		})
	}
	clients.Wait()
	return site, ids
}

// processorTime is what this process used so far: on a busy machine a better
// measure than the clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchBody(name string) string {
	return strings.ReplaceAll(strings.Replace(benchUser, "0a21f0f2", "ext-"+name, 1), "Test_User", name)
}

func benchRequest(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "/c/idp/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+connToken)
	r.Header.Set("Content-Type", "application/scim+json")
	return r
}

// benchRequests are the hot paths; n is unique.
var benchRequests = []struct {
	name string
	make func(n int, ids []string) (method, path, body string)
}{
	{"POST", func(n int, _ []string) (string, string, string) {
		return "POST", "/Users", benchBody(fmt.Sprintf("new%d", n))
	}},
	{"GET", func(n int, ids []string) (string, string, string) { return "GET", "/Users/" + ids[n%len(ids)], "" }},
	{"PATCH", func(n int, ids []string) (string, string, string) {
		return "PATCH", "/Users/" + ids[n%len(ids)], fmt.Sprintf(`{"Operations":[{"op":"replace","path":"title","value":"t%d"},{"op":"replace","path":"emails[type eq \"work\"].value","value":"e%d@testuser.com"}]}`, n, n)
	}},
	{"filter", func(n int, ids []string) (string, string, string) {
		return "GET", fmt.Sprintf("/Users?filter=userName%%20eq%%20%%22u%d%%22", n%len(ids)), ""
	}},
}

func BenchmarkHandler(b *testing.B) {
	site, ids := benchServer(b)
	var n atomic.Int64
	for _, kind := range benchRequests {
		b.Run(kind.name, func(b *testing.B) {
			b.SetParallelism(32)
			b.ReportAllocs()
			used := processorTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					w := httptest.NewRecorder()
					site.ServeHTTP(w, benchRequest(kind.make(int(n.Add(1)), ids)))
					if w.Code >= 300 {
						b.Error(w.Code, w.Body)
						return
					}
				}
			})
			b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

func BenchmarkHTTP(b *testing.B) {
	site, ids := benchServer(b)
	var n atomic.Int64
	for _, kind := range benchRequests {
		b.Run(kind.name, func(b *testing.B) {
			server := httptest.NewServer(site)
			defer server.Close()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			b.SetParallelism(32)
			used := processorTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					method, path, body := kind.make(int(n.Add(1)), ids)
					r, _ := http.NewRequest(method, server.URL+"/c/idp/scim/v2"+path, strings.NewReader(body))
					r.Header.Set("Authorization", "Bearer "+connToken)
					r.Header.Set("Content-Type", "application/scim+json")
					a, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, a.Body)
					a.Body.Close()
					if a.StatusCode >= 300 {
						b.Error(a.StatusCode)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
