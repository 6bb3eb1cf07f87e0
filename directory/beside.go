package directory

import "context"

// What a connection has beside its configuration: nobody configures it, so
// Configure leaves it alone.
const (
	besideMetadata = "metadata" // MetadataState
	besideTest     = "test"     // TestPassed
)

func besideKey(org, connection, what string) key {
	return orgKey(tableBeside, org).word(connection).word(what)
}

// orgOfConnection finds the organisation that a connection belongs to.
func (d *Directory) orgOfConnection(ctx context.Context, connection string) (org string, err error) {
	err = d.view(ctx, "", func(r reading) error { org, err = r.orgOf(connection); return err })
	return org, err
}

// emitConfig tells of changes of the configuration.
func (a *application) emitConfig(lines []string) error {
	event := Event{Type: ConfigSet}
	for _, line := range lines {
		event.Changes = append(event.Changes, AttributeChange{Attribute: line, Layer: a.s.change.Channel})
	}
	return a.emit(event, [16]byte{})
}
