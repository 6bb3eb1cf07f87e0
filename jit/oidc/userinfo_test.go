package oidc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/jit/oidc"
	"muster/jit/oidc/oidctest"
)

// wanting is a scene whose relying party wants the department, which only the userinfo endpoint tells.
func wanting(t testing.TB) *scene {
	s := newScene(t)
	s.rp.Wanted = [][]string{{"mail", "email"}, {"department", "ou"}}
	return s
}

func TestTheUserInfoEndpointIsAskedForWhatIsMissing(t *testing.T) {
	for _, test := range []struct {
		name   string
		wanted [][]string
		bend   oidctest.Bend
		asked  int
	}{
		{"nothing wanted", nil, oidctest.Bend{}, 0},
		{"everything there", [][]string{{"email"}, {"groups", "memberOf"}, {}}, oidctest.Bend{}, 0},
		{"one missing", [][]string{{"email"}, {"department"}}, oidctest.Bend{}, 1},
		{"there, and empty", [][]string{{"department"}}, oidctest.Bend{Claims: claim("department", "")}, 0},
		{"groups that are too many", [][]string{{"roles"}}, oidctest.Bend{Claims: claim("_claim_names", map[string]string{"roles": "src1"})}, 0},
		{"missing, and no endpoint", [][]string{{"department"}}, oidctest.Bend{Discovery: claim("userinfo_endpoint", nil)}, 0},
		{"signed", [][]string{{"department"}}, oidctest.Bend{SignUserInfo: true}, 1},
		{"signed, for us", [][]string{{"department"}}, oidctest.Bend{SignUserInfo: true, UserInfo: both(claim("iss", issuer), claim("aud", clientID))}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.rp.Wanted = test.wanted
			s.op.Bend(test.bend)
			facts := s.accepted(t, test.name)
			if asked := s.op.Asked("/userinfo"); asked != test.asked {
				t.Errorf("asked %d times, want %d", asked, test.asked)
			}
			if test.asked > 0 && facts.Claims.Text("department") != "Research" {
				t.Errorf("claims: %v", facts.Claims)
			}
		})
	}
}

func TestAttack99UserInfoAboutSomebodyElseIsRefused(t *testing.T) {
	for name, subject := range map[string]any{"another": "eve", "none": nil, "empty": "", "in capitals": "ADA", "a list": []string{"ada"}} {
		t.Run(name, func(t *testing.T) {
			wanting(t).bent(t, oidctest.Bend{}, oidctest.Bend{UserInfo: claim("sub", subject)}, oidc.ReasonUserSubject)
		})
	}
}

func TestUserInfoThatIsSignedIsSignedByTheIssuerForUs(t *testing.T) {
	for name, edit := range map[string]func(map[string]any){
		"by another issuer":  claim("iss", "https://evil.example"),
		"for another client": claim("aud", "another"),
		"of a wrong shape":   claim("aud", 1),
	} {
		t.Run(name, func(t *testing.T) {
			wanting(t).bent(t, oidctest.Bend{SignUserInfo: true}, oidctest.Bend{SignUserInfo: true, UserInfo: edit}, oidc.ReasonUserInfo)
		})
	}
}

// instead is a network in which one path answers otherwise.
type instead struct {
	next    http.RoundTripper
	path    string
	handler http.HandlerFunc
}

func (n instead) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, n.path) {
		return inProcess{n.handler}.RoundTrip(r)
	}
	return n.next.RoundTrip(r)
}

func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestUserInfoThatCannotBeReadEndsTheSignIn(t *testing.T) {
	redirected := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://evil.example/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    oidc.Reason
	}{
		{"a good one", answering(200, "application/json", `{"sub":"ada","department":"Research"}`), ""},
		{"another charset in the header", answering(200, "text/html; charset=x", `{"sub":"ada"}`), ""},
		{"refused", answering(403, "application/json", `{}`), oidc.ReasonUserInfo},
		{"not there", answering(404, "text/html", ``), oidc.ReasonUserInfo},
		{"no JSON", answering(200, "text/html", `<html>`), oidc.ReasonUserInfo},
		{"no object", answering(200, "application/json", `"ada"`), oidc.ReasonUserInfo},
		{"two objects", answering(200, "application/json", `{"sub":"ada"}{"sub":"eve"}`), oidc.ReasonUserInfo},
		{"one name twice", answering(200, "application/json", `{"sub":"eve","sub":"ada"}`), oidc.ReasonUserInfo},
		{"invalid UTF-8", answering(200, "application/json", "{\"sub\":\"ada\",\"department\":\"\xff\"}"), oidc.ReasonUserInfo},
		{"a token signed by nobody", answering(200, "application/jwt", "a.b.c"), oidc.ReasonUserInfo},
		{"too large", answering(200, "application/json", `{"sub":"`+strings.Repeat("x", 1<<20)+`"}`), oidc.ReasonUserInfo},
		{"redirected", redirected, oidc.ReasonUserInfo},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := wanting(t)
			s.rp.Provider.HTTP.Transport = instead{s.rp.Provider.HTTP.Transport, "/userinfo", test.handler}
			facts, err := s.signIn(t)
			if test.want != "" {
				refusal(t, test.name, facts, err, test.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUserInfoAddsAndChangesNothing(t *testing.T) {
	s := wanting(t)
	s.op.Bend(oidctest.Bend{UserInfo: both(claim("given_name", "Eve"), claim("iss", "https://evil.example"), claim("groups", []string{"Root"}))})
	facts := s.accepted(t, "other claims")
	groups, _ := facts.Claims.Strings("groups")
	if facts.Claims.Text("given_name") != "Ada" || facts.Claims.Text("iss") != issuer || !cmp.Equal(groups, []string{"Engineering", "Admins"}) || facts.Claims.Text("department") != "Research" {
		t.Errorf("%v", facts.Claims)
	}
}

func TestAWordAboutOneAddressVouchesForNoOther(t *testing.T) {
	address := func(email, verified any) func(map[string]any) {
		return both(claim("email", email), claim("email_verified", verified))
	}
	for _, test := range []struct {
		name        string
		token, info func(map[string]any)
		want        oidc.Verified
		email       string
	}{
		{"both in the token", address("a@x", true), address("b@x", false), oidc.VerifiedYes, "a@x"},
		{"token silent, userinfo about the same", address("a@x", nil), address("a@x", true), oidc.VerifiedYes, "a@x"},
		{"token silent, userinfo about another", address("a@x", nil), address("b@x", true), oidc.VerifiedUnsaid, "a@x"},
		{"token silent, userinfo about none", address("a@x", nil), address(nil, true), oidc.VerifiedUnsaid, "a@x"},
		{"address and word from userinfo", address(nil, nil), address("b@x", true), oidc.VerifiedYes, "b@x"},
		{"a yes about no address, userinfo silent", address(nil, true), address("b@x", nil), oidc.VerifiedUnsaid, "b@x"},
		{"a yes about no address, userinfo no", address(nil, true), address("b@x", false), oidc.VerifiedNo, "b@x"},
		{"a no about no address, userinfo yes", address(nil, false), address("b@x", true), oidc.VerifiedNo, "b@x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := wanting(t)
			s.op.Bend(oidctest.Bend{Claims: test.token, UserInfo: test.info})
			facts := s.accepted(t, test.name)
			if facts.EmailVerified != test.want || facts.Claims.Text("email") != test.email {
				t.Errorf("%d about %s", facts.EmailVerified, facts.Claims.Text("email"))
			}
		})
	}
}

func TestGroupsOverageIsSeenAndItsSourceNeverAsked(t *testing.T) {
	sources := both(claim("groups", nil), claim("_claim_names", map[string]string{"groups": "src1"}),
		claim("_claim_sources", map[string]any{"src1": map[string]string{"endpoint": issuer + "/attack105"}}))
	for _, test := range []struct {
		name   string
		claims func(map[string]any)
		want   bool
	}{
		{"groups that are there", nil, false},
		{"105. a distributed claim", sources, true},
		{"a distributed claim without its source", both(claim("groups", nil), claim("_claim_names", map[string]string{"groups": "src1"})), true},
		{"another distributed claim", claim("_claim_names", map[string]string{"roles": "src1"}), false},
		{"hasgroups", both(claim("groups", nil), claim("hasgroups", true)), true},
		{"hasgroups as text", both(claim("groups", nil), claim("hasgroups", "true")), true},
		{"hasgroups says no", claim("hasgroups", false), false},
		{"names of a wrong shape", claim("_claim_names", "groups"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			s.rp.Wanted = [][]string{{"groups"}}
			s.op.Bend(oidctest.Bend{Claims: test.claims})
			if facts := s.accepted(t, test.name); facts.GroupsOverage != test.want {
				t.Errorf("overage %v", facts.GroupsOverage)
			}
			if s.op.Asked("/attack105") != 0 {
				t.Error("an address that a token named was asked")
			}
		})
	}
}
