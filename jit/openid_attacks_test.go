package jit_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"muster/directory"
	"muster/jit"
	"muster/jit/fetch"
	"muster/jit/oidc/oidctest"
)

// Attacks on the OpenID callback by their numbers, each at the door: refused, nothing written, no session, and the same
// sign-in without the attack accepted before and after it.

// assault is a connection with a provider that can be bent.
type assault struct {
	*scene
	op *provider
}

func besiege(t *testing.T, others ...directory.Connection) *assault {
	t.Helper()
	op := openID(t, oidctest.Client{ID: "another", Secret: clientSecret})
	return &assault{playOpenID(t, op, append(others, op.connection("corp"))...), op}
}

// bent is a sign-in with a provider that misbehaves, between two with one that does not.
func (a *assault) bent(guilty oidctest.Bend, status int, code string) told {
	a.Helper()
	a.op.Bend(oidctest.Bend{})
	a.in(a.browser().signInByOpenID("corp"), "/me")
	a.wait(time.Second)
	a.op.Bend(guilty)
	var view told
	a.untouched(func() {
		b := a.browser()
		b.accept = "application/json"
		view = a.out(b.signInByOpenID("corp"), status, code)
		if b.get("/me", "application/json").StatusCode != http.StatusUnauthorized {
			a.Error("somebody is signed in")
		}
	})
	a.op.Bend(oidctest.Bend{})
	a.in(a.browser().signInByOpenID("corp"), "/me")
	return view
}

// reply edits what the browser brings back.
func (a *assault) reply(edit func(url.Values), status int, code string) told {
	a.Helper()
	return a.bent(oidctest.Bend{Callback: edit}, status, code)
}

// claimed edits the claims of the ID token.
func (a *assault) claimed(edit func(map[string]any), code string) {
	a.Helper()
	a.bent(oidctest.Bend{Claims: edit}, 403, code)
}

func setTo(name string, value any) func(map[string]any) {
	return func(c map[string]any) { c[name] = value }
}

func without(name string) func(map[string]any) {
	return func(c map[string]any) { delete(c, name) }
}

func param(name, value string) func(url.Values) {
	return func(p url.Values) { p.Set(name, value) }
}

func TestAttack81AStateThatIsMissingUnknownUsedOrExpired(t *testing.T) {
	a := besiege(t)
	a.reply(func(p url.Values) { p.Del("state") }, 400, "malformed_message")
	a.reply(param("state", ""), 400, "malformed_message")
	a.reply(func(p url.Values) { p.Add("state", "another") }, 400, "malformed_message")
	a.reply(param("state", "unknown"), 403, "unknown_request")
	a.reply(param("state", strings.Repeat("x", 10<<10)), 413, "message_too_large")

	b := a.browser()
	back := a.visited(b)
	kept := b.client.Jar.Cookies(back)
	a.in(b.comeBack(back), "/me")
	a.untouched(func() { a.out(b.comeBack(back), 403, "unknown_request") })
	b.client.Jar.SetCookies(back, kept) // the browser did not forget
	a.untouched(func() { a.out(b.comeBack(back), 403, "unknown_request") })

	late := a.visited(b)
	a.wait(11 * time.Minute)
	a.untouched(func() { a.out(b.comeBack(late), 403, "unknown_request") })
	a.in(b.signInByOpenID("corp"), "/me")
}

// visited is a sign-in that has come as far as the way back.
func (a *assault) visited(b *browser) *url.URL {
	a.Helper()
	return b.visit(b.leave("corp", ""))
}

func TestAttack82AStateOfAnotherBrowser(t *testing.T) {
	a := besiege(t)
	eve, victim := a.browser(), a.browser()
	victim.leave("corp", "") // has a cookie of its own
	back := a.visited(eve)
	a.untouched(func() { a.out(victim.comeBack(back), 403, "unknown_request") })
	state := back.Query().Get("state")
	victim.client.Jar.SetCookies(back, []*http.Cookie{{Name: "muster-sign-in-" + state, Value: "forged", Path: "/"}})
	a.untouched(func() { a.out(victim.comeBack(back), 403, "unknown_request") })
	for _, cookie := range victim.client.Jar.Cookies(back) { // a cookie that is ours, of another request
		if cookie.Value != "forged" {
			victim.client.Jar.SetCookies(back, []*http.Cookie{{Name: "muster-sign-in-" + state, Value: cookie.Value, Path: "/"}})
		}
	}
	a.untouched(func() { a.out(victim.comeBack(back), 403, "unknown_request") })
	a.in(eve.comeBack(back), "/me") // and the attempt has not used it up
}

func TestAttack83AStateOfAnotherConnection(t *testing.T) {
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"), op.connection("labs"))
	b := s.browser()
	back := b.visit(b.leave("corp", ""))
	crossed := *back
	crossed.Path = "/c/labs/oidc/callback"
	s.untouched(func() { s.out(b.comeBack(&crossed), 403, "unknown_request") })
	s.in(b.comeBack(back), "/me")
	op.SignIn(oidcPerson("bob", "email", "bob@labs.example", "given_name", "B", "family_name", "B"))
	s.in(b.signInByOpenID("labs"), "/me")
}

func TestAttack84AReplyOfAnotherIssuerIsAMixUp(t *testing.T) {
	a := besiege(t)
	a.reply(param("iss", "https://evil.example"), 403, "invalid_assertion")
	a.reply(func(p url.Values) { p.Del("iss") }, 403, "invalid_assertion") // the provider announces it
	a.reply(func(p url.Values) { p.Add("iss", "https://evil.example") }, 400, "malformed_message")
	a.reply(func(p url.Values) { p.Set("iss", "https://evil.example"); p.Set("error", "access_denied") }, 403, "invalid_assertion")

	silent := openID(t) // a provider that does not announce it may leave it out
	silent.Bend(oidctest.Bend{Discovery: without("authorization_response_iss_parameter_supported"), Callback: func(p url.Values) { p.Del("iss") }})
	s := playOpenID(t, silent, silent.connection("corp"))
	s.in(s.browser().signInByOpenID("corp"), "/me")
}

func TestAttack85AnErrorReplyIsShownSafelyAndUsesTheStateUp(t *testing.T) {
	c := justInTime("diagnosed")
	op := openID(t)
	c.OIDC, c.DiagnoseUntil = op.connection("x").OIDC, time.Now().Add(time.Hour)
	s := playOpenID(t, op, c)
	const script = `<script>alert(1)</script>`
	b := s.browser()
	back := b.visit(b.leave("diagnosed", ""))
	query := back.Query()
	query.Del("code")
	query.Set("error", "access_denied")
	query.Set("error_description", script+"\r\nSet-Cookie: x=y"+strings.Repeat("x", 5000))
	query.Set("error_uri", "javascript:alert(1)")
	denied := *back
	denied.RawQuery = query.Encode()
	kept := b.client.Jar.Cookies(back)
	s.untouched(func() {
		got := b.comeBack(&denied)
		s.out(got, 403, "declined_by_provider")
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, "javascript:") || len(got.body) > 10_000 || strings.Contains(s.log.String(), "\nSet-Cookie") {
			t.Errorf("%d bytes: %s", len(got.body), got.body)
		}
		b.client.Jar.SetCookies(back, kept)
		s.out(b.comeBack(back), 403, "unknown_request") // with the code, too
	})
	s.in(b.signInByOpenID("diagnosed"), "/me")
}

func TestAttack86AStolenCodeIsWorthNothingInAnotherSignIn(t *testing.T) {
	for name, test := range map[string]struct {
		bend oidctest.Bend
		code string
	}{
		"the provider checks PKCE":               {oidctest.Bend{}, "invalid_assertion"},
		"the provider does not, the nonce tells": {oidctest.Bend{Lax: true}, "unknown_request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := besiege(t)
			a.op.Bend(test.bend)
			victim, eve := a.browser(), a.browser()
			stolen := a.visited(victim).Query().Get("code")
			back := a.visited(eve)
			query := back.Query()
			query.Set("code", stolen)
			injected := *back
			injected.RawQuery = query.Encode()
			a.untouched(func() { a.out(eve.comeBack(&injected), 403, test.code) })
			a.in(eve.signInByOpenID("corp"), "/me")
		})
	}
}

func TestAttack87APKCEDowngradeIsWarnedAboutAndPKCEIsSentAllTheSame(t *testing.T) {
	for warned, methods := range map[bool]any{true: []string{"plain"}, false: []string{"S256"}} {
		op := openID(t)
		op.Bend(oidctest.Bend{Discovery: setTo("code_challenge_methods_supported", methods)})
		s := playOpenID(t, op, op.connection("corp"))
		for range 2 {
			b := s.browser()
			to := b.leave("corp", "")
			if to.Query().Get("code_challenge_method") != "S256" || to.Query().Get("code_challenge") == "" || to.Query().Get("nonce") == "" {
				t.Errorf("%s", to)
			}
			s.in(b.comeBack(b.visit(to)), "/me")
		}
		if got := strings.Count(s.log.String(), "PKCE"); got > 1 || (got == 1) != warned {
			t.Errorf("warned %d times about %v", got, methods)
		}
	}
}

// headed gives a token another header and signs that.
func headed(header string, sign func(input []byte) []byte) func(string) string {
	return func(token string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + strings.Split(token, ".")[1]
		return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
	}
}

func hs256(key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

// resigned keeps the claims of a token and signs them otherwise.
func resigned(t *testing.T, key oidctest.Key, header map[string]any) func(string) string {
	return func(token string) string {
		claims, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		if err != nil {
			t.Error(err)
		}
		signed, err := oidctest.SignBytes(claims, key, header)
		if err != nil {
			t.Error(err)
		}
		return signed
	}
}

// tokened edits the ID token after it was signed.
func (a *assault) tokened(edit func(string) string) {
	a.Helper()
	a.bent(oidctest.Bend{IDToken: edit}, 403, "invalid_assertion")
}

func TestAttack88AnUnsignedToken(t *testing.T) {
	a := besiege(t)
	nothing := func([]byte) []byte { return nil }
	a.tokened(headed(`{"alg":"none"}`, nothing))
	a.tokened(headed(`{"alg":"None","kid":"k1"}`, nothing))
	a.tokened(func(token string) string { return token[:strings.LastIndex(token, ".")+1] })
}

func TestAttack89APublicKeyAsASharedSecret(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := besiege(t)
	a.op.Publish(oidctest.Key{ID: "k1", Private: key})
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range [][]byte{der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), []byte(clientSecret)} {
		a.tokened(headed(`{"alg":"HS256","kid":"k1"}`, hs256(secret)))
	}
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAttack90KeysThatTheTokenBrings(t *testing.T) {
	a := besiege(t)
	asked := 0
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer evil.Close()
	key := ecKey(t)
	own := oidctest.Key{ID: "k1", Private: key}
	for _, header := range []map[string]any{
		{"jwk": jose.JSONWebKey{Key: key.Public(), KeyID: "k1"}}, {"jku": evil.URL + "/jwks"}, {"x5u": evil.URL + "/cert"},
	} {
		a.tokened(resigned(t, own, header))
	}
	if asked > 0 {
		t.Error("the token's address was asked")
	}
}

func TestAttack91ASignatureByAnotherKey(t *testing.T) {
	a := besiege(t)
	key := ecKey(t)
	a.tokened(resigned(t, oidctest.Key{ID: "k1", Private: key}, nil))
	a.tokened(resigned(t, oidctest.Key{ID: "k2", Private: key}, nil))
	a.tokened(resigned(t, oidctest.Key{Private: key}, nil))
}

func TestAttack92ATokenOfAnotherIssuer(t *testing.T) {
	a := besiege(t)
	a.claimed(setTo("iss", "https://evil.example"), "invalid_assertion")
	a.claimed(setTo("iss", a.op.Issuer+"/"), "invalid_assertion")
	a.claimed(without("iss"), "invalid_assertion")
}

func TestAttack93ATokenForAnotherAudience(t *testing.T) {
	a := besiege(t)
	a.claimed(setTo("aud", "another"), "invalid_assertion")
	a.claimed(setTo("aud", []string{}), "invalid_assertion")
	a.claimed(without("aud"), "invalid_assertion")
}

func TestAttack94SeveralAudiencesAndNotMadeForUs(t *testing.T) {
	a := besiege(t)
	a.claimed(setTo("aud", []string{"muster", "another"}), "invalid_assertion")
	a.claimed(func(c map[string]any) { c["aud"], c["azp"] = []string{"muster", "another"}, "another" }, "invalid_assertion")
	a.op.Bend(oidctest.Bend{Claims: func(c map[string]any) { c["aud"], c["azp"] = []string{"muster", "another"}, "muster" }})
	a.in(a.browser().signInByOpenID("corp"), "/me")
}

func TestAttack95AnExpiredTokenOrOneWithoutEnd(t *testing.T) {
	a := besiege(t)
	a.claimed(func(c map[string]any) { c["exp"] = a.now().Add(-2 * time.Minute).Unix() }, "stale_assertion")
	a.claimed(without("exp"), "stale_assertion")
	a.op.Bend(oidctest.Bend{Claims: func(c map[string]any) { c["exp"] = a.now().Add(-30 * time.Second).Unix() }}) // within the skew
	a.in(a.browser().signInByOpenID("corp"), "/me")
}

func TestAttack96ATokenOfTheFuture(t *testing.T) {
	a := besiege(t)
	a.claimed(func(c map[string]any) { c["iat"] = a.now().Add(2 * time.Minute).Unix() }, "stale_assertion")
	a.claimed(without("iat"), "invalid_assertion")
}

func TestAttack97ATokenForAnotherNonce(t *testing.T) {
	a := besiege(t)
	a.claimed(setTo("nonce", "another"), "unknown_request")
	a.claimed(setTo("nonce", ""), "unknown_request")
	a.claimed(without("nonce"), "unknown_request")
}

func TestAttack98ATokenAboutNobody(t *testing.T) {
	a := besiege(t)
	a.claimed(setTo("sub", ""), "invalid_assertion")
	a.claimed(setTo("sub", "  "), "invalid_assertion")
	a.claimed(without("sub"), "invalid_assertion")
	a.claimed(func(c map[string]any) { delete(c, "sub"); c["SUB"] = "ada-1" }, "invalid_assertion")
}

func TestAttack99UserInfoAboutSomebodyElse(t *testing.T) {
	a := besiege(t)
	a.bent(oidctest.Bend{UserInfo: setTo("sub", "eve")}, 403, "invalid_assertion")
	a.bent(oidctest.Bend{UserInfo: without("sub")}, 403, "invalid_assertion")
	a.op.Bend(oidctest.Bend{UserInfo: setTo("name", "Ada of Lovelace")})
	a.in(a.browser().signInByOpenID("corp"), "/me")
	if got := text(a.user("ada@corp.example"), directory.DisplayName); got != "Ada of Lovelace" {
		t.Errorf("the true one gives %q", got)
	}
}

func TestAttack100AnAnswerWithoutAnIDToken(t *testing.T) {
	a := besiege(t)
	a.bent(oidctest.Bend{Answer: without("id_token")}, 403, "invalid_assertion")
	a.bent(oidctest.Bend{Answer: setTo("id_token", "")}, 403, "invalid_assertion")
	a.bent(oidctest.Bend{Answer: func(c map[string]any) { c["error"] = "server_error"; delete(c, "id_token"); delete(c, "access_token") }}, 403, "invalid_assertion")
}

func TestAttack101AFloodOfUnknownKeysCostsOneFetchAMinute(t *testing.T) {
	a := besiege(t)
	a.in(a.browser().signInByOpenID("corp"), "/me")
	before := a.op.Asked("/jwks")
	key := ecKey(t)
	flood := func(times int) {
		for range times {
			token, err := oidctest.Sign(map[string]any{"iss": a.op.Issuer}, oidctest.Key{ID: rand.Text(), Private: key}, map[string]any{"typ": "logout+jwt"})
			if err != nil {
				t.Fatal(err)
			}
			if status, _ := a.sayLogout("corp", url.Values{"logout_token": {token}}); status != http.StatusBadRequest {
				t.Errorf("%d", status)
			}
		}
	}
	flood(20)
	if got := a.op.Asked("/jwks") - before; got != 1 {
		t.Errorf("%d fetches in one minute", got)
	}
	a.wait(time.Minute)
	flood(20)
	if got := a.op.Asked("/jwks") - before; got != 2 {
		t.Errorf("%d fetches in two minutes", got)
	}
	a.wait(time.Minute)
	a.op.Publish(oidctest.Key{ID: "k2", Private: key}) // and a new key of the provider's is known at once
	a.in(a.browser().signInByOpenID("corp"), "/me")
}

// Attacks 71, 72 and 102: what a customer or a provider names is fetched with care.
func TestAttack102WhatAProviderNamesIsFetchedWithCare(t *testing.T) {
	op := openID(t)
	s := playWith(t, jit.Options{}, directory.Org{}, op.connection("corp")) // nothing private is permitted
	s.untouched(func() { s.out(s.browser().get("/c/corp/login", "application/json"), 503, "provider_unavailable") })

	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was fetched", r.URL)
	}))
	defer secret.Close()
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte(" "), 1<<20); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer huge.Close()
	away := httptest.NewServer(http.RedirectHandler(secret.URL, http.StatusTemporaryRedirect))
	defer away.Close()
	for _, test := range []struct {
		name, endpoint, address string
		status                  int
		code                    string
	}{
		{"a key set over plain http elsewhere", "jwks_uri", "http://192.0.2.1/jwks", 403, "channel_off"},
		{"a key set that is a file", "jwks_uri", "file:///etc/passwd", 403, "channel_off"},
		{"an endless key set", "jwks_uri", huge.URL, 503, "provider_unavailable"},
		{"an endless token endpoint", "token_endpoint", huge.URL, 403, "invalid_assertion"},
		{"a token endpoint that leads away", "token_endpoint", away.URL, 403, "invalid_assertion"},
		{"an endless userinfo endpoint", "userinfo_endpoint", huge.URL, 403, "invalid_assertion"},
		{"a userinfo endpoint that leads away", "userinfo_endpoint", away.URL, 403, "invalid_assertion"},
	} {
		t.Run(test.name, func(t *testing.T) {
			op := openID(t)
			op.Bend(oidctest.Bend{Discovery: setTo(test.endpoint, test.address)})
			s := playWith(t, jit.Options{HTTP: fetch.Client(fetch.Options{AllowPrivate: true})}, directory.Org{}, op.connection("corp"))
			op.clock = s.now
			b := s.browser()
			s.untouched(func() {
				got := b.get("/c/corp/login", "text/html")
				if to, err := got.Location(); err == nil {
					got = b.comeBack(b.visit(to))
				}
				s.out(got, test.status, test.code)
			})
			op.Bend(oidctest.Bend{})
			s.wait(3 * time.Hour)
			s.in(b.signInByOpenID("corp"), "/me")
		})
	}
}

func TestAttack103ADiscoveryDocumentOfAnotherIssuer(t *testing.T) {
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"))
	op.Bend(oidctest.Bend{Discovery: setTo("issuer", "https://evil.example")})
	s.out(s.browser().get("/c/corp/login", "application/json"), 403, "channel_off")
	op.Bend(oidctest.Bend{})
	s.wait(time.Minute)
	s.in(s.browser().signInByOpenID("corp"), "/me")
}

// CONFLICTS 6, 8: only the provider's no is a veto, and only a verified domain is a proof.
func TestAttack104AnUnverifiedAddressLinksNobody(t *testing.T) {
	for name, test := range map[string]struct {
		verified any
		domains  []string
		code     string // "" is a sign-in
	}{
		"said to be unverified":      {false, []string{"corp.example"}, "link_required"},
		"said so as text":            {"false", []string{"corp.example"}, "link_required"},
		"unsaid, outside the domain": {nil, nil, "link_required"},
		"a yes, outside the domain":  {true, nil, "link_required"},
		"unsaid, in the domain":      {nil, []string{"corp.example"}, ""},
		"a yes, in the domain":       {true, []string{"corp.example"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			op := openID(t)
			c := op.connection("corp")
			c.Domains = test.domains
			s := playOpenID(t, op, c)
			if _, err := s.dir.Apply(t.Context(), directory.Change{Org: "acme", Channel: directory.Local, Actor: "root", Verb: directory.VerbCreate,
				Attributes: attributes(directory.UserName, "ada@corp.example", directory.Emails, "ada@corp.example")}); err != nil {
				t.Fatal(err)
			}
			person := oidcAda()
			if test.verified != nil {
				person = oidcAda("email_verified", test.verified)
			}
			op.SignIn(person)
			if test.code == "" {
				s.in(s.browser().signInByOpenID("corp"), "/me")
				return
			}
			s.untouched(func() { s.out(s.browser().signInByOpenID("corp"), 403, test.code) })
		})
	}
}

func TestAttack105ADistributedClaimIsNotFetched(t *testing.T) {
	asked := false
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer trap.Close()
	op := openID(t)
	s := playOpenID(t, op, op.connection("corp"))
	op.SignIn(oidcAda("_claim_names", map[string]any{"groups": "src", "name": "src", "oid": "src"},
		"_claim_sources", map[string]any{"src": map[string]any{"endpoint": trap.URL, "access_token": "x"}}))
	s.in(s.browser().signInByOpenID("corp"), "/me")
	if asked {
		t.Error("the address that the token names was asked")
	}
}

func TestAttack106ACallbackReplayed(t *testing.T) {
	a := besiege(t)
	b := a.browser()
	back := a.visited(b)
	kept := b.client.Jar.Cookies(back)
	a.in(b.comeBack(back), "/me")
	tokens := a.op.Asked("/token")
	b.client.Jar.SetCookies(back, kept)
	a.untouched(func() {
		a.out(b.comeBack(back), 403, "unknown_request")
		a.out(a.browser().comeBack(back), 403, "unknown_request")
	})
	if a.op.Asked("/token") != tokens {
		t.Error("the code was tried again")
	}
}

// The same ID token, smuggled into another sign-in whose nonce it was made to fit, counts once.
func TestAttack106ATokenCountsOnce(t *testing.T) {
	a := besiege(t)
	var first string
	a.op.Bend(oidctest.Bend{IDToken: func(token string) string { first = token; return token }, Claims: setTo("nonce", "fixed")})
	a.out(a.browser().signInByOpenID("corp"), 403, "unknown_request")
	if first == "" {
		t.Fatal("no token")
	}
	a.op.Bend(oidctest.Bend{IDToken: func(string) string { return first }})
	a.untouched(func() { a.out(a.browser().signInByOpenID("corp"), 403, "unknown_request") })
}

func TestAttack107TheWayAfterwardsLeadsToOwnPathsOnly(t *testing.T) {
	a := besiege(t)
	land := func(to string) string {
		b := a.browser()
		there := b.leave("corp", "?return_to="+url.QueryEscape(to))
		if to != "" && strings.Contains(there.Query().Get("state"), to) {
			t.Errorf("the state carries %q", to)
		}
		back := b.visit(there)
		query := back.Query()
		query.Set("return_to", to) // what the browser brings is not read
		back.RawQuery = query.Encode()
		return b.comeBack(back).Header.Get("Location")
	}
	if got := land("/app?x=1"); got != "/app?x=1" {
		t.Errorf("an own path leads to %q", got)
	}
	for _, to := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "javascript:alert(1)", "/\t/evil.example", "", "/" + strings.Repeat("a", 10<<10)} {
		if got := land(to); got != "/me" {
			t.Errorf("%.40q leads to %.40q", to, got)
		}
	}
}

// The callback takes what a browser is sent to, and nothing else.
func TestTheCallbackTakesRedirectsOnly(t *testing.T) {
	a := besiege(t)
	b := a.browser()
	back := a.visited(b)
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodPut} {
		r, err := http.NewRequest(method, a.base+back.RequestURI(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.do(r); got.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", method, got.Status)
		}
	}
	a.in(b.comeBack(back), "/me")
}
