package enginetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"muster/directory/engine"
)

func modelChecks() []check {
	return []check{{"random operations agree with a model", randomOperations}}
}

// model is what the engine is compared with.
type model map[string]string

func (m model) list(from, to string) []string {
	pairs := []string{}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if from <= key && key < to {
			pairs = append(pairs, key+"="+m[key])
		}
	}
	return pairs
}

// randomOperations runs transactions of random operations, a third of which
// fail, and compares every read.
func randomOperations(b *bed) error {
	random := rand.New(rand.NewPCG(1, 2))
	committed := model{}
	for round := range 60 {
		state := maps.Clone(committed)
		fail := random.IntN(3) == 0
		got := b.Update(b.ctx, func(tx engine.WriteTx) error {
			if err := randomTransaction(random, tx, state); err != nil {
				return err
			}
			if fail {
				return errOfFunction
			}
			return nil
		})
		if !fail {
			committed = state
		} else if errors.Is(got, errOfFunction) {
			got = nil
		}
		if err := errors.Join(got, b.holds(committed.list("", "~")...)); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

func randomTransaction(random *rand.Rand, tx engine.WriteTx, state model) error {
	for range random.IntN(40) {
		if err := randomOperation(random, tx, state); err != nil {
			return err
		}
	}
	return nil
}

func randomOperation(random *rand.Rand, tx engine.WriteTx, state model) error {
	key, other := randomKey(random), randomKey(random)
	switch random.IntN(8) {
	case 0, 1, 2:
		state[key] = fmt.Sprint(random.IntN(1000))
		return tx.Set([]byte(key), []byte(state[key]))
	case 3, 4:
		delete(state, key)
		return tx.Delete([]byte(key))
	case 5, 6:
		return reads(tx, key, state[key])
	default:
		return scans(tx, []byte(key), []byte(other), state.list(key, other)...)
	}
}

// randomKey is one of few, some of them prefixes of others.
func randomKey(random *rand.Rand) string {
	key := make([]byte, 1+random.IntN(3))
	for i := range key {
		key[i] = "abc\x00"[random.IntN(4)]
	}
	return string(key)
}
