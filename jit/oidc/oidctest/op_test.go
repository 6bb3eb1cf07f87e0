package oidctest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"muster/jit/oidc/oidctest"
)

const back = "https://rp.example/callback"

func provider(t *testing.T) *oidctest.OP {
	t.Helper()
	op, err := oidctest.NewOP(oidctest.Options{Clients: []oidctest.Client{{ID: "rp", Secret: "secret", RedirectURLs: []string{back}}, {ID: "other", Secret: "secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	op.SignIn(oidctest.Person{Subject: "ada", Claims: map[string]any{"email": "ada@corp.example"}})
	return op
}

func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// authorize returns the status and where the browser is sent.
func authorize(op *oidctest.OP, edit func(url.Values)) (int, url.Values) {
	query := url.Values{"response_type": {"code"}, "client_id": {"rp"}, "redirect_uri": {back}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {challenge("verifier")}, "code_challenge_method": {"S256"}}
	edit(query)
	recorder := httptest.NewRecorder()
	op.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "https://op.example/authorize?"+query.Encode(), nil))
	location, _ := url.Parse(recorder.Header().Get("Location"))
	return recorder.Code, location.Query()
}

func redeem(op *oidctest.OP, code string, edit func(url.Values)) (int, map[string]any) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {back}, "code_verifier": {"verifier"},
		"client_id": {"rp"}, "client_secret": {"secret"}}
	edit(form)
	request := httptest.NewRequest(http.MethodPost, "https://op.example/token", strings.NewReader(form.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	op.ServeHTTP(recorder, request)
	var answer map[string]any
	_ = json.Unmarshal(recorder.Body.Bytes(), &answer)
	return recorder.Code, answer
}

func set(name, value string) func(url.Values) {
	return func(v url.Values) { v.Set(name, value) }
}

func nothing(url.Values) {}

func TestTheProviderSendsNobodyToStrangers(t *testing.T) {
	op := provider(t)
	for name, edit := range map[string]func(url.Values){
		"an unknown client": set("client_id", "stranger"), "another address": set("redirect_uri", "https://evil.example/"),
	} {
		if status, _ := authorize(op, edit); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	for name, edit := range map[string]func(url.Values){
		"no PKCE": set("code_challenge", ""), "plain PKCE": set("code_challenge_method", "plain"), "another flow": set("response_type", "token"),
	} {
		if _, reply := authorize(op, edit); reply.Get("error") == "" || reply.Get("code") != "" {
			t.Errorf("%s: %v", name, reply)
		}
	}
	if _, reply := authorize(op, nothing); reply.Get("code") == "" || reply.Get("iss") != op.Issuer || reply.Get("state") != "s" {
		t.Errorf("%v", reply)
	}
}

func TestACodeIsGoodOnceForItsClientWithItsVerifier(t *testing.T) {
	op := provider(t)
	for name, edit := range map[string]func(url.Values){
		"a wrong secret": set("client_secret", "x"), "no client": set("client_id", ""), "another client": set("client_id", "other"),
		"another verifier": set("code_verifier", "x"), "another address": set("redirect_uri", "x"), "another grant": set("grant_type", "x"),
	} {
		_, reply := authorize(op, nothing)
		if status, answer := redeem(op, reply.Get("code"), edit); status == http.StatusOK || answer["id_token"] != nil {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	_, reply := authorize(op, nothing)
	if status, answer := redeem(op, reply.Get("code"), nothing); status != http.StatusOK || answer["id_token"] == nil {
		t.Errorf("the right client: %d %v", status, answer)
	}
	if status, _ := redeem(op, reply.Get("code"), nothing); status == http.StatusOK {
		t.Error("the code was good twice")
	}
}

func TestAPersonMayBeChosenAtTheProvider(t *testing.T) {
	op, err := oidctest.NewOP(oidctest.Options{
		Clients: []oidctest.Client{{ID: "rp"}},
		Choose: func(w http.ResponseWriter, r *http.Request) (oidctest.Person, bool) {
			if who := r.FormValue("who"); who != "" {
				return oidctest.Person{Subject: who}, true
			}
			_, _ = w.Write([]byte("who are you?"))
			return oidctest.Person{}, false
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := authorize(op, nothing); status != http.StatusOK {
		t.Errorf("the page: %d", status)
	}
	if status, reply := authorize(op, set("who", "ada")); status != http.StatusSeeOther || reply.Get("code") == "" {
		t.Errorf("%d %v", status, reply)
	}
}
