package directory

import (
	"context"
	"slices"
)

// touch notes that something about a user or subject changed, so that the cases
// about it are looked at before the transaction ends.
func (a *application) touch(about ID) {
	if !slices.Contains(a.touched, about) {
		a.touched = append(a.touched, about)
	}
}

// settleCases closes the cases whose cause this transaction took away, and
// brings the resolutions of the others up to date. It is the last step of every
// transaction that writes users.
func (a *application) settleCases() error {
	for len(a.touched) > 0 {
		about := a.touched[0]
		a.touched = a.touched[1:]
		marks, err := a.casesAbout(about)
		if err != nil {
			return err
		}
		for _, m := range marks {
			if m.mark == caseOpen {
				if err := a.settleCase(m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (a *application) settleCase(m caseMark) error {
	k, err := a.caseByID(m.id)
	if k == nil || err != nil {
		return err
	}
	now, err := a.circumstances(k)
	if err != nil {
		return err
	}
	if now.stands() {
		if list := now.permitted(); !slices.Equal(list, k.Resolutions) {
			k.Resolutions = list
			return a.setJSON(caseKey(a.org, k.ID), k)
		}
		return nil
	}
	k.Closed = a.now.At
	if err := a.ended(k, m.digest, CaseClosed); err != nil {
		return err
	}
	return a.letGo(now)
}

// ended closes an open case and counts it off.
func (a *application) ended(k *Case, digest key, what EventType) error {
	if err := a.count(countCases+k.Source.Connection, -1); err != nil {
		return err
	}
	if err := a.tx.Delete(openKey(a.org, k.ID)); err != nil {
		return err
	}
	if err := a.closeCase(k, digest, what); err != nil || k.Kind == CaseOverflow {
		return err
	}
	return a.roomAgain(k.Source.Connection)
}

// roomAgain closes the case that counts surplus ones when there is room.
func (a *application) roomAgain(connection string) error {
	at := (&Case{Org: a.org, Kind: CaseOverflow, Source: Source{Connection: connection}}).digest(a.s.policy)
	flood, err := a.caseAt(at)
	if flood == nil || !flood.Closed.IsZero() || err != nil {
		return err
	}
	flood.Closed = a.now.At
	return a.ended(flood, at, CaseClosed)
}

// letGo gives a claimant whose value was held back what it asked for: the case
// ended because the holder gave it up.
func (a *application) letGo(c circumstances) error {
	if c.Kind != CaseName || len(c.users) < 2 || !isLive(c.users[1]) || !slices.Contains(c.users[1].Held, c.Evidence.Attribute) {
		return nil
	}
	return a.refresh(c.users[1].ID)
}

// sweepCases forgets cases that were closed longer ago than tombstones are kept.
func (d *Directory) sweepCases(ctx context.Context, org string) (more bool, err error) {
	var old []key
	err = d.view(ctx, org, func(r reading) error {
		old = nil
		prefix := orgKey(tableCaseEnd, org)
		for pair, err := range r.Scan(prefix, prefix.clone().time(d.now())) {
			if err != nil {
				return err
			}
			if len(old) == sweepStep {
				return nil
			}
			old = append(old, slices.Clone(pair.Key))
		}
		return nil
	})
	if len(old) == 0 || err != nil {
		return false, err
	}
	return true, d.update(ctx, org, func(w writing) error {
		for _, at := range old {
			if err := w.forgetCase(at); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetCase removes a case unless something was decided about it since.
func (w writing) forgetCase(at key) error {
	if err := w.tx.Delete(at); err != nil {
		return err
	}
	k, err := w.caseByID(tailID(at))
	if k == nil || err != nil {
		return err
	}
	for _, about := range k.about() {
		kept, err := w.Get(orgKey(tableCaseAbout, w.org).id(about).id(k.ID))
		if kept != nil || err != nil {
			return err
		}
	}
	return w.tx.Delete(caseKey(w.org, k.ID))
}
