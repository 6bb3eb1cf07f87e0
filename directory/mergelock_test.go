package directory_test

import (
	"testing"

	"muster/directory"
)

// CONFLICTS 17, 44: nobody who can sign in loses that by a merge, and no
// administrator's lock ends with one.
func TestAMergeNeitherLocksALiveUserNorLiftsAnAdministratorsLock(t *testing.T) {
	for name, test := range map[string]struct {
		lock, survives bool // the tombstone
		want           directory.Code
	}{
		"into a tombstone that is locked":  {true, true, directory.Suspended},
		"of a tombstone that is locked":    {true, false, directory.Suspended},
		"into a tombstone that was active": {false, true, ""},
		"of a tombstone that was active":   {false, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			gone := w.must(w.local(directory.VerbCreate, directory.NoID, "userName", "old")).User.ID
			live := w.must(w.signIn("s-1", "userName", "new", directory.GivenName, "A", directory.FamilyName, "L")).User.ID
			if test.lock {
				w.must(w.local(directory.VerbMerge, gone, "active", "false"))
			}
			w.must(w.local(directory.VerbDelete, gone))
			survivor, other := live, gone
			if test.survives {
				survivor, other = gone, live
			}
			if err := w.Merge(t.Context(), byAdmin, "acme", survivor, other); directory.RefusalCode(err) != test.want {
				t.Fatalf("%v", err)
			}
			if _, err := w.signIn("s-1", "userName", "new"); err != nil {
				t.Errorf("the person cannot sign in: %v", err)
			}
		})
	}
}
