package scim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
)

// BenchmarkFloor puts GET by id and POST beside the least that such a handler
// can do, one request after another and without a network: to compare within
// one run. All stores are bolt files, so every POST is one durable transaction.
//
//	GET/echo     a bare Echo handler writes the bytes of the answer
//	GET/stored   it reads them from the store first
//	POST/write   encoding/json decodes and checks the body; one transaction
//	             writes the very keys and as many bytes as the directory does
//	POST/apply   encoding/json decodes and checks it; the directory writes
func BenchmarkFloor(b *testing.B) {
	f := newFloor(b)
	id := strings.TrimPrefix(f.post(b, f.site).Header().Get("Location"), "https://muster.example/c/idp/scim/v2/Users/")
	body := f.answer(b, id)
	for _, kind := range []struct {
		name  string
		serve http.Handler
	}{{"muster", f.site}, {"echo", bareGet(body)}, {"stored", f.storedGet(b, body)}} {
		b.Run("GET/"+kind.name, func(b *testing.B) {
			r, w := benchRequest("GET", "/Users/"+id, ""), &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				kind.serve.ServeHTTP(w, r)
			}
			if w.status != http.StatusOK || w.bytes < len(body) {
				b.Error(w.status)
			}
		})
	}
	for _, kind := range []struct {
		name  string
		serve http.Handler
	}{{"muster", f.site}, {"write", f.plainPost(f.write)}, {"apply", f.plainPost(f.apply)}} {
		b.Run("POST/"+kind.name, func(b *testing.B) {
			b.ReportAllocs()
			used := processorTime()
			for b.Loop() {
				f.post(b, kind.serve)
			}
			b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

// floor is a server on a store that tells what a transaction wrote.
type floor struct {
	site  *echo.Echo
	d     *directory.Directory
	store *noting
	pairs []engine.Pair // of one POST
	n     int
}

func newFloor(b *testing.B) *floor {
	b.Helper()
	e, err := bolt.Open(filepath.Join(b.TempDir(), "floor.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	f := &floor{store: &noting{Engine: e}, site: echo.New()}
	if f.d, err = directory.Open(context.Background(), f.store, directory.Options{}); err != nil {
		b.Fatal(err)
	}
	configure(b, f.d, testOrg(), connectionFor("okta"))
	if _, err := f.d.SetToken(context.Background(), directory.Token{Org: "acme", Connection: "idp", Name: "idp", Kind: directory.SCIMToken}, connToken); err != nil {
		b.Fatal(err)
	}
	New(f.d, Options{BaseURL: "https://muster.example", Log: slog.New(slog.DiscardHandler)}).Mount(f.site)
	f.post(b, f.site)
	f.store.note = true
	f.post(b, f.site)
	f.store.note, f.pairs = false, f.store.pairs
	if len(f.pairs) < 5 {
		b.Fatalf("a POST wrote %d keys", len(f.pairs))
	}
	return f
}

// post sends a new user.
func (f *floor) post(b *testing.B, to http.Handler) *httptest.ResponseRecorder {
	f.n++
	w := httptest.NewRecorder()
	to.ServeHTTP(w, benchRequest("POST", "/Users", benchBody(fmt.Sprintf("u%d", f.n))))
	if w.Code != http.StatusCreated {
		b.Fatal(w.Code, w.Body)
	}
	return w
}

func (f *floor) answer(b *testing.B, id string) []byte {
	w := httptest.NewRecorder()
	f.site.ServeHTTP(w, benchRequest("GET", "/Users/"+id, ""))
	if w.Code != http.StatusOK {
		b.Fatal(w.Code, w.Body)
	}
	return w.Body.Bytes()
}

const benchMedia = "application/scim+json; charset=utf-8"

func bareGet(body []byte) *echo.Echo {
	site := echo.New()
	site.GET("/c/:door/scim/v2/Users/:id", func(c echo.Context) error { return c.Blob(http.StatusOK, benchMedia, body) })
	return site
}

func (f *floor) storedGet(b *testing.B, body []byte) *echo.Echo {
	key := []byte("~stored")
	if err := f.store.Update(b.Context(), func(tx engine.WriteTx) error { return tx.Set(key, body) }); err != nil {
		b.Fatal(err)
	}
	site := echo.New()
	site.GET("/c/:door/scim/v2/Users/:id", func(c echo.Context) error {
		return f.store.View(c.Request().Context(), func(tx engine.ReadTx) error {
			body, err := tx.Get(key)
			if err != nil {
				return err
			}
			return c.Blob(http.StatusOK, benchMedia, body)
		})
	})
	return site
}

// plainUser is what encoding/json decodes of the body.
type plainUser struct {
	Schemas              []string
	ExternalID, UserName string
	Active               *bool
	DisplayName          string
	Emails               []struct {
		Primary     bool
		Type, Value string
	}
	Name       struct{ Formatted, FamilyName, GivenName string }
	Enterprise struct{ Department string } `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func (u *plainUser) valid() bool {
	return slices.Contains(u.Schemas, "urn:ietf:params:scim:schemas:core:2.0:User") && u.UserName != "" && u.ExternalID != "" &&
		u.Active != nil && len(u.Emails) > 0 && strings.Contains(u.Emails[0].Value, "@")
}

// plainPost answers a valid user with the body that came, once it is kept.
func (f *floor) plainPost(keep func(context.Context, *plainUser) error) *echo.Echo {
	site := echo.New()
	site.POST("/c/:door/scim/v2/Users", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		var user plainUser
		if err == nil {
			err = json.Unmarshal(body, &user)
		}
		if err != nil || !user.valid() {
			return c.NoContent(http.StatusBadRequest)
		}
		if err := keep(c.Request().Context(), &user); err != nil {
			return err
		}
		return c.Blob(http.StatusCreated, benchMedia, body)
	})
	return site
}

// write keeps what the directory wrote of one user, under keys that differ.
func (f *floor) write(ctx context.Context, user *plainUser) error {
	return f.store.Update(ctx, func(tx engine.WriteTx) error {
		for _, p := range f.pairs {
			k := append([]byte{'~'}, p.Key...)
			copy(k[len(k)-min(len(user.UserName), len(k)-1):], user.UserName)
			if err := tx.Set(k, p.Value); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *floor) apply(ctx context.Context, user *plainUser) error {
	var a directory.Attributes
	a.Set(directory.UserName, directory.Text(user.UserName))
	a.Set(directory.ExternalID, directory.Text(user.ExternalID))
	a.Set(directory.Active, directory.Text("true"))
	a.Set(directory.DisplayName, directory.Text(user.DisplayName))
	a.Set("name.givenName", directory.Text(user.Name.GivenName))
	a.Set("name.familyName", directory.Text(user.Name.FamilyName))
	a.Set("name.formatted", directory.Text(user.Name.Formatted))
	a.Set("department", directory.Text(user.Enterprise.Department))
	a.Set(directory.Emails, directory.Value{directory.NewElement(directory.Field{Name: "value", Text: user.Emails[0].Value},
		directory.Field{Name: "type", Text: user.Emails[0].Type}, directory.Field{Name: "primary", Text: "true"})})
	_, err := f.d.Apply(ctx, directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: a})
	return err
}

// noting is a store that keeps what transactions set, when told to.
type noting struct {
	engine.Engine
	note  bool
	pairs []engine.Pair
}

func (n *noting) Update(ctx context.Context, fn func(engine.WriteTx) error) error {
	if !n.note {
		return n.Engine.Update(ctx, fn)
	}
	return n.Engine.Update(ctx, func(tx engine.WriteTx) error {
		n.pairs = nil
		return fn(notingTx{tx, n})
	})
}

type notingTx struct {
	engine.WriteTx
	n *noting
}

func (t notingTx) Set(k, v []byte) error {
	t.n.pairs = append(t.n.pairs, engine.Pair{Key: slices.Clone(k), Value: slices.Clone(v)})
	return t.WriteTx.Set(k, v)
}

// sink takes an answer and forgets it.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(status int) { s.status, s.bytes = status, 0 }

func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}
