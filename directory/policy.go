package directory

import (
	"maps"
	"slices"
)

// Policy is everything decided about one organisation at one moment, compiled:
// attributes, rules, connections. It is shared and must not be changed.
type Policy struct {
	Org *Org
	// Revision changes with every change of the configuration, Generation only
	// with one that can change what users resolve to.
	Revision, Generation uint64
	// Saved is the change that made this revision.
	Saved Saved

	schema      map[string]Definition
	connections map[string]*Connection
	rules       []compiledRule
	sources     map[string][]Channel // by attribute
	domains     map[string]string    // domain -> connection of this organisation
	named       []string             // attributes with a policy, sorted
	unique      []string             // attributes with unique values, userName apart, sorted
	users       userSchema           // names in SCIM filters
}

// Connection returns a connection of the organisation, nil when there is none.
func (p *Policy) Connection(id string) *Connection { return p.connections[id] }

// Connections returns all of them, sorted by id.
func (p *Policy) Connections() []*Connection {
	return slices.SortedFunc(maps.Values(p.connections), func(a, b *Connection) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
}

// Definition returns what an attribute of the organisation is.
func (p *Policy) Definition(name string) (Definition, bool) {
	d, ok := p.schema[name]
	return d, ok
}

// Definitions returns every attribute, sorted by name.
func (p *Policy) Definitions() []Definition {
	names := slices.Sorted(maps.Keys(p.schema))
	list := make([]Definition, len(names))
	for i, n := range names {
		list[i] = p.schema[n]
	}
	return list
}

// Attribute returns the policy of an attribute, the zero policy when it has none.
func (p *Policy) Attribute(name string) AttributePolicy { return p.Org.Attributes[name] }

// SchemaURN is the extension schema under which the organisation's custom
// attributes are served.
func (p *Policy) SchemaURN() string {
	return "urn:muster:params:scim:schemas:" + p.Org.ID + ":2.0:User"
}
