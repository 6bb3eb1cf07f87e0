// Package engine is the contract between the directory and the storage below
// it: an ordered space of keys, read in snapshots and written in strictly
// serializable transactions.
//
// What every engine promises:
//
//  1. Update is strictly serializable. Points, absent points and ranges that a
//     transaction read are tracked, inserts and deletes inside a range
//     included, so phantoms cannot happen.
//  2. A lost race is retried inside Update. Losers queue, so none starves.
//  3. A transaction sees its own writes, in Get and in Scan. View is one
//     snapshot for as long as it runs.
//  4. An error from the function writes nothing and comes back unchanged
//     (errors.Is and == hold). A panic in the function writes nothing,
//     reaches the caller of Update as a panic with the same value, and harms
//     no other transaction.
//  5. ErrTooLarge means over Limits and that nothing happened. ErrUnavailable
//     means that the storage is away and that nothing happened. ErrUnknown
//     alone means "may have committed".
//  6. When Update returns nil, the writes survive the death of the process,
//     and of the machine where the engine is durable.
//  7. A cancelled context ends the wait with ctx.Err() as long as the commit
//     has not begun; nothing is written then. Once the commit has begun,
//     Update waits for its outcome and tells it.
//
// Keys are any bytes, 0x00 and 0xFF included, compared as bytes, and not
// empty: Set refuses the empty key with ErrKey, Get finds nothing there,
// Delete has nothing to do. A present empty value is not an absent one.
//
// What never happens: a half-committed transaction; a reader that sees one; a
// slice handed out that changes while its transaction runs; a transaction
// that fails or runs again because another caller's function failed; a
// refused write (ErrTooLarge, ErrKey) or a failed read that a function
// swallows and then commits the rest.
//
// What engines share, each usable on its zero value or its one constructor:
//
//	tx.go      Tx, the one transaction: a write buffer (buffer.go), own writes
//	           merged into reads (merge.go), tracked reads and the budget
//	gate.go    Gate lets Close wait for what is running
//	watch.go   Watchers fans changed keys out and never blocks a commit
//
// An engine brings a snapshot and a commit. enginetest.Run is the one suite
// that every engine passes, whole.
package engine
