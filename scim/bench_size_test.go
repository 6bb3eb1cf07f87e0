package scim

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"testing"
)

// benchUsers is how many users BenchmarkSize has. A million of them, which takes
// minutes to make and is done once:
//
//	go test ./scim -run '^$' -bench BenchmarkSize -timeout 2h -users 1000000
var benchUsers = flag.Int("users", 1000, "users of BenchmarkSize")

// BenchmarkSize is what requests cost in a directory of that size, one after
// another. Only the pages that an index passes over may grow with it.
func BenchmarkSize(b *testing.B) {
	bed, ids := onFile(b, *benchUsers)
	made := 0
	for _, kind := range []struct {
		name string
		make func(n int) (method, path, body string)
	}{
		{"GET", func(n int) (string, string, string) { return "GET", "/Users/" + ids[n*7919%len(ids)], "" }},
		{"POST", func(int) (string, string, string) {
			made++
			return "POST", "/Users", benchBody(fmt.Sprintf("new%d", made))
		}},
		{"PATCH", func(n int) (string, string, string) {
			made++
			return "PATCH", "/Users/" + ids[n*7919%len(ids)], fmt.Sprintf(`{"Operations":[{"op":"replace","path":"title","value":"t%d"}]}`, made)
		}},
		{"filter", func(n int) (string, string, string) {
			return "GET", fmt.Sprintf(`/Users?filter=userName%%20eq%%20%%22u%d%%22`, n*7919%len(ids)), ""
		}},
		{"list", func(int) (string, string, string) { return "GET", "/Users?count=100", "" }},
		{"list-sorted", func(int) (string, string, string) { return "GET", "/Users?count=100&sortBy=userName", "" }},
		{"list-middle", func(int) (string, string, string) {
			return "GET", fmt.Sprintf("/Users?count=100&startIndex=%d", len(ids)/2), ""
		}},
	} {
		b.Run(fmt.Sprintf("%s/%d", kind.name, *benchUsers), func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				w := httptest.NewRecorder()
				bed.echo.ServeHTTP(w, benchRequest(kind.make(n)))
				if w.Code >= 300 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
