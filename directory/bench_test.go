package directory_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
	"muster/directory/engine/bolt"
	"muster/directory/engine/etcd"
	"muster/directory/engine/etcd/etcdtest"
)

// benchWorld is a directory on a real file with one organisation and rules.
func benchWorld(b *testing.B) *directory.Directory {
	b.Helper()
	e, err := bolt.Open(filepath.Join(b.TempDir(), "muster.db"), bolt.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return benchWorldOn(b, e)
}

func benchWorldOn(b *testing.B, e engine.Engine) *directory.Directory {
	b.Helper()
	d, err := directory.Open(context.Background(), e, directory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := directory.Setup{
		Org: directory.Org{ID: "acme", Attributes: map[string]directory.AttributePolicy{"license": {Values: []string{"full", "lite"}}},
			Rules: []directory.Rule{{When: `groups eq "Engineering"`, Set: attributes("license", "full")}, {Set: attributes("license", "lite")}}},
		Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create, SSO: directory.Create},
			Subject: directory.Subjects{SCIM: "externalId", Same: true}, SAML: &directory.SAMLTrust{EntityID: "https://idp.example"},
			Groups: directory.GroupPolicy{Source: directory.GroupsBoth}, Guard: directory.Guard{Off: true}}},
	}
	if _, err := d.Configure(context.Background(), directory.EventSource{Channel: directory.Local}, []directory.Setup{s}); err != nil {
		b.Fatal(err)
	}
	return d
}

func person(i int64) directory.Attributes {
	name := fmt.Sprintf("user%d@acme.example", i)
	return attributes("userName", name, "emails", name, "displayName", fmt.Sprintf("User %d", i), "name.givenName", "User",
		"name.familyName", fmt.Sprint(i), "department", "Research", "title", "Engineer", "externalId", fmt.Sprintf("ext-%d", i), "active", "true")
}

func pushOf(i int64) directory.Change {
	return directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Verb: directory.VerbCreate, Attributes: person(i)}
}

func signInOf(i int64) directory.Change {
	return directory.Change{Org: "acme", Connection: "idp", Channel: directory.SSO, Verb: directory.VerbSignIn, Subject: fmt.Sprintf("ext-%d", i),
		Issuer: "https://idp.example", AssertedAt: time.Now(), Attributes: person(i)}
}

// parallel runs change(n) from 32 goroutines, n from 1.
func parallel(b *testing.B, d *directory.Directory, change func(n int64) directory.Change) {
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := d.Apply(context.Background(), change(n.Add(1))); err != nil {
				b.Error(err)
			}
		}
	})
}

// people pushes n users, many at once.
func people(b *testing.B, d *directory.Directory, n int) []directory.ID {
	b.Helper()
	ids := make([]directory.ID, n)
	var wg sync.WaitGroup
	for w := range 256 {
		wg.Go(func() {
			for i := w; i < n; i += 256 {
				r, err := d.Apply(context.Background(), pushOf(int64(i)))
				if err != nil {
					b.Error(err)
					return
				}
				ids[i] = r.User.ID
			}
		})
	}
	wg.Wait()
	return ids
}

func BenchmarkApply(b *testing.B) {
	b.Run("created", func(b *testing.B) {
		parallel(b, benchWorld(b), pushOf)
	})
	seeded := func(b *testing.B) (*directory.Directory, []directory.ID) {
		d := benchWorld(b)
		ids := people(b, d, 1000)
		b.ResetTimer()
		return d, ids
	}
	b.Run("unchanged", func(b *testing.B) {
		d, ids := seeded(b)
		parallel(b, d, func(n int64) directory.Change {
			c := pushOf(n % 1000)
			c.Verb, c.ID = directory.VerbReplace, ids[n%1000]
			return c
		})
	})
	b.Run("updated", func(b *testing.B) {
		d, ids := seeded(b)
		parallel(b, d, func(n int64) directory.Change {
			c := pushOf(n % 1000)
			c.Verb, c.ID = directory.VerbReplace, ids[n%1000]
			c.Attributes.Set("title", directory.Text(fmt.Sprint("Engineer ", n)))
			return c
		})
	})
	b.Run("linked", func(b *testing.B) {
		d := benchWorld(b)
		people(b, d, b.N+1)
		b.ResetTimer()
		parallel(b, d, signInOf)
	})
}

// BenchmarkApplyOnEtcd pushes new users to clusters of one and of three members
// while the sequencer numbers the events.
func BenchmarkApplyOnEtcd(b *testing.B) {
	for _, members := range []int{1, 3} {
		c, ok := etcdtest.Start(b, etcdtest.Options{Members: members})
		if !ok {
			return
		}
		e, err := etcd.Open(etcd.Options{Endpoints: c.Endpoints(), Prefix: "/bench/"})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { e.Close() })
		d := benchWorldOn(b, e)
		ctx, stop := context.WithCancel(context.Background())
		var background sync.WaitGroup
		background.Go(func() {
			if err := d.Run(ctx); err != nil {
				b.Error(err)
			}
		})
		var offset int64
		b.Run(fmt.Sprintf("members=%d", members), func(b *testing.B) {
			offset += 1_000_000
			parallel(b, d, func(n int64) directory.Change { return pushOf(offset + n) })
		})
		stop()
		background.Wait()
	}
}

func BenchmarkAddMember(b *testing.B) {
	for _, size := range []int{10, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			d := benchWorld(b)
			ids := people(b, d, max(size, 1000))
			group := directory.Change{Org: "acme", Connection: "idp", Channel: directory.SCIM, Resource: directory.GroupResource,
				Verb: directory.VerbCreate, Attributes: attributes("displayName", "Everybody")}
			r, err := d.Apply(context.Background(), group)
			if err != nil {
				b.Fatal(err)
			}
			group.Verb, group.ID, group.Attributes = directory.VerbEdit, r.Group.ID, nil
			for i := 0; i < size; i += 5000 {
				group.Members.Add = ids[i:min(i+5000, size)]
				if _, err := d.Apply(context.Background(), group); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				group.Members = directory.MemberChange{Remove: ids[i%size : i%size+1]}
				if i%2 == 1 {
					group.Members = directory.MemberChange{Add: ids[(i-1)%size : (i-1)%size+1]}
				}
				if _, err := d.Apply(context.Background(), group); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	d := benchWorld(b)
	r, err := d.Apply(context.Background(), pushOf(1))
	if err != nil {
		b.Fatal(err)
	}
	own := directory.Viewer{Org: "acme", Connection: "idp"}
	b.Run("user", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := d.User(context.Background(), own, r.User.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("filter", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p, err := d.Users(context.Background(), own, directory.Query{Filter: `userName eq "user1@acme.example"`, Limit: 10})
			if err != nil || p.Total != 1 {
				b.Fatal(p.Total, err)
			}
		}
	})
}
