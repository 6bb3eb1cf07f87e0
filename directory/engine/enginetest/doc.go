// Package enginetest is the one suite that every engine passes. Run takes a
// Harness and runs all of it; there is no way to run half.
//
// A check is a function that gets a bed, an empty engine of its own, and
// returns an error. So the checks can be checked: broken_test.go holds a
// small engine with one fault at a time and asserts that the checks meant for
// that fault fail, that without a fault all of them pass, and that no check
// exists which no fault has ever made fail.
//
// The checks of races make functions overlap: all have read before any
// commits. The rendezvous they do it with waits a bounded time, so an engine
// that runs one function after another passes too.
//
// What a check may rely on: nothing but the words of package engine. It stays
// within Engine.Limits, 128 operations and a value of 1 MB at least.
package enginetest
