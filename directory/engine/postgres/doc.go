// Package postgres is the engine for several nodes on one PostgreSQL, version
// 15 or later: one ordered table, SERIALIZABLE transactions.
//
//	kv       k bytea primary key, v bytea   everything; bytea compares as bytes
//	changes  xid, node, serial, keys        what the commits of the last minutes changed
//	turn     empty                          a lock for who has lost too often
//	format   version                        which of these tables a release expects
//
// The tables lie in a schema of their own ("muster"), made by the first Open
// under an advisory lock. Several directories in one database take several
// schemas: postgres://.../db?schema=other.
//
// # Update
//
//	begin serializable + its transaction id   one round trip, takes the snapshot
//	function                                  one round trip for each read
//	writes + a row of changes + commit        one round trip, writes in key order
//
// PostgreSQL itself tracks what was read (predicate locks), so engine.Tx does
// not. For them to stay small the connections plan without sequential and
// bitmap scans. A transaction that reads more than max_pred_locks_per_transaction
// / 2 pages (32 by default) locks the whole table against races, which costs
// retries and never correctness: set it to 1024.
//
// A lost race (SQLSTATE 40001, 40P01) runs the function again. Losers stand in a
// queue, one of a process retries at a time, and after two more losses it takes
// the lock of turn before its snapshot: everybody else, on every node, waits
// with writing until it has committed, so it cannot lose. Retries counts them;
// some percent are normal.
//
// # View
//
// A View is a REPEATABLE READ, READ ONLY snapshot: it waits for nobody and
// aborts nobody. It shows what some serial order of all commits so far leaves
// behind. It may show a commit without another one that has not been
// acknowledged yet and that a later history puts before it, which a
// SERIALIZABLE view would have to wait for or fail.
//
// # When the server goes away
//
// engine.ErrUnavailable means that nothing was committed: no connection within
// Options.Patience, or one that broke before the commit was sent; Update tries
// once more by itself before it says so. When the connection breaks during the
// commit, the outcome is looked up on a new one, by the transaction's row in
// changes and by pg_xact_status: committed is success, aborted runs the function
// again, and only what cannot be found out within Options.Patience is
// engine.ErrUnknown. A row that is found proves the commit even after a
// failover, where the same transaction id may belong to somebody else.
//
// With a streaming replica, an acknowledged commit survives the loss of the
// primary only if synchronous_standby_names names the replica and
// synchronous_commit is on (the default) or stronger. synchronous_commit = off
// is raised to on by every connection of muster, because a crash would lose
// what was acknowledged. Name all servers, postgres://a,b/db, and the one that
// takes writes is found after a promotion.
//
// # Watch
//
// Every commit leaves its keys in changes. Every node reads what its last
// snapshot did not show, four times a second and whenever it hears a NOTIFY,
// which committing nodes send at most every 20 ms, outside of transactions:
// inside, it would make all commits wait for each other. So nothing is missed,
// whatever order transactions commit in. Rows go after a minute or two. A node
// that could not read, or not for long, tells its watchers to forget everything
// (Resync).
//
// # What never happens
//
// A password in an error or a log. A write to a replica: Open refuses it, and a
// connection to a server that became one is dropped. A table of a later release
// opened. A row of changes kept for long: keys hold names and addresses, and
// erased people must not linger there.
//
// Connect directly or through a pooler that pools sessions: a pooler of
// transactions breaks prepared statements and settings. CockroachDB and
// YugabyteDB speak this protocol; neither has been tested.
package postgres
