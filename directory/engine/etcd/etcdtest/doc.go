// Package etcdtest runs real etcd clusters for tests: members are processes of
// their own on free ports of the loopback interface, with their data in the
// test's directory. They can be killed, paused and started again, and proxies
// between members, and before them, can be cut and slowed.
//
// The etcd binary is Debian's package etcd-server. With MUSTER_TEST_SERVERS=1
// in the environment a missing one fails the test; without it the test says
// that it was left out.
package etcdtest
