package directory

import "context"

// LastEvent is the number of the newest event of an organisation, 0 when there
// is none.
func (d *Directory) LastEvent(ctx context.Context, org string) (seq uint64, err error) {
	if err := d.sequence(ctx, org); err != nil {
		return 0, err
	}
	err = d.view(ctx, org, func(r reading) error {
		seq, err = r.lastSeq()
		return err
	})
	return seq, err
}
