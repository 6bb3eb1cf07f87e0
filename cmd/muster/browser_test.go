package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// journey is what somebody does in a browser with a demo of their own.
type journey struct {
	name string
	goes func(*testing.T, *tab, played)
}

// played is what a demo printed.
type played struct {
	base, text string
	welcome    string   // the first administrator's link
	logins     []string // through Okta, through Entra ID
}

func playDemo(t *testing.T) played {
	t.Helper()
	p := played{text: startDemoOn(t, "localhost:0")}
	links := regexp.MustCompile(`(?m)^ +(http://\S+)$`).FindAllStringSubmatch(p.text, -1)
	if len(links) != 4 {
		t.Fatalf("%d links:\n%s", len(links), p.text)
	}
	p.logins, p.welcome = []string{links[0][1], links[1][1]}, links[3][1]
	p.base = strings.TrimSuffix(links[2][1], "/me")
	return p
}

// entra is Entra ID's client, and the address of Lena, whom it pushed.
func (p played) entra() (client *pusher, lena string) {
	token := regexp.MustCompile(`PATCH -H 'Authorization: Bearer (\S+)'`).FindStringSubmatch(p.text)[1]
	lena = regexp.MustCompile(`/scim/v2(/Users/[^'/]+)'`).FindStringSubmatch(p.text)[1]
	return newPusher(p.base, entraConnection, token), lena
}

// patches sends one replacement as Entra ID.
func (p played) patches(t *testing.T, path string, value any) {
	t.Helper()
	client, lena := p.entra()
	_, err := client.call(t.Context(), http.MethodPatch, lena, body{"schemas": []string{patchSchema}, "Operations": []body{
		{"op": "Replace", "path": path, "value": value},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryJourneyWorksInABrowser(t *testing.T) {
	browser := startChromium(t)
	if browser == nil {
		return
	}
	for _, j := range []journey{
		{"from the first link to a passkey", firstStart},
		{"with a password and an authenticator app", passwordAndCode},
		{"to a person and what counts there", onePerson},
		{"to a conflict, its end and the guard", conflict},
		{"to the events, live", liveEvents},
		{"to one's own page by SAML", ownPage},
	} {
		t.Run(j.name, func(t *testing.T) {
			p := playDemo(t)
			j.goes(t, newTab(t, browser, p.base), p)
		})
	}
}

// settles uses the first link up and makes the visitor an operator.
func settles(b *tab, p played) {
	b.t.Helper()
	b.open(p.welcome)
	b.fill("#name", "Ada Admin")
	b.fill("#email", "ada@acme.example")
	b.press("Go on")
	b.shows("Welcome. Set up how you sign in next time.")
}

func firstStart(_ *testing.T, b *tab, p played) {
	b.authenticator()
	b.open(p.welcome)
	b.shows("You are the first administrator")
	b.look("welcome")
	settles(b, p)
	b.shows("You came by a one-time link")
	b.look("account-new")

	b.fill("#passkey-name", "laptop")
	b.press("Add a passkey")
	b.shows("The passkey was added.")
	b.shows("laptop")
	b.hides("You came by a one-time link")
	b.look("account-passkey")

	b.press("Sign out")
	b.shows("You are signed out.")
	b.look("sign-in")
	b.press("Sign in with a passkey")
	b.shows("Acme Corp")
	b.look("organisations")
	b.press("Acme Corp")
	b.shows("Users it pushed")
	b.look("dashboard")
}

func passwordAndCode(t *testing.T, b *tab, p played) {
	settles(b, p)
	b.press("Set a password")
	b.shows("Scan this with an authenticator app")
	b.look("password")
	secret := regexp.MustCompile(`Key: ([A-Z2-7]+)`).FindStringSubmatch(b.text())
	if secret == nil {
		t.Fatalf("no key to type:\n%s", b.text())
	}
	b.fill("#password", "four quiet herons fishing")
	b.fill("#code", codeAt(t, secret[1], time.Now()))
	b.press("Save")
	b.shows("Each of these stands in for the app once.")
	b.look("recovery")
	b.press("I have kept them")
	b.shows("10 recovery codes left")

	b.press("Sign out")
	b.fill("#email", "ada@acme.example")
	b.fill("#password", "four quiet herons fishing")
	b.fill("#code", codeAt(t, secret[1], time.Now().Add(30*time.Second))) // each code counts once
	b.press("Sign in")
	b.shows("Organisations")
}

func codeAt(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func onePerson(_ *testing.T, b *tab, p played) {
	settles(b, p)
	b.open("/admin/o/acme/users")
	b.shows("lena@emea.acme.example")
	b.look("users")
	b.do("leave a mark that another page would not have", chromedp.Evaluate[chromedp.Void]("window.sameDocument = true; undefined"))
	b.fill("#q", "sam")
	b.until(`document.querySelectorAll("#found tbody tr").length === 1 && window.sameDocument === true`)
	b.hides("lena@emea.acme.example")
	b.look("users-found")
	b.press("sam@acme.example")
	b.shows("Attributes, and who says what")
	b.look("user")

	b.press("Lock")
	b.shows("The user is locked. Sessions have ended.")
	b.shows("Locked by")
	b.look("user-locked")
	b.press("Unlock")
	b.shows("The user may sign in again.")

	b.went("change displayName", chromedp.Click(chromedp.CSS(`a[href$="/attributes/displayName"]`)))
	b.shows("What you enter becomes a pin")
	b.look("edit")
	b.set("#value", "Samuel Okoro")
	b.fill("#reason", "He asked for it")
	b.press("Pin this value")
	b.shows("Samuel Okoro")
	b.look("user-pinned")
	b.went("change displayName", chromedp.Click(chromedp.CSS(`a[href$="/attributes/displayName"]`)))
	b.press("Release the pin")
	b.shows("The pin was released")
	b.hides("Samuel Okoro")
	b.press("What happened")
	b.shows("What happened to Sam Okoro")
	b.look("story")
}

func conflict(t *testing.T, b *tab, p played) {
	p.patches(t, "externalId", "another-lena")
	signsInAs(t, p, p.logins[1], "Lena Fischer", http.StatusForbidden)
	settles(b, p)
	b.open("/admin/o/acme/cases")
	b.shows("acme-entra")
	b.look("cases")
	b.went("the case", chromedp.Click(chromedp.CSS("#content tbody a")))
	b.shows("Resolve it")
	b.look("case")
	b.do("choose", chromedp.Click(chromedp.CSS(`input[value="re-point"], input[value="link"]`)))
	b.press("Resolve")
	b.shows("The case was resolved.")
	signsInAs(t, p, p.logins[1], "Lena Fischer", http.StatusOK)

	b.press("Guard")
	b.shows("acme-okta")
	b.look("guard")
	b.press("Let it through")
	b.fill("#hours", "2")
	b.look("guard-let")
	b.press("Let it through")
	b.shows("The guard is open.")
}

// signsInAs is a person with a browser of their own, who ends with a status.
func signsInAs(t *testing.T, p played, login, name string, want int) {
	t.Helper()
	person := browser(t)
	if landed := choose(t, person, open(t, person, login), name); landed.status != want {
		t.Fatalf("%s landed at %s: %d %s", name, landed.url, landed.status, landed.text)
	}
}

func liveEvents(t *testing.T, b *tab, p played) {
	settles(b, p)
	b.open("/admin/o/acme/events")
	b.shows("Export these as JSON")
	b.look("events")
	b.do("leave a mark that another page would not have", chromedp.Evaluate[chromedp.Void]("window.sameDocument = true; undefined"))
	b.hides("Promoted while you watch")
	p.patches(t, "title", "Promoted while you watch")
	b.shows("Promoted while you watch")
	b.until("window.sameDocument === true")
	b.press("Groups")
	b.shows("Engineering")
	b.look("groups")
	b.press("Engineering")
	b.shows("Members")
	b.look("group")
}

func ownPage(t *testing.T, b *tab, p played) {
	b.open("/login")
	b.look("login")
	b.fill("#email", "nia@acme.example")
	b.press("Continue")
	b.shows("Test IdP: who do you want to be?")
	b.press("Nia Newcomer")
	b.shows("What is known about you")
	b.look("me")
	b.press("Sign out")
	b.shows("You are signed out")
	b.look("signed-out")
}
