package directory

import (
	"context"
	"iter"
	"slices"
)

// Members yields the members of a group in the order of their ids, without
// ever holding all of them. A fault is yielded once, last.
func (d *Directory) Members(ctx context.Context, v Viewer, group ID) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		if _, err := d.Group(ctx, v, group); err != nil {
			yield(Member{}, err)
			return
		}
		from := orgKey(tableMember, v.Org).id(group)
		to := from.end()
		for from != nil {
			page, next, err := d.memberPage(ctx, v.Org, from, to, membersPerPage)
			if err != nil {
				yield(Member{}, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			from = next
		}
	}
}

// MemberPage returns at most limit members that come after a member in the
// order of their ids, NoID for the first page, and whether there are more.
func (d *Directory) MemberPage(ctx context.Context, v Viewer, group, after ID, limit int) (page []Member, more bool, err error) {
	if _, err := d.Group(ctx, v, group); err != nil {
		return nil, false, err
	}
	from := orgKey(tableMember, v.Org).id(group)
	to := from.end()
	if after != NoID {
		from = append(from.id(after), 0)
	}
	page, next, err := d.memberPage(ctx, v.Org, from, to, limit)
	return page, next != nil, err
}

const membersPerPage = 1000

func (d *Directory) memberPage(ctx context.Context, org string, from, to key, limit int) (page []Member, next key, err error) {
	err = d.view(ctx, org, func(r reading) error {
		page, next = page[:0], nil
		for pair, err := range r.Scan(from, to) {
			if err != nil {
				return err
			}
			if len(page) == limit {
				next = slices.Clone(pair.Key)
				return nil
			}
			id := tailID(pair.Key)
			nested, err := r.Get(groupKey(org, id))
			if err != nil {
				return err
			}
			page = append(page, Member{id, nested != nil})
		}
		return nil
	})
	return page, next, err
}
