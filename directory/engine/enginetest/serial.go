package enginetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"muster/directory/engine"
)

func serialChecks() []check {
	return []check{
		{"money is neither made nor lost", bank},
		{"there is a serial order that keeps the order in time", serialOrder},
	}
}

const accounts = 5

func account(i int) string { return fmt.Sprint("account", i) }

// bank moves money between accounts while auditors add it up.
func bank(b *bed) error {
	for i := range accounts {
		if err := b.set(account(i), "100"); err != nil {
			return err
		}
	}
	err := b.parallel(6, func(worker int) error {
		random := rand.New(rand.NewPCG(uint64(worker), 0))
		for range 15 {
			if err := b.bankRound(worker, random); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, b.View(b.ctx, audit))
}

func (b *bed) bankRound(worker int, random *rand.Rand) error {
	switch {
	case worker == 0:
		return b.View(b.ctx, audit)
	case worker == 1:
		return b.Update(b.ctx, func(tx engine.WriteTx) error { return audit(tx) })
	}
	from := random.IntN(accounts)
	to := (from + 1 + random.IntN(accounts-1)) % accounts
	amount := random.IntN(50)
	return b.Update(b.ctx, func(tx engine.WriteTx) error { return transfer(tx, account(from), account(to), amount) })
}

func transfer(tx engine.WriteTx, from, to string, amount int) error {
	a, err := number(tx, from)
	b, err2 := number(tx, to)
	letOthersIn()
	if err := errors.Join(err, err2); err != nil || a < amount {
		return err
	}
	return errors.Join(tx.Set([]byte(from), fmt.Append(nil, a-amount)), tx.Set([]byte(to), fmt.Append(nil, b+amount)))
}

func number(tx engine.ReadTx, key string) (n int, err error) {
	value, err := text(tx, key)
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(value, &n)
	return n, err
}

func audit(tx engine.ReadTx) error {
	sum := 0
	for i := range accounts {
		n, err := number(tx, account(i))
		if err != nil {
			return err
		}
		sum += n
	}
	return equal("all the money", sum, accounts*100)
}

// appender is one transaction: it read some lists and appended its number to
// one of them. The lists it read show what came before it.
type appender struct {
	id         int
	began, end int64             // on a clock that counts
	read       map[string]string // list -> what it held
	wrote      string
}

// serialOrder runs transactions that read two lists and append to one, then
// looks for a serial order: an acyclic graph of what must be before what.
func serialOrder(b *bed) error {
	h := &history{bed: b}
	err := b.parallel(6, func(worker int) error {
		random := rand.New(rand.NewPCG(uint64(worker), 1))
		for range 12 {
			if err := h.append(random); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.ordered()
}

type history struct {
	*bed
	clock atomic.Int64
	mu    sync.Mutex
	all   []*appender
}

func listName(i int) string { return fmt.Sprint("list", i) }

func (h *history) append(random *rand.Rand) error {
	lists := random.Perm(4)
	a := &appender{id: h.join(), began: h.clock.Add(1), wrote: listName(lists[0])}
	err := h.Update(h.ctx, func(tx engine.WriteTx) error {
		a.read = map[string]string{}
		for _, list := range lists[:2] {
			value, err := text(tx, listName(list))
			if err != nil {
				return err
			}
			a.read[listName(list)] = value
		}
		letOthersIn()
		return tx.Set([]byte(a.wrote), fmt.Appendf(nil, "%s%d ", a.read[a.wrote], a.id))
	})
	a.end = h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[a.id] = a
	return err
}

// join reserves a number.
func (h *history) join() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, nil)
	return len(h.all) - 1
}

// ordered fails when no serial order explains what was read.
func (h *history) ordered() error {
	after := make([][]int, len(h.all)) // after[a] holds what must come after a
	for i := range 4 {
		final, err := h.get(listName(i))
		if err != nil {
			return err
		}
		if err := h.explain(listName(i), strings.Fields(final), after); err != nil {
			return err
		}
	}
	for _, a := range h.all {
		for _, b := range h.all {
			if a.end < b.began {
				after[a.id] = append(after[a.id], b.id)
			}
		}
	}
	return acyclic(after)
}

// explain adds the edges of one list: who wrote an element comes before who
// read it, who did not see it comes before who wrote it.
func (h *history) explain(list string, final []string, after [][]int) error {
	writers := make([]int, len(final))
	for i, element := range final {
		if _, err := fmt.Sscan(element, &writers[i]); err != nil {
			return err
		}
	}
	for _, a := range h.all {
		value, did := a.read[list]
		if !did {
			continue
		}
		saw := strings.Fields(value)
		if len(saw) > len(final) || !slices.Equal(saw, final[:len(saw)]) {
			return fmt.Errorf("%s: %v was read, %v is what became of it", list, saw, final)
		}
		if len(saw) > 0 {
			before := writers[len(saw)-1]
			after[before] = append(after[before], a.id)
		}
		if len(saw) < len(final) && writers[len(saw)] != a.id {
			after[a.id] = append(after[a.id], writers[len(saw)])
		}
		if a.wrote == list && !slices.Contains(writers, a.id) {
			return fmt.Errorf("%s: the element of %d is lost", list, a.id)
		}
	}
	return nil
}

// acyclic fails when something must come before itself.
func acyclic(after [][]int) error {
	const begun, done = 1, 2
	state := make([]int, len(after))
	var visit func(int) error
	visit = func(a int) error {
		if state[a] == begun {
			return fmt.Errorf("transaction %d must come before itself", a)
		}
		if state[a] == done {
			return nil
		}
		state[a] = begun
		for _, b := range after[a] {
			if err := visit(b); err != nil {
				return err
			}
		}
		state[a] = done
		return nil
	}
	for a := range after {
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}
