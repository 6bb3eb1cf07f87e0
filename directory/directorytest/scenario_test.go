package directorytest

import (
	"strings"
	"testing"

	"muster/directory"
)

const somePolicy = "-- policy.yaml --\norgs: [{id: acme}]\n"

func TestAScenarioIsReadWithItsScenes(t *testing.T) {
	s, err := Parse([]byte("7 title\n\nThe rule.\n" + somePolicy + "-- a/steps --\n" +
		"scim idp POST {\"userName\": \"ada\",\n  \"title\": \"T\"}\n  -> created as ada\n" +
		"reorder\n  clock 1h\n  expect users 1\n" +
		"-- a/after --\nexpect ada title \"T\" from scim/idp\n-- b/policy.yaml --\nother\n-- b/steps --\nexpect users 0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "7 title" || len(s.Scenes) != 2 || s.Scenes[0].Name != "a" || s.Scenes[1].Policy() != "other\n" {
		t.Fatalf("%+v", s)
	}
	first := s.Scenes[0]
	if len(first.Steps) != 3 || first.Steps[0].json != `{"userName": "ada", "title": "T"}` || first.Steps[0].wants[0].as != "ada" {
		t.Errorf("%+v", first.Steps)
	}
	if orders := first.Orders(); len(orders) != 2 || orders[0][1].verb != "clock" || orders[1][1].verb != "expect" {
		t.Errorf("orders: %+v", orders)
	}
}

func TestWhatFollowsAnArrow(t *testing.T) {
	wants, err := parseWants(`uniqueness 409/uniqueness on userName case or updated as ada warns invalid_value title case reserved or found finds a b`)
	if err != nil || len(wants) != 3 {
		t.Fatalf("%+v %v", wants, err)
	}
	refused, updated, found := wants[0], wants[1], wants[2]
	if !refused.refused() || refused.status != 409 || refused.scimType != "uniqueness" || refused.on != "userName" || refused.kase != "same" {
		t.Errorf("%+v", refused)
	}
	if updated.refused() || updated.as != "ada" || updated.warns[0] != "invalid_value title" || updated.kase != "reserved" {
		t.Errorf("%+v", updated)
	}
	if !sameSet(found.finds, []string{"b", "a"}) {
		t.Errorf("%+v", found)
	}
}

func TestAScenarioThatSaysNothingOrNonsenseIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "the first line",
		"7 title":                                "no scene has steps",
		"7 title\n-- steps --\nexpect users 1\n": "has no policy.yaml",
		"7 title\n" + somePolicy + "-- steps --\nfly away\n":                            "no such step",
		"7 title\n" + somePolicy + "-- steps --\n  -> created\n":                        "below nothing",
		"7 title\n" + somePolicy + "-- steps --\nscim idp POST {}\n":                    "what is to happen",
		"7 title\n" + somePolicy + "-- steps --\nscim idp POST {}\n  -> uniqueness\n":   "has a status",
		"7 title\n" + somePolicy + "-- steps --\nscim idp POST {}\n  -> created soon\n": `"soon" means nothing`,
		"7 title\n" + somePolicy + "-- steps --\nsso idp x y\n  -> created\n":           "sso CONN SUBJECT",
		"7 title\n" + somePolicy + "-- steps --\nclock soon\n":                          "invalid duration",
		"7 title\n" + somePolicy + "-- steps --\nreorder\n  clock 1h\n":                 "two to 4",
		"7 title\n" + somePolicy + "-- steps --\ntogether 1000\n  clock 1h\n":           "from 1 to 64",
		"7 title\n" + somePolicy + "-- steps --\nexpect ada \"\n":                       "open quote",
		"7 title\n" + somePolicy + "-- notes --\nx\n-- steps --\nclock 1h\n":            "steps, after, .yaml and .csv",
		"7 title\n" + somePolicy + "-- steps --\nclock 1h\n-- steps --\nclock 1h\n":     "twice",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestAttributesAreReadByTheirSCIMNames(t *testing.T) {
	p := &directory.Policy{Org: &directory.Org{ID: "acme"}} // knows no attribute
	if a, err := ReadAttributes(`{"userName": "ada"}`, p); err != nil || len(a) != 0 {
		t.Errorf("unknown names: %v %v", a, err)
	}
	v, err := ReadValue([]any{"a", map[string]any{"value": "b", "primary": true}, "", nil})
	if err != nil || len(v) != 2 || v[1].Field("primary") != "true" {
		t.Errorf("%v %v", v, err)
	}
	if _, err := ReadValue([]any{[]any{"nested"}}); err == nil {
		t.Error("a list in a list was read")
	}
	if ids, err := ReadMembers([]any{map[string]any{"value": "no id"}}); directory.RefusalCode(err) != directory.InvalidValue {
		t.Errorf("%v %v", ids, err)
	}
}

func TestEventsGoWithTheirOutcome(t *testing.T) {
	for _, c := range []struct {
		outcome string
		kinds   []directory.EventType
		fit     bool
	}{
		{"created", []directory.EventType{directory.GroupCreated, directory.UserCreated}, true},
		{"created", []directory.EventType{directory.UserUpdated}, false},
		{"adopted", []directory.EventType{directory.UserAdopted}, true},
		{"adopted", []directory.EventType{directory.UserCreated, directory.UserAdopted}, false},
		{"restored", []directory.EventType{directory.UserRestored}, true},
		{"restored", []directory.EventType{directory.UserCreated}, false},
		{"deleted", []directory.EventType{directory.UserDeleted}, true},
		{"deleted", nil, false},
		{"updated", []directory.EventType{directory.UserLocked}, true},
		{"updated", nil, false},
		{"unchanged", nil, true},
		{"unchanged", []directory.EventType{directory.UserUpdated}, false},
		{"suspended", nil, true},
		{"suspended", []directory.EventType{directory.UserUpdated}, false},
	} {
		if got := eventsFit(c.outcome, c.kinds); got != c.fit {
			t.Errorf("%s with %v: %t", c.outcome, c.kinds, got)
		}
	}
}
