package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ErrLastOperator: the write would leave nobody who may run the instance and
// can sign in without a connection (conflict 47).
var ErrLastOperator = refuse(Protected, "this is the last operator who can sign in; make another one first")

// Administrators lists them all, by name.
func (d *Directory) Administrators(ctx context.Context) (list []Administrator, err error) {
	err = d.view(ctx, "", func(r reading) error {
		list = nil
		return r.eachAdmin(func(a *adminRecord) { list = append(list, a.Administrator) })
	})
	slices.SortStableFunc(list, func(a, b Administrator) int {
		return strings.Compare(foldText(a.Name), foldText(b.Name))
	})
	return list, err
}

// Administrator returns one of them with the credentials. ErrNotFound.
func (d *Directory) Administrator(ctx context.Context, id ID) (a Administrator, c Credentials, err error) {
	err = d.view(ctx, "", func(r reading) error {
		record, err := r.adminByID(id)
		if err == nil {
			a, c = record.Administrator, record.Credentials
		}
		return err
	})
	return a, c, err
}

// AdministratorByEmail finds one by the address. ErrNotFound.
func (d *Directory) AdministratorByEmail(ctx context.Context, email string) (a Administrator, c Credentials, err error) {
	err = d.view(ctx, "", func(r reading) error {
		record, err := r.adminByEmail(email)
		if err == nil {
			a, c = record.Administrator, record.Credentials
		}
		return err
	})
	return a, c, err
}

// HasOperator says whether somebody can sign in and run the instance.
func (d *Directory) HasOperator(ctx context.Context) (has bool, err error) {
	err = d.view(ctx, "", func(r reading) (err error) {
		has, err = r.otherOperator(NoID)
		return err
	})
	return has, err
}

// AddAdministrator makes an administrator, who has no credentials yet: Invite
// lets them make some. A *ConfigError lists what is wrong with the values, a
// Refusal says that the actor may not give those roles.
func (d *Directory) AddAdministrator(ctx context.Context, by Acting, a Administrator) (Administrator, error) {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return Administrator{}, err
	}
	a.ID, a.Created, a.Revision = id, now, 0
	if len(a.Grants) == 0 && !by.Grants.IsOperator() {
		return Administrator{}, refuse(Protected, "only an operator may make an administrator without any role")
	}
	err = d.update(ctx, "", func(w writing) error {
		record := &adminRecord{Administrator: a}
		record.Grants = slices.Clone(a.Grants)
		if err := by.mayRegrant(nil, a.Grants); err != nil {
			return err
		}
		if err := w.putAdmin(by, nil, record); err != nil {
			return err
		}
		a = record.Administrator
		return nil
	})
	return a, err
}

// EditAdministrator changes one administrator. The edit may run several times;
// its error comes back unchanged.
func (d *Directory) EditAdministrator(ctx context.Context, by Acting, id ID, edit func(*Administrator, *Credentials) error) (a Administrator, err error) {
	err = d.update(ctx, "", func(w writing) error {
		before, err := w.adminByID(id)
		if err != nil {
			return err
		}
		after := &adminRecord{before.Administrator, before.Credentials.clone()}
		after.Grants = slices.Clone(before.Grants)
		if err := edit(&after.Administrator, &after.Credentials); err != nil {
			return err
		}
		after.ID, after.Created, after.Revision = before.ID, before.Created, before.Revision
		if err := by.mayRegrant(before.Grants, after.Grants); err != nil {
			return err
		}
		if !before.sameGrantsAside(after) {
			if err := by.mayRename(id, before.Grants); err != nil {
				return err
			}
		}
		if err := w.putAdmin(by, before, after); err != nil {
			return err
		}
		a = after.Administrator
		return nil
	})
	return a, err
}

// sameGrantsAside: nothing but grants differs.
func (a *adminRecord) sameGrantsAside(b *adminRecord) bool {
	x, y := *a, *b
	x.Grants, y.Grants = nil, nil
	return equalJSON(x, y)
}

// RemoveAdministrator forgets one administrator, and ends their sessions.
func (d *Directory) RemoveAdministrator(ctx context.Context, by Acting, id ID) error {
	return d.update(ctx, "", func(w writing) error {
		a, err := w.adminByID(id)
		if err != nil {
			return err
		}
		if err := by.mayRegrant(a.Grants, nil); err != nil {
			return err
		}
		if err := by.mayRename(id, a.Grants); err != nil {
			return err
		}
		if err := w.keepOperator(a, nil); err != nil {
			return err
		}
		if err := w.endAdminSessions(id); err != nil {
			return err
		}
		if err := w.tx.Delete(plainKey(tableAdminEmail, NormalEmail(a.Email))); err != nil {
			return err
		}
		if err := w.tx.Delete(key{tableAdmin}.id(id)); err != nil {
			return err
		}
		return w.audit(by, AdminRemoved, "", AttributeChange{Attribute: "administrator", Before: Text(a.Email)})
	})
}

// putAdmin checks and writes an administrator, with the event.
func (w writing) putAdmin(by Acting, before, after *adminRecord) error {
	if faults := checkAdministrator(&after.Administrator); len(faults) > 0 {
		return &ConfigError{faults}
	}
	if len(after.Credentials.Passkeys) > maxPasskeys {
		return refuse(InvalidValue, "at most %d passkeys", maxPasskeys).on("passkeys")
	}
	if err := w.grantedOrgs(before, after); err != nil {
		return err
	}
	if before != nil && equalJSON(before, after) {
		return nil
	}
	if err := w.keepOperator(before, after); err != nil {
		return err
	}
	if err := w.claimEmail(before, after); err != nil {
		return err
	}
	after.Modified = canonicalTime(w.d.now())
	after.Revision++
	record, err := w.d.sealedAdmin(after)
	if err != nil {
		return err
	}
	if err := w.tx.Set(key{tableAdmin}.id(after.ID), record); err != nil {
		return err
	}
	return w.auditAdmin(by, before, after)
}

// grantedOrgs refuses a new grant in an organisation that is not there.
func (w writing) grantedOrgs(before, after *adminRecord) error {
	var had Grants
	if before != nil {
		had = before.Grants
	}
	for _, g := range without(after.Grants, had) {
		if g.Org == "" {
			continue
		}
		if known, err := w.Get(plainKey(tableOrg, g.Org)); known == nil || err != nil {
			if err != nil {
				return err
			}
			return &ConfigError{[]Fault{{Path: "grants.org", Detail: fmt.Sprintf("there is no organisation %.100q", g.Org)}}}
		}
	}
	return nil
}

// claimEmail gives the address to this administrator alone.
func (w writing) claimEmail(before, after *adminRecord) error {
	at := plainKey(tableAdminEmail, NormalEmail(after.Email))
	holder, err := w.Get(at)
	if err != nil {
		return err
	}
	if holder != nil && ID(holder) != after.ID {
		return &ConfigError{[]Fault{{Path: "email", Detail: "another administrator has this address"}}}
	}
	if before != nil && NormalEmail(before.Email) != NormalEmail(after.Email) {
		if err := w.tx.Delete(plainKey(tableAdminEmail, NormalEmail(before.Email))); err != nil {
			return err
		}
	}
	return w.tx.Set(at, after.ID[:])
}

// keepOperator holds that no write takes the able operators from some to none.
func (w writing) keepOperator(before, after *adminRecord) error {
	if before == nil || !before.isAble() || after != nil && after.isAble() {
		return nil
	}
	other, err := w.otherOperator(before.ID)
	if err != nil || other {
		return err
	}
	return ErrLastOperator
}

// otherOperator says whether somebody else is an able operator.
func (r reading) otherOperator(than ID) (found bool, err error) {
	err = r.eachAdmin(func(a *adminRecord) { found = found || a.ID != than && a.isAble() })
	return found, err
}

func (r reading) eachAdmin(fn func(*adminRecord)) error {
	prefix := key{tableAdmin}
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return err
		}
		a, err := r.d.openedAdmin(pair.Value)
		if err != nil {
			return err
		}
		fn(a)
	}
	return nil
}

func (r reading) adminByID(id ID) (*adminRecord, error) {
	record, err := r.Get(key{tableAdmin}.id(id))
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, ErrNotFound
	}
	return r.d.openedAdmin(record)
}

func (r reading) adminByEmail(email string) (*adminRecord, error) {
	id, err := r.Get(plainKey(tableAdminEmail, NormalEmail(strings.TrimSpace(email))))
	if err != nil {
		return nil, err
	}
	if len(id) != 16 {
		return nil, ErrNotFound
	}
	return r.adminByID(ID(id))
}
