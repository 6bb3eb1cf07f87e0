package directory

import (
	"context"
	"time"
)

// leaseRecord says which process does a piece of background work.
type leaseRecord struct {
	Holder ID        `json:"holder"`
	Until  time.Time `json:"until"`
}

// sighting is when this process first saw a lease as it is, by its own clock.
type sighting struct {
	lease leaseRecord
	at    time.Time
}

// lease says whether this process is the one to do the work of that name now,
// and takes it when nobody is. It lasts for a while after each call; then
// others may take it, at the latest when they have seen it unchanged for that
// long: the clock of a holder that died may have been ahead. It saves work, and
// promises nothing, so work must be right when two do it.
func (d *Directory) lease(ctx context.Context, name string, lasts time.Duration) (held bool, err error) {
	at := plainKey(tableLease, name)
	var known leaseRecord
	err = d.view(ctx, "", func(r reading) error {
		known = leaseRecord{}
		_, err := r.jsonAt(at, &known)
		return err
	})
	now := canonicalTime(d.now())
	switch {
	case err != nil:
		return false, err
	case known.Holder == d.process && known.Until.After(now.Add(lasts/2)) && !known.Until.After(now.Add(lasts)):
		return true, nil
	case known.Holder != d.process && known.Until.After(now) && !d.unchanged(name, known, lasts):
		return false, nil
	}
	err = d.update(ctx, "", func(w writing) error {
		held = false
		var l leaseRecord
		if _, err := w.jsonAt(at, &l); err != nil {
			return err
		}
		if l.Holder != known.Holder || !l.Until.Equal(known.Until) {
			return nil // somebody was faster
		}
		held = true
		return w.setJSON(at, leaseRecord{d.process, now.Add(lasts)})
	})
	return held, err
}

// unchanged says whether this process has seen a lease as it is for so long.
func (d *Directory) unchanged(name string, known leaseRecord, lasts time.Duration) bool {
	now := d.now()
	before, ok := d.leases.Load(name)
	seen, _ := before.(sighting)
	if !ok || seen.lease.Holder != known.Holder || !seen.lease.Until.Equal(known.Until) || now.Before(seen.at) {
		d.leases.Store(name, sighting{known, now})
		return false
	}
	return now.Sub(seen.at) >= lasts
}
