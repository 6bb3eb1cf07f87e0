package jit_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/directory"
	"muster/jit"
	"muster/jit/saml/samltest"
)

func admin() directory.EventSource {
	return directory.EventSource{Channel: directory.Local, Actor: "root@acme.example"}
}

// tryOut goes through a test sign-in and returns what the administrator reads and sees.
func (s *scene) tryOut(connection string, mode directory.Mode, p samltest.Person) (*jit.Report, reply) {
	s.Helper()
	ticket, err := s.door.StartTest(s.Context(), admin(), connection, mode)
	if err != nil {
		s.Fatal(err)
	}
	b := s.browser()
	request, _ := b.start(connection, "?test="+ticket)
	page := b.arrive(connection, s.response(connection, request, p, samltest.Bend{}))
	report, err := s.door.TestReport(s.Context(), ticket)
	if err != nil {
		s.Fatal(err)
	}
	if b.signedIn() {
		s.Error("a test signed somebody in")
	}
	return report, page
}

// FL-4, JC-11: the connection does not write yet, and the administrator sees what it would do.
func TestFL4ATestSignInTellsWhatWouldHappenAndWritesNothing(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp"})
	s.untouched(func() {
		report, page := s.tryOut("corp", directory.Create, ada("unknown", "x"))
		if !report.Passed() || report.Outcome != directory.Created || report.UserName != "ada@corp.example" || report.User != "" {
			t.Errorf("report %+v", report)
		}
		if page.StatusCode != 200 || !strings.Contains(page.body, "This sign-in would work") || !strings.Contains(page.body, "ada@corp.example") {
			t.Errorf("page %s %s", page.Status, page.body)
		}
		if !slices.Contains(report.Missing, "displayName") || !slices.Contains(report.Trace.Unused, "unknown") || len(report.Claims) != 4 || len(report.Changes) == 0 {
			t.Errorf("missing %q, unused %q, %d claims, %d changes", report.Missing, report.Trace.Unused, len(report.Claims), len(report.Changes))
		}
	})
	s.untouched(func() {
		report, _ := s.tryOut("corp", directory.Update, ada())
		if report.Passed() || report.Code != directory.NotProvisioned {
			t.Errorf("in update mode: %+v", report)
		}
	})
}

func TestATestSignInTellsWhichUserIsMatchedAndWhatChanges(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	s.in(s.browser().signIn("corp", ada("displayName", "Countess")), "/me")
	s.wait(time.Minute)
	s.untouched(func() {
		report, _ := s.tryOut("corp", directory.Create, ada("displayName", "Lady"))
		change := slices.IndexFunc(report.Changes, func(c jit.ReportedChange) bool { return c.Attribute == "displayName" })
		if report.User != s.user("ada@corp.example").ID.String() || len(report.Matched) == 0 || !strings.Contains(report.Matched[0], "has the link sso of connection corp") ||
			change < 0 || report.Changes[change].Before[0] != "Countess" || report.Changes[change].After[0] != "Lady" {
			t.Errorf("report %+v", report)
		}
	})
}

func TestATestSignInThatFailsTellsTheAdministratorWhy(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp"})
	report, page := s.tryOut("corp", directory.Create, person("eve", "email", "eve@corp.example", "firstname", "Eve", "lastName", "E"))
	if report.Passed() || report.Attribute != "name.givenName" || !strings.Contains(report.Cause, "near miss: the assertion has firstname") || !strings.Contains(page.body, "near miss") {
		t.Errorf("report %+v", report)
	}
	ticket, err := s.door.StartTest(t.Context(), admin(), "corp", directory.Create)
	if err != nil {
		t.Fatal(err)
	}
	for query, shown := range map[string]bool{"?test=" + ticket: true, "": false} {
		b := s.browser()
		request, _ := b.start("corp", query)
		request.EntityID = "https://other.example"
		got := b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{}))
		if s.out(got, 403, "invalid_assertion"); strings.Contains(got.body, "the assertion is for") != shown {
			t.Errorf("%q: the cause is shown: %t", query, !shown)
		}
	}
}

func TestATicketIsForOneTestOfOneConnectionForAnHour(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp"}, directory.Connection{ID: "labs"})
	ticket := func() string {
		made, err := s.door.StartTest(t.Context(), admin(), "corp", directory.Create)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	used := ticket()
	b := s.browser()
	request, _ := b.start("corp", "?test="+used)
	if report, err := s.door.TestReport(t.Context(), used); report != nil || err != nil {
		t.Errorf("before it was made: %v, %v", report, err)
	}
	b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{}))
	s.out(s.browser().get("/c/corp/login?test="+used, "application/json"), 403, "unknown_request")
	s.out(s.browser().get("/c/labs/login?test="+ticket(), "application/json"), 403, "unknown_request")
	s.out(s.browser().get("/c/corp/login?test=guessed", "application/json"), 403, "unknown_request")
	late := ticket()
	s.wait(time.Hour)
	s.out(s.browser().get("/c/corp/login?test="+late, "application/json"), 403, "unknown_request")
	if _, err := s.door.TestReport(t.Context(), used); !errors.Is(err, jit.ErrNoTest) {
		t.Errorf("after an hour: %v", err)
	}
}

// FL-4: sign-ins of a connection write when a test has passed, or somebody says why not.
func TestFL4RaisingWriteNeedsAPassedTestOrAReason(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp"})
	raise := func(edit func(*directory.Connection), override string) error {
		c, p, err := s.dir.Connection(t.Context(), "corp")
		if err != nil {
			t.Fatal(err)
		}
		next := *c
		next.Write.SSO = directory.Create
		if edit != nil {
			edit(&next)
		}
		setup := directory.Setup{Org: *p.Org, Connections: []directory.Connection{next}, Tests: directory.TestsRequired}
		if override != "" {
			setup.Override = map[string]string{"corp": override}
		}
		_, err = s.dir.Configure(t.Context(), admin(), []directory.Setup{setup})
		return err
	}
	lower := func() {
		if err := raise(func(c *directory.Connection) { c.Write.SSO = directory.Off }, ""); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error, want string) {
		t.Helper()
		config, ok := errors.AsType[*directory.ConfigError](err)
		if !ok || config.Faults[0].Path != "orgs[0].connections[0].write.sso" || !strings.Contains(config.Faults[0].Detail, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused(raise(nil, ""), "a test sign-in must pass")
	s.tryOut("corp", directory.Create, person("eve")) // fails
	refused(raise(nil, ""), "a test sign-in must pass")
	s.tryOut("corp", directory.Create, ada())
	refused(raise(func(c *directory.Connection) { c.Subject.SSO = []string{"email"} }, ""), "was of another configuration")
	if err := raise(nil, ""); err != nil {
		t.Fatal(err)
	}
	lower()
	if err := raise(func(c *directory.Connection) { c.Subject.SSO = []string{"email"} }, "the provider has no test user"); err != nil {
		t.Fatal(err)
	}
	events, err := s.dir.Events(t.Context(), "acme", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range events {
		for _, c := range e.Changes {
			lines = append(lines, c.Attribute)
		}
	}
	for _, want := range []string{"corp: a test sign-in passed", "raised to create after the test sign-in of", "raised to create without a test sign-in: the provider has no test user"} {
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("no event tells %q: %q", want, lines)
		}
	}
}

// A pasted assertion goes the way of a real one, in each of its forms.
func TestAPastedAssertionIsRehearsed(t *testing.T) {
	s := play(t, directory.Org{}, directory.Connection{ID: "corp"})
	request := s.unsolicited("corp")
	encoded := s.response("corp", request, ada(), samltest.Bend{Sign: samltest.SignNothing})
	document, err := s.idps["corp"].Document(request, ada(), samltest.Bend{Later: -1000 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	_, assertion, _ := strings.Cut(string(document), "<saml:Assertion")
	assertion, _, _ = strings.Cut("<saml:Assertion"+assertion, "</samlp:Response>")
	claims, _ := json.Marshal(map[string]any{"iss": s.idps["corp"].EntityID, "sub": "ada-1", "email": "ada@corp.example", "firstName": "Ada", "lastName": "Lovelace"})
	s.untouched(func() {
		for name, pasted := range map[string]string{"base64": encoded, "XML": string(document), "an assertion": assertion, "claims": string(claims)} {
			report, err := s.door.Rehearse(t.Context(), "corp", directory.Create, []byte(pasted))
			if err != nil || !report.Passed() || report.Subject != "ada-1" || report.UserName != "ada@corp.example" {
				t.Errorf("%s: %+v, %v", name, report, err)
			}
		}
		for _, bad := range []string{"", "<a/>", "{", "?", "<!DOCTYPE a><a/>", `{"sub": 5}`} {
			report, err := s.door.Rehearse(t.Context(), "corp", directory.Create, []byte(bad))
			if _, refused := errors.AsType[*directory.Refusal](err); !refused && (err != nil || report.Passed()) {
				t.Errorf("%q: %+v, %v", bad, report, err)
			}
		}
	})
}

// SAML and OpenID Connect end in one place.
func TestFL1ATestSignInByOpenIDGoesTheSameWay(t *testing.T) {
	op := openID(t)
	c := op.connection("corp")
	c.Write.SSO = directory.Off
	s := playOpenID(t, op, c)
	op.SignIn(oidcAda("preferred_username", "ada"))
	s.untouched(func() {
		ticket, err := s.door.StartTest(t.Context(), admin(), "corp", directory.Create)
		if err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		page := b.comeBack(b.visit(b.leave("corp", "?test="+ticket)))
		report, err := s.door.TestReport(t.Context(), ticket)
		if err != nil || report == nil || !report.Passed() || report.UserName != "ada" || page.StatusCode != 200 || b.signedIn() {
			t.Errorf("%s %+v, %v", page.Status, report, err)
		}
	})
}
