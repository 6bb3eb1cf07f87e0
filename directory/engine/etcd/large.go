package etcd

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"

	"muster/directory/engine"
)

// large says that a transaction does not fit into one request.
func large(tx *engine.Tx) bool {
	return tx.Len() > batch || tx.Reads() > batch || tx.Size()+tx.Asked() > requestBytes-ownBytes
}

// commitLarge commits what does not fit into one request: it stores what is to
// be written in a journal, shuts everybody else out, looks whether what was
// read still holds, commits by one small transaction, applies the journal and
// lets the others in. If it dies before it has committed, nothing has happened;
// if later, whoever comes next goes on with it.
func (e *Engine) commitLarge(ctx context.Context, a attempted, r *receipt) (lost bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	ctx = context.WithoutCancel(ctx)
	operation := e.newOperation()
	defer e.dropJournal(ctx, operation)
	if err := e.writeJournal(ctx, operation, a.tx); err != nil {
		return false, err
	}
	mine, err := e.shut(ctx, a, operation)
	if mine.revision == 0 || err != nil {
		return err == nil, err
	}
	if holds, err := e.holds(ctx, a, mine); !holds || err != nil {
		_, opened := e.move(ctx, mine, bar{})
		if err == nil {
			err = opened
		}
		return err == nil, err
	}
	return e.decide(ctx, a, r, mine)
}

// shut shuts everybody else out, unless somebody has done so or collected
// deletions since the snapshot.
func (e *Engine) shut(ctx context.Context, a attempted, operation string) (bar, error) {
	conditions := []clientv3.Cmp{e.isOpen()}
	if a.revision > 0 {
		conditions = append(conditions, notSince(e.horizon(), a.revision))
	}
	return e.moveIf(ctx, conditions, bar{state: closing, operation: operation})
}

// holds says whether everything that was read is as it was, while nobody can
// change it.
func (e *Engine) holds(ctx context.Context, a attempted, mine bar) (bool, error) {
	all := e.reads(a)
	for len(all) > 0 {
		n := min(len(all), batch)
		holds := false
		err := e.patiently(ctx, func(ctx context.Context) error {
			look := clientv3.OpGet(e.horizon(), clientv3.WithCountOnly()) // makes it linearizable
			answer, err := e.client.Txn(ctx).If(append([]clientv3.Cmp{e.is(mine)}, all[:n]...)...).Then(look).Else(look).Commit()
			if err == nil {
				holds = answer.Succeeded
			}
			return err
		})
		if !holds || err != nil {
			return false, err
		}
		all = all[n:]
	}
	return true, nil
}

// decide commits, and applies.
func (e *Engine) decide(ctx context.Context, a attempted, r *receipt, mine bar) (lost bool, err error) {
	r.number++
	goal := bar{state: applying, operation: mine.operation}
	happened, err := e.settle(ctx, r, []clientv3.Cmp{r.unchanged(), e.is(mine)},
		[]clientv3.Op{clientv3.OpPut(r.key, r.says(committed, e.now())), clientv3.OpPut(e.horizon(), goal.value())})
	if !happened {
		return err == nil, err
	}
	e.told(a.tx)
	// What fails from here on is done by whoever comes next.
	answer, err := e.get(ctx, e.horizon())
	if err != nil {
		return false, nil
	}
	if seen := barOf(answer.Kvs); seen.value() == goal.value() {
		var all []engine.Write
		for w := range a.tx.Writes() {
			all = append(all, w)
		}
		_ = e.apply(ctx, seen, all)
	}
	return false, nil
}

// dropJournal removes a journal that nobody needs; one that is being applied
// stays.
func (e *Engine) dropJournal(ctx context.Context, operation string) {
	ctx, cancel := context.WithTimeout(ctx, commitAttempt)
	defer cancel()
	being := bar{state: applying, operation: operation}
	_, _ = e.client.Txn(ctx).If(clientv3.Compare(clientv3.Value(e.horizon()), "!=", being.value())).
		Then(clientv3.OpDelete(e.journal(operation), clientv3.WithPrefix())).Commit()
}
