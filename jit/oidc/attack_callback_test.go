package oidc_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// The numbers are those of the catalogue of attacks. What is kept is taken once and bound to a browser by the caller:
// 82, 106 and 107 are tested there, and so is the half of 81 that is about used and expired states.

func TestAttacksOnTheReply(t *testing.T) {
	set := func(name string, values ...string) func(url.Values) {
		return func(p url.Values) { p[name] = values }
	}
	none := func(name string) func(url.Values) {
		return func(p url.Values) { p.Del(name) }
	}
	for _, test := range []struct {
		name string
		edit func(url.Values)
		want oidc.Reason
	}{
		{"81. no state", none("state"), oidc.ReasonMalformed},
		{"81. an empty state", set("state", ""), oidc.ReasonMalformed},
		{"81. an unknown state", set("state", "unknown"), oidc.ReasonState},
		{"81. the state and more", func(p url.Values) { p.Set("state", p.Get("state")+"x") }, oidc.ReasonState},
		{"81. two states", func(p url.Values) { p.Add("state", "other") }, oidc.ReasonMalformed},
		{"84. iss of another provider", set("iss", "https://evil.example"), oidc.ReasonMixUp},
		{"84. iss with a slash more", set("iss", issuer+"/"), oidc.ReasonMixUp},
		{"84. iss missing though announced", none("iss"), oidc.ReasonMixUp},
		{"84. two iss", set("iss", issuer, "https://evil.example"), oidc.ReasonMalformed},
		{"84. an error from another provider", func(p url.Values) { p.Set("iss", "https://evil.example"); p.Set("error", "access_denied") }, oidc.ReasonMixUp},
		{"85. an error", set("error", "access_denied"), oidc.ReasonDeclined},
		{"85. an error beside a code", func(p url.Values) { p.Set("error", "server_error") }, oidc.ReasonDeclined},
		{"no code", none("code"), oidc.ReasonMalformed},
		{"two codes", set("code", "one", "two"), oidc.ReasonMalformed},
		{"a code of 10 KB", set("code", strings.Repeat("x", 10<<10)), oidc.ReasonTooLarge},
		{"an unknown code", set("code", "unknown"), oidc.ReasonExchange},
	} {
		t.Run(test.name, func(t *testing.T) {
			newScene(t).bent(t, oidctest.Bend{}, oidctest.Bend{Callback: test.edit}, test.want)
		})
	}
}

func TestAttack83AReplyToAnotherConnection(t *testing.T) {
	s := newScene(t)
	for _, test := range []struct {
		name  string
		other oidc.RelyingParty
	}{
		{"another client", oidc.RelyingParty{Provider: s.rp.Provider, ClientID: "another", RedirectURL: redirect}},
		{"another redirect URL", oidc.RelyingParty{Provider: s.rp.Provider, ClientID: clientID, RedirectURL: redirect + "2"}},
		{"another issuer", oidc.RelyingParty{Provider: &oidc.Provider{Issuer: "https://other.example", HTTP: s.rp.Provider.HTTP}, ClientID: clientID, RedirectURL: redirect}},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := s.begin(t)
			callback := s.visit(t, request.URL)
			facts, err := test.other.Finish(t.Context(), request.Kept, callback)
			refusal(t, "elsewhere", facts, err, oidc.ReasonState)
			if _, err := s.rp.Finish(t.Context(), request.Kept, callback); err != nil {
				t.Errorf("where it belongs: %v", err)
			}
		})
	}
}

func TestAttack84AProviderThatDoesNotAnnounceIssMayLeaveItOut(t *testing.T) {
	silent := func(document map[string]any) { delete(document, "authorization_response_iss_parameter_supported") }
	s := newScene(t)
	s.op.Bend(oidctest.Bend{Discovery: silent, Callback: func(p url.Values) { p.Del("iss") }})
	s.accepted(t, "without iss")
	s.op.Bend(oidctest.Bend{Discovery: silent, Callback: func(p url.Values) { p.Set("iss", "https://evil.example") }})
	s.refused(t, "with another's", oidc.ReasonMixUp)
}

func TestAttack85WhatTheProviderReportsIsQuotedAndCut(t *testing.T) {
	refused := newScene(t).bent(t, oidctest.Bend{}, oidctest.Bend{Callback: func(p url.Values) {
		p.Set("error", "access_denied")
		p.Set("error_description", "line\r\nforged log line "+strings.Repeat("x", 5000))
		p.Set("error_uri", "javascript:alert(1)")
	}}, oidc.ReasonDeclined)
	if strings.ContainsAny(refused.Detail, "\r\n") || len(refused.Detail) > 500 || !strings.Contains(refused.Detail, "access_denied") || strings.Contains(refused.Detail, "javascript") {
		t.Errorf("%d bytes: %s", len(refused.Detail), refused.Detail)
	}
}

func TestAttack86AStolenCodeIsWorthNothingElsewhere(t *testing.T) {
	for _, test := range []struct {
		name string
		lax  bool
		want oidc.Reason
	}{
		{"the provider checks PKCE", false, oidc.ReasonExchange},
		{"the provider does not, and the nonce tells", true, oidc.ReasonNonce},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.op.Bend(oidctest.Bend{Lax: test.lax})
			victim, attacker := s.begin(t), s.begin(t)
			stolen := s.visit(t, victim.URL)
			reply := s.visit(t, attacker.URL)
			own := reply.Get("code")
			reply.Set("code", stolen.Get("code"))
			facts, err := s.rp.Finish(t.Context(), attacker.Kept, reply)
			refusal(t, "the victim's code", facts, err, test.want)
			reply.Set("code", own)
			if _, err := s.rp.Finish(t.Context(), attacker.Kept, reply); err != nil {
				t.Errorf("the own code: %v", err)
			}
		})
	}
}

func TestAttack87AProviderWithoutPKCEIsWarnedAbout(t *testing.T) {
	for _, test := range []struct {
		name    string
		methods any
		warned  bool
	}{
		{"S256", []string{"plain", "S256"}, false},
		{"plain only", []string{"plain"}, true},
		{"nothing said", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.op.Bend(oidctest.Bend{Discovery: func(document map[string]any) { document["code_challenge_methods_supported"] = test.methods }})
			metadata, err := s.rp.Provider.Discover(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			warned := slices.ContainsFunc(metadata.Warnings(), func(w string) bool { return strings.Contains(w, "PKCE") })
			if warned != test.warned {
				t.Errorf("warnings: %q", metadata.Warnings())
			}
			if request := s.begin(t); !strings.Contains(request.URL, "code_challenge_method=S256") {
				t.Error("PKCE was left out")
			}
		})
	}
}

func TestAttack106ACodeIsExchangedOnce(t *testing.T) {
	s := newScene(t)
	request := s.begin(t)
	reply := s.visit(t, request.URL)
	if _, err := s.rp.Finish(t.Context(), request.Kept, reply); err != nil {
		t.Fatal(err)
	}
	facts, err := s.rp.Finish(t.Context(), request.Kept, reply)
	refusal(t, "again", facts, err, oidc.ReasonExchange)
}

func TestNothingKeptMatchesNothing(t *testing.T) {
	s := newScene(t)
	s.op.Bend(oidctest.Bend{Claims: claim("nonce", ""), Callback: func(p url.Values) { p.Set("state", "") }})
	request := s.begin(t)
	reply := s.visit(t, request.URL)
	facts, err := s.rp.Finish(t.Context(), oidc.Kept{}, reply)
	refusal(t, "nothing kept", facts, err, oidc.ReasonMalformed)
	reply.Set("state", request.Kept.State)
	forgotten := request.Kept
	forgotten.Nonce = ""
	facts, err = s.rp.Finish(t.Context(), forgotten, reply)
	refusal(t, "no nonce kept", facts, err, oidc.ReasonNonce)
}
