package directory

import (
	"context"
	"encoding/binary"
)

// LastEvent is the number of the newest event of an organisation, 0 when there
// is none.
func (d *Directory) LastEvent(ctx context.Context, org string) (seq uint64, err error) {
	err = d.view(ctx, org, func(r reading) error {
		record, err := r.Get(orgKey(tableSequence, org))
		if len(record) == 8 {
			seq = binary.BigEndian.Uint64(record)
		}
		return err
	})
	return seq, err
}
