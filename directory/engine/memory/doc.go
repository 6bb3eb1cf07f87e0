// Package memory is the engine without a disk: optimistic concurrency on a
// persistent tree. It serves tests and scratch servers, and stands in for the
// engines whose transactions really race, so it is honest about conflicts:
// functions run at the same time, each on its own snapshot, and a commit goes
// through only if everything that its function read still holds.
//
//	Update   snapshot -> function -> lock -> compare reads -> new root
//	View     snapshot -> function
//
// A snapshot is a pointer to an immutable tree, so a View waits for nobody and
// nobody waits for a View. Every pair carries the number of the commit that
// wrote it; a read still holds when the same key carries the same number, and
// a range when all its keys do, none more and none fewer.
//
// A function that loses a race runs again. From then on it stands in a queue:
// only the first in the queue retries, and when it keeps losing to newcomers
// it takes the commit lock for one whole run, which cannot lose.
//
// What never happens: a write transaction that commits on outdated reads, a
// transaction that only writes or only reads and loses a race, a loser that is
// told about it.
//
// Nothing survives the process. Options.Limits imposes another engine's
// limits, to test against them.
package memory
