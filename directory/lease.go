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

// lease says whether this process is the one to do the work of that name now,
// and takes it when nobody is. It lasts for a while after each call; then
// others may take it. It saves work, and promises nothing: the clocks of two
// nodes may differ, so work must be right when two do it.
func (d *Directory) lease(ctx context.Context, name string, lasts time.Duration) (held bool, err error) {
	at := plainKey(tableLease, name)
	now := canonicalTime(d.now())
	var known leaseRecord
	err = d.view(ctx, "", func(r reading) error {
		known = leaseRecord{}
		_, err := r.jsonAt(at, &known)
		return err
	})
	switch {
	case err != nil:
		return false, err
	case known.Holder != d.process && known.Until.After(now):
		return false, nil
	case known.Holder == d.process && known.Until.After(now.Add(lasts/2)):
		return true, nil
	}
	err = d.update(ctx, "", func(w writing) error {
		held = false
		var l leaseRecord
		if _, err := w.jsonAt(at, &l); err != nil {
			return err
		}
		if l.Holder != d.process && l.Until.After(now) {
			return nil
		}
		held = true
		return w.setJSON(at, leaseRecord{d.process, now.Add(lasts)})
	})
	return held, err
}
