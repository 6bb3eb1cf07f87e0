package jit_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/directory/engine"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// looked finds the refusal of an answer as an administrator does, by its correlation id.
func (s *scene) looked(got told) directory.RefusedSignIn {
	s.Helper()
	if err := s.door.Flush(s.Context()); err != nil {
		s.Fatal(err)
	}
	found, err := s.dir.Refusal(s.Context(), "acme", got.CorrelationID)
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// LF-11, LF-12: the person is told a code and a sentence; the administrator finds the cause by the correlation id.
func TestLF12TheAdministratorFindsTheCauseByItsCorrelationID(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	arrive := func(p samltest.Person, bend samltest.Bend, edit func(*samltest.Request)) reply {
		b := s.browser()
		b.accept = "application/json"
		request, _ := b.start("corp", "")
		if edit != nil {
			edit(&request)
		}
		return b.arrive("corp", s.response("corp", request, p, bend))
	}
	trusted := s.idps["corp"].Certificate
	tests := []struct {
		name     string
		answer   func() reply
		code     string
		believed bool
		cause    []string
		trace    string
	}{
		{"certificate", func() reply {
			old := s.idps["corp"]
			s.idps["corp"] = s.another(time.Time{})
			defer func() { s.idps["corp"] = old }()
			return arrive(ada(), samltest.Bend{}, nil)
		}, "invalid_assertion", false, []string{saml.Fingerprint(trusted), "until " + trusted.NotAfter.UTC().Format(time.DateOnly)}, ""},
		{"audience", func() reply {
			return arrive(ada(), samltest.Bend{}, func(r *samltest.Request) { r.EntityID = "https://other.example" })
		},
			"invalid_assertion", false, []string{`the assertion is for "https://other.example", expected "` + s.base}, ""},
		{"clock", func() reply { return arrive(ada(), samltest.Bend{Later: 10 * time.Minute}, nil) },
			"stale_assertion", false, []string{"ahead of our clock", "10m0s", "1m0s are tolerated"}, ""},
		{"attribute", func() reply {
			return arrive(person("eve", "email", "eve@corp.example", "FIRSTNAME", "Eve", "lastName", "E"), samltest.Bend{}, nil)
		},
			"required_attribute_missing", true, []string{"near miss: the assertion has FIRSTNAME"}, "name.givenName: absent, tried firstName"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			view := s.out(c.answer(), 403, c.code)
			for _, part := range c.cause {
				if strings.Contains(view.Detail, part) {
					t.Errorf("the person is told %q", part)
				}
			}
			found := s.looked(view)
			if string(found.Code) != c.code || found.Connection != "corp" || found.Believed != c.believed || found.Address == "" {
				t.Errorf("found %+v", found)
			}
			for _, part := range c.cause {
				if !strings.Contains(found.Cause, part) {
					t.Errorf("%q is missing in %s", part, found.Cause)
				}
			}
			if !strings.Contains(strings.Join(found.Trace, "\n"), c.trace) {
				t.Errorf("trace %q", found.Trace)
			}
		})
	}
	if _, err := s.dir.Refusal(t.Context(), "acme", "nobody-was-told-this"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}

// Strangers fill their own hundred and push out nobody who was vouched for; what is kept names nobody in clear, and ends.
func TestRefusalsAreBoundedSealedAndForgotten(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), directory.Connection{ID: "closed"})
	b := s.browser()
	b.accept = "application/json"
	request, _ := b.start("closed", "")
	view := s.out(b.arrive("closed", s.response("closed", request, ada(), samltest.Bend{})), 403, "not_provisioned")
	if !s.looked(view).Believed {
		t.Error("a person was vouched for, and is not believed")
	}
	before := s.store.updates.Load()
	for i := range 3 {
		for range 70 {
			s.out(b.arrive("closed", "bm90aGluZw=="), 400, "malformed_message")
		}
		s.wait(time.Minute)
		if err := s.door.Flush(t.Context()); err != nil {
			t.Fatal(i, err)
		}
	}
	if n := s.store.updates.Load() - before; n != 3 {
		t.Errorf("%d writes for 210 refusals", n)
	}
	list, err := s.dir.Refusals(t.Context(), "closed")
	if err != nil || len(list) != 101 || list[0].Time.Before(list[100].Time) {
		t.Errorf("%d are kept, %v", len(list), err)
	}
	s.looked(view)
	clear := []byte("ada")
	err = s.store.View(t.Context(), func(tx engine.ReadTx) error {
		for pair, err := range tx.Scan([]byte("o"), []byte("p")) {
			if err != nil {
				return err
			}
			if bytes.Contains(pair.Value, clear) || bytes.Contains(pair.Value, []byte("not_provisioned")) {
				return fmt.Errorf("%q is in clear", pair.Key)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	s.wait(15 * 24 * time.Hour)
	if list, err := s.dir.Refusals(t.Context(), "closed"); err != nil || len(list) != 0 {
		t.Errorf("%d after a fortnight, %v", len(list), err)
	}
	for more := true; more; {
		if more, err = s.dir.Work(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left := 0
	_ = s.store.View(t.Context(), func(tx engine.ReadTx) error {
		for range tx.Scan([]byte("orefused"), []byte("orefusee")) {
			left++
		}
		return nil
	})
	if left != 0 {
		t.Errorf("%d records are left", left)
	}
}
