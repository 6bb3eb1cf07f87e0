package scim

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory/engine"
	"muster/directory/engine/bolt"
)

// loadConnections is how many clients BenchmarkLoad has; each waits for one
// answer before it asks again.
const loadConnections = 32

// BenchmarkLoad drives a server over loopback with a client that costs little,
// so that what is measured is the server: on two cores both share them. The
// floors are what a handler costs that does next to nothing: writing the bytes
// of the answer to GET, and decoding the body of the POST with encoding/json
// and storing it under one key.
func BenchmarkLoad(b *testing.B) {
	b.Run("floor/GET", func(b *testing.B) {
		site, ids := benchServer(b)
		w := httptest.NewRecorder()
		site.ServeHTTP(w, benchRequest("GET", "/Users/"+ids[0], ""))
		body := w.Body.Bytes()
		bare := echo.New()
		bare.GET("/c/:door/scim/v2/Users/:id", func(c echo.Context) error {
			return c.Blob(http.StatusOK, "application/scim+json; charset=utf-8", body)
		})
		load(b, bare, benchRequests[1].make, ids)
	})
	b.Run("floor/POST", func(b *testing.B) {
		load(b, decodeAndStore(b), benchRequests[0].make, nil)
	})
	for _, kind := range benchRequests {
		b.Run(kind.name, func(b *testing.B) {
			site, ids := benchServer(b)
			load(b, site, kind.make, ids)
		})
	}
}

// decodeAndStore answers a POST with its own body, durably stored.
func decodeAndStore(b *testing.B) *echo.Echo {
	e, err := bolt.Open(filepath.Join(b.TempDir(), "floor.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	var n atomic.Int64
	bare := echo.New()
	bare.POST("/c/:door/scim/v2/Users", func(c echo.Context) error {
		body, err := io.ReadAll(c.Request().Body)
		var user map[string]any
		if err == nil {
			err = json.Unmarshal(body, &user)
		}
		if name, ok := user["userName"].(string); err != nil || !ok || name == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		err = e.Update(context.Background(), func(w engine.WriteTx) error {
			return w.Set(strconv.AppendInt([]byte("u"), n.Add(1), 10), body)
		})
		if err != nil {
			return err
		}
		return c.Blob(http.StatusCreated, "application/scim+json; charset=utf-8", body)
	})
	return bare
}

// load sends b.N requests over loadConnections connections.
func load(b *testing.B, h http.Handler, request func(n int, ids []string) (method, path, body string), ids []string) {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	var n atomic.Int64
	var clients sync.WaitGroup
	b.ReportAllocs()
	used := processorTime()
	b.ResetTimer()
	for range loadConnections {
		clients.Go(func() {
			c, err := dialClient(server.Listener.Addr().String())
			for err == nil {
				i := n.Add(1)
				if i > int64(b.N) {
					break
				}
				err = c.do(request(int(i), ids))
			}
			if err != nil {
				b.Error(err)
				return
			}
			c.conn.Close()
		})
	}
	clients.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64((processorTime()-used).Microseconds())/float64(b.N), "cpu-us/op")
}

// client is the least of HTTP/1.1: one request at a time, answers with a length.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dialClient(address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// do sends one request and reads its answer to the end.
func (c *client) do(method, path, body string) error {
	c.out = fmt.Appendf(c.out[:0], "%s /c/idp/scim/v2%s HTTP/1.1\r\nHost: muster.example\r\nAuthorization: Bearer %s\r\n", method, path, connToken)
	if body != "" {
		c.out = fmt.Appendf(c.out, "Content-Type: application/scim+json\r\nContent-Length: %d\r\n", len(body))
	}
	c.out = append(append(c.out, "\r\n"...), body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	return c.answer()
}

func (c *client) answer() error {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || line[9] != '2' {
		return fmt.Errorf("answered %q", line)
	}
	length := -1
	for len(line) > 2 {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return err
		}
		const name = "Content-Length: "
		if len(line) > len(name)+2 && string(line[:len(name)]) == name {
			if length, err = strconv.Atoi(string(line[len(name) : len(line)-2])); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return fmt.Errorf("an answer without a length")
	}
	_, err = c.in.Discard(length)
	return err
}
