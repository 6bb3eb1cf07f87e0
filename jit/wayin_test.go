package jit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit"
)

// letters are the letters that would be sent now.
func (s *scene) letters() (list []string) {
	s.Helper()
	for {
		l, err := s.dir.ClaimLetter(s.Context(), time.Minute)
		if err != nil {
			s.Fatal(err)
		}
		if l == nil {
			return list
		}
		list = append(list, fmt.Sprintf("%s to %s by %v", l.Kind, l.To, l.Ways))
		if err := s.dir.LetterSent(s.Context(), l); err != nil {
			s.Fatal(err)
		}
	}
}

// playAsking is play where letters are sent.
func playAsking(t *testing.T, connections ...directory.Connection) *scene {
	t.Helper()
	var s *scene
	o := jit.Options{AskForWayIn: func(ctx context.Context, address string) error { return s.dir.AskForWayIn(ctx, address) }}
	s = playWith(t, o, directory.Org{}, connections...)
	return s
}

// Home realm discovery: an address in a verified domain leads to its connection; any other one gets the same answer,
// whether it has an account or not, and the account's holder a letter.
func TestTheSignInPageTellsNobodyWhoHasAnAccount(t *testing.T) {
	verified := justInTime("corp")
	verified.Domains = []string{"corp.example"}
	s := playAsking(t, verified, justInTime("guests"))
	s.in(s.browser().signIn("guests", person("g-1", "email", "gus@guest.example", "firstName", "G", "lastName", "G")), "/me")
	ask := func(address string) reply {
		return s.browser().post("/login", url.Values{"email": {address}, "return_to": {"/app"}})
	}
	if got := ask("anybody@CORP.example"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/c/corp/login?return_to=%2Fapp" {
		t.Errorf("a verified domain: %s %q", got.Status, got.Header.Get("Location"))
	}
	known, unknown := ask("gus@guest.example"), ask("ann@guest.example")
	if known.StatusCode != http.StatusOK || known.StatusCode != unknown.StatusCode || len(known.Header) != len(unknown.Header) {
		t.Errorf("%s, %s", known.Status, unknown.Status)
	}
	if strings.ReplaceAll(known.body, "gus@", "ann@") != unknown.body || !strings.Contains(known.body, "on its way") {
		t.Errorf("%s\n%s", known.body, unknown.body)
	}
	if got := fmt.Sprint(s.letters()); got != "[way-in to gus@guest.example by [guests]]" {
		t.Errorf("letters: %s", got)
	}
	for _, none := range []string{"", "gus", "Gus <gus@guest.example>", "a@b@c", "x@" + strings.Repeat("y", 400)} {
		if got := ask(none); got.StatusCode != http.StatusOK || strings.Contains(got.body, "on its way") {
			t.Errorf("%.20q: %s", none, got.Status)
		}
	}
}

func TestOneSenderCannotHaveLettersSentToManyWithoutEnd(t *testing.T) {
	s := playAsking(t, justInTime("guests"))
	b := s.browser()
	b.accept = "application/json"
	for i := range 20 {
		if got := b.post("/login", url.Values{"email": {fmt.Sprintf("a%d@guest.example", i)}}); got.StatusCode != http.StatusOK {
			t.Fatal(got.Status)
		}
	}
	s.out(b.post("/login", url.Values{"email": {"more@guest.example"}}), 429, "too_many_requests")
	s.wait(time.Minute)
	if got := b.post("/login", url.Values{"email": {"more@guest.example"}}); got.StatusCode != http.StatusOK {
		t.Error(got.Status)
	}
}

// FX-4: the letter leads to the sign-in, which links the invited person.
func TestFX4AnInvitedPersonComesIn(t *testing.T) {
	op := openID(t)
	c := op.connection("corp")
	c.Write.SSO, c.Link = directory.Update, directory.LinkNever
	s := playOpenID(t, op, c)
	s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, "not_provisioned") })
	invited, err := s.dir.InviteUser(t.Context(), directory.UserInvitation{Org: "acme", Connection: "corp", Address: "Ada@corp.example", Actor: "root"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.letters()); got != "[invitation to Ada@corp.example by [corp]]" {
		t.Errorf("letters: %s", got)
	}
	op.SignIn(oidcAda("email_verified", false))
	s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, "link_required") })
	op.SignIn(oidcAda("email_verified", true)) // what was called unverified stays so until it is called verified
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if users := s.users(); len(users) != 1 || users[0].ID != invited.User.ID || text(users[0], directory.GivenName) != "Ada" {
		t.Errorf("%v", users)
	}
	op.SignIn(oidcPerson("ada-2", "email", "ada@corp.example", "given_name", "Ada", "family_name", "Lovelace"))
	s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, "link_required") })
}
