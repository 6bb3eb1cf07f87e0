package etcd

import (
	"fmt"
	"sync/atomic"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/etcd/etcdtest"
)

// BenchmarkWriteBy32 is 32 writers at once: etcd's own put, and an Update of
// one pair that was read before, on clusters of one and of three members.
func BenchmarkWriteBy32(b *testing.B) {
	for _, members := range []int{1, 3} {
		c, ok := etcdtest.Start(b, etcdtest.Options{Members: members})
		if !ok {
			return
		}
		e, err := Open(Options{Endpoints: c.Endpoints(), Prefix: "/bench/"})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = e.Close() })
		value := make([]byte, 300)
		for name, write := range map[string]func(key string) error{
			"put": func(key string) error {
				_, err := e.client.Put(b.Context(), "/raw/"+key, string(value))
				return err
			},
			"update": func(key string) error {
				return e.Update(b.Context(), func(tx engine.WriteTx) error {
					if _, err := tx.Get([]byte(key)); err != nil {
						return err
					}
					return tx.Set([]byte(key), value)
				})
			},
		} {
			b.Run(fmt.Sprintf("members=%d/%s", members, name), func(b *testing.B) {
				var n atomic.Int64
				b.SetParallelism(16) // times the processors, two on a small machine
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := write(fmt.Sprintf("key%09d", n.Add(7919))); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}
