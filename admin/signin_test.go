package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/directory"
)

// firstOperator opens the first link and sets up a password, as a person does. It returns the TOTP secret and a session.
func (sc *scene) firstOperator() (secret string, cookie *http.Cookie) {
	sc.Helper()
	link, err := sc.directory.FirstInvitation(sc.Context(), time.Hour)
	sc.must(err)
	if got := sc.ask(get, "/admin/welcome?link="+link); got.StatusCode != http.StatusOK || !strings.Contains(got.text, "first administrator") {
		sc.Fatalf("the link shows %d %s", got.StatusCode, got.text)
	}
	got := sc.ask(post, "/admin/welcome", url.Values{"link": {link}, "name": {"Ada"}, "email": {"ada@muster.example"}})
	cookie = got.cookie()
	if got.StatusCode != http.StatusSeeOther || cookie == nil {
		sc.Fatalf("the link gives %d %s", got.StatusCode, got.text)
	}
	form := sc.ask(get, "/admin/account/password", cookie)
	secret = form.first(`name="secret" value="([A-Z2-7]+)"`)
	if secret == "" {
		sc.Fatalf("no secret: %d %s", form.StatusCode, form.text)
	}
	return secret, cookie
}

const goodPassword = "correct horse battery"

// enrolled goes on to a password with an app, and returns recovery codes.
func (sc *scene) enrolled() (secret string, codes []string) {
	sc.Helper()
	secret, cookie := sc.firstOperator()
	got := sc.ask(post, "/admin/account/password", cookie, url.Values{"secret": {secret}, "password": {goodPassword}, "code": {sc.code(secret)}})
	codes = strings.Fields(got.first(`(?s)<pre class="shown-once">(.*?)</pre>`))
	if len(codes) != recoveryCodes {
		sc.Fatalf("%d %s", got.StatusCode, got.text)
	}
	*sc.clock = sc.clock.Add(time.Minute)
	return secret, codes
}

func (sc *scene) signIn(password, code string) reply {
	return sc.ask(post, "/admin/sign-in", url.Values{"email": {"ada@muster.example"}, "password": {password}, "code": {code}})
}

func TestTheFirstLinkMakesAnOperatorOnceAndEndsWithTheFirstWhoCanSignIn(t *testing.T) {
	sc := newScene(t)
	spare, err := sc.directory.FirstInvitation(t.Context(), time.Hour)
	sc.must(err)
	sc.enrolled()
	if got := sc.ask(get, "/admin/welcome?link="+spare); got.StatusCode != http.StatusGone {
		t.Errorf("another first link still opens: %d", got.StatusCode)
	}
	if link, err := sc.directory.FirstInvitation(t.Context(), time.Hour); link != "" || err != nil {
		t.Errorf("a new first link: %q %v", link, err)
	}
	list, err := sc.directory.Administrators(t.Context())
	if err != nil || len(list) != 1 || !list[0].Grants.IsOperator() {
		t.Errorf("%v %v", list, err)
	}
}

func TestALinkIsUsedUpByItsFormAndNotByLooking(t *testing.T) {
	sc := newScene(t)
	id, _ := sc.administrator("bo", directory.Grant{Role: directory.HelpDesk, Org: "acme"})
	link, err := sc.directory.Invite(t.Context(), directory.Itself("test"), id, time.Hour)
	sc.must(err)
	for range 2 {
		if got := sc.ask(get, "/admin/welcome?link="+link); got.StatusCode != http.StatusOK {
			t.Errorf("looking: %d", got.StatusCode)
		}
	}
	if got := sc.ask(post, "/admin/welcome", url.Values{"link": {link}}); got.cookie() == nil {
		t.Errorf("using: %d %s", got.StatusCode, got.text)
	}
	if got := sc.ask(post, "/admin/welcome", url.Values{"link": {link}}); got.StatusCode != http.StatusGone || got.cookie() != nil {
		t.Errorf("using twice: %d", got.StatusCode)
	}
}

func TestAPasswordCountsTogetherWithACodeAndEachCodeOnce(t *testing.T) {
	sc := newScene(t)
	secret, codes := sc.enrolled()
	code := sc.code(secret)
	if got := sc.signIn("wrong horse battery", code); got.StatusCode != http.StatusUnprocessableEntity || got.cookie() != nil {
		t.Errorf("a wrong password: %d", got.StatusCode)
	}
	if got := sc.signIn(goodPassword, "000000"); got.cookie() != nil {
		t.Errorf("a wrong code: %d", got.StatusCode)
	}
	got := sc.signIn(goodPassword, code)
	if got.cookie() == nil || !got.cookie().Secure || !got.cookie().HttpOnly || got.cookie().Name != "__Host-muster-admin" {
		t.Fatalf("the right ones: %d %v", got.StatusCode, got.Cookies())
	}
	if again := sc.signIn(goodPassword, code); again.cookie() != nil {
		t.Error("the same code counted twice")
	}
	if got := sc.signIn(goodPassword, codes[0]); got.cookie() == nil {
		t.Errorf("a recovery code: %d", got.StatusCode)
	}
	if got := sc.signIn(goodPassword, codes[0]); got.cookie() != nil {
		t.Error("a recovery code counted twice")
	}
}

func TestGuessingEndsAfterSomeAttemptsAndGoesOnLater(t *testing.T) {
	sc := newScene(t)
	secret, _ := sc.enrolled()
	for range accountFailures {
		sc.signIn("wrong horse battery", "000000")
	}
	if got := sc.signIn(goodPassword, sc.code(secret)); got.StatusCode != http.StatusTooManyRequests || got.cookie() != nil {
		t.Errorf("after many attempts: %d", got.StatusCode)
	}
	*sc.clock = sc.clock.Add(throttleWindow)
	if got := sc.signIn(goodPassword, sc.code(secret)); got.cookie() == nil {
		t.Errorf("later: %d", got.StatusCode)
	}
}

func TestTheMemoryOfAttemptsIsBounded(t *testing.T) {
	now := time.Unix(1, 0)
	th := newThrottle(func() time.Time { now = now.Add(time.Microsecond); return now })
	for i := range throttleSize + 100 {
		th.failed(accountKey(string(rune(i))))
	}
	if len(th.tries) > throttleSize {
		t.Errorf("%d are kept", len(th.tries))
	}
}

func TestAnUnknownAccountIsAnsweredLikeAWrongPassword(t *testing.T) {
	sc := newScene(t)
	sc.enrolled()
	known := sc.signIn("wrong horse battery", "000000")
	unknown := sc.ask(post, "/admin/sign-in", url.Values{"email": {"eve@muster.example"}, "password": {"wrong horse battery"}, "code": {"000000"}})
	if known.StatusCode != unknown.StatusCode || strings.ReplaceAll(known.text, "ada@", "eve@") != unknown.text {
		t.Error("the answers differ")
	}
}

func TestASessionEndsWhenIdleAndAtTheLatestAfterItsLifetime(t *testing.T) {
	sc := newScene(t)
	_, cookie := sc.administrator("bo", directory.Grant{Role: directory.Auditor, Org: "acme"})
	*sc.clock = sc.clock.Add(50 * time.Minute)
	if got := sc.ask(get, "/admin/o/acme", cookie); got.StatusCode != http.StatusOK {
		t.Errorf("in use: %d", got.StatusCode)
	}
	*sc.clock = sc.clock.Add(50 * time.Minute)
	if got := sc.ask(get, "/admin/o/acme", cookie); got.StatusCode != http.StatusOK {
		t.Errorf("in use again: %d", got.StatusCode)
	}
	*sc.clock = sc.clock.Add(61 * time.Minute)
	if got := sc.ask(get, "/admin/o/acme", cookie); got.StatusCode != http.StatusSeeOther {
		t.Errorf("idle: %d", got.StatusCode)
	}
}

func TestSigningOutEndsTheSessionOnTheServer(t *testing.T) {
	sc := newScene(t)
	_, cookie := sc.administrator("bo", directory.Grant{Role: directory.Auditor, Org: "acme"})
	sc.ask(post, "/admin/sign-out", cookie)
	if got := sc.ask(get, "/admin/o/acme", cookie); got.StatusCode != http.StatusSeeOther {
		t.Errorf("after signing out: %d", got.StatusCode)
	}
}

func TestAPostOfAnotherSitesPageIsRefused(t *testing.T) {
	sc := newScene(t)
	_, cookie := sc.administrator("bo", directory.Grant{Role: directory.Auditor, Org: "acme"})
	for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Origin": {"https://evil.example"}}} {
		if got := sc.ask(post, "/admin/sign-out", cookie, h); got.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d", h, got.StatusCode)
		}
	}
	if got := sc.ask(get, "/admin/o/acme", cookie); got.StatusCode != http.StatusOK {
		t.Error("it had an effect")
	}
}

// CONFLICTS 47.
func TestNoWriteTakesTheOperatorsFromOneToZero(t *testing.T) {
	sc := newScene(t)
	secret, _ := sc.enrolled()
	cookie := sc.signIn(goodPassword, sc.code(secret)).cookie()
	if got := sc.ask(post, "/admin/account/password/remove", cookie); got.StatusCode != http.StatusForbidden || !strings.Contains(got.text, "last operator") {
		t.Errorf("removing the last way in: %d", got.StatusCode)
	}
	list, err := sc.directory.Administrators(t.Context())
	sc.must(err)
	self := directory.Itself("test")
	if err := sc.directory.RemoveAdministrator(t.Context(), self, list[0].ID); !errors.Is(err, directory.ErrLastOperator) {
		t.Errorf("removing the last operator: %v", err)
	}
	_, err = sc.directory.EditAdministrator(t.Context(), self, list[0].ID, func(a *directory.Administrator, _ *directory.Credentials) error {
		a.Grants = nil
		return nil
	})
	if !errors.Is(err, directory.ErrLastOperator) {
		t.Errorf("taking the last grant: %v", err)
	}
	other, err := sc.directory.AddAdministrator(t.Context(), self, directory.Administrator{Name: "Bo", Email: "bo@muster.example", Grants: directory.Grants{{Role: directory.Operator}}})
	sc.must(err)
	if err := sc.directory.RemoveAdministrator(t.Context(), self, list[0].ID); !errors.Is(err, directory.ErrLastOperator) {
		t.Errorf("one who cannot sign in counts: %v", err)
	}
	_, err = sc.directory.EditAdministrator(t.Context(), self, other.ID, func(_ *directory.Administrator, c *directory.Credentials) error {
		c.Passkeys = []directory.Passkey{{ID: []byte{1}, Name: "key"}}
		return nil
	})
	sc.must(err)
	if err := sc.directory.RemoveAdministrator(t.Context(), self, list[0].ID); err != nil {
		t.Errorf("with another operator: %v", err)
	}
	if got := sc.ask(get, "/admin", cookie); got.StatusCode != http.StatusSeeOther {
		t.Errorf("the session of a removed administrator: %d", got.StatusCode)
	}
}

func TestAfterSigningInOneComesBackToOurOwnPagesOnly(t *testing.T) {
	for next, want := range map[string]string{
		"/admin/o/acme/users?q=x": "/admin/o/acme/users?q=x", "": "/admin", "https://evil.example/admin/": "/admin", "//evil.example/admin/": "/admin",
		"/administration": "/admin", "/admin/../me": "/admin", "/admin/\\evil": "/admin", "/admin/%2e%2e/me": "/admin",
	} {
		if got := nextAddress(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}
