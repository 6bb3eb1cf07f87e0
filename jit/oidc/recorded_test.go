package oidc

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// recorded is a sign-in at a real provider, and a network that repeats what the provider answered.
type recorded struct {
	Time        time.Time       `json:"time"`
	Issuer      string          `json:"issuer"`
	ClientID    string          `json:"client_id"`
	RedirectURL string          `json:"redirect_uri"`
	Kept        Kept            `json:"kept"`
	Callback    url.Values      `json:"callback"`
	Discovery   json.RawMessage `json:"discovery"`
	KeySet      json.RawMessage `json:"jwks"`
	Token       json.RawMessage `json:"token"`
	UserInfo    json.RawMessage `json:"userinfo"`
	LogoutToken string          `json:"logout_token"`
}

func (r *recorded) RoundTrip(request *http.Request) (*http.Response, error) {
	body, ok := map[string]json.RawMessage{
		"/.well-known/openid-configuration": r.Discovery, "/jwks": r.KeySet, "/token": r.Token, "/me": r.UserInfo,
	}[request.URL.Path]
	status := http.StatusOK
	if !ok {
		status = http.StatusNotFound
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(string(body))), Request: request}, nil
}

func read(t testing.TB, name string, into any) {
	t.Helper()
	document, err := os.ReadFile("../../testdata/oidc/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(document, into); err != nil {
		t.Fatal(err)
	}
}

func (r *recorded) party(now time.Time) *RelyingParty {
	return &RelyingParty{
		Provider:    &Provider{Issuer: r.Issuer, HTTP: &http.Client{Transport: r}, Now: func() time.Time { return now }},
		ClientID:    r.ClientID,
		RedirectURL: r.RedirectURL,
		Wanted:      [][]string{{"department"}},
	}
}

func TestARecordedSignInIsAcceptedAtItsTime(t *testing.T) {
	var r recorded
	read(t, "panva-signin.json", &r)
	facts, err := r.party(r.Time).Finish(t.Context(), r.Kept, r.Callback)
	if err != nil {
		t.Fatal(err)
	}
	groups, _ := facts.Claims.Strings("groups")
	if facts.Subject != "ada" || facts.EmailVerified != VerifiedYes || facts.SessionID == "" || facts.Claims.Text("department") != "Research" || !slices.Equal(groups, []string{"Engineering", "Admins"}) {
		t.Errorf("%+v", facts)
	}
	logout, err := r.party(r.Time).Logout(t.Context(), r.LogoutToken)
	if err != nil || logout.SessionID != facts.SessionID || logout.Subject != "ada" {
		t.Errorf("%+v, %v", logout, err)
	}
}

func TestARecordedSignInIsRefusedAtOtherTimesAndByOthers(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*recorded)
		want Reason
	}{
		{"an hour later", func(r *recorded) { r.Time = r.Time.Add(time.Hour) }, ReasonExpired},
		{"an hour earlier", func(r *recorded) { r.Time = r.Time.Add(-time.Hour) }, ReasonNotYetValid},
		{"for another sign-in", func(r *recorded) { r.Kept.Nonce = "another" }, ReasonNonce},
		{"for another client", func(r *recorded) { r.ClientID, r.Kept.ClientID = "another", "another" }, ReasonAudience},
		{"by other keys", func(r *recorded) {
			r.KeySet = json.RawMessage(strings.Replace(string(r.KeySet), `"kid": "k1"`, `"kid": "k2"`, 1))
		}, ReasonSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r recorded
			read(t, "panva-signin.json", &r)
			test.edit(&r)
			if _, err := r.party(r.Time).Finish(t.Context(), r.Kept, r.Callback); ReasonOf(err) != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// The key of this token was not recorded: all but the signature is judged.
func TestARecordedTokenSaysWhatItsProviderSaidItSays(t *testing.T) {
	var r struct {
		IDToken  string         `json:"id_token"`
		Claims   map[string]any `json:"claims"`
		Issuer   string         `json:"iss_param"`
		UserInfo map[string]any `json:"userinfo"`
	}
	read(t, "panva.json", &r)
	signed, err := parseSigned(r.IDToken, algorithms())
	if err != nil {
		t.Fatal(err)
	}
	claims, err := decodeClaims(signed.UnsafePayloadWithoutVerification())
	if err != nil {
		t.Fatal(err)
	}
	for name := range r.Claims {
		want, _ := Claims(r.Claims).Strings(name)
		got, ok := claims.Strings(name)
		if number, isNumber := r.Claims[name].(float64); isNumber {
			want = []string{strconv.FormatInt(int64(number), 10)}
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	token, err := readProtocol(claims)
	if err != nil {
		t.Fatal(err)
	}
	rp := (&recorded{Issuer: r.Issuer, ClientID: "labrp"}).party(token.issued)
	if err := rp.check(token, Kept{Nonce: claims.Text("nonce")}); err != nil {
		t.Error(err)
	}
	if err := rp.secondOpinion(t.Context(), &verified{raw: r.IDToken}, token, ""); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(claims, merged(claims, r.UserInfo)); diff != "" {
		t.Error(diff)
	}
}
