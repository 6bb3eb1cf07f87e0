package directory_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"muster/directory"
)

// layered is a user about whom n sources speak: the home connection's two doors
// first, then administrators, then other connections.
func layered(b *testing.B, n int) (*directory.Directory, directory.ID) {
	b.Helper()
	d := benchWorld(b)
	ctx := context.Background()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	id := people(b, d, 1)[0]
	speak := []func() error{
		func() error { _, err := d.Apply(ctx, signInOf(0)); return err },
		func() error { return administers(d, id, directory.Local, "nickName") },
		func() error { return administers(d, id, directory.Pin, "timezone") },
	}
	for i := range 4 {
		speak = append(speak, func() error { return another(d, id, i) })
	}
	for _, say := range speak[:n-1] {
		must(say())
	}
	x, err := d.Explain(ctx, "acme", id)
	must(err)
	sources := map[directory.Source]bool{}
	for _, a := range x.Attributes {
		for _, w := range a.Told {
			sources[w.Source] = w.Source.Channel != directory.ByRule
		}
	}
	delete(sources, directory.Source{Channel: directory.ByRule})
	if len(sources) != n {
		b.Fatalf("%d layers: %v", len(sources), sources)
	}
	return d, id
}

func administers(d *directory.Directory, id directory.ID, ch directory.Channel, name string) error {
	_, err := d.Apply(context.Background(), directory.Change{Org: "acme", Channel: ch, Verb: directory.VerbMerge, ID: id, Reason: "bench", Attributes: attributes(name, "x")})
	return err
}

// another connection signs the user in under a link that an administrator made.
func another(d *directory.Directory, id directory.ID, i int) error {
	ctx, name := context.Background(), fmt.Sprintf("other%d", i)
	p, err := d.Policy(ctx, "acme")
	if err != nil {
		return err
	}
	by := directory.EventSource{Channel: directory.Local}
	c := directory.Connection{ID: name, Write: directory.Write{SSO: directory.Create}, SAML: &directory.SAMLTrust{EntityID: "https://" + name}}
	if _, err := d.Configure(ctx, by, []directory.Setup{{Org: *p.Org, Connections: []directory.Connection{c}}}); err != nil {
		return err
	}
	if err := d.SetLink(ctx, by, "acme", id, directory.LinkSetting{Connection: name, Channel: directory.SSO, Subject: "ext-0"}); err != nil {
		return err
	}
	in := signInOf(0)
	in.Connection, in.Issuer = name, "https://"+name
	_, err = d.Apply(ctx, in)
	return err
}

// BenchmarkApplyLayers is one push that changes a title, by how many sources
// speak of the user.
func BenchmarkApplyLayers(b *testing.B) {
	for _, n := range []int{1, 3, 8} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d, id := layered(b, n)
			c := pushOf(0)
			c.Verb, c.ID = directory.VerbReplace, id
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Attributes.Set("title", directory.Text(fmt.Sprint("Engineer ", i)))
				if _, err := d.Apply(context.Background(), c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPolicyChange resolves 100,000 users after a change of the rules; the
// heap is looked at after each batch.
func BenchmarkPolicyChange(b *testing.B) {
	const size = 100_000
	d := benchWorld(b)
	people(b, d, size)
	ctx := context.Background()
	p, err := d.Policy(ctx, "acme")
	if err != nil {
		b.Fatal(err)
	}
	org := *p.Org
	var most, least uint64
	b.ResetTimer()
	start := time.Now()
	for i := range b.N {
		org.Rules = []directory.Rule{{Set: attributes("license", []string{"full", "lite"}[i%2], "userType", fmt.Sprint("type ", i))}}
		if _, err := d.Configure(ctx, directory.EventSource{Channel: directory.Local}, []directory.Setup{{Org: org}}); err != nil {
			b.Fatal(err)
		}
		for more, batches := true, 0; more; batches++ {
			if more, err = d.Work(ctx); err != nil {
				b.Fatal(err)
			}
			if batches%50 == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
				if least == 0 {
					least = m.HeapAlloc
				}
			}
		}
	}
	b.ReportMetric(float64(size*b.N)/time.Since(start).Seconds(), "users/s")
	b.ReportMetric(float64(least)/(1<<20), "MB-at-first")
	b.ReportMetric(float64(most)/(1<<20), "MB-at-most")
}
