package directory

import (
	"cmp"
	"context"
	"fmt"
)

// Delegation is the explicit rule by which people who sign in through a
// connection administer: those in a group, or one user, get a role. It is read
// at each use, so leaving the group ends it. No such person counts as the last
// operator: a connection can fail.
type Delegation struct {
	ID  ID     `json:"id"`
	Org string `json:"org"` // whose connection and people it is about
	// Connection is the one they must have signed in through.
	Connection string `json:"connection"`
	// Group or User, exactly one of them.
	Group ID    `json:"group,omitzero"`
	User  ID    `json:"user,omitzero"`
	Grant Grant `json:"grant"`
}

const maxDelegations = 1000

// Delegations lists the rules about an organisation's people; "" lists all.
func (d *Directory) Delegations(ctx context.Context, org string) (list []Delegation, err error) {
	err = d.view(ctx, "", func(r reading) (err error) {
		list, err = r.delegations(org)
		return err
	})
	return list, err
}

func (r reading) delegations(org string) (list []Delegation, err error) {
	prefix := key{tableDelegation}
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		var x Delegation
		if _, err := r.jsonAt(pair.Key, &x); err != nil {
			return nil, err
		}
		if org == "" || x.Org == org {
			list = append(list, x)
		}
	}
	return list, nil
}

// Delegate adds a rule. Who adds it must have what it gives, and run the
// organisation whose people get it.
func (d *Directory) Delegate(ctx context.Context, by Acting, x Delegation) (Delegation, error) {
	now := canonicalTime(d.now())
	id, err := d.ids.next(now)
	if err != nil {
		return x, err
	}
	x.ID = id
	err = d.update(ctx, x.Org, func(w writing) error {
		if err := by.mayRegrant(nil, Grants{x.Grant}); err != nil {
			return err
		}
		if !by.Grants.May(OrgAdmin, x.Org) {
			return ErrNotFound
		}
		faults, err := w.delegationFaults(&x)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			return &ConfigError{faults}
		}
		if err := w.setJSON(key{tableDelegation}.id(x.ID), x); err != nil {
			return err
		}
		return w.auditDelegation(by, AttributeChange{Attribute: "delegation", After: Text(x.String())}, &x)
	})
	return x, err
}

// delegationFaults holds a rule against what there is.
func (w writing) delegationFaults(x *Delegation) ([]Fault, error) {
	faults := grantFaults(Grants{x.Grant})
	if x.Grant.Org != "" && x.Grant.Org != x.Org {
		faults = append(faults, Fault{Path: "grant.org", Detail: "people of one organisation get no role in another"})
	}
	if (x.Group == NoID) == (x.User == NoID) {
		faults = append(faults, Fault{Path: "group", Detail: "name a group or a user, one of them"})
	}
	p, err := w.policy()
	if err != nil {
		return nil, err
	}
	if p.Connection(x.Connection) == nil {
		faults = append(faults, Fault{Path: "connection", Detail: fmt.Sprintf("there is no connection %.100q", x.Connection)})
	}
	if x.Group != NoID {
		if g, err := w.groupByID(x.Group); g == nil || err != nil {
			faults = append(faults, Fault{Path: "group", Detail: "there is no such group"})
		}
	}
	if x.User != NoID {
		if u, err := w.userByID(x.User); u == nil || err != nil {
			faults = append(faults, Fault{Path: "user", Detail: "there is no such user"})
		}
	}
	if all, err := w.delegations(""); err != nil || len(all) >= maxDelegations {
		faults = append(faults, Fault{Path: "delegation", Detail: "there are too many"})
	}
	return faults, nil
}

// String is the rule as events show it.
func (x *Delegation) String() string {
	who := "user " + x.User.String()
	if x.Group != NoID {
		who = "group " + x.Group.String()
	}
	return fmt.Sprintf("%s of %s to %s through %s", x.Grant.Role, orInstance(x.Grant.Org), who, x.Connection)
}

// Undelegate removes a rule.
func (d *Directory) Undelegate(ctx context.Context, by Acting, id ID) error {
	return d.update(ctx, "", func(w writing) error {
		var x Delegation
		at := key{tableDelegation}.id(id)
		known, err := w.jsonAt(at, &x)
		if err != nil {
			return err
		}
		if !known || !by.Grants.May(OrgAdmin, x.Org) {
			return ErrNotFound
		}
		if err := by.mayRegrant(Grants{x.Grant}, nil); err != nil {
			return err
		}
		if err := w.tx.Delete(at); err != nil {
			return err
		}
		return w.auditDelegation(by, AttributeChange{Attribute: "delegation", Before: Text(x.String())}, &x)
	})
}

func (w writing) auditDelegation(by Acting, change AttributeChange, x *Delegation) error {
	if err := w.audit(by, DelegationSet, "", change); err != nil {
		return err
	}
	return w.audit(by, DelegationSet, x.Org, change)
}

// actingVia is a person who signed in through a connection, with what the
// rules give them now. Without any they are nobody here.
func (r reading) actingVia(s *Session) (Acting, error) {
	r.org = s.Org
	profile, err := r.access(s)
	if err != nil {
		return Acting{}, err
	}
	if revoked, err := r.sessionRevoked(s); revoked || err != nil {
		return Acting{}, cmp.Or(err, ErrUnauthorized)
	}
	rules, err := r.delegations(s.Org)
	if err != nil {
		return Acting{}, err
	}
	who := Acting{Name: profile.Attributes.Text(UserName)}
	for _, x := range rules {
		if x.Connection == s.Connection && x.meets(profile) {
			who.Grants = append(who.Grants, x.Grant)
		}
	}
	if len(who.Grants) == 0 {
		return Acting{}, ErrUnauthorized
	}
	return who, nil
}

func (x *Delegation) meets(p *Profile) bool {
	if x.User != NoID {
		return p.ID == x.User
	}
	for _, g := range p.Groups {
		if g.ID == x.Group {
			return true
		}
	}
	return false
}
