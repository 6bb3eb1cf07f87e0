package directory

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzKeysKeepOrder(f *testing.F) {
	f.Add("", "a")
	f.Add("a", "a\x00")
	f.Add("a\x00\x01", "a\x00\xff")
	f.Add("ab", "a\xffb")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := orgKey('i', "o").text(a), orgKey('i', "o").text(b)
		if got, want := bytes.Compare(x, y), strings.Compare(a, b); got != want {
			t.Errorf("%q and %q compare as %d, their keys as %d", a, b, want, got)
		}
		p := orgKey('i', "o").prefix(a)
		in := bytes.Compare(p, y) <= 0 && (p.end() == nil || bytes.Compare(y, p.end()) < 0)
		if in != strings.HasPrefix(b, a) {
			t.Errorf("the range of prefix %q says %v of %q", a, in, b)
		}
	})
}

// everyField is a user whose record uses every field there is.
func everyField() *User {
	at := canonicalTime(time.Date(2026, 11, 22, 12, 30, 0, 123456789, time.UTC))
	stamp := Stamp{at, "okta", "req-1"}
	return &User{ID: ID{1, 2}, Org: "acme", Home: "idp", Created: at, Modified: at, Generation: 7, Yielded: true, Held: []string{"userName"}, Denied: 3,
		Deleted: &Tombstone{At: at, Source: Source{"idp", SCIM}, Erased: true, Groups: []ID{{9}}}, key: [16]byte{4},
		Layers: []Layer{{Source: Source{"idp", SCIM}, Locked: stamp, Lifted: stamp, AssertedAt: at, Created: at, Modified: at,
			Entries: []Entry{{Name: "displayName", Value: Text("Ada"), Stamp: stamp, Reason: "why", Until: at}, {Name: "title", Value: Texts("a", "b"), Stamp: Stamp{At: at}}}}},
		Links:     []Link{{Connection: "idp", Channel: SSO, Issuer: "i", Subject: "s\x00", State: LinkMoved, Ahead: true, At: at}},
		Effective: Attributes{{"displayName", Text("Ada")}}}
}

func TestAUserReadsAsItWasWritten(t *testing.T) {
	u := everyField()
	got, err := decodeUser("acme", encodeUser(u))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(u, got, cmp.AllowUnexported(User{}), cmpopts.IgnoreFields(User{}, "stored")); diff != "" {
		t.Error(diff)
	}
}

func TestALaterVersionIsRefused(t *testing.T) {
	record := encodeUser(everyField())
	record[0] = recordVersion + 1
	if _, err := decodeUser("acme", record); err == nil {
		t.Error("a record of a later release was read")
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(encodeUser(everyField()))
	f.Add(encodeGroup(&Group{ID: ID{1}, DisplayName: "g"}))
	f.Add(encodeSession(&Session{Org: "acme"}))
	f.Fuzz(func(t *testing.T, record []byte) {
		if u, err := decodeUser("acme", record); err == nil {
			again, err := decodeUser("acme", encodeUser(u))
			if diff := cmp.Diff(u, again, cmp.AllowUnexported(User{}), cmpopts.IgnoreFields(User{}, "stored"), cmpopts.EquateEmpty()); err != nil || diff != "" {
				t.Errorf("read, written and read: %v\n%s", err, diff)
			}
		}
		if g, err := decodeGroup("acme", record); err == nil {
			if again, err := decodeGroup("acme", encodeGroup(g)); err != nil || *again != *g {
				t.Errorf("group: %v, %v", again, err)
			}
		}
		if s, err := decodeSession(record); err == nil {
			if again, err := decodeSession(encodeSession(&s)); err != nil || again != s {
				t.Errorf("session: %v, %v", again, err)
			}
		}
		if _, err := decodeEvent(1, record, func(ID) ([16]byte, bool) { return [16]byte{}, true }); err == nil {
			return
		}
	})
}

func TestAnEventIsReadWithItsKeyAlone(t *testing.T) {
	e := Event{ID: ID{1}, User: ID{2}, Type: UserUpdated, Time: canonicalTime(time.Now()), Changes: []AttributeChange{{Attribute: "title", Layer: SCIM, Before: Text("a"), After: Text("Countess")}}}
	var secret [16]byte
	rand.Read(secret[:])
	record, err := encodeEvent(&e, secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(record, []byte("Countess")) {
		t.Error("a personal value stands in clear")
	}
	got, err := decodeEvent(0, record, func(ID) ([16]byte, bool) { return secret, true })
	if diff := cmp.Diff(e, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := decodeEvent(0, record, func(ID) ([16]byte, bool) { return [16]byte{9}, true }); err == nil {
		t.Error("another key opened it")
	}
	erased, err := decodeEvent(0, record, func(ID) ([16]byte, bool) { return [16]byte{}, false })
	if err != nil || len(erased.Changes) != 0 || erased.Type != UserUpdated {
		t.Errorf("without a key: %+v, %v", erased, err)
	}
}

func TestIDs(t *testing.T) {
	s := idSource{random: rand.Reader}
	now := time.UnixMilli(1_800_000_000_000)
	last := NoID
	for range 10_000 {
		id, err := s.next(now)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Compare(last[:], id[:]) >= 0 {
			t.Fatalf("%s follows %s", id, last)
		}
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("%s is no UUIDv7", id)
		}
		if back, ok := ParseID(strings.ToUpper(id.String())); !ok || back != id {
			t.Fatalf("%s reads as %s", id, back)
		}
		last = id
	}
	for _, bad := range []string{"", "x", strings.Repeat("0", 36), "00000000-0000-0000-0000-000000000000", "0190ffff-0000-7000-8000-00000000000g"} {
		if _, ok := ParseID(bad); ok {
			t.Errorf("%q was read as an id", bad)
		}
	}
}
