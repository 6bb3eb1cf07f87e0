package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"muster/directory"
)

func (w *world) claim() *directory.Letter {
	w.t.Helper()
	l, err := w.ClaimLetter(w.t.Context(), time.Minute)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// post spells the letters that would be sent now, and forgets them.
func (w *world) post() (list []string) {
	w.t.Helper()
	for l := w.claim(); l != nil; l = w.claim() {
		list = append(list, fmt.Sprintf("%s to %s by %v", l.Kind, l.To, l.Ways))
		if err := w.LetterSent(w.t.Context(), l); err != nil {
			w.t.Fatal(err)
		}
	}
	return list
}

func (w *world) posted(when, want string) {
	w.t.Helper()
	if got := fmt.Sprint(w.post()); got != want {
		w.t.Errorf("%s: %s, want %s", when, got, want)
	}
}

func welcoming(s *directory.Setup) { s.Connections[0].Welcome = true }

// CONFLICTS 33, FD-7
func TestConflict33NoMailToUsersThatAConnectionCreatesUnlessItWelcomes(t *testing.T) {
	w := newWorld(t, nil)
	w.must(w.push("userName", "ada", "emails", "ada@acme.example"))
	w.must(w.signIn("bob", "userName", "bob", "emails", "bob@acme.example", directory.GivenName, "B", directory.FamilyName, "B"))
	w.posted("by default", "[]")

	w = newWorld(t, welcoming)
	ada := w.must(w.push("userName", "ada", "emails", "ada@acme.example"))
	w.must(w.signIn("bob", "userName", "bob", "emails", "bob@acme.example", directory.GivenName, "B", directory.FamilyName, "B"))
	w.must(w.push("userName", "nobody"))
	if _, err := w.push("userName", "ADA"); err == nil {
		t.Error("a second ada")
	}
	w.posted("switched on", "[welcome to ada@acme.example by [idp] welcome to bob@acme.example by [idp]]")
	w.must(w.signIn("bob", "userName", "bob", "title", "Boss", directory.GivenName, "B", directory.FamilyName, "B"))
	w.posted("at an update", "[]")
	w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "root", Verb: directory.VerbCreate, Attributes: attributes("userName", "eve", "emails", "eve@acme.example")}))
	w.posted("of an administrator's", "[]")
	_ = ada
}

func TestNoLetterGoesToWhoIsGoneOrLockedWhenItIsSent(t *testing.T) {
	for name, leave := range map[string]func(*world, directory.ID){
		"locked": func(w *world, id directory.ID) {
			w.must(w.Apply(w.t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "root", Verb: directory.VerbMerge, ID: id, Attributes: attributes("active", "false")}))
		},
		"deleted": func(w *world, id directory.ID) {
			if err := w.delete(id); err != nil {
				w.t.Fatal(err)
			}
		},
		"erased": func(w *world, id directory.ID) {
			if err := w.delete(id); err != nil {
				w.t.Fatal(err)
			}
			w.must(w.Apply(w.t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "root", Verb: directory.VerbErase, ID: id}))
		},
		"no longer welcomed": func(w *world, _ directory.ID) {
			s := directory.Setup{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{{ID: "idp", Write: directory.Write{SCIM: directory.Create}}}}
			w.configure(s)
		},
		"too late": func(w *world, _ directory.ID) { w.now = w.now.Add(73 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, welcoming)
			ada := w.must(w.push("userName", "ada", "emails", "ada@acme.example")).User.ID
			leave(w, ada)
			w.posted("then", "[]")
			w.work()
		})
	}
}

func TestALetterIsHandedOutToOneAndTriedAgainLaterAndNotForEver(t *testing.T) {
	w := newWorld(t, welcoming)
	w.must(w.push("userName", "ada", "emails", "ada@acme.example"))
	first := w.claim()
	if first == nil || w.claim() != nil {
		t.Fatal("one letter is to be handed out, once")
	}
	w.now = w.now.Add(2 * time.Minute) // whoever had it is gone
	second := w.claim()
	if second == nil || second.ID != first.ID || second.Tries != 2 {
		t.Fatalf("%+v", second)
	}
	if again, err := w.LetterFailed(t.Context(), first); err != nil || again.IsZero() { // who has lost it changes nothing
		t.Errorf("%s, %v", again, err)
	}
	var waits []time.Duration
	for l := second; l != nil; {
		again, err := w.LetterFailed(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		if again.IsZero() {
			break
		}
		waits = append(waits, again.Sub(w.now))
		if w.claim() != nil {
			t.Fatal("handed out before its time")
		}
		w.now = again
		if l = w.claim(); l == nil {
			t.Fatal("not handed out at its time")
		}
	}
	if len(waits) < 10 || waits[0] != 2*time.Minute || waits[len(waits)-1] != 6*time.Hour {
		t.Errorf("waits %v", waits)
	}
	w.posted("in the end", "[]")
}

// invite is an administrator's.
func (w *world) invite(address string) (directory.Result, error) {
	return w.InviteUser(w.t.Context(), directory.UserInvitation{Org: "acme", Connection: "idp", Address: address, Actor: "root"})
}

func closed(s *directory.Setup) {
	s.Connections[0].Write = directory.Write{SSO: directory.Update}
	s.Connections[0].Link = directory.LinkNever
	s.Connections = append(s.Connections, directory.Connection{ID: "other", Domains: []string{"other.example"}, SAML: &directory.SAMLTrust{EntityID: "https://other.example"}})
}

// FX-4, FX-5, FX-11
func TestFX4AnInvitationPermitsOneLinkAndNoMore(t *testing.T) {
	w := newWorld(t, closed)
	_, err := w.signIn("ada-1", "userName", "Ada@Guest.example", "emails", "Ada@Guest.example")
	w.refused(directory.NotProvisioned, err)

	invited := w.must(w.invite("ada@guest.example"))
	w.posted("invited", "[invitation to ada@guest.example by [idp]]")
	open, err := w.UserInvitations(t.Context(), "acme")
	if err != nil || len(open) != 1 || open[0].User != invited.User.ID || open[0].Actor != "root" {
		t.Errorf("%+v, %v", open, err)
	}
	if others, err := w.UserInvitations(t.Context(), "acm"); err != nil || len(others) != 0 {
		t.Errorf("another organisation's: %+v, %v", others, err)
	}
	_, err = w.Apply(t.Context(), directory.Change{Org: "acme", Connection: "idp", Channel: directory.SSO, Verb: directory.VerbSignIn, Subject: "eve", AssertedAt: w.now,
		EmailVerified: directory.VerifiedNo, Attributes: attributes("userName", "ada@guest.example", "emails", "ada@guest.example")})
	w.refused(directory.LinkRequired, err) // who only says so is not let in
	_, err = w.signIn("eve", "userName", "eve@guest.example", "emails", "eve@guest.example")
	w.refused(directory.NotProvisioned, err)

	in := w.must(w.signIn("ada-1", "userName", "Ada@Guest.example", "emails", "Ada@Guest.example"))
	if in.Outcome != directory.Adopted || in.User.ID != invited.User.ID {
		t.Errorf("%+v", in)
	}
	_, err = w.signIn("ada-2", "userName", "ada@guest.example", "emails", "ada@guest.example")
	w.refused(directory.LinkRequired, err)
	if open, _ := w.UserInvitations(t.Context(), "acme"); len(open) != 0 {
		t.Errorf("left open: %+v", open)
	}
	if _, err := w.invite("ada@guest.example"); directory.RefusalCode(err) != directory.Uniqueness {
		t.Errorf("invited though linked: %v", err)
	}
}

func TestAnInvitationEndsAndIsRevokedAndRenewed(t *testing.T) {
	w := newWorld(t, closed)
	signIn := func() error {
		_, err := w.signIn("ada-1", "userName", "ada@guest.example", "emails", "ada@guest.example")
		return err
	}
	first := w.must(w.invite("ada@guest.example")).User.ID
	if err := w.RevokeUserInvitation(t.Context(), "acme", "idp", "ADA@guest.example"); err != nil {
		t.Fatal(err)
	}
	w.posted("revoked", "[]")
	w.refused(directory.LinkRequired, signIn())
	if err := w.RevokeUserInvitation(t.Context(), "acme", "idp", "ada@guest.example"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if again := w.must(w.invite("ada@guest.example")).User.ID; again != first {
		t.Errorf("another user: %s, %s", first, again)
	}
	w.now = w.now.Add(15 * 24 * time.Hour)
	w.refused(directory.LinkRequired, signIn())
	w.work()
	w.must(w.invite("ada@guest.example"))
	if err := signIn(); err != nil {
		t.Error(err)
	}
}

func TestWhoCannotComeInIsNotInvited(t *testing.T) {
	w := newWorld(t, closed)
	locked := w.must(w.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "root", Verb: directory.VerbCreate,
		Attributes: attributes("userName", "leo", "emails", "leo@guest.example", "active", "false")}))
	_ = locked
	for address, want := range map[string]directory.Code{"leo@guest.example": directory.Suspended, "x@other.example": directory.DomainNotAllowed, "nobody": directory.InvalidValue} {
		_, err := w.invite(address)
		w.refused(want, err)
	}
	_, err := w.InviteUser(t.Context(), directory.UserInvitation{Org: "acme", Connection: "nothing", Address: "a@b.example"})
	if !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown connection: %v", err)
	}
	_, err = w.InviteUser(t.Context(), directory.UserInvitation{Org: "acme", Connection: "idp", Address: "a@b.example", Expires: w.now.Add(91 * 24 * time.Hour)})
	w.refused(directory.InvalidValue, err)
	w.posted("nobody", "[]")
}

// Home realm discovery: what is written is the same for everybody; who has an account shows at the mailbox only.
func TestAWayInIsLookedForWhenTheLetterIsHandedOut(t *testing.T) {
	w := newWorld(t, nil)
	w.must(w.signIn("bob", "userName", "bob", "emails", "bob@guest.example", directory.GivenName, "B", directory.FamilyName, "B"))
	w.must(w.push("userName", "push", "emails", "pushed@guest.example"))
	for _, address := range []string{"Bob@Guest.example", "stranger@guest.example", "pushed@guest.example", "bob@guest.example"} {
		if err := w.AskForWayIn(t.Context(), address); err != nil {
			t.Fatal(err)
		}
	}
	w.posted("asked", "[way-in to Bob@Guest.example by [idp]]") // once, and to nobody who could not use it
	w.now = w.now.Add(11 * time.Minute)
	if err := w.AskForWayIn(t.Context(), "bob@guest.example"); err != nil {
		t.Fatal(err)
	}
	w.posted("asked later", "[way-in to bob@guest.example by [idp]]")
}
