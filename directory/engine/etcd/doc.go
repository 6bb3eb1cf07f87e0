// Package etcd is the engine for many processes on an existing etcd cluster,
// 3.4 or later: optimistic transactions at one revision, committed by one
// compare-and-write.
//
//	Update   first read: linearizable, its revision is the snapshot
//	         further reads at that revision, from whichever member answers
//	         commit: if nothing that was read is newer than the snapshot, write
//	View     the same without a commit
//
// # Layout
//
// Everything lies under one prefix, so a role with readwrite permission on it
// is all that the user needs:
//
//	PREFIX d KEY           a pair: one byte and the value; an empty value is a deletion
//	PREFIX g PROCESS...    what one transaction deleted, until it is collected
//	PREFIX h               rewritten before deletions are collected: the horizon; and whether
//	                       others may commit: the bar
//	PREFIX j OPERATION N   what a large transaction writes: its journal
//	PREFIX r PROCESS SLOT  the receipt of the last commit through a slot
//
// # What holds the promises
//
// A compare of a range looks at the keys that are there, so it cannot see that
// one has gone. Therefore nothing goes: a deletion is an empty value, newer than
// every snapshot that still shows the pair. Such values are collected later, and
// because the horizon is rewritten before and every commit compares it, too, no
// transaction that began before a deletion can commit after its collection.
//
// Each commit rewrites a receipt, one of a few that a process has, and compares
// that nobody has since its last one. When the answer to a commit is lost, the
// receipt is read: it holds this commit's number, or it is rewritten, and then
// the commit can never happen any more. ErrUnknown is left for a cluster that
// stays silent longer than Options.Patience.
//
// # Large transactions
//
// One request holds 128 operations and 1.5 MiB. A transaction beyond that stores
// what it writes in a journal, shuts everybody else out by the bar, looks in
// several requests whether what it read still holds, commits by rewriting the
// bar, and applies the journal. From the commit on every View lays the journal
// over what is stored, so it sees all of it or nothing. A process that dies
// before the commit has done nothing; others wait for it for ten seconds and
// break it off. If it dies later, whoever writes next finishes the work. All other
// writers wait meanwhile: Limits.Batch is what does not make them.
//
// A function that loses a race runs again, in a queue, one loser of a process
// at a time; when it keeps losing, it takes all receipts, so that nobody else
// in its process can commit.
//
// # Caveats
//
//   - The limits of requests are those that a cluster has without being told
//     otherwise. What one transaction scanned is compared whole when it commits:
//     scan little before writing.
//   - The cluster must compact its history (--auto-compaction-retention), or it
//     grows for ever. A View that lasts longer than history is kept fails with
//     engine.ErrUnavailable; an Update runs again.
//   - etcd has no keys-only watch: every process that watches receives all that
//     is written.
//   - No prefix of one store may be the beginning of another's.
//
// What never happens: a commit on outdated reads; a second commit by a retry
// of the first; a change of the cluster's settings, members, users or leases; a
// password in an error.
package etcd
