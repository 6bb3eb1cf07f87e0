// Package projection keeps plain SQL tables of a directory in PostgreSQL, for
// analysts. The directory itself may lie in any engine; the tables may lie in
// its own database or another.
//
//	users        org, id, user_name, active, names, email, home ..., attributes as JSON
//	groups       org, id, display_name, connection, channel
//	members      org, group_id, member_id, nested (the member is a group)
//	all_members  a view: org, group_id, user_id, through nested groups, too
//	events       org, seq, id, time, type, user_id, group_id, source, names of attributes
//	cursors      org, seq: how far the tables are
//
// # Why tables and not views of the store
//
// The store holds encoded records, resolved values among them that depend on
// policy and rules. A view or a function in SQL would have to repeat the
// encoding and the rules, and would go wrong silently with the next release. So
// a reader follows the events: for each it asks the directory how the user or
// group is now, and writes that. The directory alone knows what things mean.
//
// # Promises
//
//   - Rows and cursor change in one transaction, under a lock of the cursor, so
//     any number of nodes may run a reader and any of them may die at any moment.
//   - When cursors.seq is the number of the last event, users, groups and members
//     hold exactly what applications see (a locked user with active = false, a
//     deleted one not at all).
//   - A new projection reads everything once, in one transaction, and follows the
//     events from where that began.
//   - A role named in the URL (reader=analysts) may read the tables and nothing
//     else of muster's.
//
// # Personal values
//
// They stand in users alone, and for as long as the user lives: deletion, and
// therefore erasure, removes the row. events carries no values, only the names
// of the attributes that changed: values of the past are sealed in the
// directory under keys that erasure destroys, and no copy in clear may outlive
// them. Backups and write-ahead logs of the reporting database keep what they
// have; expire them accordingly.
//
// # What never happens
//
// A write by this package to the directory. An attribute's text that SQL cannot
// hold (a zero byte) stopping the reader: it becomes U+FFFD.
package projection
