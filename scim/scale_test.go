package scim

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/directory/engine/bolt"
)

// onFile is a bed on a bolt file with n users, and their ids.
func onFile(t testing.TB, n int) (*bed, []string) {
	t.Helper()
	e, err := bolt.Open(filepath.Join(t.TempDir(), "scale.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	b := &bed{t: t, echo: echo.New()}
	if b.d, err = directory.Open(context.Background(), e, directory.Options{}); err != nil {
		t.Fatal(err)
	}
	configure(t, b.d, testOrg(), connectionFor("generic"))
	b.token(directory.Token{Org: "acme", Connection: "idp", Name: "idp", Kind: directory.SCIMToken}, connToken)
	b.server = New(b.d, Options{BaseURL: "https://muster.example", Log: slog.New(slog.DiscardHandler)})
	b.server.Mount(b.echo)
	ids := make([]string, n)
	var clients sync.WaitGroup
	for first := range 256 {
		clients.Go(func() {
			for i := first; i < n; i += 256 {
				var a directory.Attributes
				a.Set(directory.UserName, directory.Text(fmt.Sprintf("u%d", i)))
				r, err := b.d.Apply(context.Background(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: a})
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = r.User.ID.String()
			}
		})
	}
	clients.Wait()
	return b, ids
}

func memberList(ids []string) string {
	return `[{"value":"` + strings.Join(ids, `"},{"value":"`) + `"}]`
}

func TestTenThousandMembersAreOneTransaction(t *testing.T) {
	b, ids := onFile(t, 10_000)
	id := b.make("/Groups", `{"displayName":"all"}`)
	before, err := b.d.Events(t.Context(), "acme", 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	last := before[len(before)-1].Seq
	b.want(400, b.scim("PATCH", "/Groups/"+id, patchOf(`{"op":"add","path":"members","value":`+memberList(ids)+`},{"op":"add","path":"members","value":[{"value":"00000000-0000-7000-8000-000000000000"}]}`)))
	for _, operation := range []string{"add", "remove"} {
		b.want(204, b.scim("PATCH", "/Groups/"+id, patchOf(`{"op":"`+operation+`","path":"members","value":`+memberList(ids)+`}`)))
		events, err := b.d.Events(t.Context(), "acme", last, 10)
		if err != nil || len(events) != 1 || events[0].Group.String() != id {
			t.Fatalf("%s: %d events, %v", operation, len(events), err)
		}
		last = events[0].Seq
		a := b.want(200, b.scim("GET", "/Groups/"+id, ""))
		list, _ := a.json["members"].([]any)
		if want := map[string]int{"add": 10_000}[operation]; len(list) != want {
			t.Errorf("%s: %d members", operation, len(list))
		}
	}
	b.check()
}

// BenchmarkGroup adds and removes one member, and reads a group without its
// members: the same in a group of ten and of many.
func BenchmarkGroup(b *testing.B) {
	bed, ids := onFile(b, 10_001)
	for _, n := range []int{10, 10_000} {
		group := "/Groups/" + bed.make("/Groups", fmt.Sprintf(`{"displayName":"g%d","members":%s}`, n, memberList(ids[:n])))
		member := patchOf(`{"op":"%s","path":"members","value":[{"value":"` + ids[10_000] + `"}]}`)
		for name, requests := range map[string][][3]string{
			"member": {{"PATCH", group, fmt.Sprintf(member, "add")}, {"PATCH", group, fmt.Sprintf(member, "remove")}},
			"read":   {{"GET", group + "?excludedAttributes=members", ""}},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					for _, r := range requests {
						if a := bed.scim(r[0], r[1], r[2]); a.status >= 300 {
							b.Fatal(a.text)
						}
					}
				}
			})
		}
	}
}
