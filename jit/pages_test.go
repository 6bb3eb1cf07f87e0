package jit_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"muster/directory"
	"muster/jit"
	"muster/jit/saml"
	"muster/jit/saml/samltest"
)

// MISSION nobody 1: why this value
func TestMeShowsEachAttributeWithTheSourceThatWon(t *testing.T) {
	org := directory.Org{
		Rules:    []directory.Rule{{Name: "engineers", When: `groups eq "Engineering"`, Set: attributes(directory.License, "full")}},
		Defaults: []directory.Default{{Attribute: "userType", Value: directory.Text("employee")}},
	}
	c := directory.Connection{ID: "corp", Preset: "okta", Write: directory.Write{SCIM: directory.Create, SSO: directory.Update},
		Groups: directory.GroupPolicy{Source: directory.GroupsSSO}}
	s := play(t, org, c)
	s.push(directory.Change{Connection: "corp", Verb: directory.VerbCreate, Attributes: attributes("externalId", "00u1", directory.UserName, "ada", directory.GivenName, "Augusta")})
	b := s.browser()
	s.in(b.signIn("corp", with(ada("uniqueUserId", "00u1"), "groups", "Engineering")), "/me")
	page := b.get("/me", "text/html").body
	for attribute, source := range map[string]string{
		"name.givenName":  "sent by corp (SCIM)",
		"name.familyName": "from your sign-in through corp (SSO)",
		"license":         "granted by rule engineers",
		"userType":        "kept here",
	} {
		_, row, found := strings.Cut(page, `data-attribute="`+attribute+`"`)
		row, _, _ = strings.Cut(row, "</tr>")
		if !found || strings.Count(row, `class="value"`) != 2 || !strings.Contains(row, source) {
			t.Errorf("%s: %q is not in %s", attribute, source, row)
		}
	}
	for _, layer := range []string{"scim/corp", "sso/corp", "rule", "local"} {
		if !strings.Contains(page, `data-source="`+layer+`"`) {
			t.Errorf("layer %s is not named", layer)
		}
	}
	if !strings.Contains(page, "Augusta") || strings.Contains(page, ">Ada<") || !strings.Contains(page, "<li>Engineering</li>") {
		t.Error("the effective values are not those shown")
	}
}

func TestMeAsJSONIsTheEffectiveSCIMUser(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	for accept, kind := range map[string]string{"application/json": "application/json", "application/scim+json": "application/scim+json", "application/json, text/html": "application/json"} {
		me := b.get("/me", accept)
		if me.StatusCode != http.StatusOK || me.Header.Get("Content-Type") != kind || !strings.Contains(me.body, s.base+"/o/acme/scim/v2") {
			t.Errorf("%s: %s %s %s", accept, me.Status, me.Header.Get("Content-Type"), me.body)
		}
	}
	if me := b.get("/me", "text/html,application/xhtml+xml,application/json;q=0.9"); !strings.HasPrefix(me.Header.Get("Content-Type"), "text/html") {
		t.Error("a browser got JSON")
	}
}

func TestMeAsksStrangersToSignIn(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	if got := b.get("/me", "text/html"); got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/login?return_to=%2Fme" {
		t.Errorf("%s %s", got.Status, got.Header.Get("Location"))
	}
	if got := b.get("/me", "application/json"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s", got.Status)
	}
}

func TestLogoutEndsTheSessionOnlyWhenPostedFromHere(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	kept := s.browser()
	kept.client.Jar = sharedJar(t, s, b)

	if page := b.get("/logout", "text/html"); !strings.Contains(page.body, "Sign out?") {
		t.Error("GET does not ask")
	}
	r, _ := http.NewRequest(http.MethodPost, s.base+"/logout", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := b.do(r); got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, "cross_origin") {
		t.Errorf("another site's page: %s", got.Status)
	}
	if b.get("/me", "application/json").StatusCode != http.StatusOK {
		t.Fatal("the session is gone already")
	}
	if got := b.post("/logout", nil); got.StatusCode != http.StatusSeeOther {
		t.Errorf("%s", got.Status)
	}
	for name, browser := range map[string]*browser{"this browser": b, "a copy of its cookie": kept} {
		if got := browser.get("/me", "application/json"); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", name, got.Status)
		}
	}
	if page := b.get("/logout", "text/html"); !strings.Contains(page.body, "You are signed out") {
		t.Error("the page does not say so")
	}
}

// sharedJar holds copies of b's cookies.
func sharedJar(t *testing.T, s *scene, b *browser) http.CookieJar {
	t.Helper()
	at, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	jar := s.browser().client.Jar
	jar.SetCookies(at, b.client.Jar.Cookies(at))
	return jar
}

func TestASignInReplacesTheBrowsersSession(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	kept := s.browser()
	kept.client.Jar = sharedJar(t, s, b)
	s.wait(time.Second)
	s.in(b.signIn("corp", ada()), "/me")
	if b.get("/me", "application/json").StatusCode != http.StatusOK {
		t.Error("the new session does not work")
	}
	if kept.get("/me", "application/json").StatusCode != http.StatusUnauthorized {
		t.Error("the earlier session still works")
	}
}

func TestAuthTellsAProxyWhoItIs(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"), justInTime("other"))
	b := s.browser()
	if got := b.get("/auth", "*/*"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("stranger: %s", got.Status)
	}
	s.in(b.signIn("corp", with(ada(), "groups", "Engineering", "a,admins", "other:Admins", "urn:team:x", "line\nend")), "/me")
	got := b.get("/auth", "*/*")
	want := map[string]string{"Remote-User": "ada@corp.example", "Remote-Name": "Ada Lovelace", "Remote-Email": "ada@corp.example", "Remote-Groups": "Engineering,urn:team:x"}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if got.StatusCode != http.StatusOK {
		t.Error(got.Status)
	}
}

func TestLoginFindsTheConnectionByItsProvedDomain(t *testing.T) {
	c := justInTime("corp")
	c.Domains = []string{"corp.example"}
	s := play(t, directory.Org{}, c, justInTime("labs"))
	b := s.browser()
	got := b.post("/login", url.Values{"email": {" Ada@CORP.example "}, "return_to": {"/app?x=1"}})
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/c/corp/login?return_to=%2Fapp%3Fx%3D1" {
		t.Errorf("%s %s", got.Status, got.Header.Get("Location"))
	}
	s.in(b.signIn("corp", ada()), "/me")
	known, unknown := b.post("/login", url.Values{"email": {"ada@corp.example"}}), b.post("/login", url.Values{"email": {"nobody@corp.example"}})
	if known.StatusCode != unknown.StatusCode || known.Header.Get("Location") != unknown.Header.Get("Location") {
		t.Error("the answer tells who has an account")
	}
	for _, address := range []string{"ada@other.example", "ada", "", "@", "corp.example", `"><script>@x`} {
		got := b.post("/login", url.Values{"email": {address}})
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "No organisation here") || strings.Contains(got.body, "<script>@") {
			t.Errorf("%q: %s", address, got.Status)
		}
	}
	c.State = directory.Retired
	s.configure(directory.Org{ID: "acme"}, c)
	if got := b.post("/login", url.Values{"email": {"ada@corp.example"}}); got.StatusCode != http.StatusOK {
		t.Errorf("a retired connection: %s", got.Status)
	}
	if page := b.get("/login?return_to=//evil.example", "text/html"); strings.Contains(page.body, "evil") {
		t.Error("the form carries a foreign address")
	}
}

// JC-2, JC-10
func TestJC2MetadataPublishesTheRequiredAttributes(t *testing.T) {
	s := play(t, directory.Org{Name: "Acme Corp"}, justInTime("corp"))
	got := s.browser().get("/c/corp/saml/metadata", "*/*")
	for _, part := range []string{
		`entityID="` + s.base + `/c/corp/saml/metadata"`, `Location="` + s.base + `/c/corp/saml/acs"`, "Acme Corp",
		`Name="firstName"`, `Name="lastName"`, `Name="email"`, `Name="groups"`,
	} {
		if !strings.Contains(got.body, part) {
			t.Errorf("%s is missing in %s", part, got.body)
		}
	}
	for name, required := range map[string]string{"firstName": "true", "email": "true", "displayName": "false", "groups": "false"} {
		_, rest, _ := strings.Cut(got.body, `Name="`+name+`"`)
		if rest, _, _ = strings.Cut(rest, "/>"); !strings.Contains(rest, `isRequired="`+required+`"`) {
			t.Errorf("%s: %s", name, rest)
		}
	}
	if got.Header.Get("Content-Type") != "application/samlmetadata+xml" {
		t.Error(got.Header.Get("Content-Type"))
	}
}

// FL-8: Save applies the change
func TestAChangedConnectionCountsAtOnce(t *testing.T) {
	c := justInTime("corp")
	s := play(t, directory.Org{}, c)
	s.in(s.browser().signIn("corp", ada()), "/me")
	s.idps["corp"] = s.idp("https://new.idp.example/metadata")
	s.configure(directory.Org{ID: "acme"}, c)
	s.wait(time.Minute)
	b := s.browser()
	request, _ := b.start("corp", "")
	fresh := s.response("corp", request, person("b", "email", "b@corp.example", "firstName", "B", "lastName", "C"), samltest.Bend{})
	s.in(b.arrive("corp", fresh), "/me")
}

func TestAProviderThatTakesPostsGetsOne(t *testing.T) {
	c := justInTime("corp")
	s := play(t, directory.Org{}, c)
	metadata := s.idps["corp"].Metadata()
	from := bytes.Index(metadata, []byte("<md:SingleSignOnService"))
	to := from + bytes.Index(metadata[from:], []byte("/>")) + 2
	postOnly := append(bytes.Clone(metadata[:from]), metadata[to:]...)
	if bytes.Contains(postOnly, []byte("HTTP-Redirect")) {
		t.Fatal("the redirect binding is still there")
	}
	c.Org, c.SAML = "acme", &directory.SAMLTrust{Metadata: postOnly, EntityID: s.idps["corp"].EntityID}
	if err := jit.Fill(&c); err != nil {
		t.Fatal(err)
	}
	if _, err := s.dir.Configure(t.Context(), directory.EventSource{Actor: "test"}, []directory.Setup{{Org: directory.Org{ID: "acme"}, Connections: []directory.Connection{c}}}); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	page := b.get("/c/corp/login", "text/html")
	_, value, _ := strings.Cut(page.body, `name="SAMLRequest" value="`)
	value, _, _ = strings.Cut(value, `"`)
	request, err := samltest.ReadRequest(strings.ReplaceAll(value, "&#43;", "+"))
	if err != nil {
		t.Fatalf("%v in %s", err, page.body)
	}
	s.in(b.arrive("corp", s.response("corp", request, ada(), samltest.Bend{})), "/me")
	if csp := page.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self'") {
		t.Error(csp)
	}
	if script := b.get("/assets/sign-in/continue.js", "*/*"); script.StatusCode != http.StatusOK || !strings.HasPrefix(script.Header.Get("Content-Type"), "text/javascript") {
		t.Error(script.Status)
	}
}

func TestEveryPageForbidsWhatItDoesNotNeed(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	for _, path := range []string{"/me", "/login", "/logout", "/c/nobody/login"} {
		got := b.get(path, "text/html")
		csp := got.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || got.Header.Get("X-Frame-Options") != "DENY" ||
			got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, got.Header)
		}
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, "style=") || strings.Contains(got.body, "onclick") || !strings.Contains(got.body, "<main>") {
			t.Errorf("%s has inline script or style, or no landmark", path)
		}
	}
	if css := b.get("/assets/sign-in/style.css", "*/*"); css.StatusCode != http.StatusOK || !strings.Contains(css.body, "color-scheme") {
		t.Error(css.Status)
	}
	for _, path := range []string{"/assets/sign-in/nothing", "/assets/sign-in/..%2fstyle.css%00", "/assets/sign-in/..%2f..%2froutes.go"} {
		if got := b.get(path, "*/*"); got.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, got.Status)
		}
	}
}

func TestOnlyWellFormedRequestIDsAreKept(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	for id, kept := range map[string]bool{"request-12345": true, "short": false, "with blank 12345": false, strings.Repeat("a", 65): false, "<script>alert": false} {
		r, _ := http.NewRequest(http.MethodGet, s.base+"/c/nobody/login", nil)
		r.Header.Set("X-Request-Id", id)
		r.Header.Set("Accept", "application/json")
		got := s.out(b.do(r), 404, "unknown_connection").CorrelationID
		if (got == id) != kept {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestAFaultShowsNothingButACorrelationID(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	s.in(b.signIn("corp", ada()), "/me")
	for _, fault := range []func(){func() { panic("secret of the house") }, nil} {
		s.render = func(io.Writer, string, *directory.Profile, *directory.Policy) error {
			if fault != nil {
				fault()
			}
			return errors.New("secret of the house")
		}
		got := b.get("/me", "application/json")
		s.out(got, 500, "internal_error")
		if strings.Contains(got.body, "secret") || !strings.Contains(s.log.String(), "secret of the house") {
			t.Errorf("%s", got.body)
		}
	}
}

func TestOnHTTPSCookiesAreBoundToTheHost(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	door, err := jit.New(s.dir, jit.Options{BaseURL: "https://id.example/", Now: s.now, RenderUser: s.renderUser, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	door.Mount(e)
	begun := httptest.NewRecorder()
	e.ServeHTTP(begun, httptest.NewRequest(http.MethodGet, "/c/corp/login", nil))
	binding := begun.Result().Cookies()[0]
	if !strings.HasPrefix(binding.Name, "__Host-muster-sign-in-") || !binding.Secure || !binding.HttpOnly || binding.SameSite != http.SameSiteNoneMode || binding.Path != "/" {
		t.Errorf("%+v", binding)
	}
	to, err := begun.Result().Location()
	if err != nil {
		t.Fatal(err)
	}
	request, err := samltest.ReadRequest(to.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"SAMLResponse": {s.response("corp", request, ada(), samltest.Bend{})}}
	r := httptest.NewRequest(http.MethodPost, "/c/corp/saml/acs", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(binding)
	arrived := httptest.NewRecorder()
	e.ServeHTTP(arrived, r)
	var session *http.Cookie
	for _, c := range arrived.Result().Cookies() {
		if c.Name == "__Host-muster" {
			session = c
		}
	}
	if session == nil || !session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Path != "/" || session.Domain != "" {
		t.Errorf("%d %+v", arrived.Code, arrived.Result().Cookies())
	}
}

func TestABaseURLThatWouldSendCookiesInTheClearIsRefused(t *testing.T) {
	render := func(io.Writer, string, *directory.Profile, *directory.Policy) error { return nil }
	for base, ok := range map[string]bool{
		"https://id.example": true, "https://id.example:8443/": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:8080": true,
		"http://id.example": false, "http://10.0.0.1": false, "ftp://id.example": false, "id.example": false, "": false,
		"https://id.example/path": false, "https://user@id.example": false, "https://id.example?x": false, "http://localhost.evil.example": false,
	} {
		if _, err := jit.New(nil, jit.Options{BaseURL: base, RenderUser: render}); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
	if _, err := jit.New(nil, jit.Options{BaseURL: "https://id.example"}); err == nil {
		t.Error("a server that cannot render users was made")
	}
}

func TestABrowserKeepsAFewSignInsUnderWay(t *testing.T) {
	s := play(t, directory.Org{}, justInTime("corp"))
	b := s.browser()
	var last samltest.Request
	for range 12 {
		last, _ = b.start("corp", "")
	}
	at, _ := url.Parse(s.base)
	if n := len(b.client.Jar.Cookies(at)); n > 6 {
		t.Errorf("%d cookies", n)
	}
	s.in(b.arrive("corp", s.response("corp", last, ada(), samltest.Bend{})), "/me")
	for _, c := range b.client.Jar.Cookies(at) {
		if strings.HasSuffix(c.Name, last.ID) {
			t.Error("the cookie of a finished sign-in stays")
		}
	}
}

func TestForeignPostsAreLetThroughAProtectionAroundTheProgram(t *testing.T) {
	protection := http.NewCrossOriginProtection()
	for _, pattern := range jit.ForeignPosts() {
		protection.AddInsecureBypassPattern(pattern)
	}
	for path, ok := range map[string]bool{"/c/corp/saml/acs": true, "/logout": false, "/c/corp/saml/acs/x": false} {
		r := httptest.NewRequest(http.MethodPost, path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if err := protection.Check(r); (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func BenchmarkSignIn(b *testing.B) {
	s := play(b, directory.Org{}, idpInitiated("corp"))
	request := s.unsolicited("corp")
	door, err := jit.New(s.dir, jit.Options{BaseURL: s.base, Now: s.now, RenderUser: s.renderUser, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	door.Mount(e)
	form := func() string {
		p := ada()
		p.NameID = saml.NameID{Value: "ada-1", Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"}
		return url.Values{"SAMLResponse": {s.response("corp", request, p, samltest.Bend{})}}.Encode()
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r := httptest.NewRequest(http.MethodPost, "/c/corp/saml/acs", strings.NewReader(form()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		b.StartTimer()
		e.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther {
			b.Fatal(w.Code, w.Body)
		}
	}
}

func BenchmarkAuth(b *testing.B) {
	s := play(b, directory.Org{}, justInTime("corp"))
	browser := s.browser()
	s.in(browser.signIn("corp", with(ada(), "groups", "Engineering", "Admins")), "/me")
	door, err := jit.New(s.dir, jit.Options{BaseURL: s.base, Now: s.now, RenderUser: s.renderUser, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	door.Mount(e)
	at, err := url.Parse(s.base)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/auth", nil)
	for _, c := range browser.client.Jar.Cookies(at) {
		r.AddCookie(c)
	}
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

func TestHEADAnswersAsGETDoes(t *testing.T) {
	s := play(t, directory.Org{ID: "acme"}, justInTime("idp"))
	for _, path := range []string{"/me", "/auth", "/login"} {
		got := s.browser().get(path, "")
		r, err := http.NewRequest(http.MethodHead, s.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		head := s.browser().do(r)
		if got.StatusCode != head.StatusCode {
			t.Errorf("%s: GET %d, HEAD %d", path, got.StatusCode, head.StatusCode)
		}
	}
}
