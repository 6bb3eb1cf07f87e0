// Package bolt is the engine for one process and one file: bbolt below, one
// fsync for everybody who waits.
//
//	caller: Update --> queue --> the writer says: your turn --> function --> waits
//	writer:            take one, apply its writes, take the next ... commit, tell all
//
// Functions run one after another, each in the goroutine of its caller, on the
// bbolt transaction of the batch: nothing can change under them, so nothing is
// tracked and a key that everybody touches costs nothing (Limits.Serial). A
// function writes into a buffer of its own, which reaches the batch only when
// it has succeeded; its error, its panic and its end are its caller's alone.
// Because a function sees what the functions before it in the batch wrote,
// nobody is told anything, not even of failure, before the batch is durable.
//
// The writer never waits for a batch to fill. It takes who is there; the rest
// gathers while it commits, and so does the next batch fill itself.
//
// A View's bbolt transaction waits for the next View (idle.go): to begin one
// costs more than most Views read. The writer ends those that wait before it
// begins and lets none wait until it has committed, so they always show the
// last commit.
//
// What never happens:
//
//   - A View that hangs. bbolt lets the writer wait for readers when the file
//     outgrows its mapping, and new readers for that writer. So the mapping is
//     made large when the file is opened (Options.MapSize, address space, not
//     memory) and the file may not grow beyond it: the commit that would is
//     refused, and nothing happens.
//   - A commit on doubtful ground. When the disk fails in a way that leaves the
//     outcome open, the callers get engine.ErrUnknown and the engine refuses
//     all updates until it is opened again; views go on.
//   - Two processes on one file. The second is refused after
//     Options.LockTimeout.
//   - A file that is no bbolt file, or is shorter than it says, being opened:
//     engine.ErrCorrupt, naming the file. A page that turns out to be damaged
//     later is ErrCorrupt, too, and so is a disk that does not answer; the
//     process lives on. As far as it is noticed: bbolt has no checksum on its
//     pages.
//
// The list of free pages is written with every commit (bbolt's NoFreelistSync
// is off). Finding it anew on open would read every page, at random: a second
// for 2 GB in the page cache, minutes from a slow volume, and bbolt does it in
// a goroutine of its own, where a damaged page ends the process. The price is
// paid after large deletions alone: with 1 GB of free pages a commit was seen
// to take 4 ms instead of 0.7, until they are in use again.
//
// A long View keeps pages from being used again, so the file grows beside it.
// Backups are views: keep them short or take them when little is written.
package bolt
