package directory

import "context"

// What a connection has beside its configuration: nobody configures it, so
// Configure leaves it alone.
const (
	besideMetadata = "metadata" // MetadataState
)

func besideKey(org, connection, what string) key {
	return orgKey(tableBeside, org).word(connection).word(what)
}

// administer runs fn as an application of the organisation that a connection
// belongs to.
func (d *Directory) administer(ctx context.Context, connection string, by EventSource, fn func(*application) error) error {
	now := canonicalTime(d.now())
	return d.update(ctx, "", func(w writing) error {
		org, err := w.orgOf(connection)
		if err != nil {
			return err
		}
		w.org = org
		p, err := w.policy()
		if err != nil {
			return err
		}
		a := &application{writing: w, now: Stamp{At: now, Actor: by.Actor, Request: by.Request}}
		a.s = situation{change: &Change{Org: org, Channel: by.Channel, Actor: by.Actor, Request: by.Request}, now: now, policy: p}
		return fn(a)
	})
}

// noteConfig raises the organisation's revision, so that nobody goes on with
// what was remembered of it, and emits an event with one line for each change.
func (a *application) noteConfig(lines ...string) error {
	var record orgRecord
	at := plainKey(tableOrg, a.org)
	if _, err := a.jsonAt(at, &record); err != nil {
		return err
	}
	record.Revision++
	if err := a.setJSON(at, record); err != nil {
		return err
	}
	return a.emitConfig(lines)
}

// emitConfig tells of changes of the configuration.
func (a *application) emitConfig(lines []string) error {
	event := Event{Type: ConfigSet}
	for _, line := range lines {
		event.Changes = append(event.Changes, AttributeChange{Attribute: line, Layer: a.s.change.Channel})
	}
	return a.emit(event, [16]byte{})
}
