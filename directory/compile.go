package directory

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"muster/directory/filter"
)

// orgRecord is an organisation as stored, with its counters of change.
type orgRecord struct {
	Org
	Revision   uint64 `json:"revision"`
	Generation uint64 `json:"generation"`
	Saved      Saved  `json:"saved"`
}

// policy returns what is decided about the organisation, as of the
// transaction. The compiled form is kept until the stored one changes: the
// organisation's record holds a revision that every change of it or of one of
// its connections raises.
func (r reading) policy() (*Policy, error) {
	record, err := r.Get(plainKey(tableOrg, r.org))
	if err != nil {
		return nil, err
	}
	if record == nil {
		return nil, ErrNotFound
	}
	if cached, ok := r.d.policies.Load(r.org); ok && cached.(*keptPolicy).record == string(record) {
		return cached.(*keptPolicy).policy, nil
	}
	p, err := r.loadPolicy(record)
	if err != nil {
		return nil, err
	}
	r.d.policies.Store(r.org, &keptPolicy{string(record), p})
	return p, nil
}

// keptPolicy is a compiled policy with the record it was compiled from.
type keptPolicy struct {
	record string
	policy *Policy
}

func (r reading) loadPolicy(record []byte) (*Policy, error) {
	var stored orgRecord
	if err := json.Unmarshal(record, &stored); err != nil {
		return nil, errRecord
	}
	prefix := orgKey(tableOrgConn, r.org)
	var conns []*Connection
	for pair, err := range r.Scan(prefix, prefix.end()) {
		if err != nil {
			return nil, err
		}
		c := new(Connection)
		ok, err := r.jsonAt(plainKey(tableConnection, string(pair.Key[len(prefix):])), c)
		if err != nil {
			return nil, err
		}
		if ok {
			conns = append(conns, c)
		}
	}
	p, faults := compilePolicy(&stored.Org, conns)
	if len(faults) > 0 {
		return nil, &ConfigError{faults}
	}
	p.Revision, p.Generation, p.Saved = stored.Revision, stored.Generation, stored.Saved
	return p, nil
}

// compilePolicy builds a Policy, or lists what is wrong with it.
func compilePolicy(o *Org, conns []*Connection) (*Policy, []Fault) {
	p := &Policy{Org: o, schema: Definitions(), connections: map[string]*Connection{}, sources: map[string][]Channel{},
		domains: map[string]string{}, named: slices.Sorted(maps.Keys(o.Attributes))}
	for _, c := range conns {
		p.connections[c.ID] = c
		for _, domain := range c.Domains {
			p.domains[emailDomain("@"+domain)] = c.ID
		}
	}
	faults := p.declare()
	p.users = newUserSchema(p, false)
	return p, append(faults, p.compileRules()...)
}

// declare adds the custom attributes and notes what each policy says.
func (p *Policy) declare() []Fault {
	var faults []Fault
	for _, name := range p.named {
		policy := p.Org.Attributes[name]
		if _, known := p.schema[name]; !known && name != Groups {
			t := policy.Type
			if t == "" {
				t = String
			}
			d := Definition{Name: name, Type: t, Multi: policy.Multi, Origin: Custom}
			if policy.Multi {
				d.Fields = plural()
				d.Fields["value"] = t
			}
			p.schema[name] = d
		}
		if len(policy.Sources) > 0 {
			p.sources[name] = policy.Sources
		}
		if policy.Unique && name != UserName {
			p.unique = append(p.unique, name)
		}
	}
	return faults
}

// compileRules reads the filters of the rules. A name that is no attribute is a fault.
func (p *Policy) compileRules() []Fault {
	var faults []Fault
	schema := newUserSchema(p, true)
	for i, rule := range p.Org.Rules {
		c := compiledRule{Rule: rule}
		if rule.When != "" {
			tree, err := filter.Parse(rule.When)
			if err == nil {
				c.look(tree)
				c.match, err = filter.Compile(tree, schema, filter.Options{Strict: true})
			}
			if err != nil {
				faults = append(faults, Fault{Path: rulePath(i) + ".when", Detail: err.Error()})
			}
		}
		p.rules = append(p.rules, c)
	}
	return faults
}

// Policy returns what is decided about an organisation now. ErrNotFound when
// there is none.
func (d *Directory) Policy(ctx context.Context, org string) (p *Policy, err error) {
	err = d.view(ctx, org, func(r reading) error { p, err = r.policy(); return err })
	return p, err
}

// Connection finds a connection by its id, which is unique in the instance,
// with the policy of its organisation.
func (d *Directory) Connection(ctx context.Context, id string) (c *Connection, p *Policy, err error) {
	err = d.view(ctx, "", func(r reading) error {
		if r.org, err = r.orgOf(id); err != nil {
			return err
		}
		if p, err = r.policy(); err != nil {
			return err
		}
		if c = p.Connection(id); c == nil {
			return ErrNotFound
		}
		return nil
	})
	return c, p, err
}

// orgOf finds the organisation of a connection.
func (r reading) orgOf(connection string) (string, error) {
	if org, ok := r.d.homes.Load(connection); ok {
		there, err := r.Get(append(orgKey(tableOrgConn, org.(string)), connection...))
		if there != nil || err != nil {
			return org.(string), err
		}
		r.d.homes.Delete(connection) // it is gone, or another organisation's by now
	}
	var stored Connection
	ok, err := r.jsonAt(plainKey(tableConnection, connection), &stored)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", ErrNotFound
	}
	r.d.homes.Store(connection, stored.Org)
	return stored.Org, nil
}

// Orgs lists the ids of all organisations.
func (d *Directory) Orgs(ctx context.Context) (ids []string, err error) {
	err = d.view(ctx, "", func(r reading) error {
		ids = nil
		prefix := key{tableOrg}
		for pair, err := range r.Scan(prefix, prefix.end()) {
			if err != nil {
				return err
			}
			ids = append(ids, string(pair.Key[1:len(pair.Key)-2]))
		}
		return nil
	})
	return ids, err
}
