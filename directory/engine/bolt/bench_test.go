package bolt

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"muster/directory/engine"
)

// ways to write one pair durably: this engine and bbolt's own two.
func ways(b *testing.B) map[string]func(key, value []byte) error {
	e, _ := open1(b, Options{})
	raw, err := bbolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, Options{}.bolt(0))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = raw.Close() })
	if err := prepare(raw); err != nil {
		b.Fatal(err)
	}
	put := func(key, value []byte) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error { return tx.Bucket(bucketName).Put(key, value) }
	}
	return map[string]func(key, value []byte) error{
		"engine": func(key, value []byte) error {
			return e.Update(b.Context(), func(tx engine.WriteTx) error { return tx.Set(key, value) })
		},
		"db.Update": func(key, value []byte) error { return raw.Update(put(key, value)) },
		"db.Batch":  func(key, value []byte) error { return raw.Batch(put(key, value)) },
	}
}

func BenchmarkUpdateAlone(b *testing.B) {
	for name, write := range ways(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := write(fmt.Appendf(nil, "key%09d", i*7919), make([]byte, 300)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUpdateBy32(b *testing.B) {
	for name, write := range ways(b) {
		b.Run(name, func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(16) // times the processors, two on a small machine
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := write(fmt.Appendf(nil, "key%09d", n.Add(7919)), make([]byte, 300)); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// stocked is an engine with some pairs to read.
func stocked(b *testing.B) *Engine {
	e, _ := open1(b, Options{})
	err := e.Update(b.Context(), func(tx engine.WriteTx) error {
		for i := range 100_000 {
			if err := tx.Set(fmt.Appendf(nil, "key%09d", i), make([]byte, 300)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

func BenchmarkViewAndGet(b *testing.B) {
	e := stocked(b)
	read := func(tx engine.ReadTx) error {
		_, err := tx.Get([]byte("key000050000"))
		return err
	}
	for _, gets := range []int{1, 10} {
		b.Run(fmt.Sprint("gets=", gets), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := e.View(b.Context(), func(tx engine.ReadTx) error {
					for range gets {
						if err := read(tx); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = e.db.View(func(tx *bbolt.Tx) error {
				_ = tx.Bucket(bucketName).Get([]byte("key000050000"))
				return nil
			})
		}
	})
}
