package enginetest

import (
	"bytes"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"muster/directory/engine"
)

// disk holds what was committed: a map that is copied for every snapshot.
type disk struct {
	mu     sync.Mutex
	now    *snapshot
	before *snapshot // one commit ago
}

// snapshot is the state after a number of commits. It is not changed, but for
// some faults.
type snapshot struct {
	cells  map[string]cell
	commit int
}

type cell struct {
	value  []byte
	commit int // that wrote it
}

func newDisk() *disk {
	return &disk{now: &snapshot{cells: map[string]cell{}}, before: &snapshot{cells: map[string]cell{}}}
}

func (d *disk) snapshot() *snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *disk) outdated() *snapshot {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.before
}

// change replaces the newest snapshot by a changed copy.
func (d *disk) change(fn func(next *snapshot)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := &snapshot{cells: maps.Clone(d.now.cells), commit: d.now.commit + 1}
	fn(next)
	d.before, d.now = d.now, next
}

func (d *disk) undo() {
	old := d.outdated()
	d.change(func(next *snapshot) { next.cells = maps.Clone(old.cells) })
}

func (d *disk) forget(tx *engine.Tx) {
	d.change(func(next *snapshot) {
		for w := range tx.Writes() {
			delete(next.cells, string(w.Key))
		}
	})
}

func (d *disk) apply(a *attempt) {
	d.change(func(next *snapshot) {
		for w := range a.tx.Writes() {
			next.put(a.fault, w)
		}
		for _, w := range a.writer.borrowed {
			next.cells[string(w.Key)] = cell{w.Value, next.commit}
		}
	})
}

func (s *snapshot) put(f fault, w engine.Write) {
	old := s.cells[string(w.Key)]
	switch {
	case w.Value == nil:
		delete(s.cells, string(w.Key))
		return
	case f == "an empty value is none" && len(w.Value) == 0:
		w.Value = nil
	case f == "large values are cut":
		w.Value = w.Value[:min(len(w.Value), 1<<16)]
	case f == "commits write over the old value" && len(old.value) == len(w.Value):
		copy(old.value, w.Value)
		w.Value = old.value
	}
	s.cells[string(w.Key)] = cell{w.Value, s.commit}
}

func (s *snapshot) Get(key []byte) ([]byte, error) { return s.cells[string(key)].value, nil }

func (s *snapshot) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		for _, key := range s.keys(engine.Range{From: from, To: to}) {
			if !yield(engine.Pair{Key: []byte(key), Value: s.cells[key].value}, nil) {
				return
			}
		}
	}
}

func (s *snapshot) keys(r engine.Range) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.cells)), func(key string) bool { return !r.Contains([]byte(key)) })
}

// holds says whether what a has read is still the same, as far as the fault
// lets it look.
func (d *disk) holds(a *attempt) bool {
	now, then := d.snapshot(), a.start
	if a.is("every overlap is a conflict") {
		return now == then
	}
	for key := range a.tx.Points() {
		if now.cells[string(key)].commit != then.cells[string(key)].commit && !a.overlooksPoint(then, key) {
			return false
		}
	}
	for r := range a.tx.Ranges() {
		if !a.overlooksRange(r) && !a.sameRange(now, then, r) {
			return false
		}
	}
	return true
}

func (a *attempt) overlooksPoint(then *snapshot, key []byte) bool {
	_, there := then.cells[string(key)]
	return there && a.is("points are not tracked") || !there && a.is("absent points are not tracked")
}

func (a *attempt) overlooksRange(r engine.Range) bool {
	switch a.fault {
	case "ranges are not tracked":
		return true
	case "scans that are broken off are not tracked":
		return bytes.HasSuffix(r.To, []byte{0})
	case "ranges with own writes are not tracked":
		for w := range a.tx.Writes() {
			if r.Contains(w.Key) {
				return true
			}
		}
	}
	return false
}

func (a *attempt) sameRange(now, then *snapshot, r engine.Range) bool {
	keys := map[string]bool{}
	for _, key := range append(now.keys(r), then.keys(r)...) {
		keys[key] = true
	}
	for key := range keys {
		was, did := then.cells[key]
		is, does := now.cells[key]
		if was.commit == is.commit || !did && a.is("inserts in ranges are not tracked") ||
			!does && a.is("deletes in ranges are not tracked") || did && does && a.is("new values in ranges are not tracked") {
			continue
		}
		return false
	}
	return true
}

// reader reads for one transaction: through tx in an update, through the
// snapshot in a view, and from what is newest where there is neither.
type reader struct {
	*faulty
	tx       *engine.Tx
	snapshot *snapshot
	shared   []byte // memory for what is handed out
	written  int
	scanned  []engine.Pair
}

func (r *reader) source() engine.ReadTx {
	switch {
	case r.tx != nil:
		return r.tx
	case r.snapshot != nil:
		return r.snapshot
	}
	return r.disk.snapshot()
}

func (r *reader) Get(key []byte) ([]byte, error) {
	if r.tx != nil && r.is("Get does not see own writes") {
		return r.snapshot.Get(key)
	}
	value, err := r.source().Get(key)
	return r.handed(value), err
}

// handed is where values are put before they are handed out.
func (r *reader) handed(value []byte) []byte {
	if value == nil || !r.is("what is read shares memory") {
		return value
	}
	r.shared = append(r.shared[:0], value...)
	return r.shared
}

func (r *reader) Scan(from, to []byte) iter.Seq2[engine.Pair, error] {
	source := r.source()
	if r.tx != nil && r.is("Scan does not see own writes") {
		source = r.snapshot
	}
	switch {
	case r.is("scans include their end") && to != nil:
		to = append(bytes.Clone(to), 0)
	case r.is("an empty end is no end") && len(to) == 0:
		to = nil
	case r.is("scans share their place"):
		return r.scanOnce(source, from, to)
	case r.is("short keys come first"):
		return r.scanByLength(source, from, to)
	}
	return func(yield func(engine.Pair, error) bool) {
		before := r.written
		for p, err := range source.Scan(from, to) {
			p.Value = r.handed(p.Value)
			if !yield(p, err) || r.written != before && r.is("writing ends a scan") {
				return
			}
		}
	}
}

// scanOnce keeps the place of the scan with the transaction.
func (r *reader) scanOnce(source engine.ReadTx, from, to []byte) iter.Seq2[engine.Pair, error] {
	return func(yield func(engine.Pair, error) bool) {
		r.scanned = nil
		for p := range source.Scan(from, to) {
			r.scanned = append(r.scanned, p)
		}
		for len(r.scanned) > 0 {
			p := r.scanned[0]
			r.scanned = r.scanned[1:]
			if !yield(p, nil) {
				return
			}
		}
	}
}

func (r *reader) scanByLength(source engine.ReadTx, from, to []byte) iter.Seq2[engine.Pair, error] {
	var pairs []engine.Pair
	for p := range source.Scan(from, to) {
		pairs = append(pairs, p)
	}
	slices.SortStableFunc(pairs, func(a, b engine.Pair) int { return len(a.Key) - len(b.Key) })
	return func(yield func(engine.Pair, error) bool) {
		for _, p := range pairs {
			if !yield(p, nil) {
				return
			}
		}
	}
}

// writer writes for one update.
type writer struct {
	reader
	borrowed []engine.Write // slices of the caller, kept
	keys     []string
}

func (w *writer) Set(key, value []byte) error {
	w.written++
	switch {
	case w.is("the empty key is ignored") && len(key) == 0,
		w.is("the first write counts") && slices.Contains(w.keys, string(key)),
		w.is("the fiftieth write is lost") && w.written%50 == 0:
		return nil
	case w.is("slices of the caller are kept"):
		w.borrowed = append(w.borrowed, engine.Write{Key: key, Value: value})
	case w.is("own writes write over the old value"):
		w.overwrite(key, value)
	case w.is("writes are seen at once"):
		key, value := strings.Clone(string(key)), bytes.Clone(value)
		w.disk.change(func(next *snapshot) { next.cells[key] = cell{value, next.commit} })
	}
	w.keys = append(w.keys, string(key))
	return w.tx.Set(key, value)
}

func (w *writer) overwrite(key, value []byte) {
	if old, err := w.tx.Get(key); err == nil && len(old) == len(value) {
		copy(old, value)
	}
}

func (w *writer) Delete(key []byte) error {
	w.written++
	if w.is("deleting what is absent fails") {
		if old, err := w.tx.Get(key); err != nil || old == nil {
			return errConflict
		}
	}
	return w.tx.Delete(key)
}
