package jit

import "testing"

func TestAReturnPathHasNoDotSegments(t *testing.T) {
	for path, want := range map[string]bool{
		"/..//evil.example": false, "/.//evil.example": false, "/%2e%2e//evil.example": false, "/a/../b": false,
		"/a/.well-known/b..c?x=../y": true, "/me": true,
	} {
		if got := ownPath(path) != ""; got != want {
			t.Errorf("%s: accepted %t, want %t", path, got, want)
		}
	}
}
