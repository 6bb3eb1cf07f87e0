package postgres

import (
	"fmt"
	"sync/atomic"
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/postgres/postgrestest"
)

// The server does not wait for its disk here: what is measured are round trips
// and the work of both sides.
func benchmark(b *testing.B, fn func(e *Engine, i int) error) {
	server := postgrestest.Start(b, "max_pred_locks_per_transaction=1024")
	if server == nil {
		return
	}
	e := open(b, server.URL("postgres"))
	var n atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fn(e, int(n.Add(1))); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(e.Retries())/float64(b.N), "retries/op")
}

func BenchmarkViewOfThreeKeys(b *testing.B) {
	benchmark(b, func(e *Engine, i int) error {
		return e.View(b.Context(), func(tx engine.ReadTx) error {
			for j := range 3 {
				if _, err := tx.Get(fmt.Append(nil, i, j)); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func BenchmarkUpdateOfAKeyOfItsOwn(b *testing.B) {
	benchmark(b, func(e *Engine, i int) error { return e.Update(b.Context(), add(fmt.Sprint("n", i))) })
}

func BenchmarkUpdateOfAHotKey(b *testing.B) {
	benchmark(b, func(e *Engine, _ int) error { return e.Update(b.Context(), add("n")) })
}
