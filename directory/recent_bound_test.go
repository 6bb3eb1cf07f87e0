package directory

import (
	"strings"
	"testing"
)

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var r recent
	record := strings.Repeat("r", recentBytes/8)
	looked := func(n byte) *glance { return r.at(sight{user: ID{n}}) }
	for range 100 {
		r.remember(sight{user: ID{1}}, &glance{record: record})
	}
	if len(r.old) != 0 {
		t.Error("remembering one user again and again takes room")
	}
	for n := byte(1); n <= 100; n++ {
		r.remember(sight{user: ID{n}}, &glance{record: record})
		if looked(n) == nil {
			t.Fatalf("user %d was forgotten at once", n)
		}
		if looked(1) == nil {
			t.Fatalf("a user who is looked at all the time was forgotten after %d", n)
		}
		if held := len(r.young) + len(r.old); held > 16 {
			t.Fatalf("%d records of an eighth of a half are held", held)
		}
	}
	if looked(50) != nil {
		t.Error("a user seen long ago is still remembered")
	}
}
