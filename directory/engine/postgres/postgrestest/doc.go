// Package postgrestest runs real PostgreSQL servers for tests: a primary, and
// streaming replicas of it that can be promoted. They can be stopped, killed
// and started again.
//
// Tests that need a server run where MUSTER_TEST_SERVERS=1 is set, and fail
// there when PostgreSQL is not installed (on Debian: the package postgresql).
// Elsewhere Start says in one line that they were left out, and returns nil:
//
//	server := postgrestest.Start(t)
//	if server == nil {
//		return
//	}
//
// A server keeps its data in the test's own folder, listens on a free port of
// the loopback address, asks for a password, and dies with the process that
// started it. It refuses to run as root, so a test run by root starts it as the
// user postgres or nobody. It does not wait for the disk: what it survives is
// the death of its processes, not of the machine.
package postgrestest
