package enginetest

import (
	"fmt"
	"testing"
	"time"

	"muster/directory/engine"
)

// tight are limits that every check stays within and the faulty engine has.
var tight = engine.Limits{Operations: 128, Bytes: 3 << 19, KeyBytes: 512, ValueBytes: 1 << 20}

// mustFail says, for each fault, by which checks it has to be noticed.
func mustFail() map[fault][]string {
	return map[fault][]string{
		"views read what is newest":           {"a view is one snapshot for Get", "a view is one snapshot for Scan"},
		"views keep updates out":              {"a view is one snapshot for Get", "a scan under way does not see commits", "a view that waits for an update does not hang", "views nest"},
		"views are one commit behind":         {"a view sees every update that has returned"},
		"updates read what is newest":         {"an update reads one snapshot"},
		"scans share their place":             {"scans break off and nest"},
		"Get does not see own writes":         {"an update sees its own writes in Get", "random operations agree with a model"},
		"Scan does not see own writes":        {"an update sees its own writes in Scan", "random operations agree with a model"},
		"the first write counts":              {"the last write of a key counts"},
		"deleting what is absent fails":       {"deleting what is absent is no error"},
		"an update that writes nothing fails": {"an update that writes nothing succeeds"},
		"writing ends a scan":                 {"writing while scanning is allowed"},
		"the fiftieth write is lost":          {"many writes and scans in one update"},

		"short keys come first":    {"keys are ordered as bytes"},
		"scans include their end":  {"scan bounds"},
		"an empty end is no end":   {"scan bounds"},
		"an empty value is none":   {"an empty value is not an absent one"},
		"the empty key is ignored": {"the empty key is refused"},
		"large values are cut":     {"large values come back whole"},

		"slices of the caller are kept":       {"Set and Delete copy what they are given", "what was committed does not change with later writes of others"},
		"own writes write over the old value": {"slices stay unchanged whatever the update writes"},
		"commits write over the old value":    {"slices stay unchanged whatever others commit"},
		"what is read shares memory":          {"slices stay unchanged whatever is read next"},

		"points are not tracked":                    {"no update is lost", "no write skew over points", "money is neither made nor lost", "there is a serial order that keeps the order in time", "everybody gets through a hot key"},
		"absent points are not tracked":             {"an absent point is guarded"},
		"ranges are not tracked":                    {"a range is guarded against inserts", "a range is guarded against deletes", "a range is guarded against new values", "a range stays guarded where all keys in it go"},
		"inserts in ranges are not tracked":         {"a range is guarded against inserts"},
		"deletes in ranges are not tracked":         {"a range is guarded against deletes", "a range stays guarded where all keys in it go"},
		"new values in ranges are not tracked":      {"a range is guarded against new values"},
		"ranges with own writes are not tracked":    {"own writes do not hide others"},
		"scans that are broken off are not tracked": {"a scan that is broken off is guarded as far as it went"},
		"every overlap is a conflict":               {"blind writes go through"},
		"conflicts are told":                        {"no update is lost", "everybody gets through a hot key"},
		"losers are on their own":                   {"a slow update beats quick ones"},

		"errors commit":                    {"a failed update leaves nothing and returns its error", "what failed is not there after reopening"},
		"errors are wrapped":               {"a failed update leaves nothing and returns its error", "a failed view returns its error"},
		"panics commit":                    {"a panic leaves nothing and reaches the caller", "a function that ends its goroutine leaves nothing"},
		"panics become errors":             {"a panic leaves nothing and reaches the caller", "a panic in a view reaches the caller"},
		"a panic never leaves":             {"a panic leaves nothing and reaches the caller", "a panic in a view reaches the caller", "a function that ends its goroutine leaves nothing"},
		"a failure undoes the last commit": {"failures harm nobody beside them"},
		"writes are seen at once":          {"a failed update does not decide what others see"},

		"limits do not matter":    {"more than the limits is refused and leaves nothing"},
		"limits come too early":   {"as much as the limits is accepted"},
		"refusals can be ignored": {"a refusal that the function ignores still refuses"},

		"contexts are not asked":       {"a cancelled context runs nothing"},
		"waiting ignores the context":  {"a cancelled context ends the wait"},
		"a cancelled commit is denied": {"a context cancelled inside the function tells the truth"},
		"Close waits for nobody":       {"Close waits for a view", "Close waits for an update"},
		"a closed engine answers":      {"a closed engine refuses everything"},

		"watchers hear nothing":               {"a watcher hears of every change under its prefix"},
		"watchers hear of everything":         {"a watcher hears of every change under its prefix"},
		"deletions are not told":              {"a watcher hears of every change under its prefix"},
		"watchers are told before the commit": {"a watcher hears of a change after its commit"},
		"watchers are waited for":             {"a watcher that does not listen holds nobody up"},
		"watchers share keys":                 {"what a watcher gets belongs to it"},
		"watches never end":                   {"a watch ends with its context"},

		"forgets when closed": {"what was committed is there after reopening"},
	}
}

func TestTheFaultyEngineWithoutFaultPasses(t *testing.T) {
	Run(t, faultyHarness("", tight))
}

// TestEachFaultIsNoticed gives a check a few chances, because whether two
// functions overlap is not always in its hands.
func TestEachFaultIsNoticed(t *testing.T) {
	for f, names := range mustFail() {
		for _, name := range names {
			t.Run(fmt.Sprintf("%s/%s", f, name), func(t *testing.T) {
				t.Parallel()
				if !noticed(t, f, name) {
					t.Error("the check passes")
				}
			})
		}
	}
}

func noticed(t *testing.T, f fault, name string) bool {
	h := faultyHarness(f, tight)
	c := byName(t, h, name)
	for range 5 {
		if err := try(t, h, c, 200*time.Millisecond); err != nil {
			return true
		}
	}
	return false
}

func byName(t *testing.T, h Harness, name string) check {
	t.Helper()
	for _, c := range checksFor(h) {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("there is no check named %q", name)
	return check{}
}

func TestEachCheckHasBeenSeenToFail(t *testing.T) {
	failed := map[string]bool{}
	for _, names := range mustFail() {
		for _, name := range names {
			failed[name] = true
		}
	}
	for _, c := range checksFor(Harness{Durable: true}) {
		if !failed[c.name] {
			t.Errorf("no fault makes %q fail", c.name)
		}
	}
}
