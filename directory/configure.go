package directory

import "context"

// Setup is the wanted state of one organisation with its connections.
// Connections it does not name stay as they are.
type Setup struct {
	Org         Org
	Connections []Connection
}

// Configure brings organisations and connections to the wanted state, all in
// one transaction or not at all, and returns one line for each object it
// changed. A *ConfigError lists every fault; then nothing changed.
func (d *Directory) Configure(ctx context.Context, by EventSource, setups []Setup) (changed []string, err error) {
	return d.configure(ctx, by, setups)
}

// Policy returns what is decided about an organisation now. ErrNotFound when
// there is none.
func (d *Directory) Policy(ctx context.Context, org string) (*Policy, error) {
	return d.policyOf(ctx, org)
}

// Connection finds a connection by its id, which is unique in the instance,
// with the policy of its organisation.
func (d *Directory) Connection(ctx context.Context, id string) (*Connection, *Policy, error) {
	return d.connection(ctx, id)
}

// Orgs lists the ids of all organisations.
func (d *Directory) Orgs(ctx context.Context) ([]string, error) { return d.orgs(ctx) }
